/*
 * Separate debug files: by build id, by .gnu_debuglink, and the dwz file that a debug file refers
 * to by .gnu_debugaltlink.  Each is looked for in the target's root first and then on the host,
 * and none is used that does not prove to be the right one.
 */
#include "objects/private.h"

#include "base/cleanup.h"

#include <elfutils/libdwelf.h>

#define DEBUG_DIR "/usr/lib/debug"

/* What a debug file has to be. */
struct wanted {
	const char *build_id; /* hexadecimal, or NULL */
	bool has_crc;	      /* of .gnu_debuglink; counts where there is no build id */
	uint32_t crc;
	const char *path; /* of the file used, or NULL */
	const char *why_not;
};

/* The CRC-32 of IEEE 802.3, as .gnu_debuglink has it. */
static uint32_t crc32_of(uint32_t crc, const unsigned char *bytes, size_t n)
{
	static uint32_t table[256];
	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;
			for (int bit = 0; bit < 8; bit++)
				c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
			table[i] = c;
		}
	}
	crc = ~crc;
	for (size_t i = 0; i < n; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
	return ~crc;
}

static bool crc_matches(const struct objects *objects, int fd, uint32_t wanted)
{
	static unsigned char buf[1 << 16];
	uint32_t crc = 0;
	off_t at = 0;
	for (ssize_t n; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n) {
		crc = crc32_of(crc, buf, (size_t)n);
		if (deadline_passed(objects->options.deadline))
			return false;
	}
	return crc == wanted;
}

static const char *reject(struct objects *objects, int fd, const struct wanted *wanted)
{
	if (wanted->build_id) {
		Elf *elf = elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);
		const char *its = elf_kind(elf) == ELF_K_ELF
					  ? elf_build_id_hex(&objects->strings, elf)
					  : NULL;
		elf_end(elf);
		return its == wanted->build_id ? NULL : "its build id is another one";
	}
	if (wanted->has_crc && crc_matches(objects, fd, wanted->crc))
		return NULL;
	return "its checksum is another one";
}

static int check(struct objects *objects, struct opened opened, const char *path,
		 struct wanted *wanted)
{
	const char *why = opened_why(&opened);
	if (!why) {
		why = reject(objects, opened.fd, wanted);
		if (!why) {
			wanted->path = strpool_add(&objects->strings, path);
			return opened.fd;
		}
		close(opened.fd);
	} else if (opened.result == OPEN_FAILED) {
		return -1; /* mostly: no such file */
	}
	wanted->why_not = strpool_printf(&objects->strings, "%s: %s", path, why);
	return -1;
}

static int look_at(struct objects *objects, const char *path, struct wanted *wanted)
{
	if (deadline_passed(objects->options.deadline)) {
		wanted->why_not = "the deadline passed";
		return -1;
	}
	int fd = check(objects, objects_open_in_target(objects, path), path, wanted);
	/* On the host a checksum proves too little: that file was never meant for this root. */
	if (fd < 0 && wanted->build_id && !objects->shares_root)
		fd = check(objects, objects_open_on_host(objects, path), path, wanted);
	return fd;
}

static int by_build_id(struct objects *objects, struct wanted *wanted)
{
	if (!wanted->build_id || strlen(wanted->build_id) < 4)
		return -1;
	_cleanup_free_ char *path = xasprintf(DEBUG_DIR "/.build-id/%.2s/%s.debug",
					      wanted->build_id, wanted->build_id + 2);
	return look_at(objects, path, wanted);
}

static int by_link(struct objects *objects, const char *main_path, const char *link,
		   struct wanted *wanted)
{
	static const char *const forms[] = {"%.*s/%s", "%.*s/.debug/%s", DEBUG_DIR "%.*s/%s"};
	const char *slash = strrchr(main_path, '/');
	int fd = -1;
	if (!slash || strchr(link, '/') || !*link)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(forms) && fd < 0; i++) {
		_cleanup_free_ char *path =
			xasprintf(forms[i], (int)(slash - main_path), main_path, link);
		if (strcmp(path, main_path) != 0)
			fd = look_at(objects, path, wanted);
	}
	return fd;
}

static int by_debuginfod(struct objects *objects, Dwfl_Module *module, struct wanted *wanted)
{
	const unsigned char *bits;
	GElf_Addr at;
	_cleanup_free_ char *path = NULL;
	const char *why = NULL;
	int n = dwfl_module_build_id(module, &bits, &at);
	if (!objects->options.debuginfod || !objects->debuginfod_urls || n <= 0)
		return -1;
	/* A server that is mute for one file must leave time for the others. */
	int fd = debuginfod_fetch(objects->debuginfod_urls, bits, (size_t)n,
				  deadline_halfway(objects->options.deadline), &path, &why);
	wanted->path = strpool_add(&objects->strings, path);
	if (why)
		wanted->why_not = strpool_printf(&objects->strings, "debuginfod: %s", why);
	return fd;
}

/* libdwfl asks for a dwz file by the same callback; open_dwz() knows better what that must be. */
static bool is_for_dwz(const struct object *object, const char *link, GElf_Word crc)
{
	GElf_Word own_crc;
	const char *own = link ? dwelf_elf_gnu_debuglink(object->elf, &own_crc) : NULL;
	return link && (!own || strcmp(own, link) != 0 || own_crc != crc);
}

