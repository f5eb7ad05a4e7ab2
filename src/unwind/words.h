/* Why a stack is not whole, in words. */
#ifndef HANGDUMP_UNWIND_WORDS_H
#define HANGDUMP_UNWIND_WORDS_H

#include "base/strpool.h"
#include "objects/objects.h"

/* NULL for WALK_FIRST_FRAME.  `count` is how many frames the walk saw. */
const char *words_for_end(struct strpool *strings, struct capture_process *process,
			  struct objects *objects, enum walk_end end, uint64_t address,
			  size_t count);

/* Why there are no registers to begin with. */
const char *words_for_no_registers(struct strpool *strings, const struct capture_thread *thread);

#endif
