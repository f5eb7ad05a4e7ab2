/*
 * From addresses to function, offset, module, file and line, and the functions inlined there.
 * Each distinct address is looked up once.
 */
#ifndef HANGDUMP_SYMBOLIZE_SYMBOLIZE_H
#define HANGDUMP_SYMBOLIZE_SYMBOLIZE_H

#include "base/deadline.h"
#include "base/strpool.h"
#include "model/stack.h"
#include "objects/objects.h"
#include "symbolize/answers.h"

struct symbolize;

struct symbolize_options {
	bool inlines;		  /* add frames for inlined functions */
	bool lines;		  /* file and line */
	struct deadline deadline; /* past it, frames keep module and offset only */
	/* Borrowed, from those whose other options are the same; NULL: all is read anew. */
	struct answers *answers;
};

/* Strings go into `strings`. */
struct symbolize *symbolize_new(struct objects *objects, const struct symbolize_options *options,
				struct strpool *strings);
void symbolize_free(struct symbolize *symbolize);

/*
 * Names every frame of the stack, and inserts the inlined ones before (inside) the frame that
 * holds them; found_by "inline", pc of the frame that holds them.
 */
void symbolize_stack(struct symbolize *symbolize, struct stack *stack);

/*
 * The name of a variable that holds address, as "savings (bank.c:12)" where debug information
 * says where it was declared, "savings+0x8" from the symbol table; NULL when in none.
 */
const char *symbolize_data(struct symbolize *symbolize, uint64_t address);

/*
 * The address of a variable of the first object whose file name begins with `library`; 0 when there
 * is none.
 */
uint64_t symbolize_find_variable(struct symbolize *symbolize, const char *library,
				 const char *name);

/* True when the deadline cut some look-ups short. */
bool symbolize_was_cut(const struct symbolize *symbolize);

/* "_ZN3foo3barEv" to "foo::bar()", for C++, Rust and D; NULL when it is not a mangled name. */
char *symbolize_demangle(const char *name);

#endif
