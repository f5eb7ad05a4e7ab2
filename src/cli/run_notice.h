/* Lines on standard error while a command runs: what launch has to tell. */
#ifndef HANGDUMP_CLI_RUN_NOTICE_H
#define HANGDUMP_CLI_RUN_NOTICE_H

#include "launch/launch.h"

/* Both return within moments, whether or not anybody reads standard error. */
void run_notice(enum launch_notice what, int signal_number, pid_t pid, const char *name);
void run_leftovers(const char *command, const struct relative *processes, size_t count,
		   bool are_ended);

#endif
