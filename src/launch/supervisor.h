/* The parent of the command: starts it, waits for it, makes the dumps.  See launch.h. */
#ifndef HANGDUMP_LAUNCH_SUPERVISOR_H
#define HANGDUMP_LAUNCH_SUPERVISOR_H

#include "launch/command.h"

struct supervisor {
	struct command_start start;
	const struct launch_ops *ops;
	void *context;
	int front; /* link to it */
};

/*
 * Runs in the child process that the front has forked, which ends when this returns.  Does what the
 * front says, until it says that all is done; when it has gone without a word, kills the tree.
 */
void supervise(const struct supervisor *supervisor);

#endif
