/* From addresses to whatever is remembered of them: an open-addressed hash map. */
#ifndef HANGDUMP_UNWIND_PC_MAP_H
#define HANGDUMP_UNWIND_PC_MAP_H

#include <stddef.h>
#include <stdint.h>

struct pc_map {
	struct pc_map_slot {
		uint64_t key;
		void *value; /* NULL: free */
	} * slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
};

/* NULL when there is none. */
void *pc_map_get(const struct pc_map *map, uint64_t key);
/* value is not NULL; the key must not be there yet. */
void pc_map_put(struct pc_map *map, uint64_t key, void *value);
/* Calls free_value for each, then releases the map.  Accepts zeroed storage. */
void pc_map_deinit(struct pc_map *map, void (*free_value)(void *value));

#endif
