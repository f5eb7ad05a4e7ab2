/*
 * Does anything happen in the tree?  Its processes are looked at now and then: whether they have
 * used the CPU, written anything (`wchar` of /proc/PID/io: files, pipes, terminals, and what else
 * write(2) goes to), or started and ended others.  Their streams are never touched.
 */
#ifndef HANGDUMP_LAUNCH_IDLE_H
#define HANGDUMP_LAUNCH_IDLE_H

#include "base/array.h"
#include "base/deadline.h"
#include "launch/tree.h"

struct idle_process {
	pid_t pid;
	uint64_t start_time, ticks, written;
};

struct idle {
	uint64_t limit_ms;  /* 0: nothing is ever looked at */
	uint64_t active_ns; /* when something had last happened */
	uint64_t looked_ns;
	struct deadline next_look;
	array(struct idle_process) seen;
};

void idle_begin(struct idle *idle, uint64_t limit_ms);
/* Looks; true when nothing has happened for the limit. */
bool idle_look(struct idle *idle, const struct tree *tree);
/* What was spent suspended does not count. */
void idle_skip(struct idle *idle, uint64_t ns);
void idle_deinit(struct idle *idle);

/*
 * Is there progress between two looks, `ms` apart?  A process that polls uses some CPU for ever:
 * below one percent of the time it is none.  Both sorted by pid.
 */
bool idle_is_progress(const struct idle_process *before, size_t before_count,
		      const struct idle_process *after, size_t after_count, uint64_t ms);

#endif
