/*
 * objects: the mappings of processes written by hand, whose memory is our own, so that every odd
 * arrangement can be made; and hostile files.
 */
#include "objects/objects.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct objects_options no_options;
/* In a segment that cannot be written; and in one that relocation writes. */
static const char constant[] = "a constant that is in the file";
static const char *const relocated[] = {constant};

/* Our own memory, as far as /proc/self/maps says that it can be read. */
static size_t read_self(void *context, uint64_t address, void *buf, size_t n)
{
	struct capture_process *process = context;
	const struct capture_mapping *m = capture_mapping_at(process, address);
	if (!m || !m->readable)
		return 0;
	if (n > m->end - address)
		n = m->end - address;
	/* Not memcpy: what is read may be the buffer itself. */
	struct iovec to = {buf, n}, from = {(void *)address, n};
	ssize_t got = process_vm_readv(process->pid, &to, 1, &from, 1, 0);
	return got > 0 ? (size_t)got : 0;
}

static void parse_maps(struct capture_process *process, struct strpool *strings)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[4400], perms[8], path[4200];
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct capture_mapping m = {0};
		path[0] = '\0';
		assert_true(sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %4199[^\n]", &m.start, &m.end,
				   perms, &m.offset, &m.device_major, &m.device_minor, &m.inode,
				   path) >= 7);
		m.readable = perms[0] == 'r';
		m.writable = perms[1] == 'w';
		m.executable = perms[2] == 'x';
		m.shared = perms[3] == 's';
		char *deleted = strstr(path, " (deleted)");
		m.deleted = deleted != NULL;
		if (deleted)
			*deleted = '\0';
		m.path = strpool_add(strings, path);
		*array_append(&process->mappings) = m;
	}
	fclose(f);
}

struct self {
	struct strpool strings;
	struct capture_process process;
	struct objects *objects;
};

static void self_open(struct self *self)
{
	static char executable[4096];
	*self = (struct self){0};
	self->process.pid = self->process.live_tid = getpid();
	if (readlink("/proc/self/exe", executable, sizeof(executable) - 1) > 0)
		self->process.executable = executable;
	parse_maps(&self->process, &self->strings);
	self->objects = objects_open(&self->process, &no_options);
	memory_add_source(&self->process.memory, MEMORY_LIVE, read_self, &self->process);
}

static void self_close(struct self *self)
{
	objects_close(self->objects);
	array_deinit(&self->process.mappings);
	strpool_deinit(&self->strings);
}

static int check_bias(struct dl_phdr_info *info, size_t size, void *context)
{
	struct self *self = context;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_X))
			continue;
		uint64_t code = info->dlpi_addr + phdr->p_vaddr;
		const struct object *object = objects_at(self->objects, code);
		assert_non_null(object);
		assert_non_null(object->module);
		assert_null(object->why_not);
		assert_int_equal(object->bias, info->dlpi_addr);
		assert_non_null(object->build_id);
	}
	return 0;
}

static void test_agrees_with_the_dynamic_linker(void **state)
{
	struct self self;
	(void)state;
	self_open(&self);
	assert_true(objects_count(self.objects) >= 3);
	dl_iterate_phdr(check_bias, &self);
	for (size_t i = 1; i < objects_count(self.objects); i++)
		assert_true(objects_get(self.objects, i - 1)->end <=
			    objects_get(self.objects, i)->start);
	self_close(&self);
}

static void test_vdso_comes_from_memory(void **state)
{
	struct self self;
	(void)state;
	if (!getauxval(AT_SYSINFO_EHDR))
		skip(); /* under valgrind */
	self_open(&self);
	for (size_t i = 0; i < objects_count(self.objects); i++) {
		const struct object *object = objects_get(self.objects, i);
		if (strcmp(object->path, "[vdso]") != 0)
			continue;
		assert_int_equal(object->from, OBJECT_FROM_MEMORY);
		assert_null(object->why_not);
		assert_non_null(object->module);
		assert_int_not_equal(dwfl_module_getsymtab(object->module), 0);
		self_close(&self);
		return;
	}
	fail_msg("no vdso");
}

