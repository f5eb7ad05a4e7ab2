#include "model/stack.h"

#include <stdlib.h>
#include <string.h>

const char *const frame_kind_names[FRAME_KINDS] = {[FRAME_NATIVE] = "native",
						   [FRAME_KERNEL] = "kernel",
						   [FRAME_SIGNAL] = "signal",
						   [FRAME_GO] = "go"};

const char *const found_by_names[FOUND_BY_WAYS] = {[FOUND_BY_REGISTERS] = "registers",
						   [FOUND_BY_CFI] = "cfi",
						   [FOUND_BY_FRAME_POINTER] = "frame pointer",
						   [FOUND_BY_SCAN] = "scan",
						   [FOUND_BY_INLINE] = "inline",
						   [FOUND_BY_KERNEL] = "kernel",
						   [FOUND_BY_UNKNOWN] = "unknown"};

void stack_deinit(struct stack *stack)
{
	free(stack->frames);
	*stack = (struct stack){0};
}

static bool counts(const struct frame *frame)
{
	return frame->kind != FRAME_KERNEL && !frame->inlined;
}

void stack_limit(struct stack *stack, size_t most)
{
	size_t kept = 0, left = most;
	while (kept < stack->count && (left || stack->frames[kept].kind == FRAME_KERNEL))
		left -= counts(&stack->frames[kept++]);
	for (size_t i = kept; i < stack->count; i++)
		stack->omitted += counts(&stack->frames[i]);
	if (kept < stack->count)
		stack->omitted_outer = 0;
	stack->count = kept;
}

/* The frames in one place of memory: those that were inlined, and the one that they were inlined in. */
struct span {
	size_t inner; /* the innermost of them */
	size_t own;   /* the one that is not inlined; SIZE_MAX: there is no further one */
};

/* The next span inwards of `frame`; kernel frames are on another stack. */
static struct span span_before(const struct stack *stack, size_t frame)
{
	struct span span = {frame, SIZE_MAX};
	if (frame == 0 || stack->frames[frame - 1].kind == FRAME_KERNEL)
		return span;
	span.own = frame - 1;
	span.inner = span.own;
	while (span.inner > 0 && stack->frames[span.inner - 1].inlined)
		span.inner--;
	return span;
}

static bool same_function(const struct frame *a, const struct frame *b)
{
	if (a->pc == b->pc)
		return true;
	return a->function && b->function && a->pc - a->offset == b->pc - b->offset;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* The innermost frame of a's span that b's has too: inlined in the same function, on the same line. */
static size_t common_inlined(const struct stack *first, struct span a, const struct stack *second,
			     struct span b)
{
	size_t common = a.own;
	for (size_t n = 1; n <= a.own - a.inner && n <= b.own - b.inner; n++) {
		const struct frame *outer = &first->frames[a.own - n + 1];
		const struct frame *other_outer = &second->frames[b.own - n + 1];
		if (outer->line != other_outer->line ||
		    !same_text(outer->file, other_outer->file) ||
		    !same_text(first->frames[a.own - n].function,
			       second->frames[b.own - n].function))
			break;
		common = a.own - n;
	}
	return common;
}

size_t stack_common_frame(const struct stack *first, const struct stack *second)
{
	size_t common = first->count;
	struct span a = span_before(first, first->count), b = span_before(second, second->count);
	while (a.own != SIZE_MAX && b.own != SIZE_MAX) {
		const struct frame *x = &first->frames[a.own], *y = &second->frames[b.own];
		bool same_place = x->cfa == y->cfa;
		if (!same_place && common != first->count)
			break;
		if (same_place && (x->kind != y->kind || !same_function(x, y)))
			break;
		if (same_place)
			common = x->pc == y->pc ? a.inner : common_inlined(first, a, second, b);
		if (same_place && x->pc != y->pc)
			break;
		/* Before the first in common: one of them has outer frames that the other lacks. */
		bool further_out = !x->cfa || (y->cfa && x->cfa > y->cfa);
		if (same_place || further_out)
			a = span_before(first, a.inner);
		if (same_place || !further_out)
			b = span_before(second, b.inner);
	}
	return common;
}

/* glibc, musl, their loaders, and the kernel's part of them. */
static const char *const libc_files[] = {"libc.so", "libc-",	 "libpthread", "ld-linux",
					 "ld-musl", "libc.musl", "[vdso]"};

/* How glibc names its sources (Debian 11 to 13, Fedora): for texts, which name no files. */
static const char *const libc_sources[] = {"nptl/",	  "./nptl/",	"../nptl/", "sysdeps/",
					   "../sysdeps/", "./sysdeps/", "../csu/",  "./csu/"};

static bool is_source_of_libc(const char *file)
{
	for (size_t i = 0; file && i < sizeof(libc_sources) / sizeof(libc_sources[0]); i++) {
		if (strncmp(file, libc_sources[i], strlen(libc_sources[i])) == 0)
			return true;
	}
	return false;
}

static bool is_of_libc(const struct frame *frame)
{
	if (!frame->module)
		return is_source_of_libc(frame->file);
	const char *slash = frame->module ? strrchr(frame->module, '/') : NULL;
	const char *base = slash ? slash + 1 : frame->module;
	for (size_t i = 0; base && i < sizeof(libc_files) / sizeof(libc_files[0]); i++) {
		if (strncmp(base, libc_files[i], strlen(libc_files[i])) == 0)
			return true;
	}
	return false;
}

const struct frame *stack_place(const struct stack *stack)
{
	const struct frame *user = NULL;
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->kind == FRAME_KERNEL || frame->kind == FRAME_SIGNAL)
			continue;
		user = user ? user : frame;
		if (!is_of_libc(frame))
			return frame;
	}
	return user ? user : stack->count ? stack->frames : NULL;
}
