/*
 * Two dumps in, what changed out.  Pure: nothing but the two dumps decides.
 *
 * Same run: the boot and at least one process (pid, its namespace, start time) are the same.  Then
 * each thread (process, tid, start time) is compared with itself:
 *
 *   stuck     the same stack and wait, and between the dumps it neither slept once more than
 *             hangdump's own stops made it, nor used more of a CPU than they cost
 *   cycling   the same stack and wait, but it ran
 *   spinning  it ran nearly all of the time, or never slept, in one place
 *   moved     another stack, or another wait
 *   new       it was born after the old dump
 *   gone      the new dump has all threads of its process, or all children of its process's parent,
 *             but not it
 *   unknown   anything else: enum unknown_reason
 *
 * Other run: there are only groups, and how many threads they have.
 *
 * The counters of a dump were read before its own stops.  So those of the older of two dumps have
 * left traces in the counters of the newer, as many as the older says (own_stops), and the newer's own have
 * left none.
 *
 * By hash, never pairwise: linear in threads and frames.
 */
#ifndef HANGDUMP_DIFF_DIFF_H
#define HANGDUMP_DIFF_DIFF_H

#include "model/diff.h"

/* Fills *ret, which diff_deinit() releases.  Both dumps have to outlive it. */
void diff_dumps(const struct dump *old, const struct dump *new, struct diff *ret);

/*
 * For a report of the last of several samples, taken one after the other: sets `progress` of
 * new's threads, from what they did since old and what old says of the time before that.
 */
void diff_mark_progress(const struct dump *old, struct dump *new);

#endif
