/*
 * A pool of interned strings: equal strings are one pointer, so that they compare by address, and
 * all of them die with the pool.
 */
#ifndef HANGDUMP_BASE_STRPOOL_H
#define HANGDUMP_BASE_STRPOOL_H

#include <stddef.h>
#include <stdint.h>

struct strpool {
	struct strpool_block *blocks;
	const char **slots;
	uint32_t *hashes;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
};

void strpool_init(struct strpool *pool);
/* Accepts zeroed storage. */
void strpool_deinit(struct strpool *pool);

/* The pool's copy of s; NULL for NULL.  Valid until strpool_deinit. */
const char *strpool_add(struct strpool *pool, const char *s);
/* The first n bytes of s, or up to its NUL. */
const char *strpool_add_n(struct strpool *pool, const char *s, size_t n);
const char *strpool_printf(struct strpool *pool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
