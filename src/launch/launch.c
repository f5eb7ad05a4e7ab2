#include "launch/launch.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "launch/link.h"
#include "launch/signals.h"
#include "launch/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED_MS = 5000 };

/* Where the command is on its way to its end. */
enum stage { STAGE_RUNNING, STAGE_SIGNALLED, STAGE_KILLED };

struct front {
	const struct launch_options *options;
	const struct launch_ops *ops;
	void *context;
	struct inherited_signals inherited;
	int signals, link;
	pid_t supervisor, command;
	uint64_t started_ns;
	struct deadline limit, grace, dump;
	enum stage stage;
	bool dumping, expired, ended, finished;
	int passed_on; /* the signal that is passed on once the dump is done */
	int status;
	int exec_errno;
};

static void pass_on(struct front *front, int signal_number)
{
	if (!front->command)
		return;
	kill(-front->command, signal_number);
}

static void end_tree(struct front *front, int signal_number)
{
	front->ops->notice(front->context, LAUNCH_SENDING, signal_number, front->command,
			   front->options->command[0]);
	pass_on(front, signal_number);
	pass_on(front, SIGCONT);
	front->stage = signal_number == SIGKILL ? STAGE_KILLED : STAGE_SIGNALLED;
	front->grace = deadline_in_ms(signal_number == SIGKILL ? KILLED_MS
							       : front->options->kill_after_ms);
}

static void order_dump(struct front *front, enum launch_reason reason, int signal_number)
{
	uint64_t budget = reason == LAUNCH_SIGNALLED ? front->options->signal_budget_ms
						     : front->options->dump_budget_ms;
	struct message message = {.kind = MESSAGE_DUMP,
				  .number = signal_number,
				  .reason = reason,
				  .elapsed_ms = (monotonic_ns() - front->started_ns) / 1000000,
				  .limit_ms =
					  reason == LAUNCH_EXPIRED ? front->options->timeout_ms : 0,
				  .budget_ms = budget};
	front->dumping = link_send(front->link, &message);
	front->dump = deadline_in_ms(budget + budget / 2);
}

static void dump_over(struct front *front)
{
	front->dumping = false;
	if (front->expired)
		end_tree(front, front->options->signal);
	else if (front->passed_on)
		end_tree(front, front->passed_on);
}

static void take_signal(struct front *front, int signal_number)
{
	if (signal_number == SIGCHLD || signal_number == SIGCONT || signal_number == SIGTSTP)
		return;
	if (signal_number == SIGUSR1) {
		if (!front->dumping && front->stage == STAGE_RUNNING)
			order_dump(front, LAUNCH_ASKED, 0);
		return;
	}
	if (!signal_ends_us(signal_number) || front->stage != STAGE_RUNNING || front->passed_on) {
		pass_on(front, signal_number);
		return;
	}
	front->passed_on = signal_number;
	if (!front->dumping)
		order_dump(front, LAUNCH_SIGNALLED, signal_number);
}

static void read_signals(struct front *front)
{
	struct signalfd_siginfo info;
	while (read(front->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		take_signal(front, (int)info.ssi_signo);
}

static void read_link(struct front *front)
{
	struct message message;
	bool end;
	while (link_receive(front->link, &message, &end)) {
		switch (message.kind) {
		case MESSAGE_STARTED:
			front->command = message.pid;
			break;
		case MESSAGE_FAILED:
			front->exec_errno = message.number;
			front->finished = true;
			break;
		case MESSAGE_ENDED:
			front->ended = true;
			front->status = message.number;
			break;
		case MESSAGE_DUMPED:
			dump_over(front);
			break;
		default:
			break;
		}
	}
	if (end)
		front->finished = true;
}

static void look_at_clocks(struct front *front)
{
	if (front->dumping && deadline_passed(front->dump)) {
		front->ops->notice(front->context, LAUNCH_DUMP_FAILED, 0, front->command, "");
		dump_over(front);
	}
	if (!front->dumping && front->stage == STAGE_RUNNING && deadline_passed(front->limit)) {
		front->expired = true;
		order_dump(front, LAUNCH_EXPIRED, 0);
	}
	if (front->stage == STAGE_SIGNALLED && deadline_passed(front->grace))
		end_tree(front, SIGKILL);
}

static int wait_ms(const struct front *front)
{
	if (front->dumping)
		return deadline_poll_ms(front->dump);
	return deadline_poll_ms(front->stage == STAGE_RUNNING ? front->limit : front->grace);
}

static void watch(struct front *front)
{
	while (!front->finished && (!front->ended || front->dumping)) {
		struct pollfd fds[] = {
			{.fd = front->link, .events = POLLIN},
			{.fd = front->command ? front->signals : -1, .events = POLLIN}};
		poll(fds, ARRAY_SIZE(fds), wait_ms(front));
		if (fds[0].revents)
			read_link(front);
		if (fds[1].revents)
			read_signals(front);
		look_at_clocks(front);
	}
}

static struct error *failed(const char *what)
{
	return error_new(ERROR_INTERNAL, errno, what, NULL);
}

struct error *launch_run(const struct launch_options *options, const struct launch_ops *ops,
			 void *context, struct launch_result *ret)
{
	struct front front = {.options = options, .ops = ops, .context = context};
	int ends[2];
	_cleanup_close_ int signals = front.signals = signals_take(&front.inherited);
	if (signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return failed("run");
	_cleanup_close_ int link = front.link = ends[0];
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	front.started_ns = monotonic_ns();
	front.limit = deadline_in_ms(options->timeout_ms);
	struct supervisor supervisor = {.options = options,
					.ops = ops,
					.context = context,
					.signals = &front.inherited,
					.front = ends[1],
					.front_group = getpgrp()};
	front.supervisor = fork();
	if (front.supervisor == 0) {
		close(link);
		close(signals);
		supervise(&supervisor);
		_exit(0);
	}
	close(ends[1]);
	if (front.supervisor < 0)
		return failed("fork");
	watch(&front);
	link_send(link, &(struct message){.kind = MESSAGE_FINISH});
	while (waitpid(front.supervisor, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (front.exec_errno)
		return error_new(ERROR_NOT_RUNNABLE, front.exec_errno, options->command[0], NULL);
	*ret = (struct launch_result){.status = front.status, .timed_out = front.expired};
	return NULL;
}
