/*
 * Work that could get stuck, in a thread of ours with a deadline: for what a child process would be
 * refused.  As that one's, a thread's end lets go of what it traces.
 */
#ifndef HANGDUMP_BASE_HELPER_THREAD_H
#define HANGDUMP_BASE_HELPER_THREAD_H

#include "base/helper.h"

/*
 * Runs work(context) in a thread and waits for its end.  At the deadline it is ended between any
 * two instructions: it must take no lock and allocate nothing, as malloc() does both.  It may leave
 * descriptors open.  Results in memory need no sharing, and count as far as they got.
 *
 * *ret_left_behind becomes true when it sleeps in the kernel in a way that only the end of our
 * process interrupts.  It will then never run again, but what it told the kernel to write to must
 * stay mapped.
 */
enum helper_end helper_run_thread(void (*work)(void *context), void *context,
				  struct deadline deadline, bool *ret_left_behind);

#endif