int object_find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link, GElf_Word crc, char **ret_path)
{
	struct object *object = *userdata;
	struct objects *objects = object->private->owner;
	struct wanted wanted = {.build_id = object->build_id, .has_crc = link != NULL, .crc = crc};
	(void)name, (void)base, (void)file_name;
	if (is_for_dwz(object, link, crc))
		return -1;
	int fd = by_build_id(objects, &wanted);
	if (fd < 0 && link)
		fd = by_link(objects, object->path, link, &wanted);
	if (fd < 0)
		fd = by_debuginfod(objects, module, &wanted);
	if (fd >= 0) {
		object->debug_path = wanted.path;
		*ret_path = wanted.path ? xstrdup(wanted.path) : NULL;
	} else {
		object->debug_why_not = wanted.why_not;
	}
	return fd;
}

/*
 * A dwz file without anything in it.  Without one in place libdw would open the name that the
 * debug file gives, whatever lies there.
 */
static Elf *empty_dwz(struct object_private *p)
{
	static const char names[] = "\0.debug_frame\0.shstrtab";
	struct image {
		Elf64_Ehdr ehdr;
		Elf64_Shdr shdrs[3];
		char frame[8];
		char names[sizeof(names)];
	} *image = xcalloc(1, sizeof(*image));
	image->ehdr = (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					       ELFDATA2LSB, EV_CURRENT},
				   .e_type = ET_DYN,
				   .e_machine = EM_X86_64,
				   .e_version = EV_CURRENT,
				   .e_shoff = offsetof(struct image, shdrs),
				   .e_ehsize = sizeof(Elf64_Ehdr),
				   .e_shentsize = sizeof(Elf64_Shdr),
				   .e_shnum = 3,
				   .e_shstrndx = 2};
	image->shdrs[1] = (Elf64_Shdr){.sh_name = 1,
				       .sh_type = SHT_PROGBITS,
				       .sh_offset = offsetof(struct image, frame),
				       .sh_size = sizeof(image->frame)};
	image->shdrs[2] = (Elf64_Shdr){.sh_name = sizeof("\0.debug_frame"),
				       .sh_type = SHT_STRTAB,
				       .sh_offset = offsetof(struct image, names),
				       .sh_size = sizeof(image->names)};
	memcpy(image->names, names, sizeof(names));
	p->dwz_image = image;
	return elf_memory((char *)image, sizeof(*image));
}

static int find_dwz(struct objects *objects, const struct object *object, const char *name,
		    struct wanted *wanted)
{
	int fd = by_build_id(objects, wanted);
	if (fd >= 0)
		return fd;
	if (name[0] == '/')
		return look_at(objects, name, wanted);
	const char *from = object->debug_path ? object->debug_path : object->path;
	const char *slash = strrchr(from, '/');
	if (!slash)
		return -1;
	_cleanup_free_ char *path = xasprintf("%.*s/%s", (int)(slash - from), from, name);
	return look_at(objects, path, wanted);
}

static void open_dwz(struct object *object, Dwarf *dwarf)
{
	struct object_private *p = object->private;
	const char *name;
	const void *id;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
	p->dwz_tried = true;
	if (n == 0)
		return;
	struct wanted wanted = {0};
	if (n > 0)
		wanted.build_id = bytes_hex(&p->owner->strings, id, (size_t)n);
	if (wanted.build_id)
		p->dwz_fd = find_dwz(p->owner, object, name, &wanted);
	if (p->dwz_fd >= 0) {
		p->dwz_elf = elf_begin(p->dwz_fd, ELF_C_READ_MMAP_PRIVATE, NULL);
		p->dwz = dwarf_begin_elf(p->dwz_elf, DWARF_C_READ, NULL);
	}
	if (!p->dwz) {
		object->debug_why_not =
			strpool_printf(&p->owner->strings, "the dwz file %s: %s", n > 0 ? name : "",
				       wanted.why_not ? wanted.why_not : "not found");
		elf_end(p->dwz_elf);
		p->dwz_elf = empty_dwz(p);
		p->dwz = dwarf_begin_elf(p->dwz_elf, DWARF_C_READ, NULL);
	}
	dwarf_setalt(dwarf, p->dwz);
}

void object_close_dwz(struct object *object)
{
	struct object_private *p = object->private;
	dwarf_end(p->dwz);
	elf_end(p->dwz_elf);
	free(p->dwz_image);
	if (p->dwz_fd >= 0)
		close(p->dwz_fd);
}

static void hide_locations(Elf *elf)
{
	size_t names;
	Elf_Scn *section = NULL;
	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		if (!name || !(header.sh_flags & SHF_COMPRESSED) ||
		    (strcmp(name, ".debug_loclists") != 0 && strcmp(name, ".debug_loc") != 0))
			continue;
		header.sh_type = SHT_NOBITS;
		gelf_update_shdr(section, &header);
	}
}

/*
 * libdw inflates all sections of a file when it opens it, and where variables lie at which pc is
 * nothing that anybody here asks.  The debug file is the one that the symbols come from; where it is
 * not, this saves nothing.
 */
static void hide_what_is_not_read(const struct object *object)
{
	GElf_Sym symbol;
	GElf_Addr address;
	Dwarf_Addr bias;
	Elf *elf = NULL;
	hide_locations(object->elf);
	if (dwfl_module_getsymtab(object->module) > 1 &&
	    dwfl_module_getsym_info(object->module, 1, &symbol, &address, NULL, &elf, &bias))
		hide_locations(elf);
}

Dwarf *objects_dwarf(const struct object *object, Dwarf_Addr *ret_bias)
{
	if (!object->module)
		return NULL;
	hide_what_is_not_read(object);
	Dwarf *dwarf = dwfl_module_getdwarf(object->module, ret_bias);
	if (dwarf && !object->private->dwz_tried) {
		struct objects *objects = object->private->owner;
		open_dwz(&objects->objects.items[object - objects->objects.items], dwarf);
	}
	return dwarf;
}
