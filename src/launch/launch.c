#include "launch/launch.h"

#include "base/cleanup.h"
#include "base/helper.h"
#include "base/pid.h"
#include "launch/descriptors.h"
#include "launch/front.h"
#include "launch/link.h"
#include "launch/supervisor.h"
#include "launch/terminal.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FINISH_MS = 1000 };

static struct error *own_failure(const char *what, int os_errno)
{
	return error_new(ERROR_INTERNAL, os_errno, what, NULL);
}

/*
 * With the /proc of another pid namespace, what is found there has other numbers here.  Without
 * any, there is only the command's group to go by.
 */
static struct error *check_proc(void)
{
	char self[16] = "";
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);
	if (n <= 0 || parse_pid(self) == getpid())
		return NULL;
	return error_new(ERROR_UNSUPPORTED, 0, "/proc",
			 "(it is of another pid namespace: mount one of ours)");
}

/* Forks the supervisor, which starts the command. */
static struct error *start(struct front *front)
{
	int ends[2];
	pid_t *others = NULL;
	size_t other_count = 0;
	const struct launch_options *options = front->options;
	if (front->signals < 0)
		return own_failure("signalfd", errno);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return own_failure("socketpair", errno);
	front->link = ends[0];
	/* Who ran before us in this process may have left it children. */
	if (children_of(getpid(), getpid(), &others, &other_count)) {
		front->others.items = others;
		front->others.count = front->others.capacity = other_count;
	}
	front->handed_over = !front->foreground && terminal_is_ours_alone();
	const struct supervisor supervisor = {.start = {.words = options->command,
							.signals = &front->inherited,
							.own_group = !front->foreground,
							.gets_terminal = front->handed_over},
					      .ops = front->ops,
					      .context = front->context,
					      .front = ends[1]};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	front->started_ns = monotonic_ns();
	front->limit = deadline_in_ms(options->timeout_ms);
	idle_begin(&front->idle, options->idle_timeout_ms);
	pid_t pid = fork();
	int fork_errno = errno;
	if (pid == 0) {
		close(front->link);
		close(front->signals);
		supervise(&supervisor);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		return own_failure("fork", fork_errno);
	front->supervisor = front->tree.root = pid;
	return NULL;
}

static void finish(struct front *front)
{
	if (front->supervisor) {
		struct pollfd poller = {.fd = front->link};
		front_wake(front);
		link_send(front->link, &(struct message){.kind = MESSAGE_FINISH});
		/* Its end of the link closes when it ends. */
		while (poll(&poller, 1, FINISH_MS) < 0 && errno == EINTR)
			continue;
		helper_kill(front->supervisor);
		front_reap(front);
	}
	if (front->handed_over)
		terminal_take_back(front->tree.command);
}

static struct error *how_it_ended(const struct front *front, struct launch_result *ret)
{
	if (front->start_errno)
		return front->lost ? own_failure("fork", front->start_errno)
				   : error_new(ERROR_NOT_RUNNABLE, front->start_errno,
					       front->options->command[0], NULL);
	if (front->lost && !front->timed_out && !front->ended_by)
		return error_new(ERROR_INTERNAL, 0, front->options->command[0],
				 "(somebody killed the process that watched it)");
	*ret = (struct launch_result){.status = front->status,
				      .timed_out = front->timed_out,
				      .leftovers = front->leftovers};
	/* That the command was killed, and how, is then our own failure. */
	if (front->lost)
		ret->status = front->timed_out ? front->options->signal : front->ended_by;
	else if (!front->ended)
		ret->status = SIGKILL;
	return NULL;
}

struct error *launch_run(const struct launch_options *options, const struct launch_ops *ops,
			 void *context, struct launch_result *ret)
{
	struct front front = {
		.options = options,
		.ops = ops,
		.context = context,
		.link = -1,
		.watched = -1,
		/* Of a group outside our pid namespace nothing can be asked or said. */
		.foreground = options->foreground || getpgrp() == 0};
	front.tree.has_group = !front.foreground;
	descriptors_guard();
	front.signals = signals_take(&front.inherited);
	struct error *error = check_proc();
	if (!error)
		error = start(&front);
	if (!error) {
		const int kept[] = {front.signals, front.link};
		descriptors_drop(kept, ARRAY_SIZE(kept));
		front_watch(&front);
		finish(&front);
		error = how_it_ended(&front, ret);
	}
	const int ours[] = {front.signals, front.link, front.watched};
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (ours[i] >= 0)
			close(ours[i]);
	}
	array_deinit(&front.others);
	idle_deinit(&front.idle);
	return error;
}
