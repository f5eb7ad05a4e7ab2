#include "launch/front.h"

#include "base/cleanup.h"
#include "base/helper.h"
#include "launch/link.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LINGER_MS = 100,   /* what is about to end anyway is no leftover */
	KILLED_MS = 10000, /* how long a tree is killed again and again at the most */
	WORD_MS = 5000,	   /* from the command's end until the supervisor tells of it */
	WAKE_MS = 500,	   /* until it tells of the command's start, should it have been stopped */
	ECHO_MS = 500,	   /* in which the same signal comes once more */
	LOOK_MOST_MS = 50,
	REAP_MOST = 1000,     /* at a time: others may fork faster than we reap */
	PASSES = 64,	      /* over our own children, in a round of SIGKILL */
	SLACK_LEAST_MS = 500, /* beyond the budget of a dump, for what is not asked often */
	SLACK_MOST_MS = 3000,
};

static void notice(const struct front *front, enum launch_notice what, int signal_number, pid_t pid,
		   const char *name)
{
	front->ops->notice(front->context, what, signal_number, pid, name);
}

void front_wake(const struct front *front)
{
	if (front->supervisor)
		kill(front->supervisor, SIGCONT);
}

static void look_soon(struct front *front)
{
	front->look_ms = 1;
	front->look = deadline_in_ms(front->look_ms);
}

static void look_later(struct front *front)
{
	front->look_ms = front->look_ms * 2 < LOOK_MOST_MS ? front->look_ms * 2 : LOOK_MOST_MS;
	front->look = deadline_in_ms(front->look_ms);
}

/* The supervisor meets its own children; where we have inherited them, we do. */
static void kill_round(struct front *front)
{
	tree_kill(&front->tree);
	for (int pass = 0;
	     pass < PASSES && front->tree.root == getpid() && tree_kill_children(&front->tree, 0);
	     pass++)
		front_reap(front);
}

static void kill_tree(struct front *front)
{
	if (front->stage != STAGE_KILLED) {
		front->stage = STAGE_KILLED;
		front->grace = deadline_in_ms(KILLED_MS);
		look_soon(front);
		front_wake(front);
		link_send(front->link, &(struct message){.kind = MESSAGE_KILL});
	}
	kill_round(front);
}

/* The command alone where it shares our group: its children come when it has ended. */
static void end_tree(struct front *front, int signal_number)
{
	notice(front, LAUNCH_SENDING, signal_number, front->tree.command,
	       front->options->command[0]);
	if (signal_number == SIGKILL) {
		kill_tree(front);
		return;
	}
	if (front->foreground && !front->ended)
		tree_signal_command(&front->tree, signal_number);
	else
		tree_signal(&front->tree, signal_number);
	front->stage = STAGE_SIGNALLED;
	front->grace = deadline_in_ms(front->options->kill_after_ms);
	look_soon(front);
}

static void linger(struct front *front)
{
	front->stage = STAGE_LINGERING;
	front->grace = deadline_in_ms(LINGER_MS);
	look_soon(front);
	if (front->options->leftovers == LEFTOVERS_IGNORE)
		front->stage = STAGE_OVER;
}

static void dump_over(struct front *front)
{
	front->dump = 0;
	if (front->stage != STAGE_RUNNING)
		return;
	if (front->timed_out)
		end_tree(front, front->options->signal);
	else if (front->ended_by)
		end_tree(front, front->ended_by);
	else if (front->ended)
		linger(front);
}

static void abandon_dump(struct front *front)
{
	front_wake(front);
	link_send(front->link, &(struct message){.kind = MESSAGE_ABANDON});
	dump_over(front);
}

static uint64_t elapsed_ms(const struct front *front)
{
	return (monotonic_ns() - front->started_ns - front->paused_ns) / 1000000;
}

static uint64_t limit_of(const struct front *front, enum launch_reason reason)
{
	if (reason == LAUNCH_EXPIRED)
		return front->options->timeout_ms;
	return reason == LAUNCH_IDLE ? front->options->idle_timeout_ms : 0;
}

