/*
 * The target's object files: which ELF file lies behind each mapping, opened once, with the debug
 * files that belong to it.  The only room that opens a file of the target's choosing: through the
 * target's root, where its inode is that of the maps line (devices are not compared: btrfs and
 * overlayfs show others in maps than in fstat) or its build id that of the image in memory; else
 * through /proc/PID/exe or map_files; else, for what has no file any more and for the vdso, from the
 * image in memory.  Opening happens in a helper process with a deadline, so that a dead mount or a
 * FIFO under a library's name cannot hang us.
 *
 * unwind takes call frame information from here, symbolize takes names and lines.
 */
#ifndef HANGDUMP_OBJECTS_OBJECTS_H
#define HANGDUMP_OBJECTS_OBJECTS_H

#include "base/deadline.h"
#include "capture/reader.h"

#include <elfutils/libdwfl.h>

enum object_from {
	OBJECT_NOT_OPENED,   /* why_not says why */
	OBJECT_FROM_FILE,    /* the file that is mapped, by its path in the target's root */
	OBJECT_FROM_MAPPING, /* /proc/PID/exe or map_files: deleted or replaced since */
	OBJECT_FROM_MEMORY,  /* its loaded segments only: no symbol table, no DWARF of its own */
};

struct object {
	const char *path; /* as the target names it; "[vdso]" */
	bool deleted;
	uint64_t start, end; /* lowest and highest mapped address */
	uint64_t bias;	     /* address in memory = address in the file (p_vaddr) + bias */
	enum object_from from;
	const char *why_not;	/* what could not be had of the file itself, or NULL */
	const char *build_id;	/* lower-case hexadecimal, or NULL */
	const char *debug_path; /* the separate debug file in use, or NULL; known after its use */
	const char
		*debug_why_not; /* why one that was there (or asked for) is not in use, or NULL */
	Dwfl_Module *module;	/* NULL when not opened */
	Elf *elf;		/* the main file; NULL when not opened; the Dwfl's */
	struct object_private *private;
};

struct objects_options {
	bool debuginfod;	  /* may ask debuginfod servers for debug files */
	struct deadline deadline; /* no file is waited for longer than this */
};

struct objects;

/*
 * Groups the mappings into objects, one for each time that a file was loaded; opens nothing yet.
 * Files that are mapped only as data have none.  Also gives process->memory its second source: the
 * files behind mappings that cannot be written.  Borrows `process` until objects_close(), after
 * which its memory must not be read any more.
 */
struct objects *objects_open(struct capture_process *process,
			     const struct objects_options *options);
void objects_close(struct objects *objects);

const struct capture_process *objects_process(const struct objects *objects);

size_t objects_count(const struct objects *objects);
/* By number, in order of addresses; opened by the first call that asks for it. */
const struct object *objects_get(struct objects *objects, size_t index);
/* The same, not opened: path and addresses only, unless it was opened before. */
const struct object *objects_peek(const struct objects *objects, size_t index);

/*
 * The object whose mapping holds address, opened; NULL when address is in none (anonymous memory,
 * a gap, .bss).  An object between two of whose mappings lies foreign memory does not hold that.
 */
const struct object *objects_at(struct objects *objects, uint64_t address);

/*
 * The object whose module holds address by its program headers, as objects_at(), but also for its
 * zero-initialised data, behind which there is no file.
 */
const struct object *objects_at_data(struct objects *objects, uint64_t address);

/*
 * DWARF of the object or of its debug file, with its dwz file in place; NULL when there is none.
 * *ret_bias: address in memory = address in the DWARF + *ret_bias.
 */
Dwarf *objects_dwarf(const struct object *object, Dwarf_Addr *ret_bias);

/* What another process, which opened it for us, found out about an object's debug file. */
void objects_learn_debug(struct objects *objects, size_t index, const char *debug_path,
			 const char *debug_why_not);

/*
 * In a child that fork() made: from now on it has helpers of its own, and does not read the live
 * process, which the parent goes on doing.
 */
void objects_in_child(struct objects *objects);

struct target_file {
	int fd; /* for reading; the caller closes it */
	uid_t owner;
	mode_t mode;
};

/* Opens a regular file by its path in the target's root; false when that cannot be had. */
bool objects_open_file(struct objects *objects, const char *path, struct target_file *ret);

/*
 * May a library open this path on the host?  True when there is nothing, or a regular file on a
 * file system that answers by itself.
 */
bool objects_is_harmless(struct objects *objects, const char *path);

/*
 * The file that an object is read from.  Where all of this and the path are the same for objects of
 * two processes, so is what debug information says of both, because it is looked for in the same
 * places.
 */
struct object_identity {
	uint64_t device, inode, size;
	uint64_t changed_ns;
	const char *root; /* of the target: mount namespace and path */
};

/* Of an opened one; false when it was not read from a file, or the target's root is not known. */
bool objects_identify(const struct object *object, struct object_identity *ret);

Dwfl *objects_dwfl(struct objects *objects);

#endif
