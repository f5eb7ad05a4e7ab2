#include "base/address_map.h"

#include "base/alloc.h"

#include <stdlib.h>

static size_t slot_of(const struct address_map *map, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (map->slot_count - 1);
	while (map->slots[i].value && map->slots[i].key != key)
		i = (i + 1) & (map->slot_count - 1);
	return i;
}

void *address_map_get(const struct address_map *map, uint64_t key)
{
	return map->slot_count ? map->slots[slot_of(map, key)].value : NULL;
}

static void grow(struct address_map *map)
{
	struct address_map bigger = {.slot_count = map->slot_count ? map->slot_count * 2 : 64};
	bigger.slots = xcalloc(bigger.slot_count, sizeof(*bigger.slots));
	for (size_t i = 0; i < map->slot_count; i++)
		if (map->slots[i].value)
			bigger.slots[slot_of(&bigger, map->slots[i].key)] = map->slots[i];
	bigger.used = map->used;
	free(map->slots);
	*map = bigger;
}

void address_map_put(struct address_map *map, uint64_t key, void *value)
{
	if (map->used >= map->slot_count / 2)
		grow(map);
	size_t i = slot_of(map, key);
	map->slots[i].key = key;
	map->slots[i].value = value;
	map->used++;
}

void address_map_deinit(struct address_map *map, void (*free_value)(void *value))
{
	for (size_t i = 0; free_value && i < map->slot_count; i++)
		if (map->slots[i].value)
			free_value(map->slots[i].value);
	free(map->slots);
	*map = (struct address_map){0};
}
