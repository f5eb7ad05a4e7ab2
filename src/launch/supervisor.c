#include "launch/supervisor.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/relatives.h"
#include "launch/command.h"
#include "launch/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* A dump that is being made.  One at a time. */
struct dump_work {
	const struct supervisor *supervisor;
	struct launch_event event;
	array(pid_t) tree;
	int done; /* write end of a pipe */
};

struct state {
	const struct supervisor *supervisor;
	pid_t command;
	bool ended;  /* the command is a zombie of ours */
	int failure; /* of command_start(); -1 when it has told */
	int dumped;  /* read end of the pipe that tells when a dump is done; -1: none */
	int dumped_write;
	pthread_t dumper;
	struct dump_work work;
};

static bool tell(const struct state *state, enum message_kind kind, int number)
{
	struct message message = {.kind = kind, .number = number, .pid = state->command};
	return link_send(state->supervisor->front, &message);
}

static void *make_dump(void *argument)
{
	struct dump_work *work = argument;
	work->supervisor->ops->dump(work->supervisor->context, &work->event);
	ssize_t n = write(work->done, "", 1);
	(void)n;
	return NULL;
}

static void start_dump(struct state *state, const struct message *order)
{
	struct dump_work *work = &state->work;
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count = relatives_of(getpid(), 0, &relatives);
	work->tree.count = 0;
	for (size_t i = 0; i < count; i++) {
		if (relative_is_alive(&relatives[i]))
			*array_append(&work->tree) = relatives[i].pid;
	}
	work->supervisor = state->supervisor;
	work->done = state->dumped_write;
	work->event = (struct launch_event){.reason = order->reason,
					    .signal = order->number,
					    .command = state->command,
					    .tree = work->tree.items,
					    .count = work->tree.count,
					    .elapsed_ms = order->elapsed_ms,
					    .limit_ms = order->limit_ms,
					    .budget = deadline_in_ms(order->budget_ms)};
	/*
	 * In a thread, so that this one still hears when the front is gone; a thread and not a
	 * process, since only an ancestor may attach under Yama's scope 1.
	 */
	if (pthread_create(&state->dumper, NULL, make_dump, work) != 0)
		tell(state, MESSAGE_DUMPED, 0);
}

static void finish_dump(struct state *state)
{
	char byte;
	if (read(state->dumped, &byte, 1) != 1)
		return;
	pthread_join(state->dumper, NULL);
	tell(state, MESSAGE_DUMPED, 0);
}

/*
 * Children of this thread: the command, and what others have left us.  Not those of the thread
 * that dumps, which waits for its own.
 */
static void reap(struct state *state)
{
	siginfo_t info = {0};
	if (!state->ended &&
	    waitid(P_PID, (id_t)state->command, &info,
		   WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WNOTHREAD) == 0 &&
	    info.si_pid) {
		if (info.si_code == CLD_STOPPED) {
			waitid(P_PID, (id_t)state->command, &info, WSTOPPED | WNOHANG);
			tell(state, MESSAGE_STOPPED, info.si_status);
		} else if (info.si_code != CLD_TRAPPED) {
			/* It stays a zombie, so that its pid and group are nobody else's. */
			state->ended = true;
			tell(state, MESSAGE_ENDED,
			     info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status);
		}
	}
	if (state->ended)
		return;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) == 0 &&
	       info.si_pid && info.si_pid != state->command)
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
}

static void read_failure(struct state *state)
{
	int os_errno;
	ssize_t n = read(state->failure, &os_errno, sizeof(os_errno));
	if (n < 0 && errno == EINTR)
		return;
	if (n == (ssize_t)sizeof(os_errno))
		tell(state, MESSAGE_FAILED, os_errno);
	close(state->failure);
	state->failure = -1;
}

static void drain(int fd)
{
	struct signalfd_siginfo info[8];
	while (read(fd, info, sizeof(info)) > 0)
		continue;
}

/* False when it is time to go. */
static bool obey(struct state *state)
{
	struct message message;
	bool end;
	while (link_receive(state->supervisor->front, &message, &end)) {
		if (message.kind == MESSAGE_FINISH)
			return false;
		if (message.kind == MESSAGE_DUMP)
			start_dump(state, &message);
	}
	if (!end)
		return true;
	kill(-state->command, SIGKILL);
	return false;
}

static void watch(struct state *state, int children)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = state->supervisor->front, .events = POLLIN},
				       {.fd = children, .events = POLLIN},
				       {.fd = state->failure, .events = POLLIN},
				       {.fd = state->dumped, .events = POLLIN}};
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[2].revents)
			read_failure(state);
		if (fds[1].revents) {
			drain(children);
			reap(state);
		}
		if (fds[3].revents)
			finish_dump(state);
		if (fds[0].revents && !obey(state))
			return;
	}
}

void supervise(const struct supervisor *supervisor)
{
	struct state state = {.supervisor = supervisor, .command = 0, .failure = -1};
	int ends[2];
	sigset_t child;
	setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (children < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
		tell(&state, MESSAGE_FAILED, errno);
		return;
	}
	state.dumped = ends[0];
	state.dumped_write = ends[1];
	pid_t command = command_start(supervisor->options, supervisor->signals,
				      supervisor->front_group, &state.failure);
	if (command < 0) {
		tell(&state, MESSAGE_FAILED, errno);
		return;
	}
	state.command = command;
	if (tell(&state, MESSAGE_STARTED, 0))
		watch(&state, children);
}
