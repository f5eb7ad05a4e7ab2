/* The stack of a group, line by line. */
#ifndef HANGDUMP_PARSE_REPORT_STACK_H
#define HANGDUMP_PARSE_REPORT_STACK_H

#include "parse/draft.h"

/* draft->stack has the frames. */
struct report_stack {
	struct draft *draft;
	bool of_goroutine;
	bool is_open;	  /* lines may still come */
	bool wants_place; /* the last frame's */
	bool wants_creation;
	struct stack end; /* without frames: how it ends */
	struct creator creator;
	uint64_t first_parent; /* where the creator was one goroutine only */
};

void report_stack_open(struct report_stack *stack, struct draft *draft, bool of_goroutine);
/* False: the line is none of a stack; `*ret_dropped`: the one before it was none either. */
bool report_stack_take(struct report_stack *stack, struct piece line, bool *ret_dropped);
/* After an empty line: can this be nothing but more of the stack? */
bool report_stack_goes_on(const struct report_stack *stack, struct piece line);
/* The last frame is where every stack begins, and this line is none of it. */
bool report_stack_is_whole(const struct report_stack *stack, struct piece line);
/* No more lines come.  True: the last one was none of a stack. */
bool report_stack_close(struct report_stack *stack);

#endif
