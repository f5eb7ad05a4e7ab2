#include "capture/arena.h"

#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum { ALIGNMENT = 16, LEAST = 16 << 20 };

bool arena_init(struct arena *arena, size_t size)
{
	/* Only what is touched costs memory; a strict overcommit policy may still say no. */
	for (; size >= LEAST; size /= 2) {
		void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (base == MAP_FAILED)
			continue;
		*arena = (struct arena){.base = base, .size = size, .used = base};
		*arena->used = ALIGNMENT;
		return true;
	}
	return false;
}

void arena_deinit(struct arena *arena)
{
	if (arena->base)
		munmap(arena->base, arena->size);
	*arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t used = *arena->used;
	if (size > arena->size - used - ALIGNMENT)
		return NULL;
	*arena->used = (used + size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	return arena->base + used;
}

void arena_prefault(struct arena *arena, size_t n)
{
	size_t page = 4096, from = *arena->used & ~(page - 1);
	if (n > arena->size - from)
		n = arena->size - from;
	if (madvise(arena->base + from, (n + page - 1) & ~(page - 1), MADV_POPULATE_WRITE) == 0)
		return;
	for (size_t at = *arena->used; at < from + n; at += page)
		*(volatile char *)(arena->base + at) = 0;
}

const char *arena_string(struct arena *arena, const char *s, size_t n)
{
	char *copy = arena_alloc(arena, n + 1);
	if (!copy)
		return "";
	memcpy(copy, s, n);
	return copy;
}
