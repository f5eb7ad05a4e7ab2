/* hangdump run COMMAND: under a time limit, with a dump when it is over. */
#include "base/duration.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/live_options.h"
#include "cli/report.h"
#include "cli/report_options.h"
#include "cli/run_notice.h"
#include "cli/run_report.h"
#include "cli/words.h"
#include "launch/launch.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct run_options {
	struct launch_options launch;
	struct live_options live;
	struct report_options report;
	struct run_report_options run_report;
	struct run_report reporter;
	const char *timeout_variable;
	uint64_t margin_ms;
	bool preserve_status;
};

enum {
	OPTION_TIMEOUT_ENV = 1024,
	OPTION_MARGIN,
	OPTION_IDLE_TIMEOUT,
	OPTION_LEFTOVERS,
	OPTION_ON_SIGNAL,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "When the command is ended:", 1},
	{"timeout", 't', "DURATION", 0, "after so long (default 0: no limit)", 1},
	{"timeout-env", OPTION_TIMEOUT_ENV, "VAR", 0,
	 "after as many seconds as VAR says in the environment, less the margin", 1},
	{"margin", OPTION_MARGIN, "DURATION", 0, "see --timeout-env (default 10s)", 1},
	{"idle-timeout", OPTION_IDLE_TIMEOUT, "DURATION", 0,
	 "when for so long nothing has used the CPU or written anything", 1},
	{"on-signal", OPTION_ON_SIGNAL, "DURATION", 0,
	 "how long a dump may take when TERM, INT, HUP or QUIT ends us (default 5s; 0: none)", 1},
	{NULL, 0, NULL, 0, "How it is ended:", 2},
	{"signal", 's', "SIGNAL", 0, "what is sent then: a name or number (default TERM)", 2},
	{"kill-after", 'k', "DURATION", 0, "KILL after so long (default 5s; 0: never)", 2},
	{"foreground", 'f', NULL, 0, "the command stays in this process group", 2},
	{"preserve-status", 'p', NULL, 0, "exit with the command's status, even after the limit",
	 2},
	{"leftovers", OPTION_LEFTOVERS, "WHAT", 0,
	 "processes that outlive the command: report (default), ignore, kill or fail", 2},
	{0}};

