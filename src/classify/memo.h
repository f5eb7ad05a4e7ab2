/*
 * Inside the classify room: what the threads of one process have in common, found once.  Which
 * thread has which id and which control block, in order; and what each function that comes up on
 * their stacks means.  With it, classifying a process is linear in its threads.
 */
#ifndef HANGDUMP_CLASSIFY_MEMO_H
#define HANGDUMP_CLASSIFY_MEMO_H

#include "base/array.h"
#include "classify/classify.h"

#define NO_ROW UINT16_MAX
typedef array(uint16_t) row_numbers;

/* What is known of a function by its name and its file. */
struct name_facts {
	const char *function, *module; /* as frames have them */
	const char *normal;	       /* see frames.h; "" for a function without a name */
	bool in_libc;		       /* of a libc, the loader, or what stands in for them */
	bool kin;		       /* of a library whose frames are no strangers to a wait */
	bool is_lock_frame;	       /* on libc's own way into a lock */
	const char *libc_lock;	       /* the kind of lock that it takes, were it libc's, or NULL */
	bool by_prefix;		       /* of a name that a program may have given as well */
	const char *allocator;	       /* the kind of lock that its file takes, or NULL */
	const uint16_t *frame_rows;    /* those that fit, in the table's order, up to NO_ROW */
	const uint16_t *idle_rows;
};

/* The facts of a frame's function; they live as long as the memo. */
const struct name_facts *memo_name(struct classify_memo *memo, const struct frame *frame);

/* The thread with this id in the target's own pid namespace, or NULL. */
const struct capture_thread *memo_thread_by_ns_tid(const struct classify_memo *memo, uint32_t tid);
/* The thread whose control block is the last one at or before address; NULL: there is none. */
const struct capture_thread *memo_thread_below(const struct classify_memo *memo, uint64_t address);
/* The thread whose control block is the first one behind address; NULL: there is none. */
const struct capture_thread *memo_thread_above(const struct classify_memo *memo, uint64_t address);

/* Is there a thread whose id in its own namespace, or whose control block, is not known? */
bool memo_lacks_ids(const struct classify_memo *memo);
bool memo_lacks_control_blocks(const struct classify_memo *memo);
/*
 * Could no thread be at work on the object of this futex, between a change of it and the system call
 * that follows?  All slept, from before the survey until after the stop, in a system call, have
 * ended, or waited for the futex themselves.
 */
bool memo_nobody_works_on(const struct classify_memo *memo, uint64_t futex);
/*
 * Was the thread, when it was stopped, still asleep in the call that the survey had seen?  Our stop
 * ends such a sleep: where there is no reason for it any more, the thread moves on and is not
 * steady.
 */
bool slept_at_stop(const struct capture_thread *thread);
/* Where hotspot.c keeps what it has learned: NULL at first; the memo frees it. */
struct hotspot;
struct hotspot **memo_hotspot(struct classify_memo *memo);
/* Does the process map a libc?  A static program has it in itself. */
bool memo_has_libc(const struct classify_memo *memo);

#endif
