/* Job control: the command stops and goes on as a job of the shell that started us would. */
#include "launch/front.h"
#include "launch/terminal.h"

#include <time.h>
#include <unistd.h>

static void shift(struct deadline *deadline, uint64_t ns)
{
	if (deadline->at_ns)
		deadline->at_ns += ns;
}

static void skip_pause(struct front *front, uint64_t ns)
{
	front->paused_ns += ns;
	shift(&front->limit, ns);
	shift(&front->grace, ns);
	shift(&front->dump_limit, ns);
	idle_skip(&front->idle, ns);
}

static void go_on(struct front *front)
{
	front->stopped = front->suspending = false;
	if (front->handed_over && terminal_foreground(front->tree.command) == FOREGROUND_OURS)
		terminal_give(front->tree.command);
	if (front->tree.has_group)
		tree_signal_command(&front->tree, SIGCONT);
}

/* Stops us, with our whole group where that is meant, until SIGCONT; false when nobody could. */
static bool stop_ourselves(struct front *front, int signal_number, bool group)
{
	sigset_t stop, cont;
	uint64_t before = monotonic_ns();
	sigemptyset(&stop);
	sigaddset(&stop, signal_number);
	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	kill(group ? 0 : getpid(), signal_number);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	skip_pause(front, monotonic_ns() - before);
	/* Without a shell above us that could wake us, the kernel has not stopped us. */
	bool was_stopped = sigtimedwait(&cont, NULL, &(struct timespec){0}) == SIGCONT;
	if (was_stopped || signal_number == SIGTSTP)
		go_on(front);
	return was_stopped;
}

/*
 * Nobody will ever put it into the foreground: it gets what the kernel sends to those who are
 * stopped in a group that nobody looks after any more.  Once, should it live on and ask again.
 */
static void hang_up(struct front *front)
{
	if (front->hung_up)
		return;
	front->hung_up = true;
	tree_signal_command(&front->tree, SIGHUP);
	go_on(front);
}

void job_stop(struct front *front)
{
	if (!front->tree.has_group || front->stopped) {
		stop_ourselves(front, SIGTSTP, false);
		return;
	}
	front->suspending = true;
	tree_signal_command(&front->tree, SIGTSTP);
}

void job_continue(struct front *front)
{
	go_on(front);
}

void job_stopped(struct front *front, int signal_number)
{
	bool wants_terminal = signal_number == SIGTTIN || signal_number == SIGTTOU;
	/* The shell deals with it as with us. */
	if (!front->tree.has_group)
		return;
	front->stopped = true;
	if (front->suspending) {
		stop_ourselves(front, SIGTSTP, false);
		return;
	}
	if (!wants_terminal && signal_number != SIGTSTP)
		return;
	switch (terminal_foreground(front->tree.command)) {
	case FOREGROUND_OURS:
		if (wants_terminal) {
			front->handed_over = true;
			go_on(front);
		}
		break;
	case FOREGROUND_THEIRS:
		/* Ctrl-Z; or it was stopped just before it got what it wants. */
		if (wants_terminal)
			go_on(front);
		else
			stop_ourselves(front, SIGTSTP, true);
		break;
	case FOREGROUND_OTHER:
		if (!wants_terminal)
			break;
		/* Our caller may have ignored it. */
		signal(signal_number, SIG_DFL);
		if (!stop_ourselves(front, signal_number, true))
			hang_up(front);
		break;
	case FOREGROUND_NONE:
		break;
	}
}