static void order_dump(struct front *front, enum launch_reason reason, int signal_number)
{
	uint64_t budget = reason == LAUNCH_SIGNALLED ? front->options->signal_budget_ms
						     : front->options->dump_budget_ms;
	uint64_t slack = budget / 2;
	if (slack < SLACK_LEAST_MS)
		slack = SLACK_LEAST_MS;
	if (slack > SLACK_MOST_MS)
		slack = SLACK_MOST_MS;
	struct message message = {.kind = MESSAGE_DUMP,
				  .number = ++front->orders,
				  .reason = reason,
				  .signal = signal_number,
				  .elapsed_ms = elapsed_ms(front),
				  .limit_ms = limit_of(front, reason),
				  .budget_ms = budget};
	front_wake(front);
	front->dump = message.number;
	front->dump_limit = deadline_in_ms(budget ? budget + slack : 0);
	if (!link_send(front->link, &message))
		dump_over(front);
}

/* The time is over, or nothing happens any more. */
static void expire(struct front *front, enum launch_reason reason)
{
	char name[64];
	pid_t tracer = tree_tracer(&front->tree, name, sizeof(name));
	if (tracer) {
		/* Somebody looks at it with a debugger: the time begins anew. */
		notice(front, LAUNCH_TRACED, 0, tracer, name);
		front->limit = deadline_in_ms(front->options->timeout_ms);
		idle_deinit(&front->idle);
		idle_begin(&front->idle, front->options->idle_timeout_ms);
		return;
	}
	front->timed_out = true;
	order_dump(front, reason, 0);
}

/*
 * timeout(1) and make(1) send it to their child, and then to the whole group, which their child is
 * in: that is one wish, and nobody's impatience.
 */
static bool is_echo(const struct front *front, int signal_number)
{
	return front->ended_by == signal_number && !deadline_passed(front->echo);
}

static void be_ended(struct front *front, int signal_number)
{
	uint64_t budget = front->options->signal_budget_ms;
	if (is_echo(front, signal_number))
		return;
	if (!front->ended_by)
		front->echo = deadline_in_ms(ECHO_MS);
	if (front->stage == STAGE_LINGERING) {
		front->ended_by = signal_number;
		end_tree(front, signal_number);
	} else if (front->stage != STAGE_RUNNING) {
		tree_signal_command(&front->tree, signal_number);
	} else if (!front->ended_by) {
		front->ended_by = signal_number;
		if (!budget && front->dump)
			abandon_dump(front);
		else if (!budget)
			dump_over(front);
		else if (!front->dump)
			order_dump(front, LAUNCH_SIGNALLED, signal_number);
		else if (!front->dump_limit.at_ns ||
			 front->dump_limit.at_ns > deadline_in_ms(budget).at_ns)
			front->dump_limit = deadline_in_ms(budget);
	} else {
		/* For the second time: there is no time. */
		abandon_dump(front);
		tree_signal_command(&front->tree, signal_number);
	}
}

static void command_ended(struct front *front, int status)
{
	front->ended = true;
	front->status = status;
	front->word = (struct deadline){0};
	if (front->stage == STAGE_RUNNING && !front->dump)
		dump_over(front);
	else if (front->stage == STAGE_SIGNALLED && front->foreground)
		tree_signal(&front->tree,
			    front->ended_by ? front->ended_by : front->options->signal);
}

/*
 * As long as the supervisor lives, what the tree leaves is left to it.  Whatever else becomes a
 * child of ours was started by children that we had before, and is none of the tree.
 */
static void find_others(struct front *front)
{
	_cleanup_free_ pid_t *children = NULL;
	size_t count;
	struct relative supervisor;
	if (!front->others.count || !children_of(getpid(), getpid(), &children, &count) ||
	    !relative_read(front->supervisor, &supervisor) || !relative_is_alive(&supervisor))
		return;
	for (size_t i = 0; i < count; i++) {
		bool is_known = children[i] == front->supervisor;
		array_for_each (&front->others, other)
			is_known = is_known || *other == children[i];
		if (!is_known)
			*array_append(&front->others) = children[i];
	}
}

void front_reap(struct front *front)
{
	int status;
	pid_t pid;
	if (front->supervisor)
		find_others(front);
	for (int n = 0; n < REAP_MOST && (pid = waitpid(-1, &status, WNOHANG)) > 0; n++) {
		if (pid == front->supervisor) {
			front->supervisor = 0;
		} else if (pid == front->tree.command && !front->tree.reaped) {
			front->tree.reaped = true;
			front->tree.has_group = false;
			if (!front->ended)
				command_ended(front, status);
		}
		array_for_each (&front->others, other)
			*other = *other == pid ? 0 : *other;
	}
}

