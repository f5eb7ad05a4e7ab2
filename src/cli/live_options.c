#include "cli/live_options.h"

#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/words.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	/* Beyond the deadline: for what is not asked often enough whether it has passed. */
	GRACE_MS = 5000,
};

enum {
	OPTION_TREE = 0x1000,
	OPTION_DEADLINE,
	OPTION_NO_STOP,
	OPTION_UNWINDER,
	OPTION_DEBUGINFOD,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "What is dumped:", 1},
	{"tree", OPTION_TREE, NULL, 0, "descendants of PID too", 1},
	{NULL, 0, NULL, 0, "How:", 2},
	{"deadline", OPTION_DEADLINE, "DURATION", 0,
	 "how long the dump may take in all (default 10s; 0: no limit)", 2},
	{"no-stop", OPTION_NO_STOP, NULL, 0,
	 "never stop a thread: sleeping ones only, from /proc and copied memory", 2},
	{"unwinder", OPTION_UNWINDER, "NAME", 0, "auto, libdw, libunwind, frame-pointer or ptrace",
	 2},
	{"debuginfod", OPTION_DEBUGINFOD, NULL, 0,
	 "ask the servers in DEBUGINFOD_URLS for missing debug files", 2},
	{0}};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct live_options *live = state->input;
	switch (key) {
	case OPTION_TREE:
		live->pipeline.tree = true;
		return 0;
	case OPTION_DEADLINE:
		live->deadline_ms = duration_or_die(state, "deadline", word);
		return 0;
	case OPTION_NO_STOP:
		live->pipeline.no_stop = true;
		return 0;
	case OPTION_UNWINDER:
		live->pipeline.unwinder = (enum unwinder)choose_or_die(state, "unwinder", word,
								       unwinder_names, UNWINDERS);
		return 0;
	case OPTION_DEBUGINFOD:
		live->pipeline.debuginfod = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp live_argp = {argp_options, parse, NULL, NULL, NULL, NULL, NULL};

static void overdue(int signal_number)
{
	static const char words[] =
		"hangdump: the deadline passed long ago: giving up without a report\n";
	ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)n;
	(void)signal_number;
	output_abandon();
	_exit(EXIT_NOTHING);
}

void live_options_settle(struct live_options *live, const struct report_options *report)
{
	live->pipeline.deadline = deadline_in_ms(live->deadline_ms);
	live->pipeline.max_frames = report->max_frames;
	live->pipeline.kernel_stacks = report->kernel_stacks;
}

void watchdog_start(const struct live_options *live)
{
	uint64_t ms = live->deadline_ms * 2 + GRACE_MS;
	if (!live->deadline_ms)
		return;
	signal(SIGALRM, overdue);
	setitimer(ITIMER_REAL,
		  &(struct itimerval){.it_value = {.tv_sec = (time_t)(ms / 1000),
						   .tv_usec = (suseconds_t)(ms % 1000 * 1000)}},
		  NULL);
}

void watchdog_stop(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}
