/* One goroutine of a dump, line by line, from its header on. */
#ifndef HANGDUMP_PARSE_GO_STACK_H
#define HANGDUMP_PARSE_GO_STACK_H

#include "parse/draft.h"
#include "parse/go_lines.h"

struct go_stack {
	enum go_stack_state {
		GO_STACK_NONE,	   /* no goroutine is open */
		GO_STACK_CALLS,	   /* a call is next, or what comes between or after calls */
		GO_STACK_PLACE,	   /* where the last call was made */
		GO_STACK_CREATION, /* where the creator did it */
	} state;
	struct draft *draft;
	size_t index;  /* in the goroutines of the dump's only process */
	size_t inner;  /* how many frames were read before those that were left out */
	size_t number; /* of the line that is being read */
};

/* Its header is known; a stack that it had is not kept. */
void go_stack_open(struct go_stack *stack, struct draft *draft, size_t index,
		   const struct go_header *header);
struct thread *go_stack_thread(const struct go_stack *stack);
/* Another header for the goroutine whose own was the last line. */
void go_stack_set_header(struct go_stack *stack, const struct go_header *header);

void go_stack_take(struct go_stack *stack, struct piece line);
/* A blank line or another goroutine comes, or, `is_cut`, the end of the text. */
void go_stack_close(struct go_stack *stack, bool is_cut);

#endif