static void test_files_are_the_second_source(void **state)
{
	struct self self;
	enum memory_origin origin;
	char buf[sizeof(constant)];
	const char *pointer;
	(void)state;
	self_open(&self);
	struct memory *memory = &self.process.memory;
	assert_true(memory_read(memory, (uint64_t)constant, buf, sizeof(buf), &origin));
	assert_int_equal(origin, MEMORY_FILE);
	assert_memory_equal(buf, constant, sizeof(buf));
	/* The file has it unrelocated. */
	assert_true(memory_read(memory, (uint64_t)relocated, &pointer, 8, &origin));
	assert_int_equal(origin, MEMORY_LIVE);
	assert_ptr_equal(pointer, constant);
	/* Across the end of the code, and where there is nothing. */
	const struct object *object =
		objects_at(self.objects, (uint64_t)test_vdso_comes_from_memory);
	assert_non_null(object);
	uint64_t count = memory->live_reads;
	static char whole[1 << 16];
	(void)memory_read(memory, object->end - 8, whole, sizeof(whole), NULL);
	assert_false(memory_read(memory, 8, buf, 8, NULL));
	assert_false(memory_read(memory, UINT64_MAX - 4, buf, 4, NULL));
	assert_true(memory->live_reads <= count + 1);
	self_close(&self);
	assert_int_equal(memory->count, 1);
}

