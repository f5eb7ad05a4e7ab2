/*
 * The target's object files: which ELF file lies behind each mapping, opened once, with the debug
 * files that belong to it.  The only room that opens a file of the target's choosing: through the
 * target's root, with the inode checked; else through /proc/PID/map_files; else, for what has no
 * file any more and for the vdso, from the image in memory.  Opening happens in a helper process
 * with a deadline, so that a dead mount or a FIFO under a library's name cannot hang us.
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
	OBJECT_FROM_MAPPING, /* /proc/PID/map_files: deleted or replaced since */
	OBJECT_FROM_MEMORY,  /* its loaded segments only: no symbol table, no DWARF of its own */
};

struct object {
	const char *path; /* as the target names it; "[vdso]" */
	bool deleted;
	uint64_t start, end; /* lowest and highest mapped address */
	uint64_t bias;	     /* address in memory = address in the file (p_vaddr) + bias */
	enum object_from from;
	const char *why_not;  /* when it could not be opened, or its debug file could not */
	const char *build_id; /* lower-case hexadecimal, or NULL */
	Dwfl_Module *module;  /* NULL when not opened */
	Elf *elf;	      /* the main file; NULL when not opened; the Dwfl's */
	struct object_private *private;
};

struct objects_options {
	bool debuginfod;	  /* may ask debuginfod servers for debug files */
	struct deadline deadline; /* no file is waited for longer than this */
};

struct objects;

/*
 * Groups the mappings into objects; opens nothing yet.  Also gives process->memory its second
 * source: the files behind mappings that cannot be written.  Borrows `process` until
 * objects_close().
 */
struct objects *objects_open(struct capture_process *process,
			     const struct objects_options *options);
void objects_close(struct objects *objects);

size_t objects_count(const struct objects *objects);
/* By number; opened by the first call that asks for it. */
const struct object *objects_get(struct objects *objects, size_t index);

/*
 * The object whose mapping holds address, opened; NULL when address is in none (anonymous memory,
 * a gap).  An object between two of whose mappings lies foreign memory does not hold that.
 */
const struct object *objects_at(struct objects *objects, uint64_t address);

/* Are n bytes at address the same in the file?  False where that is not known. */
Dwfl *objects_dwfl(struct objects *objects);

#endif
