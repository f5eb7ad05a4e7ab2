/*
 * Who can never go on by what the dump shows.  A thread is free when it runs, when its wait ends by
 * itself or may be ended from outside, or when one of those who could end it is free; a process is
 * free when one of its threads is, or goes on by a time limit.  All others are stuck: they wait in
 * circles, or for what is no more.
 */
#ifndef HANGDUMP_ANALYSE_STUCK_H
#define HANGDUMP_ANALYSE_STUCK_H

#include "analyse/graph.h"

/* A wait that ends by itself within this time has no part in any finding of what cannot go on. */
#define SHORT_TIMEOUT_MS 60000

enum strictness {
	STRICT,	 /* free is also who may be: what is left is certain */
	RELAXED, /* free is only who is likely to be */
};

/* By node.  The caller frees it. */
bool *find_stuck(const struct graph *graph, enum strictness strictness);

/* FINDING_DOUBT_*: why a finding that rests on this thread's wait is not certain; 0: it may be. */
unsigned thread_doubts(const struct process *process, const struct thread *thread);

/*
 * Has the process handlers for signals that could come, and do more than end it?  One may post a
 * semaphore or write to a pipe.
 */
bool process_handles_signals(const struct process *process, enum strictness strictness);

#endif
