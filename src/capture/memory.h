/*
 * The target's memory as a stack of sources.  A reader asks them in the order in which they were
 * added: what was copied while the threads were held; the file behind a read-only mapping; the
 * live process, which may have moved on.  What no source has is "not captured": false, never
 * zeroes and never a crash, whatever the address.
 */
#ifndef HANGDUMP_CAPTURE_MEMORY_H
#define HANGDUMP_CAPTURE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads up to n bytes at address into buf; returns how many it has from there on (0: none).
 * `context` is whose memory it is.
 */
typedef size_t memory_source_fn(void *context, uint64_t address, void *buf, size_t n);

enum memory_origin {
	MEMORY_CAPTURED, /* of the moment when the threads were held */
	MEMORY_FILE,	 /* cannot have changed */
	MEMORY_LIVE,	 /* read after the threads were let go */
};

struct memory {
	struct {
		memory_source_fn *read;
		void *context;
		enum memory_origin origin;
	} sources[4];
	unsigned count;
	uint64_t live_reads; /* how many reads needed MEMORY_LIVE */
};

void memory_add_source(struct memory *memory, enum memory_origin origin, memory_source_fn *read,
		       void *context);

/*
 * All n bytes or false.  Bytes may come from different sources (a range that crosses a border);
 * *ret_origin (may be NULL) is the weakest that took part.
 */
bool memory_read(struct memory *memory, uint64_t address, void *buf, size_t n,
		 enum memory_origin *ret_origin);
bool memory_read_u64(struct memory *memory, uint64_t address, uint64_t *ret);
bool memory_read_u32(struct memory *memory, uint64_t address, uint32_t *ret);

#endif
