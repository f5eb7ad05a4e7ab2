#include "diff/key.h"

#include <string.h>

static const char deleted[] = " (deleted)";

const char *module_base(const char *path, size_t *ret_length)
{
	size_t length = strlen(path), tail = sizeof(deleted) - 1;
	if (length > tail && memcmp(path + length - tail, deleted, tail) == 0)
		length -= tail;
	const char *slash = memrchr(path, '/', length);
	const char *base = slash ? slash + 1 : path;
	*ret_length = length - (size_t)(base - path);
	return base;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_module(const char *a, const char *b)
{
	if (!a || !b || a == b)
		return a == b;
	size_t n, m;
	a = module_base(a, &n);
	b = module_base(b, &m);
	return n == m && memcmp(a, b, n) == 0;
}

/* What tells two frames without a function apart; in no file, only that they are in none. */
static uint64_t place_in_file(const struct frame *frame)
{
	return frame->function || !frame->module ? 0 : frame->module_offset;
}

static const char *module_of(const struct frame *frame, bool by_name)
{
	return by_name && frame->function ? NULL : frame->module;
}

static bool same_frame(const struct frame *a, const struct frame *b, bool by_name)
{
	return a->kind == b->kind && a->inlined == b->inlined &&
	       place_in_file(a) == place_in_file(b) && same_text(a->function, b->function) &&
	       same_module(module_of(a, by_name), module_of(b, by_name));
}

static bool has_user_frames(const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (stack->frames[i].kind != FRAME_KERNEL)
			return true;
	}
	return false;
}

static size_t next_frame(const struct stack *stack, size_t at, bool user)
{
	while (at < stack->count && user && stack->frames[at].kind == FRAME_KERNEL)
		at++;
	return at;
}

static bool same_stack(const struct stack *a, const struct stack *b, bool by_name)
{
	bool user = has_user_frames(a);
	if (user != has_user_frames(b))
		return false;
	size_t i = next_frame(a, 0, user), j = next_frame(b, 0, user);
	while (i < a->count && j < b->count) {
		if (!same_frame(&a->frames[i], &b->frames[j], by_name))
			return false;
		i = next_frame(a, i + 1, user);
		j = next_frame(b, j + 1, user);
	}
	return i == a->count && j == b->count;
}

static long call_of(const struct wait *wait)
{
	return wait->class == WAIT_SYSTEM_CALL && wait->has_syscall ? wait->syscall.number : -1;
}

static const char *creator_of(const struct thread *thread)
{
	return thread->goroutine ? thread->goroutine->created_by.function : NULL;
}

bool place_equal(const struct thread *a, const struct thread *b, bool by_name)
{
	return !a->goroutine == !b->goroutine && same_text(creator_of(a), creator_of(b)) &&
	       same_text(a->wait.words, b->wait.words) && a->wait.class == b->wait.class &&
	       call_of(&a->wait) == call_of(&b->wait) && same_stack(&a->stack, &b->stack, by_name);
}

uint64_t hash_mix(uint64_t hash, uint64_t value)
{
	hash = hash * 0x9e3779b97f4a7c15u + value;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
	return hash ^ hash >> 29;
}

uint64_t hash_text(uint64_t hash, const char *s, size_t n)
{
	uint64_t word;
	for (; n >= sizeof(word); s += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, s, sizeof(word));
		hash = hash_mix(hash, word);
	}
	word = n;
	for (size_t i = 0; i < n; i++)
		word = word << 8 | (unsigned char)s[i];
	return hash_mix(hash, word);
}

uint64_t place_hash(const struct thread *thread, bool by_name)
{
	const struct stack *stack = &thread->stack;
	bool user = has_user_frames(stack);
	uint64_t hash = hash_mix(thread->wait.class, (uint64_t)call_of(&thread->wait));
	for (size_t i = next_frame(stack, 0, user); i < stack->count;
	     i = next_frame(stack, i + 1, user)) {
		const struct frame *frame = &stack->frames[i];
		size_t length = 0;
		const char *module = module_of(frame, by_name);
		const char *base = module ? module_base(module, &length) : "";
		hash = hash_text(hash, base, length);
		if (frame->function)
			hash = hash_text(hash, frame->function, strlen(frame->function));
		hash = hash_mix(hash, place_in_file(frame) + frame->kind + frame->inlined);
	}
	return hash;
}
