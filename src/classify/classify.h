/*
 * From a thread's facts and frames to what it waits on.  A function from data to data: the target
 * is touched only through the capture's reader, and what is read there is never trusted.
 */
#ifndef HANGDUMP_CLASSIFY_CLASSIFY_H
#define HANGDUMP_CLASSIFY_CLASSIFY_H

#include "base/strpool.h"
#include "capture/reader.h"
#include "model/stack.h"
#include "model/wait.h"

/* The name of the variable at an address, or NULL: symbolize's, lent by the pipeline. */
typedef const char *name_data_fn(void *context, uint64_t address);

/*
 * The address of a library's variable, by the beginning of the library's file name and the
 * variable's name; 0: there is none.
 */
typedef uint64_t find_variable_fn(void *context, const char *library, const char *name);

/*
 * What the threads of one process have in common: made before the first of them is classified.  It
 * borrows the process, and every string that the frames of its threads have: none of them may
 * change or go before classify_memo_free().
 */
struct classify_memo;
struct classify_memo *classify_memo_new(const struct capture_process *process);
/* Accepts NULL. */
void classify_memo_free(struct classify_memo *memo);

struct classify_context {
	const struct capture *capture; /* NULL: nothing is known beside the process */
	struct capture_process *process;
	struct classify_memo *memo; /* NULL: each thread makes its own, which takes its time */
	struct strpool *strings;
	name_data_fn *name_data;	 /* NULL: no names */
	find_variable_fn *find_variable; /* NULL: nothing is found */
	void *names;			 /* the context of both */
	/* When the capture was made, for limits given as a time of day; 0: not known. */
	int64_t realtime_ns, monotonic_ns, boottime_ns;
};

/* `wait` must be wait_init()ed; its owner calls wait_deinit(). */
void classify_thread(const struct classify_context *context, const struct capture_thread *thread,
		     const struct stack *stack, struct wait *wait);

/* "futex", "syscall_4242"; in the pool. */
const char *classify_syscall_name(long number, struct strpool *strings);

/*
 * The file descriptors that this call waits on, so that the capture can look at them: up to two.
 * Returns how many.
 */
unsigned classify_syscall_fds(long number, const uint64_t arguments[6], int ret_fds[2]);

/* A capture_needs_fn: what has to be known beyond the process for the call that it sleeps in. */
unsigned classify_needs(struct capture_process *process, const struct capture_thread *thread,
			struct capture_need ret[CAPTURE_NEEDS_MOST]);

#endif
