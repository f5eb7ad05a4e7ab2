/* From addresses to whatever is remembered of them: an open-addressed hash map. */
#ifndef HANGDUMP_BASE_ADDRESS_MAP_H
#define HANGDUMP_BASE_ADDRESS_MAP_H

#include <stddef.h>
#include <stdint.h>

struct address_map {
	struct address_map_slot {
		uint64_t key;
		void *value; /* NULL: free */
	} * slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
};

/* NULL when there is none. */
void *address_map_get(const struct address_map *map, uint64_t key);
/* value is not NULL; the key must not be there yet. */
void address_map_put(struct address_map *map, uint64_t key, void *value);
/* Calls free_value, if any, for each, then releases the map.  Accepts zeroed storage. */
void address_map_deinit(struct address_map *map, void (*free_value)(void *value));

#endif
