/*
 * The order of the stages: survey, hold, release, and only then everything slow.  The one place
 * that knows it.
 */
#ifndef HANGDUMP_PIPELINE_PIPELINE_H
#define HANGDUMP_PIPELINE_PIPELINE_H

#include "base/deadline.h"
#include "base/error.h"
#include "model/dump.h"
#include "model/glance.h"
#include "symbolize/answers.h"
#include "unwind/unwind.h"

enum kernel_stacks { KERNEL_STACKS_AUTO, KERNEL_STACKS_ALWAYS, KERNEL_STACKS_NEVER };

struct pipeline_options {
	bool tree;    /* descendants too */
	bool no_stop; /* never stop a thread */
	bool debuginfod;
	unsigned max_frames; /* 0: no limit */
	enum unwinder unwinder;
	enum kernel_stacks kernel_stacks;
	struct deadline deadline; /* for all of it */
	struct answers *answers;  /* of the dumps before this one; NULL: nothing is known yet */
};

/*
 * Dumps live processes into `ret` (dump_init()ed).  `failures` (count entries) tells for each pid
 * why it is not in the dump, or is NULL; the caller frees them.  With `tree`, descendants that
 * cannot be read become errors in the dump.
 */
struct error *pipeline_dump_live(const pid_t *pids, size_t count,
				 const struct pipeline_options *options, struct error **failures,
				 struct dump *ret);

/*
 * What /proc alone says of processes, in a fraction of a second: nobody is stopped, nothing is
 * looked up.  Into `ret` (glance_init()ed); at the deadline it has what there is.
 */
void pipeline_glance(const pid_t *pids, size_t count, struct deadline deadline, struct glance *ret);

#endif