/* One program, mapped once more by hand, with foreign memory inside of each load. */
static void test_same_file_twice_is_two_objects(void **state)
{
	struct self self;
	struct stat st;
	(void)state;
	int fd = open("/proc/self/exe", O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	size_t size = 16 * 4096;
	/* A copy of the program's first pages, as a loader makes it; then a hole of another's. */
	char *again = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(again, MAP_FAILED);
	self_open(&self);
	const struct object *first =
		objects_at(self.objects, (uint64_t)test_same_file_twice_is_two_objects);
	assert_non_null(first);
	const struct object *second = objects_at(self.objects, (uint64_t)again);
	/* Not executable: it is data, and surely not the program. */
	assert_null(second);
	assert_true(first->end <= (uint64_t)again || first->start >= (uint64_t)again + size);
	self_close(&self);
	munmap(again, size);
	close(fd);
}

static void add(struct capture_process *process, uint64_t start, uint64_t end, uint64_t offset,
		const char *perms, uint64_t inode, const char *path)
{
	*array_append(&process->mappings) = (struct capture_mapping){.start = start,
								     .end = end,
								     .offset = offset,
								     .readable = true,
								     .writable = perms[1] == 'w',
								     .executable = perms[2] == 'x',
								     .inode = inode,
								     .path = path};
}

static void test_grouping(void **state)
{
	struct capture_process process = {.pid = 1, .live_tid = 1};
	(void)state;
	/* Loaded twice, the second right behind the first, with memory of others inside. */
	add(&process, 0x10000, 0x11000, 0, "r--", 7, "/lib/a");
	add(&process, 0x11000, 0x12000, 0x1000, "r-x", 7, "/lib/a");
	add(&process, 0x12000, 0x13000, 0, "rwx", 0, "");
	add(&process, 0x13000, 0x14000, 0x2000, "rw-", 7, "/lib/a");
	add(&process, 0x14000, 0x15000, 0, "r--", 7, "/lib/a");
	add(&process, 0x15000, 0x16000, 0x1000, "r-x", 7, "/lib/a");
	add(&process, 0x17000, 0x18000, 0x2000, "rw-", 7, "/lib/a");
	/* Data only. */
	add(&process, 0x20000, 0x21000, 0, "r--", 8, "/usr/share/locale");
	/* Code and data share a page of the file. */
	add(&process, 0x30000, 0x31000, 0, "r-x", 9, "/bin/tiny");
	add(&process, 0x31000, 0x32000, 0, "rw-", 9, "/bin/tiny");
	/* Two names of one file are one file. */
	add(&process, 0x40000, 0x41000, 0, "r--", 10, "/lib/b");
	add(&process, 0x41000, 0x42000, 0x1000, "r-x", 10, "/lib/b.1");
	/* The program, which maps itself once more to read its debug information. */
	add(&process, 0x50000, 0x51000, 0, "r-x", 11, "/bin/self");
	add(&process, 0x7f0000000000, 0x7f0000001000, 0x8000, "r--", 11, "/bin/self");
	struct objects *objects = objects_open(&process, &no_options);
	static const struct {
		const char *path;
		uint64_t start, end;
	} rows[] = {
		{"/lib/a", 0x10000, 0x14000},	 {"/lib/a", 0x14000, 0x18000},
		{"/bin/tiny", 0x30000, 0x32000}, {"/lib/b", 0x40000, 0x42000},
		{"/bin/self", 0x50000, 0x51000},
	};
	assert_int_equal(objects_count(objects), ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct object *object = objects_peek(objects, i);
		assert_string_equal(object->path, rows[i].path);
		assert_int_equal(object->start, rows[i].start);
		assert_int_equal(object->end, rows[i].end);
	}
	/* Nothing of it can be opened, and that is said. */
	assert_null(objects_at(objects, 0x12800));
	assert_null(objects_at(objects, 0x16800));
	assert_ptr_equal(objects_at(objects, 0x11800), objects_peek(objects, 0));
	assert_ptr_equal(objects_at(objects, 0x15000), objects_peek(objects, 1));
	assert_int_equal(objects_peek(objects, 0)->from, OBJECT_NOT_OPENED);
	assert_non_null(objects_peek(objects, 0)->why_not);
	objects_close(objects);
	array_deinit(&process.mappings);
}

/* A file that is not what was mapped: another inode under the name, no ELF, cut short. */
static void use_everything(struct objects *objects)
{
	for (size_t i = 0; i < objects_count(objects); i++) {
		const struct object *object = objects_get(objects, i);
		Dwarf_Addr bias;
		assert_true(object->module || object->why_not);
		if (!object->module)
			continue;
		objects_dwarf(object, &bias);
		dwfl_module_eh_cfi(object->module, &bias);
		dwfl_module_dwarf_cfi(object->module, &bias);
		int count = dwfl_module_getsymtab(object->module);
		for (int j = 0; j < count && j < 1000; j++) {
			GElf_Sym sym;
			GElf_Addr address;
			dwfl_module_getsym_info(object->module, j, &sym, &address, NULL, NULL,
						NULL);
		}
		for (uint64_t at = object->start; at < object->end && at < object->start + 65536;
		     at += 4096)
			dwfl_module_addrname(object->module, at);
	}
}

static void open_as_mapped(const char *path, size_t size)
{
	struct capture_process process = {.pid = getpid(), .live_tid = getpid()};
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	add(&process, 0x10000, 0x10000 + (size + 4095) / 4096 * 4096 + 4096, 0, "r-x", st.st_ino,
	    path);
	struct objects *objects = objects_open(&process, &no_options);
	use_everything(objects);
	char buf[4096];
	for (uint64_t at = 0x10000; at < 0x10000 + size; at += 4096)
		(void)memory_read(&process.memory, at, buf, sizeof(buf), NULL);
	objects_close(objects);
	array_deinit(&process.mappings);
}

static void write_file(const char *path, const unsigned char *bytes, size_t n)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static unsigned char *own_file(size_t *ret)
{
	FILE *f = fopen("/proc/self/exe", "re");
	size_t room = 1 << 20;
	unsigned char *bytes = xmalloc(room);
	*ret = fread(bytes, 1, room, f);
	fclose(f);
	return bytes;
}

static void test_hostile_files(void **state)
{
	char path[] = "/tmp/hangdump-hostile-XXXXXX";
	size_t size;
	unsigned char *bytes = own_file(&size);
	unsigned seed = 1;
	(void)state;
	close(mkstemp(path));
	static const size_t cuts[] = {0, 1, 4, 16, 63, 64, 65, 128, 1000, 4096, 20000};
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		write_file(path, bytes, cuts[i]);
		open_as_mapped(path, cuts[i]);
	}
	/* Headers and tables are in the first pages; the section headers at the end. */
	for (int round = 0; round < 200; round++) {
		unsigned char *copy = xmalloc(size);
		memcpy(copy, bytes, size);
		size_t span = round % 4 == 0 ? size : round % 4 == 1 ? 64 : 1024;
		for (int flips = 0; flips < 1 + round % 20; flips++)
			copy[(size_t)rand_r(&seed) % span] = (unsigned char)rand_r(&seed);
		memcpy(copy, ELFMAG, SELFMAG);
		write_file(path, copy, size);
		open_as_mapped(path, size);
		free(copy);
	}
	free(bytes);
	unlink(path);
}

