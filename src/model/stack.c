#include "model/stack.h"

#include <stdlib.h>

const char *const frame_kind_names[FRAME_KINDS] = {
	[FRAME_NATIVE] = "native", [FRAME_KERNEL] = "kernel", [FRAME_SIGNAL] = "signal"};

const char *const found_by_names[FOUND_BY_WAYS] = {[FOUND_BY_REGISTERS] = "registers",
						   [FOUND_BY_CFI] = "cfi",
						   [FOUND_BY_FRAME_POINTER] = "frame pointer",
						   [FOUND_BY_SCAN] = "scan",
						   [FOUND_BY_INLINE] = "inline",
						   [FOUND_BY_KERNEL] = "kernel"};

void stack_deinit(struct stack *stack)
{
	free(stack->frames);
	*stack = (struct stack){0};
}
