/* What one thread did between two dumps. */
#ifndef HANGDUMP_DIFF_PROGRESS_H
#define HANGDUMP_DIFF_PROGRESS_H

#include "model/diff.h"

/* The same thread in the earlier and in the later of two dumps, apart_ns (> 0) apart. */
void compare_thread(const struct thread *before, const struct thread *after, int64_t apart_ns,
		    struct thread_diff *ret);

/* Of one thread over two spans of time, the second following on the first. */
enum progress progress_over(enum progress first, enum progress second);

#endif
