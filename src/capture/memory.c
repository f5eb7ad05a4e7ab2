#include "capture/memory.h"

#include <assert.h>

void memory_add_source(struct memory *memory, enum memory_origin origin, memory_source_fn *read,
		       void *context)
{
	assert(memory->count < sizeof(memory->sources) / sizeof(memory->sources[0]));
	memory->sources[memory->count].read = read;
	memory->sources[memory->count].context = context;
	memory->sources[memory->count].origin = origin;
	memory->count++;
}

bool memory_read(struct memory *memory, uint64_t address, void *buf, size_t n,
		 enum memory_origin *ret_origin)
{
	enum memory_origin origin = MEMORY_CAPTURED;
	char *to = buf;
	if (address > UINT64_MAX - n)
		return false;
	while (n) {
		size_t got = 0;
		for (unsigned i = 0; i < memory->count && got == 0; i++) {
			got = memory->sources[i].read(memory->sources[i].context, address, to, n);
			if (got && memory->sources[i].origin > origin)
				origin = memory->sources[i].origin;
		}
		if (got == 0 || got > n)
			return false;
		address += got;
		to += got;
		n -= got;
	}
	if (origin == MEMORY_LIVE)
		memory->live_reads++;
	if (ret_origin)
		*ret_origin = origin;
	return true;
}

bool memory_read_u64(struct memory *memory, uint64_t address, uint64_t *ret)
{
	uint64_t value;
	if (!memory_read(memory, address, &value, sizeof(value), NULL))
		return false;
	*ret = value;
	return true;
}

bool memory_read_u32(struct memory *memory, uint64_t address, uint32_t *ret)
{
	uint32_t value;
	if (!memory_read(memory, address, &value, sizeof(value), NULL))
		return false;
	*ret = value;
	return true;
}