void front_inherit(struct front *front)
{
	if (front->supervisor) {
		find_others(front);
		helper_kill(front->supervisor);
	}
	front->supervisor = 0;
	close(front->link);
	front->link = -1;
	front->word = (struct deadline){0};
	front->tree.root = getpid();
	front->tree.others = front->others.items;
	front->tree.other_count = front->others.count;
	bool had_ended = front->ended;
	front_reap(front);
	/* It is killed with its parent: that is no end of its own, unless we were about to kill it. */
	if (!had_ended && front->stage != STAGE_KILLED)
		front->lost = !front->ended || front->status == SIGKILL;
	/* It may have started one all the same, and that something else. */
	if (!front->tree.command)
		front->ended = front->lost = true;
	if (front->dump) {
		notice(front, LAUNCH_DUMP_FAILED, 0, front->tree.command,
		       front->options->command[0]);
		dump_over(front);
	}
	if (front->lost)
		kill_tree(front);
}

/*
 * Typed at the terminal, it has come to the command as well, where that shares our group.  Of what
 * else the kernel sends, alarms are ours alone, and so is a hang-up where we lead the session.
 */
static bool command_has_it(const struct front *front, const struct signalfd_siginfo *info)
{
	if (!front->foreground || info->ssi_code != SI_KERNEL)
		return false;
	switch (info->ssi_signo) {
	case SIGINT:
	case SIGQUIT:
	case SIGWINCH:
		return true;
	case SIGHUP:
		return getsid(0) != getpid();
	default:
		return false;
	}
}

static void take_signal(struct front *front, const struct signalfd_siginfo *info)
{
	int number = (int)info->ssi_signo;
	switch (number) {
	case SIGCHLD:
		front_reap(front);
		break;
	case SIGTSTP:
		job_stop(front);
		break;
	case SIGCONT:
		job_continue(front);
		break;
	case SIGUSR1:
		if (front->stage == STAGE_RUNNING && !front->dump && !front->ended)
			order_dump(front, LAUNCH_ASKED, 0);
		break;
	default:
		if (command_has_it(front, info))
			break;
		if (signal_ends_us(number))
			be_ended(front, number);
		else
			tree_signal_command(&front->tree, number);
	}
}

