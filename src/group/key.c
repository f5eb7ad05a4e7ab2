#include "group/key.h"

#include <string.h>

/* Mostly equal pointers, out of one pool; a dump that was put together otherwise works as well. */
static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_guess(const struct frame *frame)
{
	return frame->doubtful || frame->found_by == FOUND_BY_SCAN;
}

/* The kernel shows no addresses, only offsets from its functions, and so do texts. */
static bool has_address(const struct frame *frame)
{
	return frame->pc && frame->kind != FRAME_KERNEL;
}

/* The call site.  Within a file, as an address in the file; what is in no file has only its pc. */
static uint64_t place(const struct frame *frame)
{
	if (!has_address(frame))
		return frame->module_offset + frame->offset;
	return frame->module ? frame->module_offset : frame->pc;
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
	if (place(a) != place(b) || a->kind != b->kind || a->inlined != b->inlined ||
	    is_guess(a) != is_guess(b) || !same_string(a->function, b->function) ||
	    !same_string(a->module, b->module))
		return false;
	/* Inlined frames share the pc of the frame around them. */
	return (has_address(a) && !a->inlined) ||
	       (a->line == b->line && same_string(a->file, b->file));
}

static bool same_stack(const struct stack *a, const struct stack *b)
{
	if (a->count != b->count || a->complete != b->complete || a->omitted != b->omitted ||
	    a->omitted_outer != b->omitted_outer)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!same_frame(&a->frames[i], &b->frames[i]))
			return false;
	}
	return a->complete || same_string(a->incomplete, b->incomplete);
}

static bool same_owners(const struct wait *a, const struct wait *b)
{
	if (a->owners.count != b->owners.count || a->owner_state != b->owner_state)
		return false;
	for (size_t i = 0; i < a->owners.count; i++) {
		const struct thread_id *x = &a->owners.items[i], *y = &b->owners.items[i];
		if (x->pid != y->pid || x->tid != y->tid)
			return false;
	}
	return true;
}

static bool same_call(const struct wait *a, const struct wait *b)
{
	return a->has_syscall == b->has_syscall &&
	       (!a->has_syscall || a->syscall.number == b->syscall.number);
}

/* Which goroutine the creator was tells nothing: it runs once for each. */
static bool same_origin(const struct goroutine *a, const struct goroutine *b)
{
	if (!a || !b)
		return a == b;
	const struct creator *x = &a->created_by, *y = &b->created_by;
	return a->locked_to_thread == b->locked_to_thread && same_string(a->bubble, b->bubble) &&
	       same_string(x->function, y->function) && same_string(x->file, y->file) &&
	       x->line == y->line && x->offset == y->offset;
}

bool key_equal(const struct thread *a, const struct thread *b)
{
	return a->wait.class == b->wait.class && a->wait.idle == b->wait.idle &&
	       same_string(a->wait.words, b->wait.words) &&
	       same_origin(a->goroutine, b->goroutine) &&
	       (a->wait.class != WAIT_SYSTEM_CALL || same_call(&a->wait, &b->wait)) &&
	       resource_is(&a->wait.resource, &b->wait.resource) &&
	       same_owners(&a->wait, &b->wait) && same_stack(&a->stack, &b->stack);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

static uint64_t mix_string(uint64_t hash, const char *s)
{
	for (; s && *s; s++)
		hash = mix(hash, (unsigned char)*s);
	return hash;
}

uint64_t key_hash(const struct thread *thread)
{
	const struct resource *resource = &thread->wait.resource;
	uint64_t hash = mix(thread->wait.class, thread->wait.idle);
	if (resource->identity)
		hash = mix_string(hash, resource->identity);
	else if (resource->kind)
		hash = mix(hash, resource->address ? resource->address : (uint64_t)resource->fd);
	array_for_each (&thread->wait.owners, owner)
		hash = mix(hash, (uint64_t)owner->tid);
	for (size_t i = 0; i < thread->stack.count; i++) {
		const struct frame *frame = &thread->stack.frames[i];
		bool by_line = frame->inlined || !has_address(frame);
		hash = mix(hash, place(frame) + (by_line ? frame->line : 0));
	}
	if (thread->goroutine)
		hash = mix(hash, thread->goroutine->created_by.line);
	return mix(hash, thread->stack.count);
}
