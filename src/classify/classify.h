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

struct classify_context {
	const struct capture *capture; /* NULL: nothing is known beside the process */
	struct capture_process *process;
	struct strpool *strings;
	name_data_fn *name_data; /* NULL: no names */
	void *name_data_context;
	/* When the capture was made, for limits given as a time of day; 0: not known. */
	int64_t realtime_ns, monotonic_ns, boottime_ns;
	/* Does the process map a libc?  Looked up for each thread unless classify_prepare() did. */
	enum { LIBC_NOT_LOOKED_UP, LIBC_IS_MAPPED, LIBC_IS_NOT_MAPPED } libc;
};

/* What is the same for all threads of a process with many mappings. */
void classify_prepare(struct classify_context *context);

/* `wait` must be wait_init()ed; its owner calls wait_deinit(). */
void classify_thread(const struct classify_context *context, const struct capture_thread *thread,
		     const struct stack *stack, struct wait *wait);

/*
 * The file descriptors that this call waits on, so that the capture can look at them: up to two.
 * Returns how many.
 */
unsigned classify_syscall_fds(long number, const uint64_t arguments[6], int ret_fds[2]);

#endif
