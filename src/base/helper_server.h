/* A child process that works whenever it is asked to. */
#ifndef HANGDUMP_BASE_HELPER_SERVER_H
#define HANGDUMP_BASE_HELPER_SERVER_H

#include "base/deadline.h"

#include <stdbool.h>
#include <sys/types.h>

/* All zero: there is none. */
struct helper_server {
	pid_t pid;
	int socket;
};

/*
 * Each question is a byte, and answered by the return of answer(), whose results are what it leaves
 * in shared memory.  False: no process could be made.
 */
bool helper_server_start(struct helper_server *server, void (*answer)(void *context, char question),
			 void *context);
/*
 * False: it did not answer in time, has died, or was never there; then it is not to be asked again.
 * Takes no lock and allocates nothing.
 */
bool helper_server_ask(const struct helper_server *server, char question, struct deadline deadline);
/* Kills it, as helper_kill() does.  Nothing happens where there is none. */
void helper_server_end(struct helper_server *server);

#endif
