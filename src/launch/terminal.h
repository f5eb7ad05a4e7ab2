/*
 * The controlling terminal, whose foreground process group may read it and gets its signals.
 *
 * A command that is alone in the foreground with us gets the terminal before it starts.  Otherwise
 * (make, a pipeline into a pager) those beside us need it as well: ours stays in the foreground,
 * gets Ctrl-C and passes it on, and hands the terminal over when the command is stopped because it
 * wants it.
 */
#ifndef HANGDUMP_LAUNCH_TERMINAL_H
#define HANGDUMP_LAUNCH_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Are we alone in the foreground, with the terminal for input and output? */
bool terminal_is_ours_alone(void);

enum foreground { FOREGROUND_NONE, FOREGROUND_OURS, FOREGROUND_THEIRS, FOREGROUND_OTHER };

/* Whose group is in the foreground; NONE without a terminal. */
enum foreground terminal_foreground(pid_t command);

/* Puts a group into the foreground; SIGTTOU has to be blocked. */
void terminal_give(pid_t group);
/* Back to our group, where the command's has it or a group that is no more. */
void terminal_take_back(pid_t command);

#endif
