#include "base/strpool.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <stdarg.h>
#include <string.h>

struct strpool_block {
	struct strpool_block *next;
	size_t used, size;
	char bytes[];
};

#define BLOCK_SIZE 65536

void strpool_init(struct strpool *pool)
{
	*pool = (struct strpool){0};
}

void strpool_deinit(struct strpool *pool)
{
	for (struct strpool_block *block = pool->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(pool->slots);
	free(pool->hashes);
	strpool_init(pool);
}

/* FNV-1a. */
static uint32_t hash_bytes(const char *s, size_t n)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

static void grow(struct strpool *pool)
{
	size_t count = pool->slot_count ? pool->slot_count * 2 : 256;
	const char **slots = xcalloc(count, sizeof(*slots));
	uint32_t *hashes = xcalloc(count, sizeof(*hashes));
	for (size_t i = 0; i < pool->slot_count; i++) {
		if (!pool->slots[i])
			continue;
		size_t j = pool->hashes[i] & (count - 1);
		while (slots[j])
			j = (j + 1) & (count - 1);
		slots[j] = pool->slots[i];
		hashes[j] = pool->hashes[i];
	}
	free(pool->slots);
	free(pool->hashes);
	pool->slots = slots;
	pool->hashes = hashes;
	pool->slot_count = count;
}

static char *store(struct strpool *pool, const char *s, size_t n)
{
	struct strpool_block *block = pool->blocks;
	if (!block || block->size - block->used < n + 1) {
		size_t size = n + 1 > BLOCK_SIZE ? n + 1 : BLOCK_SIZE;
		block = xmalloc(sizeof(*block) + size);
		*block = (struct strpool_block){.next = pool->blocks, .size = size};
		pool->blocks = block;
	}
	char *copy = block->bytes + block->used;
	memcpy(copy, s, n);
	copy[n] = '\0';
	block->used += n + 1;
	return copy;
}

const char *strpool_add_n(struct strpool *pool, const char *s, size_t n)
{
	if (!s)
		return NULL;
	n = strnlen(s, n);
	if (pool->used * 2 >= pool->slot_count)
		grow(pool);
	uint32_t h = hash_bytes(s, n);
	size_t i = h & (pool->slot_count - 1);
	for (; pool->slots[i]; i = (i + 1) & (pool->slot_count - 1)) {
		if (pool->hashes[i] == h && strncmp(pool->slots[i], s, n) == 0 &&
		    pool->slots[i][n] == '\0')
			return pool->slots[i];
	}
	pool->slots[i] = store(pool, s, n);
	pool->hashes[i] = h;
	pool->used++;
	return pool->slots[i];
}

const char *strpool_add(struct strpool *pool, const char *s)
{
	return s ? strpool_add_n(pool, s, strlen(s)) : NULL;
}

const char *strpool_printf(struct strpool *pool, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *s = xvasprintf(format, ap);
	va_end(ap);
	return strpool_add(pool, s);
}
