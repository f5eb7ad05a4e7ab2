/* hangdump PID...: dump live processes. */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/pid.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/live_options.h"
#include "cli/report.h"

struct dump_options {
	struct live_options live;
	struct report_options report;
	array(pid_t) pids;
	array(struct error *) errors; /* words that are no pids */
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct dump_options *dump = state->input;
	pid_t pid;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &dump->live;
		state->child_inputs[1] = &dump->report;
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
	"Exit status: 0 whole; 1 something could not be read (the report says what); 2 nothing to "
	"show.\n\nhangdump(1) has the rest.";

static const struct argp_child children[] = {
	{&live_argp, 0, NULL, 0}, {&report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {NULL, parse, "PID...", doc, children, NULL, NULL};

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
		error = pipeline_dump_live(options->pids.items, count, &options->live.pipeline,
					   failures, &dump);
	/* How long the reader of the report takes is up to the reader. */
	watchdog_stop();
	for (size_t i = 0; i < count; i++) {
		if (failures[i])
			*array_append(&options->errors) = failures[i];
	}
	render_describe_findings(&dump);
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
				       .report = REPORT_OPTIONS_DEFAULT};
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	report_options_settle(&options.report);
	live_options_settle(&options.live, &options.report);
	watchdog_start(&options.live);
	enum exit_code code = dump_and_report(&options);
	array_deinit(&options.pids);
	array_deinit(&options.errors);
	return code;
}

const struct command command_dump = {"dump", run_dump};
