/* The walk: in which order the ways to step are tried, what is believed, and where it ends. */
#ifndef HANGDUMP_UNWIND_WALK_H
#define HANGDUMP_UNWIND_WALK_H

#include "base/deadline.h"
#include "unwind/engine.h"
#include "unwind/unwind.h"

enum { WALK_ENGINES = 2 };

struct walker {
	struct sites *sites;
	struct {
		const struct unwind_engine_ops *ops; /* NULL: none */
		void *engine;
	} engines[WALK_ENGINES]; /* in the order in which they are asked */
	size_t frames_max;	 /* the absolute limit */
	struct deadline deadline;
};

/* Borrows process and objects. */
void walker_init(struct walker *walker, struct capture_process *process, struct objects *objects,
		 enum unwinder which);
void walker_deinit(struct walker *walker);

struct walk_result {
	enum walk_end end;
	uint64_t address; /* what enum walk_end says of it */
	size_t count;	  /* of frames */
};

/* `frame` lives as long as the call. */
typedef void walk_frame_fn(void *context, const struct walk_frame *frame);

/* Calls `emit` for each frame from the innermost outwards. */
void walk(const struct walker *walker, const struct registers *registers, walk_frame_fn *emit,
	  void *context, struct walk_result *ret);

#endif
