/* What the files of this room share. */
#ifndef HANGDUMP_OBJECTS_PRIVATE_H
#define HANGDUMP_OBJECTS_PRIVATE_H

#include "base/array.h"
#include "base/strpool.h"
#include "objects/objects.h"
#include "objects/opener.h"

#include <gelf.h>

#define OBJECT_PAGE	     4096u
#define OBJECT_MAX_PHDRS     512u
#define OBJECT_FILE_LIMIT_MS 1000u /* for one file, within the deadline for all */

/* A mapping of an object. */
struct span {
	uint64_t start, end, offset;
	bool writable, executable;
	size_t object;
	bool foreign; /* the same file, but not where its program headers put it */
};

struct segment {
	uint64_t vaddr, offset, file_size, memory_size, align;
	bool writable, executable;
};

struct object_private {
	struct objects *owner;
	bool tried, opening;
	size_t first_span, span_count; /* in spans_by_object */
	uint64_t inode;
	unsigned device_major, device_minor;
	int fd;				 /* of the main file; -1 when it is an image from memory */
	struct object_identity identity; /* of that file */
	void *image;			 /* from memory */
	size_t image_size;
	array(struct segment) segments;
	bool text_relocated;
	Dwarf *dwz;
	int dwz_fd;
	Elf *dwz_elf;
	void *dwz_image; /* behind dwz_elf when there is no file */
	bool dwz_tried;
};

struct objects {
	struct capture_process *process;
	struct objects_options options;
	struct strpool strings;
	struct opener *opener;
	char root[64];
	const char *root_name; /* its mount namespace and path; NULL: not known */
	bool shares_root; /* with us, and the same mounts: looking on the host as well is waste */
	bool reading;	  /* in the middle of a read of our own: the file source is silent */
	array(struct object) objects;
	array(struct span) spans; /* by address */
	array(size_t) order;	  /* indexes into spans, those of one object together, by address */
	array(uint64_t) stuck;	  /* devices (major << 32 | minor) that did not answer */
	Dwfl *dwfl;
	Dwfl_Callbacks callbacks;
	const char *debuginfod_urls; /* NULL: none */
	size_t images_size;	     /* of all images from memory */
};

#define for_each_span(objects, object, span)                                                       \
	for (size_t span_i_ = (object)->private->first_span,                                       \
		    span_n_ = span_i_ + (object)->private->span_count;                             \
	     span_i_ < span_n_; span_i_++)                                                         \
		for (struct span *span = &(objects)->spans.items[(objects)->order.items[span_i_]]; \
		     span; span = NULL)

/* group.c: fills objects, spans and order from the process's mappings. */
void objects_group(struct objects *objects);

/*
 * elf_file.c: finds the object's ELF file: descriptor, Elf and `from`, or why_not.  The Elf is the
 * caller's until the Dwfl has it.
 */
Elf *object_find_elf(struct objects *objects, struct object *object);

/* A file in the target's root, or of the host's; never waits longer than a file may. */
struct opened objects_open_in_target(struct objects *objects, const char *path);
struct opened objects_open_on_host(struct objects *objects, const char *path);

/* elf_memory.c: the image of an object as far as it can be read; NULL with why_not. */
Elf *object_elf_from_memory(struct objects *objects, struct object *object);
void object_free_image(struct object *object);

/* segments.c */
bool object_read_segments(struct object *object, Elf *elf);
/* Where the segments lie by the mappings; marks the mappings that do not fit.  False: nowhere. */
bool object_place(struct objects *objects, struct object *object);

/* debug_files.c: the Dwfl's callback. */
int object_find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link, GElf_Word crc, char **ret_path);
void object_close_dwz(struct object *object);

/* build_id.c: lower-case hexadecimal of an ELF file's build id; NULL when it has none. */
const char *elf_build_id_hex(struct strpool *strings, Elf *elf);
const char *bytes_hex(struct strpool *strings, const void *bytes, size_t n);

/* file_memory.c */
size_t objects_read_file_memory(void *context, uint64_t address, void *buf, size_t n);

/* debuginfod.c: a descriptor, or -1 with words in *ret_why. */
int debuginfod_fetch(const char *urls, const void *build_id, size_t length,
		     struct deadline deadline, char **ret_path, const char **ret_why);

/* objects.c */
const struct span *objects_span_at(const struct objects *objects, uint64_t address);

#endif
