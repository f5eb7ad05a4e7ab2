/*
 * Steps without call frame information, from exact to guessed.  Each fills `ret` and returns true,
 * or returns false: it does not apply here, or what it found fails its checks.
 */
#ifndef HANGDUMP_UNWIND_FALLBACK_H
#define HANGDUMP_UNWIND_FALLBACK_H

#include "unwind/engine.h"

/* Exact: the frame that the kernel made for a signal handler, at the stack pointer. */
bool fallback_sigreturn(struct stack_memory *stack, const struct registers *registers,
			struct step_to *ret);

/*
 * Exact: a stub of a procedure linkage table, a return instruction, the vsyscall page, or no code at
 * all (a call of a bad function pointer), where the return address is still on top of the stack.
 */
bool fallback_leaf(struct sites *sites, struct stack_memory *stack, const struct step_from *from,
		   struct step_to *ret);

/*
 * The frame pointer.  *ret_certain: the function's first instructions set it up, so it is this
 * function's and no caller is skipped.  Where that is not so, the frame pointer that it saved must
 * look like one, or the call like one that can lead here.
 */
bool fallback_frame_pointer(struct sites *sites, struct stack_memory *stack,
			    const struct step_from *from, struct step_to *ret, bool *ret_certain);

/* How much speaks for a word on the stack being the return address that is looked for. */
enum likeness {
	UNLIKE,
	CALLS_OTHER,	    /* of a call that is known to lead elsewhere */
	CALLS_SOMETHING,    /* of a call through a pointer */
	WHERE_CODE_RETURNS, /* of a call, and where this code's own end would take it from */
	CALLS_NEARBY, /* of a direct call to a little below this code, whose function is not known */
	CALLS_THIS_FUNCTION, /* of a call that leads to the start of this function */
};

struct scan_result {
	enum likeness likeness;
	uint64_t called; /* what a direct call leads to; 0 not known */
	struct step_to to;
};

/*
 * A guess: the likeliest word, and of equals the nearest one.  When the function's call frame
 * information needs only its frame address, `to` has no more registers than pc, sp and rbp.
 */
bool fallback_scan(struct sites *sites, struct stack_memory *stack, const struct step_from *from,
		   struct scan_result *ret);

/* Length of what sets up the frame pointer at the start of a function, 0 when nothing does. */
size_t fallback_frame_prologue(struct sites *sites, uint64_t start);

/* May `address` be where a call returns to?  Code, after a call where that can be told. */
bool fallback_is_return_address(struct sites *sites, uint64_t address);

#endif
