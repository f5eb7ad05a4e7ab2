/* Signals: what each of them asks of us, and what the command has to get back unchanged. */
#ifndef HANGDUMP_LAUNCH_SIGNALS_H
#define HANGDUMP_LAUNCH_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* How signals were when our caller started us. */
struct inherited_signals {
	sigset_t mask;
	struct sigaction child; /* SIGCHLD: we must not ignore it */
};

/* Does it ask us to end? */
bool signal_ends_us(int signal_number);

/*
 * Blocks all that are meant to be read from the returned signalfd: those that were inherited as
 * ignored stay so.  -1 with errno.
 */
int signals_take(struct inherited_signals *ret);
/* In the child that becomes the command. */
void signals_give_back(const struct inherited_signals *inherited);

#endif