static void read_signals(struct front *front)
{
	struct signalfd_siginfo info;
	while (read(front->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		take_signal(front, &info);
}

static void take_message(struct front *front, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_STARTED:
		front->wake = (struct deadline){0};
		front->tree.command = message->pid;
		front->watched = (int)syscall(SYS_pidfd_open, message->pid, 0);
		break;
	case MESSAGE_FAILED:
		front->start_errno = message->number;
		front->lost = message->pid == 0;
		front->stage = STAGE_OVER;
		break;
	case MESSAGE_STOPPED:
		job_stopped(front, message->number);
		break;
	case MESSAGE_ENDED:
		command_ended(front, message->number);
		break;
	case MESSAGE_DUMPED:
		if (message->number == front->dump)
			dump_over(front);
		break;
	case MESSAGE_NO_DUMP:
		if (message->number != front->dump)
			break;
		notice(front, LAUNCH_NO_DUMP, 0, front->tree.command, front->options->command[0]);
		dump_over(front);
		break;
	default:
		break;
	}
}

static void read_link(struct front *front)
{
	struct message message;
	bool end;
	while (front->stage != STAGE_OVER && link_receive(front->link, &message, &end))
		take_message(front, &message);
	if (front->stage != STAGE_OVER && end)
		front_inherit(front);
}

/* Somebody else may hold its end of the link: what it has said is read first. */
static void miss_supervisor(struct front *front)
{
	if (front->link >= 0)
		read_link(front);
	if (front->stage != STAGE_OVER && front->tree.root != getpid())
		front_inherit(front);
}

/* The kernel says that it has ended: the supervisor has to say so too, or is stuck. */
static void saw_end(struct front *front)
{
	close(front->watched);
	front->watched = -1;
	if (front->ended)
		return;
	front_wake(front);
	front->word = deadline_in_ms(WORD_MS);
}

static void tell_leftovers(struct front *front)
{
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count = tree_list(&front->tree, &relatives);
	front->leftovers = (unsigned)count;
	if (count)
		front->ops->leftovers(front->context, relatives, count);
	if (!count || front->options->leftovers == LEFTOVERS_REPORT)
		front->stage = STAGE_OVER;
	else
		end_tree(front, front->options->signal);
}

static void give_up(struct front *front)
{
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count = tree_list(&front->tree, &relatives);
	for (size_t i = 0; i < count; i++)
		notice(front, LAUNCH_UNKILLABLE, SIGKILL, relatives[i].pid, relatives[i].stat.name);
	front->stage = STAGE_OVER;
}

static void look_at_tree(struct front *front)
{
	if (front->stage == STAGE_KILLED)
		kill_round(front);
	if (front->ended && tree_is_empty(&front->tree))
		front->stage = STAGE_OVER;
	else
		look_later(front);
}

static void grace_over(struct front *front)
{
	if (front->stage == STAGE_LINGERING) {
		tell_leftovers(front);
	} else if (front->stage == STAGE_SIGNALLED) {
		notice(front, LAUNCH_SENDING, SIGKILL, front->tree.command,
		       front->options->command[0]);
		kill_tree(front);
	} else if (front->stage == STAGE_KILLED) {
		give_up(front);
	}
}

static void look_at_clocks(struct front *front)
{
	bool counting = front->stage == STAGE_RUNNING && !front->dump && !front->ended;
	if (deadline_passed(front->wake)) {
		/* Until it tells of the command there is nothing else that we could watch. */
		front_wake(front);
		front->wake = deadline_in_ms(WAKE_MS);
	}
	if (deadline_passed(front->word))
		front_inherit(front);
	if (front->dump && deadline_passed(front->dump_limit)) {
		notice(front, LAUNCH_DUMP_FAILED, 0, front->tree.command,
		       front->options->command[0]);
		abandon_dump(front);
	} else if (counting && deadline_passed(front->limit)) {
		expire(front, LAUNCH_EXPIRED);
	} else if (counting && deadline_passed(front->idle.next_look)) {
		if (idle_look(&front->idle, &front->tree))
			expire(front, LAUNCH_IDLE);
	}
	if (front->stage > STAGE_RUNNING && front->stage < STAGE_OVER) {
		if (deadline_passed(front->look))
			look_at_tree(front);
		if (deadline_passed(front->grace))
			grace_over(front);
	}
}

static void earlier(struct deadline *first, struct deadline other)
{
	if (other.at_ns && (!first->at_ns || other.at_ns < first->at_ns))
		*first = other;
}

static int wait_ms(const struct front *front)
{
	struct deadline next = front->word;
	earlier(&next, front->wake);
	if (front->dump) {
		earlier(&next, front->dump_limit);
	} else if (front->stage == STAGE_RUNNING) {
		earlier(&next, front->limit);
		earlier(&next, front->idle.next_look);
	}
	if (front->stage > STAGE_RUNNING) {
		earlier(&next, front->grace);
		/* Before the command's end, a tree that is only signalled has somebody in it. */
		if (front->ended || front->stage == STAGE_KILLED)
			earlier(&next, front->look);
	}
	return deadline_poll_ms(next);
}

void front_watch(struct front *front)
{
	front->wake = deadline_in_ms(WAKE_MS);
	while (front->stage != STAGE_OVER) {
		/* Signals wait until there is somebody to pass them on to. */
		struct pollfd fds[] = {
			{.fd = front->link, .events = POLLIN},
			{.fd = front->tree.command ? front->signals : -1, .events = POLLIN},
			{.fd = front->watched, .events = POLLIN}};
		if (poll(fds, ARRAY_SIZE(fds), wait_ms(front)) < 0)
			continue;
		if (fds[2].revents)
			saw_end(front);
		if (fds[0].revents)
			read_link(front);
		if (fds[1].revents)
			read_signals(front);
		if (!front->supervisor)
			miss_supervisor(front);
		if (front->stage != STAGE_OVER)
			look_at_clocks(front);
	}
}
