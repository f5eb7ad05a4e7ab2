/*
 * Makes captures from live processes.  The only room that calls ptrace, reads /proc of a target
 * and copies its memory; it interprets nothing.
 *
 * The work is done in a helper process that ends as soon as the copies are made, because a
 * tracer's end is the one thing that surely lets every thread go; what it found lies in memory
 * shared with us, so that a helper that gets stuck (on a target's memory-map lock, say) is killed
 * at its deadline and what there is by then is used.  Where only an ancestor may attach, and we are
 * one, a thread of ours does what a helper process would be refused.  The kernel then tells our
 * process of the targets' stops: whoever else in it waits for children during a capture had better
 * pass __WNOTHREAD, or that takes longer.
 */
#ifndef HANGDUMP_CAPTURE_CAPTURE_H
#define HANGDUMP_CAPTURE_CAPTURE_H

#include "base/deadline.h"
#include "base/error.h"
#include "capture/reader.h"
#include "model/glance.h"

/* Which file descriptors does this call wait on?  Up to two; see classify.h. */
typedef unsigned capture_fds_fn(long number, const uint64_t arguments[6], int ret_fds[2]);

/*
 * What has to be known beyond the process for the call that this thread sleeps in: see
 * capture/reader.h.  Memory may be read, as far as it was captured.  Returns how many.
 */
typedef unsigned capture_needs_fn(struct capture_process *process,
				  const struct capture_thread *thread,
				  struct capture_need ret[CAPTURE_NEEDS_MOST]);

struct capture_options {
	bool no_stop;		  /* from /proc and process_vm_readv alone */
	unsigned stop_ms;	  /* for all threads to stop; 0: 250 and more for thousands */
	struct deadline deadline; /* for all of it */
	capture_fds_fn *fds;	  /* NULL: look at no descriptors */
	capture_needs_fn *needs;  /* NULL: look at nothing beyond the processes */
	/* Walks stacks while they are held where memory cannot be copied, or always. */
	const struct held_walker_ops *walker; /* NULL: never */
	bool walk_always;
};

/*
 * A capture is made in four steps; the caller may do more in between.
 *
 * survey: what can be read without stopping anybody.  `failures` (count entries) tells for each
 * pid why there is nothing of it, or NULL; the caller frees them.  With no process left, *ret has
 * none, and the other steps do nothing.
 */
struct error *capture_survey(const pid_t *pids, size_t count, const struct capture_options *options,
			     struct error **failures, struct capture **ret);

/*
 * hold: stops all threads of all processes, copies registers and memory, lets them go.  A process
 * of which nothing at all may be read leaves the capture, and `failures` says why.
 */
void capture_hold(struct capture *capture, const pid_t *pids, size_t count,
		  struct error **failures);

/*
 * look around: what the waits of the dumped processes need to be known of others: fills
 * capture->surroundings.  After the hold, because what a call's arguments point at is known then;
 * before the verification, so that what it sees is of the same moment for every thread that turns
 * out to be steady.  One pass over the system, each kind of fact only where a wait needs it, in a
 * helper process, within a share of the time until the deadline.  What could not be looked at is
 * in capture->errors.  capture_find_thread() asks beyond the capture from then on.
 */
void capture_look_around(struct capture *capture, struct deadline deadline);

/* verify: who has not moved since the survey (capture_thread.steady). */
void capture_verify(struct capture *capture);

/*
 * Was any thread running, before the stop and after it?  0, or when verify last saw one run, on
 * CLOCK_MONOTONIC.
 */
uint64_t capture_ran_until(const struct capture *capture);

/*
 * A second capture, of the threads that were running, as far as they run still
 * (capture_thread.use): what they have used by now, and where they are, for which they are stopped
 * once more.  No thread that sleeps is; of a process no more than 256, those with the most CPU
 * time, and with no_stop none.  It has processes and threads as the first, in the same order, but
 * those alone, and of them no more than identity, registers, `use` and what the stop tells.  NULL:
 * there are none.  The caller capture_free()s it, before the first.
 */
struct capture *capture_look_again(const struct capture *first);

/*
 * Did a process execute another program, or lose all its threads, while it was being captured?
 * What there is of it may be of two programs, or is nothing: worth another try.
 */
enum overtaken { OVERTAKEN_NOT, OVERTAKEN_MIXED, OVERTAKEN_LOST };
enum overtaken capture_was_overtaken(const struct capture *capture, struct error *const *failures,
				     size_t count);

/*
 * Gives process->memory its last source, the live process.  Reads go through a helper process and
 * give up at the deadline; a page once read stays as it was then.
 */
void capture_allow_live_reads(struct capture_process *process, struct deadline deadline);

/*
 * What can be said in no time, into *ret (glance_init()ed): three small files of /proc for each
 * thread, none of which takes a lock that the target may hold.  At the deadline it has what there
 * is.  System calls get no names.
 */
void capture_glance(const pid_t *pids, size_t count, struct deadline deadline, struct glance *ret);

/* Is there such a process, and is it one with threads of its own to look at? */
struct error *capture_check(pid_t pid);

/*
 * The process itself and its descendants, parents first, as of now; the caller frees *ret.
 * Returns how many.
 */
size_t capture_descendants(pid_t pid, pid_t **ret);

#endif
