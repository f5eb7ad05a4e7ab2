#include "launch/supervisor.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "launch/descriptors.h"
#include "launch/dumper.h"
#include "launch/link.h"
#include "launch/tree.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	KILL_MS = 10000, /* how long a tree is killed again and again at the most */
	ROUND_MS = 2,
	PASSES = 64, /* over our own children, in a round */
};

struct state {
	const struct supervisor *supervisor;
	pid_t command;
	bool ended;   /* the command is a zombie */
	bool killing; /* nobody may live */
	int failure;  /* of command_start(); -1: it has told all */
	int children; /* signalfd */
	bool has_waiting;
	struct message waiting; /* an order, until the dumper is free */
	struct dumper dumper;
};

static bool tell(const struct state *state, enum message_kind kind, int number)
{
	struct message message = {.kind = kind, .number = number, .pid = state->command};
	return link_send(state->supervisor->front, &message);
}

static void read_failure(struct state *state)
{
	int os_errno;
	ssize_t n;
	do {
		n = read(state->failure, &os_errno, sizeof(os_errno));
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(os_errno))
		tell(state, MESSAGE_FAILED, os_errno);
	close(state->failure);
	state->failure = -1;
}

static void command_ended(struct state *state, const siginfo_t *info)
{
	/* It was closed with the command's end, at the latest. */
	if (state->failure >= 0)
		read_failure(state);
	state->ended = true;
	int status = info->si_status;
	if (info->si_code == CLD_EXITED)
		status <<= 8;
	else if (info->si_code == CLD_DUMPED)
		status |= WCOREFLAG;
	tell(state, MESSAGE_ENDED, status);
}

/*
 * The command is looked at, but stays a zombie as long as we live, so that its pid and its group
 * are nobody else's.  Not while another thread of ours traces it: what is seen then is for that one.
 */
static void look_at_command(struct state *state)
{
	siginfo_t info = {0};
	int what = WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WNOTHREAD;
	if (state->ended || waitid(P_PID, (id_t)state->command, &info, what) != 0 || !info.si_pid)
		return;
	switch (info.si_code) {
	case CLD_STOPPED:
		waitid(P_PID, (id_t)state->command, &info, WSTOPPED | WNOHANG | __WNOTHREAD);
		tell(state, MESSAGE_STOPPED, info.si_status);
		/* It may have been killed in between. */
		look_at_command(state);
		break;
	case CLD_EXITED:
	case CLD_KILLED:
	case CLD_DUMPED:
		command_ended(state, &info);
		break;
	default:
		break;
	}
}

/*
 * What others have left us, but not the command.  Children of this thread only: those of the one
 * that dumps are waited for there.
 */
static void reap_orphans(const struct state *state)
{
	_cleanup_free_ pid_t *children = NULL;
	size_t count;
	siginfo_t info = {0};
	int what = WEXITED | WNOHANG | __WNOTHREAD;
	if (!state->ended) {
		while (waitid(P_ALL, 0, &info, what | WNOWAIT) == 0 && info.si_pid &&
		       info.si_pid != state->command) {
			waitid(P_PID, (id_t)info.si_pid, NULL, what);
			info.si_pid = 0;
		}
		return;
	}
	/* The zombie that stays would be found again and again. */
	if (!children_of(getpid(), getpid(), &children, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (children[i] != state->command)
			waitid(P_PID, (id_t)children[i], NULL, what);
	}
}

static struct tree tree_of(const struct state *state)
{
	return (struct tree){.root = getpid(),
			     .command = state->command,
			     .has_group = state->supervisor->start.own_group};
}

static void kill_children(const struct state *state)
{
	const struct tree tree = tree_of(state);
	pid_t zombie = state->ended ? state->command : 0;
	for (int pass = 0; pass < PASSES && tree_kill_children(&tree, zombie); pass++)
		reap_orphans(state);
}

static void read_children(struct state *state)
{
	struct signalfd_siginfo info[8];
	while (read(state->children, info, sizeof(info)) > 0)
		continue;
	look_at_command(state);
	reap_orphans(state);
	if (state->killing)
		kill_children(state);
}

static void begin_dump(struct state *state, const struct message *order)
{
	if (state->dumper.busy) {
		state->waiting = *order;
		state->has_waiting = true;
	} else if (!dumper_begin(&state->dumper, state->command, order)) {
		tell(state, MESSAGE_NO_DUMP, order->number);
	}
}

static void dump_made(struct state *state)
{
	tell(state, MESSAGE_DUMPED, dumper_finish(&state->dumper));
	if (state->has_waiting) {
		state->has_waiting = false;
		begin_dump(state, &state->waiting);
	}
}

/* Nobody is there to decide or to be told. */
static void kill_all(struct state *state)
{
	const struct tree tree = tree_of(state);
	struct deadline deadline = deadline_in_ms(KILL_MS);
	state->killing = true;
	for (;;) {
		struct pollfd poller = {.fd = state->children, .events = POLLIN};
		tree_kill(&tree);
		read_children(state);
		if ((state->ended && tree_is_empty(&tree)) || deadline_passed(deadline))
			return;
		poll(&poller, 1, ROUND_MS);
	}
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
			begin_dump(state, &message);
		if (message.kind == MESSAGE_ABANDON) {
			state->has_waiting = false;
			dumper_hurry(&state->dumper);
		}
		if (message.kind == MESSAGE_KILL) {
			state->has_waiting = false;
			state->killing = true;
		}
	}
	if (end)
		kill_all(state);
	return !end;
}

static void watch(struct state *state)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = state->supervisor->front, .events = POLLIN},
				       {.fd = state->children, .events = POLLIN},
				       {.fd = state->failure, .events = POLLIN},
				       {.fd = state->dumper.done, .events = POLLIN}};
		if (poll(fds, ARRAY_SIZE(fds), state->killing ? ROUND_MS : -1) < 0)
			continue;
		if (fds[2].revents)
			read_failure(state);
		if (fds[1].revents || state->killing)
			read_children(state);
		if (fds[3].revents)
			dump_made(state);
		if (fds[0].revents && !obey(state))
			return;
	}
}

static bool prepare(struct state *state)
{
	const struct supervisor *supervisor = state->supervisor;
	sigset_t child;
	bool own_group = supervisor->start.own_group;
	/* Not where the front is: who kills its group does not kill us. */
	if (own_group)
		setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	state->children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (state->children < 0 ||
	    !dumper_init(&state->dumper, supervisor->ops, supervisor->context))
		return false;
	pid_t pid = command_start(&supervisor->start, &state->failure);
	/*
	 * Where the command stays in the front's group, its parent must not be in another one of
	 * the same session: at the end of either the kernel would take the group for one that has
	 * just been orphaned, and send it SIGHUP when anybody in it is stopped.
	 */
	if (!own_group)
		setsid();
	if (pid > 0)
		state->command = pid;
	return pid > 0;
}

void supervise(const struct supervisor *supervisor)
{
	struct state state = {.supervisor = supervisor, .failure = -1};
	if (!prepare(&state)) {
		tell(&state, MESSAGE_FAILED, errno);
		return;
	}
	tell(&state, MESSAGE_STARTED, 0);
	const int kept[] = {supervisor->front, state.children, state.failure, state.dumper.done,
			    state.dumper.done_write};
	descriptors_drop(kept, ARRAY_SIZE(kept));
	watch(&state);
	/* Also the command: nobody is left who could mean it by its pid. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}
