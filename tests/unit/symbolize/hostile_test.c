/*
 * symbolize: ELF and DWARF that lie.  This program's own file, with bytes of its debug sections,
 * symbol table and unwind table changed, is asked for everything that can be said of it; whatever
 * the answers are, there is no crash and an end.
 */
#include "symbolize/symbolize.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BASE = 0x10000000, ROUNDS = 40 };

static unsigned char *file;
static size_t file_size;

static int set_up(void **state)
{
	FILE *f = fopen("/proc/self/exe", "re");
	size_t room = 64u << 20;
	(void)state;
	file = xmalloc(room);
	file_size = f ? fread(file, 1, room, f) : 0;
	if (f)
		fclose(f);
	return file_size == 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(file);
	return 0;
}

static bool is_interesting(const char *name)
{
	return strncmp(name, ".debug", 6) == 0 || strcmp(name, ".symtab") == 0 ||
	       strcmp(name, ".strtab") == 0 || strcmp(name, ".eh_frame") == 0;
}

static void change(unsigned char *bytes, unsigned seed)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)file;
	const Elf64_Shdr *shdr = (const Elf64_Shdr *)(file + ehdr->e_shoff);
	const char *names = (const char *)file + shdr[ehdr->e_shstrndx].sh_offset;
	int left = 1 + (int)(rand_r(&seed) % 30);
	for (int tries = 0; left && tries < 10000; tries++) {
		const Elf64_Shdr *s = &shdr[(unsigned)rand_r(&seed) % ehdr->e_shnum];
		if (!s->sh_size || s->sh_type == SHT_NOBITS || !is_interesting(names + s->sh_name))
			continue;
		size_t at = (size_t)rand_r(&seed) % s->sh_size;
		bytes[s->sh_offset + at] = rand_r(&seed) % 3 ? (unsigned char)rand_r(&seed) : 0xff;
		left--;
	}
}

static void map_file(struct capture_process *process, const char *path)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)file;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(file + ehdr->e_phoff);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	for (unsigned i = 0; i < ehdr->e_phnum; i++, phdr++) {
		if (phdr->p_type != PT_LOAD)
			continue;
		struct capture_mapping *m = array_append(&process->mappings);
		*m = (struct capture_mapping){
			.start = BASE + (phdr->p_vaddr & ~4095ul),
			.end = BASE + ((phdr->p_vaddr + phdr->p_filesz + 4095) & ~4095ul),
			.offset = phdr->p_offset & ~4095ul,
			.readable = true,
			.writable = phdr->p_flags & PF_W,
			.executable = phdr->p_flags & PF_X,
			.inode = st.st_ino,
			.path = path};
	}
}

/* Returns how many frames have a line: that the questions do reach the debug information. */
static size_t ask_everything(struct symbolize *symbolize, const struct capture_process *process)
{
	size_t lines = 0;
	array_for_each (&process->mappings, m) {
		for (uint64_t at = m->start; m->executable && at < m->end; at += 509) {
			struct stack stack = {.frames = xcalloc(1, sizeof(struct frame)),
					      .count = 1};
			stack.frames[0].pc = stack.frames[0].lookup_pc = at;
			symbolize_stack(symbolize, &stack);
			assert_true(stack.count >= 1);
			lines += stack.frames[0].line != 0;
			stack_deinit(&stack);
		}
		for (uint64_t at = m->start; m->writable && at < m->end; at += 8)
			(void)symbolize_data(symbolize, at);
	}
	return lines;
}

/* Debug information is read in another process, whose end is only told. */
static bool crashed(struct objects *objects)
{
	for (size_t i = 0; i < objects_count(objects); i++) {
		const char *why = objects_peek(objects, i)->debug_why_not;
		if (why && (strstr(why, "crashed") || strstr(why, "memory")))
			return true;
	}
	return false;
}

static size_t symbolize_file(const char *path)
{
	struct capture_process process = {.pid = getpid(), .live_tid = getpid()};
	struct objects_options object_options = {.deadline = deadline_in_ms(20000)};
	struct symbolize_options options = {
		.inlines = true, .lines = true, .deadline = object_options.deadline};
	struct strpool strings = {0};
	map_file(&process, path);
	struct objects *objects = objects_open(&process, &object_options);
	struct symbolize *symbolize = symbolize_new(objects, &options, &strings);
	size_t lines = ask_everything(symbolize, &process);
	assert_false(crashed(objects));
	symbolize_free(symbolize);
	objects_close(objects);
	array_deinit(&process.mappings);
	strpool_deinit(&strings);
	return lines;
}

static void test_unchanged_is_known(void **state)
{
	char path[4096] = "";
	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	size_t lines = symbolize_file(path);
	print_message("%zu lines\n", lines);
	assert_true(lines > 50);
}

static void test_changed_bytes(void **state)
{
	char path[] = "/tmp/hangdump-hostile-XXXXXX";
	unsigned char *bytes = xmalloc(file_size);
	(void)state;
	close(mkstemp(path));
	for (unsigned round = 0; round < ROUNDS; round++) {
		memcpy(bytes, file, file_size);
		change(bytes, round);
		FILE *f = fopen(path, "we");
		assert_non_null(f);
		assert_int_equal(fwrite(bytes, 1, file_size, f), file_size);
		fclose(f);
		/* In a child, so that a crash names its round. */
		pid_t pid = fork();
		if (pid == 0) {
			alarm(120);
			symbolize_file(path);
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("round %u: status %#x", round, (unsigned)status);
	}
	free(bytes);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unchanged_is_known),
		cmocka_unit_test(test_changed_bytes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
