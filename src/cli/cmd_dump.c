/* hangdump PID...: dump live processes. */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/pid.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/live_dump.h"
#include "cli/report.h"
#include "cli/words.h"
#include "pipeline/samples.h"
#include "symbolize/answers.h"

struct dump_options {
	struct live_options live;
	struct report_options report;
	unsigned samples;
	uint64_t interval_ms;
	array(pid_t) pids;
	array(struct error *) errors; /* words that are no pids */
};

enum {
	OPTION_SAMPLES = 0x3000,
	OPTION_INTERVAL,
	DEFAULT_INTERVAL_MS = 1000,
};

static const struct argp_option argp_options[] = {
	{"samples", OPTION_SAMPLES, "N", 0,
	 "dump N times, and say who is stuck, cycling, spinning or moves", 2},
	{"interval", OPTION_INTERVAL, "DURATION", 0, "between samples (default 1s)", 2},
	{0}};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct dump_options *dump = state->input;
	pid_t pid;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &dump->live;
		state->child_inputs[1] = &dump->report;
		return 0;
	case OPTION_SAMPLES:
		dump->samples = count_or_die(state, "samples", word);
		if (!dump->samples)
			argp_error(state, "--samples=%s: there has to be one", word);
		return 0;
	case OPTION_INTERVAL:
		dump->interval_ms = duration_or_die(state, "interval", word);
		return 0;
	case ARGP_KEY_ARG:
		pid = parse_pid(word);
		if (!pid) {
			*array_append(&dump->errors) = error_new(ERROR_NOT_A_PID, 0, word, NULL);
			return 0;
		}
		array_for_each (&dump->pids, known) {
			if (*known == pid)
				return 0;
		}
		*array_append(&dump->pids) = pid;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no process given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Show what every thread of a hung process is blocked on, and its whole stack.\v"
	"Other commands, as `hangdump help COMMAND' tells them:\n"
	"  run         run a command under a time limit; dump it before it is ended\n"
	"  diff        say what changed between two dumps, and what has leaked\n"
	"  show        print a saved dump again\n"
	"\n"
	"Exit status: 0 whole; 1 something could not be read (the report says what); 2 nothing to "
	"show.\n\nhangdump(1) has the rest.";

static const struct argp_child children[] = {
	{&live_argp, 0, NULL, 0}, {&report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {argp_options, parse, "PID...", doc, children, NULL, NULL};

/* The dump before stands for those that could not be taken. */
static void say_samples_ended(struct dump *dump, unsigned taken, unsigned wanted,
			      const struct error *error)
{
	_cleanup_free_ char *why = error ? error_why(error) : xstrdup("nothing to dump is left");
	dump_add_error(dump, 0, 0, "samples", "%u of %u could be taken: %s", taken, wanted, why);
}

/* One more; false when there is none.  Takes over from *ret what its threads did before. */
static bool take_next_sample(struct dump_options *options, struct error **failures, unsigned taken,
			     struct dump *ret)
{
	struct dump next;
	size_t count = options->pids.count;
	_cleanup_free_ struct error **next_failures = xcalloc(count, sizeof(*failures));
	dump_init(&next);
	struct error *error =
		live_dump(options->pids.items, count, &options->live, next_failures, &next);
	bool is_there = !error && next.processes.count;
	if (!is_there)
		say_samples_ended(ret, taken, options->samples, error ? error : next_failures[0]);
	for (size_t i = 0; i < count; i++) {
		error_free(is_there ? failures[i] : next_failures[i]);
		failures[i] = is_there ? next_failures[i] : failures[i];
	}
	error_free(error);
	if (!is_there) {
		dump_deinit(&next);
		return false;
	}
	pipeline_take_sample(ret, &next);
	render_describe_findings(ret);
	return true;
}

/* One after the other; the last is the report, and says what its threads did since the first. */
static struct error *take_samples(struct dump_options *options, struct error **failures,
				  struct dump *ret)
{
	struct answers *answers = answers_new();
	options->live.pipeline.answers = answers;
	struct error *error =
		live_dump(options->pids.items, options->pids.count, &options->live, failures, ret);
	for (unsigned i = 1; i < options->samples && !error && ret->processes.count; i++) {
		sleep_ms(options->interval_ms);
		if (!take_next_sample(options, failures, i, ret))
			break;
	}
	answers_free(answers);
	return error;
}

/* Who is not in the report is named there: it may be all that is left. */
static void note_missing(struct dump *dump, pid_t pid, const struct error *failure)
{
	if (!dump->processes.count)
		return;
	_cleanup_free_ char *why = error_why(failure);
	dump_add_error(dump, pid, 0, "process", "%s", why);
}

static enum exit_code dump_and_report(struct dump_options *options)
{
	struct dump dump;
	struct reports reports = {0};
	enum exit_code code = EXIT_NOTHING;
	size_t count = options->pids.count;
	_cleanup_free_ struct error **failures = xcalloc(count + 1, sizeof(*failures));
	dump_init(&dump);

	struct error *error = reports_begin(&reports, &options->report);
	if (!error && count)
		error = take_samples(options, failures, &dump);
	for (size_t i = 0; i < count; i++) {
		if (!failures[i])
			continue;
		note_missing(&dump, options->pids.items[i], failures[i]);
		*array_append(&options->errors) = failures[i];
	}
	if (!error && dump.processes.count) {
		code = dump_is_whole(&dump) && !options->errors.count ? EXIT_WHOLE : EXIT_PARTIAL;
		error = reports_write(&dump, &options->report, &reports);
	}
	array_for_each (&options->errors, failure) {
		if (!options->report.quiet || !dump.processes.count)
			report_error(*failure);
		error_free(*failure);
	}
	if (error) {
		report_error(error);
		error_free(error);
		code = EXIT_NOTHING;
	}
	reports_deinit(&reports);
	dump_deinit(&dump);
	return code;
}

static int run_dump(int argc, char **argv)
{
	struct dump_options options = {.live = LIVE_OPTIONS_DEFAULT,
				       .report = REPORT_OPTIONS_DEFAULT,
				       .samples = 1,
				       .interval_ms = DEFAULT_INTERVAL_MS};
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	report_options_settle(&options.report);
	live_options_settle(&options.live, &options.report);
	enum exit_code code = dump_and_report(&options);
	array_deinit(&options.pids);
	array_deinit(&options.errors);
	return code;
}

const struct command command_dump = {"dump", run_dump};
