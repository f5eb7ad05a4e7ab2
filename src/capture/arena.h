/*
 * A bump allocator in memory shared with our helper processes.  It is mapped before they are
 * forked, so that a pointer into it means the same in all of them, and what a helper wrote stays
 * readable after it was killed.  Nothing is freed before arena_deinit().
 */
#ifndef HANGDUMP_CAPTURE_ARENA_H
#define HANGDUMP_CAPTURE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	char *base;
	size_t size;
	size_t *used; /* in the arena itself */
};

/* False when not even a small one can be mapped. */
bool arena_init(struct arena *arena, size_t size);
void arena_deinit(struct arena *arena);

/* Zeroed, aligned for anything; NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t size);
/* Makes the next n bytes present, so that writing them while a target is held cannot fault. */
void arena_prefault(struct arena *arena, size_t n);
/* A NUL-terminated copy of n bytes; "" when the arena is full. */
const char *arena_string(struct arena *arena, const char *s, size_t n);

#endif
