/*
 * Growable arrays of any type:
 *
 *	array(struct thread) threads = {0};
 *	struct thread *t = array_append(&threads);   // zeroed, valid until the next append
 *	array_for_each(&threads, t) ...
 *	array_sort(&threads, by_tid);                // as qsort(3); nothing is sorted when empty
 *	array_deinit(&threads);                      // the elements' own memory is the caller's
 */
#ifndef HANGDUMP_BASE_ARRAY_H
#define HANGDUMP_BASE_ARRAY_H

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define array(type)                                                                                \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t capacity;                                                                   \
	}

#define array_reserve(a, n)                                                                        \
	do {                                                                                       \
		size_t array_n_ = (n);                                                             \
		if (array_n_ > (a)->capacity) {                                                    \
			(a)->items = xreallocarray((a)->items, array_n_, sizeof(*(a)->items));     \
			(a)->capacity = array_n_;                                                  \
		}                                                                                  \
	} while (0)

#define array_append(a)                                                                            \
	({                                                                                         \
		if ((a)->count == (a)->capacity)                                                   \
			array_reserve((a), (a)->capacity ? (a)->capacity * 2 : 8);                 \
		memset(&(a)->items[(a)->count], 0, sizeof(*(a)->items));                           \
		&(a)->items[(a)->count++];                                                         \
	})

/* Nothing may be added to NULL, not even 0. */
#define array_for_each(a, item)                                                                    \
	for (__typeof__((a)->items + 0) item = (a)->items,                                         \
					array_end_##item = (a)->count ? item + (a)->count : item;  \
	     item < array_end_##item; item++)

/* Empty arrays have no items, and qsort may not be given NULL. */
#define array_sort(a, compare)                                                                     \
	do {                                                                                       \
		if ((a)->count)                                                                    \
			qsort((a)->items, (a)->count, sizeof(*(a)->items), (compare));             \
	} while (0)

#define array_deinit(a)                                                                            \
	do {                                                                                       \
		free((a)->items);                                                                  \
		(a)->items = NULL;                                                                 \
		(a)->count = (a)->capacity = 0;                                                    \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
