/*
 * Evaluates the DWARF expressions of call frame information (DWARF 5, 2.5) on a thread's registers
 * and stack.  Any input is answered in bounded time.
 */
#ifndef HANGDUMP_UNWIND_EXPRESSION_H
#define HANGDUMP_UNWIND_EXPRESSION_H

#include "capture/reader.h"
#include "unwind/stack_memory.h"

#include <elfutils/libdw.h>

/* Longer ones are refused; known ones have a dozen. */
enum { EXPRESSION_OPS_MAX = 1024 };

struct expression_context {
	const struct registers *registers;
	struct stack_memory *stack;
	uint64_t bias; /* what DW_OP_addr needs to become an address in memory */
	bool has_cfa;
	uint64_t cfa;
};

/*
 * *ret_is_value: the result is the value itself (DW_OP_stack_value, DW_OP_reg), not the address
 * where it lies.  False for what cannot be evaluated: an unknown operation or register, memory
 * that is not there, too little or too much on its stack, no end.
 */
bool expression_evaluate(const Dwarf_Op *ops, size_t count,
			 const struct expression_context *context, uint64_t *ret,
			 bool *ret_is_value);

bool register_get(const struct registers *registers, uint64_t number, uint64_t *ret);

#endif