static error_t parse(int key, char *word, struct argp_state *state)
{
	static const char *const leftovers[] = {"report", "ignore", "kill", "fail"};
	struct run_options *run = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &run->live;
		state->child_inputs[1] = &run->report;
		state->child_inputs[2] = &run->run_report;
		return 0;
	case 't':
		run->launch.timeout_ms = duration_or_die(state, "timeout", word);
		return 0;
	case OPTION_TIMEOUT_ENV:
		run->timeout_variable = word;
		return 0;
	case OPTION_MARGIN:
		run->margin_ms = duration_or_die(state, "margin", word);
		return 0;
	case OPTION_IDLE_TIMEOUT:
		run->launch.idle_timeout_ms = duration_or_die(state, "idle-timeout", word);
		return 0;
	case OPTION_ON_SIGNAL:
		run->launch.signal_budget_ms = duration_or_die(state, "on-signal", word);
		return 0;
	case 's':
		run->launch.signal = launch_signal_parse(word);
		if (!run->launch.signal)
			argp_error(state, "--signal=%s: no such signal", word);
		return 0;
	case 'k':
		run->launch.kill_after_ms = duration_or_die(state, "kill-after", word);
		return 0;
	case 'f':
		run->launch.foreground = true;
		return 0;
	case 'p':
		run->preserve_status = true;
		return 0;
	case OPTION_LEFTOVERS:
		run->launch.leftovers =
			(enum leftovers)choose_or_die(state, "leftovers", word, leftovers, 4);
		return 0;
	case ARGP_KEY_ARG:
		/* The command's own options are left alone. */
		run->launch.command = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Run a command under a time limit.  When it is over, dump all processes that the command "
	"has started, then end them.\v"
	"Exit status: the command's own; 124 the time was over; 125 hangdump's own failure; 126 "
	"the command cannot be run; 127 it was not found; 137 it had to be killed. A command that "
	"died of a signal: the same signal.\n\nhangdump-run(1) has the rest.";

static const struct argp_child children[] = {
	{&live_argp, 0, "", 3}, {&report_argp, 0, "", 3}, {&run_report_argp, 0, "", 3}, {0}};
static const struct argp argp = {argp_options, parse, "COMMAND [ARG...]", doc, children,
				 NULL,	       NULL};

static void dump(void *context, const struct launch_event *event)
{
	struct run_options *run = context;
	run_report(&run->reporter, event);
}

static void notice(void *context, enum launch_notice what, int signal_number, pid_t pid,
		   const char *name)
{
	const struct run_options *run = context;
	if (what != LAUNCH_SENDING || run->report.render.verbose)
		run_notice(what, signal_number, pid, name);
}

static void leftovers(void *context, const struct relative *processes, size_t count)
{
	const struct run_options *run = context;
	run_leftovers(run->launch.command[0], processes, count,
		      run->launch.leftovers != LEFTOVERS_REPORT);
}

static const struct launch_ops ops = {dump, notice, leftovers};

/* For our caller to see what happened to the command. */
static int mirror(int signal_number)
{
	sigset_t one;
	/* The core would be ours. */
	prctl(PR_SET_DUMPABLE, 0);
	signal(signal_number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, signal_number);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	/* Process 1 of a container cannot be killed. */
	return 128 + signal_number;
}

static int exit_status(const struct run_options *run, const struct launch_result *result)
{
	int status = result->status;
	bool killed = WIFSIGNALED(status);
	if (result->timed_out) {
		if (killed && (run->preserve_status || WTERMSIG(status) == SIGKILL))
			return 128 + WTERMSIG(status);
		return run->preserve_status ? WEXITSTATUS(status) : EXIT_TIMED_OUT;
	}
	if (killed)
		return mirror(WTERMSIG(status));
	if (WEXITSTATUS(status) == 0 && result->leftovers &&
	    run->launch.leftovers == LEFTOVERS_FAIL)
		return EXIT_PARTIAL;
	return WEXITSTATUS(status);
}

/* The runner's own limit, which ours has to come before. */
static struct error *take_limit_of_runner(struct run_options *run)
{
	uint64_t ms;
	const char *value = run->timeout_variable ? getenv(run->timeout_variable) : NULL;
	if (!value || !*value)
		return NULL;
	if (!duration_parse(value, &ms))
		return error_new(ERROR_USAGE, 0, run->timeout_variable,
				 "(not a duration in the environment: %s)", value);
	if (!ms)
		return NULL;
	/* Where the margin would leave less, half of the time is for the command. */
	ms = ms / 2 > run->margin_ms ? ms - run->margin_ms : (ms + 1) / 2;
	if (!run->launch.timeout_ms || ms < run->launch.timeout_ms)
		run->launch.timeout_ms = ms;
	return NULL;
}

static int run_run(int argc, char **argv)
{
	struct run_options run = {.launch = LAUNCH_OPTIONS_DEFAULT,
				  .live = LIVE_OPTIONS_DEFAULT,
				  .report = REPORT_OPTIONS_DEFAULT,
				  .run_report = RUN_REPORT_OPTIONS_DEFAULT,
				  .margin_ms = 10000};
	struct launch_result result;
	argp_err_exit_status = EXIT_OWN_FAILURE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run);
	report_options_settle(&run.report);
	live_options_settle(&run.live, &run.report);
	run.launch.dump_budget_ms = run_report_budget_ms(&run.run_report, &run.live);
	run.reporter = (struct run_report){.options = &run.run_report,
					   .live = &run.live,
					   .report = &run.report,
					   .command = run.launch.command};
	struct error *error = run_report_check(&run.report);
	if (!error)
		error = take_limit_of_runner(&run);
	if (!error)
		error = launch_run(&run.launch, &ops, &run, &result);
	if (!error)
		return exit_status(&run, &result);
	report_error(error);
	int status = EXIT_OWN_FAILURE;
	if (error->reason == ERROR_NOT_RUNNABLE)
		status = error->os_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE;
	error_free(error);
	return status;
}

const struct command command_run = {"run", run_run};
