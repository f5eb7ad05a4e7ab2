/* A thread's stack: frames from the innermost outwards, and how the walk ended. */
#ifndef HANGDUMP_MODEL_STACK_H
#define HANGDUMP_MODEL_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
	FRAME_NATIVE,
	FRAME_KERNEL,
	FRAME_SIGNAL, /* the return trampoline of a signal handler; what it interrupted comes next */
	FRAME_GO,     /* of a goroutine, as Go's tables name it */
	FRAME_KINDS
};
extern const char *const frame_kind_names[FRAME_KINDS];

enum found_by {
	FOUND_BY_REGISTERS,	/* the thread's own program counter */
	FOUND_BY_CFI,		/* call frame information, or an equally exact rule (PLT stub) */
	FOUND_BY_FRAME_POINTER, /* the frame pointer chain */
	FOUND_BY_SCAN,	  /* a guess: a word on the stack that is the return address of a call */
	FOUND_BY_INLINE,  /* debug information, inside the frame outside it */
	FOUND_BY_KERNEL,  /* /proc/PID/task/TID/stack */
	FOUND_BY_UNKNOWN, /* not said where it was read from: a text */
	FOUND_BY_WAYS
};
extern const char *const found_by_names[FOUND_BY_WAYS];

struct frame {
	enum frame_kind kind;
	enum found_by found_by;
	bool doubtful; /* a guess stands between this frame and the registers */
	bool inlined;  /* has no frame of its own: the next outer frame not inlined has */
	uint64_t pc;   /* 0 for kernel frames, and when not known */
	uint64_t cfa;  /* canonical frame address, 0 when not known */
	/* Where to look pc up: pc itself, or pc - 1 when pc is a return address. */
	uint64_t lookup_pc;
	/* Filled by symbolize; NULL is "not known".  In the dump's pool. */
	const char *function;
	uint64_t offset; /* of pc from the function's start */
	const char *module;
	uint64_t module_offset; /* of pc, as an address in the module's file (p_vaddr) */
	const char *build_id;
	const char *file;
	unsigned line; /* 0: not known */
};

struct stack {
	struct frame *frames; /* owned */
	size_t count;
	bool complete;		/* the walk reached the thread's first frame */
	const char *incomplete; /* why not: in the dump's pool */
	size_t omitted;		/* frames that the walk saw beyond --max-frames */
	size_t omitted_outer;	/* how many of `frames`, the outermost, come after those */
};

/*
 * Two stacks of one thread, both symbolized: the index in `first` of the innermost frame that both
 * have, or first->count.  From the outermost frame inwards, frames are the same while they have the
 * same address and function, and the one outside of them is in the same call in both.  What was
 * left out of either outermost end is not compared.
 */
size_t stack_common_frame(const struct stack *first, const struct stack *second);

/*
 * The frame that a person would name as the place: the innermost user frame outside of the C
 * library, or the innermost of all when there is no other; NULL for an empty stack.
 */
const struct frame *stack_place(const struct stack *stack);

/*
 * Leaves out what is beyond the `most` innermost frames, as a walk that keeps no more does: inlined
 * frames and the kernel's do not count.
 */
void stack_limit(struct stack *stack, size_t most);

/* Accepts zeroed storage. */
void stack_deinit(struct stack *stack);

#endif
