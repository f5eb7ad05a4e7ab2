/*
 * Makes captures from live processes.  The only room that calls ptrace, reads /proc of a target
 * and copies its memory; it interprets nothing.
 *
 * The work is done in a helper process that ends as soon as the copies are made, because a
 * tracer's end is the one thing that surely lets every thread go; what it found lies in memory
 * shared with us, so that a helper that gets stuck (on a target's memory-map lock, say) is killed
 * at its deadline and what there is by then is used.
 */
#ifndef HANGDUMP_CAPTURE_CAPTURE_H
#define HANGDUMP_CAPTURE_CAPTURE_H

#include "base/deadline.h"
#include "base/error.h"
#include "capture/reader.h"

/* Which file descriptors does this call wait on?  Up to two; see classify.h. */
typedef unsigned capture_fds_fn(long number, const uint64_t arguments[6], int ret_fds[2]);

struct capture_options {
	bool no_stop;		  /* from /proc and process_vm_readv alone */
	bool tree;		  /* descendants of the pids too */
	unsigned stop_ms;	  /* share of the time for a thread to stop; 0: 250 */
	struct deadline deadline; /* for all of it */
	capture_fds_fn *fds;	  /* NULL: look at no descriptors */
};

/*
 * Captures all the processes as one moment.  On success some of them may still be marked as
 * unreadable in their errors.  `failures` (count entries, may be filled with NULL) tells for each
 * pid why there is nothing of it; the caller frees them.  When nothing could be captured, *ret has
 * no processes.
 */
struct error *capture_live(const pid_t *pids, size_t count, const struct capture_options *options,
			   struct error **failures, struct capture **ret);

/* Is there such a process, and may we look at it?  Evidence before advice. */
struct error *capture_check(pid_t pid);

#endif
