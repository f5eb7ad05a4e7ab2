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
 * left traces in the counters of the newer, as many as the older says (own_stops), and the newer's
 * own have left none.  Of a thread that was `steady` in the older one the number is exact, and its
 * switches alone are proof: what it used of a CPU, and which part of a write it is at, may be our
 * doing.
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
 * new's threads, from what they did since old and what old says of the time before that.  Who is
 * stuck since old has waited for as long as old says, and longer: wait.since_ms, which the stops
 * of old have made the kernel forget.  That changes findings and the order of groups.
 */
void diff_mark_progress(const struct dump *old, struct dump *new);

/*
 * Where the newer of the two dumps gives way to another look: what its stops cost counts from the
 * older one on, which is diff->old.
 */
void diff_carry_stops(const struct diff *diff, struct dump *old);

/* Threads that libraries keep for themselves, once the program has used them. */
extern const struct ignore default_ignores[];
extern const size_t default_ignore_count;

/*
 * A line of an ignore file, without its end: "function:GLOB", "top:", "module:", "name:".  False
 * when it makes no sense.  ret->glob points into the line; NULL for an empty line or a comment.
 */
bool ignore_parse(const char *line, struct ignore *ret);

/*
 * Fills diff->leaks: groups with more threads than before, by more than `allow`, without those
 * that are ignored.  In the same run, only threads that are new count.  Marks what was used.
 */
void diff_find_leaks(struct diff *diff, size_t allow, struct ignore *ignores, size_t count);

/*
 * In what may two dumps differ?  By number of enum progress for threads; in another run, NEW are
 * groups that have grown, GONE those that have shrunk.
 */
#define DIFFERS_BY(progress) (1u << (progress))
#define DIFFERS_FINDING	     (1u << PROGRESSES) /* a finding is new */
#define DIFFERS_RESOLVED     (1u << (PROGRESSES + 1))
#define DIFFERS_LEAK	     (1u << (PROGRESSES + 2))
#define DIFFERS_BY_DEFAULT                                                                         \
	(DIFFERS_BY(PROGRESS_MOVED) | DIFFERS_BY(PROGRESS_NEW) | DIFFERS_BY(PROGRESS_GONE) |       \
	 DIFFERS_BY(PROGRESS_UNKNOWN) | DIFFERS_FINDING | DIFFERS_RESOLVED)

/*
 * All that holds.  Threads that wait for work by design are not counted as stuck or cycling; what
 * could be read in neither dump is not counted as unknown.
 */
unsigned diff_differences(const struct diff *diff);

#endif
