/*
 * From a thread's captured registers and memory to its return addresses, one step at a time, each
 * with how it was found, and a truthful end.  It gives no names; it knows those of functions that
 * are the first on a stack.
 */
#ifndef HANGDUMP_UNWIND_UNWIND_H
#define HANGDUMP_UNWIND_UNWIND_H

#include "base/deadline.h"
#include "base/strpool.h"
#include "capture/reader.h"
#include "model/stack.h"
#include "objects/objects.h"

enum unwinder {
	UNWINDER_AUTO,		/* both CFI engines, then frame pointer, then scan */
	UNWINDER_LIBDW,		/* libdw's CFI, then frame pointer, then scan */
	UNWINDER_LIBUNWIND,	/* libunwind's, then frame pointer, then scan */
	UNWINDER_FRAME_POINTER, /* no CFI at all */
	UNWINDER_PTRACE,	/* libunwind-ptrace's accessors, while the thread is held */
	UNWINDERS
};
extern const char *const unwinder_names[UNWINDERS]; /* what --unwinder= takes */

struct unwind;

struct unwind_options {
	enum unwinder which;
	/* 0 is no limit of the user's; an absolute one stays, against endless stacks. */
	unsigned max_frames;
	/* A walk that it passes in ends, and says so; there is a frame at least of each thread. */
	struct deadline deadline;
};

/*
 * All of one process's threads share one `unwind`, for its caches.  Borrows process and objects;
 * `strings` takes the reasons of incomplete walks.
 */
struct unwind *unwind_new(struct capture_process *process, struct objects *objects,
			  const struct unwind_options *options, struct strpool *strings);
void unwind_free(struct unwind *unwind);

/*
 * Walks one thread; fills frames' kind, pc, lookup_pc, cfa, found_by, doubtful and the stack's
 * end.  All but the first are doubtful when the thread was not stopped and may have moved.  `ret` must be zeroed; stack_deinit() it.  Never fails: a thread without registers has no
 * frames, and says why.
 */
void unwind_thread(struct unwind *unwind, const struct capture_thread *thread, struct stack *ret);

/*
 * The walk for targets whose memory cannot be copied in bulk: made in the tracer process while the
 * thread is held, with the accessors of libunwind-ptrace, one word at a time.
 */
extern const struct held_walker_ops unwind_held;

#endif
