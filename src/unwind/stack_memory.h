/* The stack words that one step reads, and what must be said about them afterwards. */
#ifndef HANGDUMP_UNWIND_STACK_MEMORY_H
#define HANGDUMP_UNWIND_STACK_MEMORY_H

#include "capture/reader.h"

struct stack_memory {
	struct memory *memory;
	bool live;    /* a word came from the process after it was let go */
	bool missing; /* a word could not be had: */
	uint64_t missing_address;
};

static inline bool stack_read(struct stack_memory *stack, uint64_t address, void *buf, size_t n)
{
	enum memory_origin origin;
	if (!memory_read(stack->memory, address, buf, n, &origin)) {
		if (!stack->missing)
			stack->missing_address = address;
		stack->missing = true;
		return false;
	}
	if (origin == MEMORY_LIVE)
		stack->live = true;
	return true;
}

static inline bool stack_read_u64(struct stack_memory *stack, uint64_t address, uint64_t *ret)
{
	uint64_t value;
	if (!stack_read(stack, address, &value, sizeof(value)))
		return false;
	*ret = value;
	return true;
}

#endif
