/*
 * The thread of the supervisor that makes a dump, so that the other one still hears when the front
 * is gone.  A thread and not a process, since only an ancestor may attach under Yama's scope 1.
 */
#ifndef HANGDUMP_LAUNCH_DUMPER_H
#define HANGDUMP_LAUNCH_DUMPER_H

#include "base/array.h"
#include "launch/launch.h"
#include "launch/link.h"

#include <pthread.h>

struct dumper {
	const struct launch_ops *ops;
	void *context;
	int done; /* readable when the dump is made */

	/* Of the dump that is being made. */
	bool busy;
	int order;
	pthread_t thread;
	pid_t tid; /* 0: not running yet */
	int done_write;
	struct launch_event event;
	array(pid_t) tree;
};

/* False with errno. */
bool dumper_init(struct dumper *dumper, const struct launch_ops *ops, void *context);
/* Not while it is busy.  False when it could not be started. */
bool dumper_begin(struct dumper *dumper, pid_t command, const struct message *order);
/* When `done` is readable: returns the number of the order; the dumper is free again. */
int dumper_finish(struct dumper *dumper);
/* Ends the processes that work for it: it will soon be done, with what it has. */
void dumper_hurry(const struct dumper *dumper);

#endif
