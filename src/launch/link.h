/*
 * What the front and the supervisor tell each other: messages over a socket pair.  The end of the
 * other one is seen as the end of the stream.
 */
#ifndef HANGDUMP_LAUNCH_LINK_H
#define HANGDUMP_LAUNCH_LINK_H

#include "launch/launch.h"

#include <stdbool.h>

enum message_kind {
	/* From the supervisor. */
	MESSAGE_STARTED, /* pid: the command, which has not called exec yet */
	MESSAGE_FAILED,	 /* number: errno; pid 0: of fork, else of exec */
	MESSAGE_STOPPED, /* number: the signal that stopped the command */
	MESSAGE_ENDED,	 /* number: the command's status; it stays a zombie until MESSAGE_FINISH */
	MESSAGE_DUMPED,	 /* number: which order is done */
	MESSAGE_NO_DUMP, /* number: which could not even be begun */
	/* From the front. */
	MESSAGE_DUMP,	 /* number: of this order; the rest is of the event */
	MESSAGE_ABANDON, /* nobody waits for the dump any more */
	MESSAGE_KILL,	 /* nobody may live: your children are killed as they come */
	MESSAGE_FINISH,	 /* all is done: end */
};

struct message {
	enum message_kind kind;
	int number;
	pid_t pid; /* the command; 0: there is none */
	enum launch_reason reason;
	int signal;
	uint64_t elapsed_ms, limit_ms, budget_ms;
};

/* False when the other end is gone. */
bool link_send(int fd, const struct message *message);
/* False when there is none yet, or, with *ret_end set, never will be. */
bool link_receive(int fd, struct message *ret, bool *ret_end);

#endif
