/* The command itself: fork and exec, as its caller would have done it. */
#ifndef HANGDUMP_LAUNCH_COMMAND_H
#define HANGDUMP_LAUNCH_COMMAND_H

#include "launch/launch.h"
#include "launch/signals.h"

struct command_start {
	char **words;
	const struct inherited_signals *signals;
	bool own_group;	    /* else in the caller's, where its parent has to be as well */
	bool gets_terminal; /* its group goes into the foreground */
};

/*
 * Forks the command.  *ret_failure is the read end of a pipe: the errno of a failed execvp(), as
 * an int, or nothing.  Returns the pid, or -1 with errno.
 */
pid_t command_start(const struct command_start *start, int *ret_failure);

#endif
