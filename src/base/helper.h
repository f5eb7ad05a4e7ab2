/* Work that could get stuck, in a child process with a deadline. */
#ifndef HANGDUMP_BASE_HELPER_H
#define HANGDUMP_BASE_HELPER_H

#include "base/deadline.h"

#include <stdbool.h>
#include <sys/types.h>

enum helper_end {
	HELPER_DONE,
	HELPER_TIMED_OUT, /* it was killed, and may never die: nobody waits for it */
	HELPER_FAILED,	  /* fork refused, or it crashed */
};

/*
 * Runs work(context) in a child process and waits for its end.  Its results are what it leaves in
 * shared memory.  The child dies with us.
 */
enum helper_end helper_run(void (*work)(void *context), void *context, struct deadline deadline);

/* Kills a child and waits for its end, but not for long: one in D state is left to init. */
void helper_kill(pid_t pid);

/* What every child of ours does first; false when we are gone already. */
bool helper_begin(pid_t parent);

#endif
