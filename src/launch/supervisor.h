/* The parent of the command: see launch.h. */
#ifndef HANGDUMP_LAUNCH_SUPERVISOR_H
#define HANGDUMP_LAUNCH_SUPERVISOR_H

#include "launch/launch.h"
#include "launch/signals.h"

struct supervisor {
	const struct launch_options *options;
	const struct launch_ops *ops;
	void *context;
	const struct inherited_signals *signals;
	int front; /* link to it */
	pid_t front_group;
};

/* Runs in the child process that the front has forked; the process ends when it returns. */
void supervise(const struct supervisor *supervisor);

#endif