static void test_file_cut_short_while_mapped(void **state)
{
	char path[] = "/tmp/hangdump-cut-XXXXXX";
	struct capture_process process = {.pid = getpid(), .live_tid = getpid()};
	struct stat st;
	size_t size;
	unsigned char *bytes = own_file(&size);
	(void)state;
	close(mkstemp(path));
	write_file(path, bytes, size);
	assert_int_equal(stat(path, &st), 0);
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)bytes;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(bytes + ehdr->e_phoff);
	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD)
			add(&process, 0x10000 + (phdr[i].p_vaddr & ~4095ul),
			    0x10000 + ((phdr[i].p_vaddr + phdr[i].p_filesz + 4095) & ~4095ul),
			    phdr[i].p_offset & ~4095ul, phdr[i].p_flags & PF_X ? "r-x" : "r--",
			    st.st_ino, path);
	}
	struct objects *objects = objects_open(&process, &no_options);
	assert_int_equal(objects_count(objects), 1);
	assert_int_equal(objects_get(objects, 0)->from, OBJECT_FROM_FILE);
	assert_int_equal(truncate(path, 4096), 0);
	use_everything(objects);
	/* Gone is gone: not zeroes. */
	char byte;
	assert_false(memory_read(&process.memory, objects_peek(objects, 0)->start + 8192, &byte, 1,
				 NULL));
	objects_close(objects);
	array_deinit(&process.mappings);
	free(bytes);
	unlink(path);
}

static void test_another_file_by_that_name(void **state)
{
	struct capture_process process = {.pid = getpid(), .live_tid = getpid()};
	char path[4096] = "";
	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	add(&process, 0x10000, 0x10000 + (1 << 20), 0, "r-x", 1, path);
	struct objects *objects = objects_open(&process, &no_options);
	const struct object *object = objects_get(objects, 0);
	assert_int_equal(object->from, OBJECT_NOT_OPENED);
	assert_null(object->module);
	assert_non_null(object->why_not);
	objects_close(objects);
	array_deinit(&process.mappings);
}

static void test_past_the_deadline(void **state)
{
	struct capture_process process = {.pid = getpid(), .live_tid = getpid()};
	struct objects_options options = {.deadline = {1}};
	char path[4096] = "";
	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	add(&process, 0x10000, 0x10000 + (1 << 20), 0, "r-x", 1, path);
	struct objects *objects = objects_open(&process, &options);
	assert_string_equal(objects_get(objects, 0)->why_not, "the deadline passed");
	objects_close(objects);
	array_deinit(&process.mappings);
}

static void test_many_mappings(void **state)
{
	struct capture_process process = {.pid = 1, .live_tid = 1};
	(void)state;
	for (uint64_t i = 0; i < 65000; i++)
		add(&process, 0x10000 + i * 8192, 0x11000 + i * 8192, i % 2 * 4096, "r-x",
		    i / 2 + 1, "/lib/x");
	uint64_t before = monotonic_ns();
	struct objects *objects = objects_open(&process, &no_options);
	assert_int_equal(objects_count(objects), 32500);
	assert_true(monotonic_ns() - before < 20000000000u);
	objects_close(objects);
	array_deinit(&process.mappings);
}

static size_t open_descriptors(void)
{
	size_t count = 0;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_no_descriptor_is_left(void **state)
{
	struct self self;
	(void)state;
	size_t before = open_descriptors();
	self_open(&self);
	use_everything(self.objects);
	assert_true(open_descriptors() > before);
	self_close(&self);
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_dynamic_linker),
		cmocka_unit_test(test_vdso_comes_from_memory),
		cmocka_unit_test(test_files_are_the_second_source),
		cmocka_unit_test(test_same_file_twice_is_two_objects),
		cmocka_unit_test(test_grouping),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_file_cut_short_while_mapped),
		cmocka_unit_test(test_another_file_by_that_name),
		cmocka_unit_test(test_past_the_deadline),
		cmocka_unit_test(test_many_mappings),
		cmocka_unit_test(test_no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
