/* hangdump show DUMP: print a saved dump again. */
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/filter_options.h"
#include "cli/load.h"
#include "cli/report.h"
#include "cli/report_options.h"
#include "cli/words.h"

enum { DEFAULT_DEADLINE_MS = 60000 };

struct show_options {
	struct report_options report;
	struct filter_options filter;
	uint64_t deadline_ms;
	const char *dump;
};

enum { OPTION_DEADLINE = 0x3000 };

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "What is shown:", 1},
	{"deadline", OPTION_DEADLINE, "DURATION", 0,
	 "how long to wait for DUMP where that is a pipe (default 1m; 0: no limit)", 1},
	{0}};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct show_options *show = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &show->filter;
		state->child_inputs[1] = &show->report;
		return 0;
	case OPTION_DEADLINE:
		show->deadline_ms = duration_or_die(state, "deadline", word);
		return 0;
	case ARGP_KEY_ARG:
		if (show->dump)
			argp_error(state, "one dump at a time");
		show->dump = word;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no dump given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Print a saved dump again.  DUMP is a file, or - for standard input.\v"
	"Exit status: 0 whole; 1 something could not be read when the dump was made; 2 nothing to "
	"show.\n\nhangdump-show(1) has the rest.";

static const struct argp_child children[] = {
	{&filter_argp, 0, NULL, 0}, {&report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {argp_options, parse, "DUMP", doc, children, NULL, NULL};

static void limit_stacks(struct dump *dump, unsigned max_frames)
{
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread)
			stack_limit(&thread->stack, max_frames);
		array_for_each (&process->goroutines, goroutine)
			stack_limit(&goroutine->stack, max_frames);
	}
}

static struct error *show(struct dump *dump, const struct report_options *options)
{
	struct reports reports = {0};
	if (options->max_frames)
		limit_stacks(dump, options->max_frames);
	struct error *error = reports_begin(&reports, options);
	if (!error)
		error = reports_write(dump, options, &reports);
	reports_deinit(&reports);
	return error;
}

static struct error *load_and_show(struct show_options *options, struct dump *dump)
{
	struct error *error = filter_settle(&options->filter, &options->report);
	if (!error)
		error = load_dump(options->dump, deadline_in_ms(options->deadline_ms), dump);
	if (!error && !dump->processes.count)
		error = error_new(ERROR_FORMAT, 0, options->dump, "(no process is in it)");
	if (!error)
		error = filter_check(&options->filter, dump);
	return error ? error : show(dump, &options->report);
}

static int run_show(int argc, char **argv)
{
	struct show_options options = {.report = REPORT_OPTIONS_DEFAULT,
				       .deadline_ms = DEFAULT_DEADLINE_MS};
	struct dump dump;
	/* Of a saved dump, all that is there. */
	options.report.max_frames = 0;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	report_options_settle(&options.report);
	dump_init(&dump);
	struct error *error = load_and_show(&options, &dump);
	enum exit_code code = dump_is_whole(&dump) ? EXIT_WHOLE : EXIT_PARTIAL;
	if (error) {
		report_error(error);
		error_free(error);
		code = EXIT_NOTHING;
	}
	filter_options_deinit(&options.filter);
	dump_deinit(&dump);
	return code;
}

const struct command command_show = {"show", run_show};
