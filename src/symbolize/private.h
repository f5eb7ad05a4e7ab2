/* What the files of this room share. */
#ifndef HANGDUMP_SYMBOLIZE_PRIVATE_H
#define HANGDUMP_SYMBOLIZE_PRIVATE_H

#include "base/address_map.h"
#include "base/array.h"
#include "base/deadline.h"
#include "base/strpool.h"
#include "objects/objects.h"
#include "symbolize/answers.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* --- symbols.c: the symbol table --- */

/* The pool's copy of a name; one that is longer than NAME_LIMIT ends there, in "...". */
#define NAME_LIMIT (16u << 10)
const char *name_in_pool(struct strpool *strings, const char *name);
/* Without a version suffix, demangled, in the pool. */
const char *symbol_name(struct strpool *strings, const char *raw);

enum symbol_kind { SYMBOL_FUNCTION, SYMBOL_DATA };

struct symbol {
	uint64_t start, size; /* in memory; size is not 0 */
	const char *raw;      /* the symbol table's */
	bool local;
};

/* Symbols that have a size, by address; built by the first look-up. */
struct symbol_index {
	bool built;
	bool has_locals; /* the table is not a stripped one */
	array(struct symbol) symbols;
};

/* The symbol that holds address, the best known of its names; NULL when in none. */
const struct symbol *symbol_index_find(struct symbol_index *index, const struct object *object,
				       enum symbol_kind kind, uint64_t address);
/* Where the symbol of this name, whatever its version, begins; 0 when there is none. */
uint64_t symbol_index_address(struct symbol_index *index, const struct object *object,
			      enum symbol_kind kind, const char *name);
void symbol_index_deinit(struct symbol_index *index);

/* The function that holds address; *ret_start is where it begins.  NULL when in none. */
const char *symbols_function(struct symbol_index *index, const struct object *object,
			     struct strpool *strings, uint64_t address, uint64_t *ret_start);

/* --- debug_info.c: DWARF of one object --- */

/* One function that a pc is in. */
struct place {
	const char *function; /* NULL: not known */
	const char *file;     /* NULL: not known */
	unsigned line;
	uint64_t start; /* of the outermost, in memory; 0 not known */
};
typedef array(struct place) place_array;

/* A walk over DIEs, with an end whatever the DWARF says; zero `deadline`: none. */
struct die_walk {
	struct deadline deadline;
	size_t left; /* so many more steps */
};

/* The next sibling, in place; false when there is none, or when the walk is over. */
bool die_next(struct die_walk *walk, Dwarf_Die *die);

struct function_range {
	Dwarf_Addr low, high;
	Dwarf_Die die;
};

struct unit {
	Dwarf_Off offset;
	Dwarf_Die cu;  /* with the line table */
	Dwarf_Die top; /* with the functions: cu, or that of its .dwo file */
	bool has_top;  /* false: in a .dwo file that is not there, or not fit to be opened */
	bool indexed;
	array(struct function_range) functions; /* by address; filled by the first look-up */
};

struct unit_range {
	Dwarf_Addr low, high;
	Dwarf_Off unit;
};

struct variable {
	Dwarf_Addr address;
	Dwarf_Die die;
};

struct debug_info {
	struct objects *objects;
	const struct object *object;
	struct strpool *strings;
	struct deadline deadline;
	bool tried;
	Dwarf *dwarf;
	Dwarf_Addr bias;
	array(struct unit *) units; /* by offset */
	bool ranges_built;
	array(struct unit_range) ranges; /* by address */
	bool variables_built;
	array(struct variable) variables; /* by address */
};

void debug_info_deinit(struct debug_info *info);
bool debug_info_open(struct debug_info *info);

/* The unit that holds a DWARF address, or NULL. */
struct unit *debug_info_unit_at(struct debug_info *info, Dwarf_Addr address);
/* Goes through all units; their functions' part is there if it can be had without harm. */
struct unit *debug_info_unit(struct debug_info *info, Dwarf_Die *cu);

/*
 * The functions at address in memory, innermost first, the last one has its own frame; without
 * `inlines` only that, with the line of the innermost.  Empty when there is no such information.
 */
void debug_info_places(struct debug_info *info, uint64_t address, bool inlines, place_array *ret);

/* The subprogram at a DWARF address, and the inlined subroutines from the outermost inwards. */
typedef array(Dwarf_Die) die_array;
bool unit_find_function(struct unit *unit, struct deadline deadline, Dwarf_Addr address,
			Dwarf_Die *ret);
void function_find_inlines(Dwarf_Die *function, struct deadline deadline, Dwarf_Addr address,
			   die_array *ret);

/* --- die_names.c --- */
const char *die_function_name(struct strpool *strings, struct deadline deadline, Dwarf_Die *die,
			      Dwarf_Die *top);
const char *source_path(struct strpool *strings, const char *path, Dwarf_Die *cu);

/* --- variables.c --- */

/* Variable at address in memory: its DIE, or false. */
bool debug_info_variable(struct debug_info *info, uint64_t address, Dwarf_Die *ret);
/* ".lock", "[3].lock+0x8": what lies at offset in the variable; the caller frees. */
char *variable_member(Dwarf_Die *variable, uint64_t offset);

/* --- debug_helper.h: what may be asked --- */

enum debug_question_kind {
	/* The functions at an address, as debug_info_places() has them. */
	QUESTION_PLACES,
	/*
	 * The variable that begins at an address: one place, `function` being what lies at `offset`
	 * in it ("" for itself), file and line those of its declaration.  None: no such variable.
	 */
	QUESTION_VARIABLE,
	QUESTION_KINDS,
};

/* Also sent to the helper as it is. */
struct debug_question {
	uint32_t kind;
	uint32_t object; /* by number, of objects_get() */
	uint64_t address, offset;
};

/* --- answers.c --- */

/* What was said of one file; strings are in the pool of its answers. */
struct file_answers {
	struct object_identity identity;
	const char *path;
	const char *debug_path, *debug_why_not; /* as struct object has them */
	const char *given_up; /* why it is not to be read again, static; or NULL */
	/* With addresses of the file. */
	struct address_map by_kind[QUESTION_KINDS];
};

/* Those of the file behind an opened object; NULL when that is not known for certain. */
struct file_answers *answers_of(struct answers *answers, const struct object *object);
/* False when it was not asked before; else *ret is filled, with strings in the pool. */
bool answers_recall(const struct file_answers *file, const struct object *object,
		    const struct debug_question *question, struct strpool *strings,
		    place_array *ret);
void answers_remember(struct answers *answers, struct file_answers *file,
		      const struct object *object, const struct debug_question *question,
		      const place_array *places);

/* --- perf_map.c: names that a JIT wrote down --- */
struct perf_map;
struct perf_map *perf_map_load(struct objects *objects, struct deadline deadline);
void perf_map_free(struct perf_map *map);
/* NULL when in none; valid until perf_map_free(). */
const char *perf_map_find(const struct perf_map *map, uint64_t address, uint64_t *ret_start);
/* For tests: takes the text (not NUL-terminated). */
struct perf_map *perf_map_parse(const char *text, size_t n, struct deadline deadline);

#endif
