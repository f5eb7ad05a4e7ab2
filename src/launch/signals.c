#include "launch/signals.h"

#include "base/array.h"
#include "launch/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

/* Those that ask us to end, then those that are handled or passed on. */
static const int ending[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
static const int others[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTSTP,   SIGWINCH,  SIGALRM,
			     SIGPROF, SIGIO,   SIGPWR,	SIGVTALRM, SIGSTKFLT, SIGXCPU};

bool signal_ends_us(int signal_number)
{
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		if (ending[i] == signal_number)
			return true;
	}
	return false;
}

static void add_unless_ignored(sigset_t *set, int signal_number)
{
	struct sigaction action;
	if (sigaction(signal_number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
		sigaddset(set, signal_number);
}

int signals_take(struct inherited_signals *ret)
{
	sigset_t ours;
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigemptyset(&ours);
	sigaction(SIGCHLD, &standard, &ret->child);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		add_unless_ignored(&ours, ending[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		add_unless_ignored(&ours, others[i]);
	for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
		add_unless_ignored(&ours, i);
	/* Were it ignored, nobody could tell whether we have been stopped. */
	sigaddset(&ours, SIGCONT);
	/* Blocked, and never read: what they are about is an error of a call, like others. */
	sigset_t blocked = ours;
	sigaddset(&blocked, SIGPIPE);
	sigaddset(&blocked, SIGXFSZ);
	/* And this one, so that we can hand the terminal over from the background. */
	sigaddset(&blocked, SIGTTOU);
	sigprocmask(SIG_BLOCK, &blocked, &ret->mask);
	return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

void signals_give_back(const struct inherited_signals *inherited)
{
	sigaction(SIGCHLD, &inherited->child, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
}

static int real_time(const char *word)
{
	static const char min[] = "RTMIN", max[] = "RTMAX";
	bool from_max = strncmp(word, max, sizeof(max) - 1) == 0;
	if (!from_max && strncmp(word, min, sizeof(min) - 1) != 0)
		return 0;
	const char *rest = word + sizeof(min) - 1;
	char *end = (char *)rest;
	long distance = 0;
	if (*rest && *rest != (from_max ? '-' : '+'))
		return 0;
	if (*rest)
		distance = strtol(rest + 1, &end, 10);
	int number = from_max ? SIGRTMAX - (int)distance : SIGRTMIN + (int)distance;
	if (*end || (*rest && end == rest + 1) || distance < 0 || distance > SIGRTMAX ||
	    number < SIGRTMIN || number > SIGRTMAX)
		return 0;
	return number;
}

int launch_signal_parse(const char *word)
{
	char *end;
	if (*word >= '0' && *word <= '9') {
		errno = 0;
		long number = strtol(word, &end, 10);
		return !*end && !errno && number > 0 && number <= SIGRTMAX ? (int)number : 0;
	}
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);
		if (name && strcasecmp(name, word) == 0)
			return i;
	}
	return real_time(word);
}

const char *launch_signal_name(int signal_number)
{
	static char name[32];
	const char *known = sigabbrev_np(signal_number);
	if (known)
		return known;
	if (signal_number >= SIGRTMIN && signal_number <= SIGRTMAX)
		snprintf(name, sizeof(name), "RTMIN+%d", signal_number - SIGRTMIN);
	else
		snprintf(name, sizeof(name), "%d", signal_number);
	return name;
}
