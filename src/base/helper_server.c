#include "base/helper_server.h"

#include "base/helper.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int socket, void (*answer)(void *context, char question), void *context)
{
	char question;
	while (read(socket, &question, 1) == 1) {
		answer(context, question);
		if (write(socket, &question, 1) != 1)
			return;
	}
}

bool helper_server_start(struct helper_server *server, void (*answer)(void *context, char question),
			 void *context)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		close(ends[0]);
		if (helper_begin(parent))
			serve(ends[1], answer, context);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return false;
	}
	*server = (struct helper_server){pid, ends[0]};
	return true;
}

bool helper_server_ask(const struct helper_server *server, char question, struct deadline deadline)
{
	struct pollfd poller = {.fd = server->socket, .events = POLLIN};
	char answer;
	if (!server->pid || send(server->socket, &question, 1, MSG_NOSIGNAL) != 1)
		return false;
	while (poll(&poller, 1, deadline_poll_ms(deadline)) <= 0) {
		if (errno != EINTR || deadline_passed(deadline))
			return false;
	}
	return recv(server->socket, &answer, 1, MSG_DONTWAIT) == 1;
}

void helper_server_end(struct helper_server *server)
{
	if (!server->pid)
		return;
	helper_kill(server->pid);
	close(server->socket);
	*server = (struct helper_server){0};
}
