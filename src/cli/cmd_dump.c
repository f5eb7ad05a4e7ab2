/* hangdump PID...: dump live processes. */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/duration.h"
#include "base/pid.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/report.h"
#include "pipeline/pipeline.h"
#include "render/render.h"
#include "store/store.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum format { FORMAT_UNSET, FORMAT_TEXT, FORMAT_JSON };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum {
	DEFAULT_FRAMES = 256,
	DEFAULT_DEADLINE_MS = 10000,
	/* Beyond the deadline: for what is not asked often enough whether it has passed. */
	GRACE_MS = 5000,
};

struct dump_options {
	struct pipeline_options pipeline;
	struct render_options render;
	uint64_t deadline_ms;
	enum format format;
	enum color color;
	const char *output;
	bool quiet;
	array(pid_t) pids;
	array(struct error *) errors; /* words that are no pids */
};

enum {
	OPTION_FORMAT = 256,
	OPTION_COLOR,
	OPTION_MAX_FRAMES,
	OPTION_DEADLINE,
	OPTION_TREE,
	OPTION_KERNEL_STACKS,
	OPTION_NO_IDLE,
	OPTION_UNWINDER,
	OPTION_NO_STOP,
	OPTION_DEBUGINFOD,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "What is dumped:", 1},
	{"tree", OPTION_TREE, NULL, 0, "descendants of PID too", 1},
	{"max-frames", OPTION_MAX_FRAMES, "N", 0,
	 "frames per stack (default 256; 0: no limit); how many were left out is said", 1},
	{"kernel-stacks", OPTION_KERNEL_STACKS, "WHEN", 0,
	 "auto, always or never; auto: where the user stack tells little", 1},
	{NULL, 0, NULL, 0, "How:", 2},
	{"deadline", OPTION_DEADLINE, "DURATION", 0,
	 "how long the dump may take in all (default 10s; 0: no limit)", 2},
	{"no-stop", OPTION_NO_STOP, NULL, 0,
	 "never stop a thread: sleeping ones only, from /proc and copied memory", 2},
	{"unwinder", OPTION_UNWINDER, "NAME", 0, "auto, libdw, libunwind, frame-pointer or ptrace",
	 2},
	{"debuginfod", OPTION_DEBUGINFOD, NULL, 0,
	 "ask the servers in DEBUGINFOD_URLS for missing debug files", 2},
	{NULL, 0, NULL, 0, "The report:", 3},
	{"format", OPTION_FORMAT, "FORMAT", 0, "text or json (default: by FILE's suffix, or text)",
	 3},
	{"output", 'o', "FILE", 0, "write to FILE, whole or not at all, mode 0600", 3},
	{"color", OPTION_COLOR, "WHEN", 0, "auto, always or never", 3},
	{"no-idle", OPTION_NO_IDLE, NULL, 0, "leave idle groups out of the text", 3},
	{"quiet", 'q', NULL, 0, "no messages about what could not be read", 3},
	{"verbose", 'v', NULL, 0, "addresses, modules, and how each frame was found", 3},
	{0}};

static int choose(const char *word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(word, names[i]) == 0)
			return i;
	}
	return -1;
}

static int choose_or_die(struct argp_state *state, const char *option, const char *word,
			 const char *const *names, int count)
{
	int index = choose(word, names, count);
	if (index < 0)
		argp_error(state, "--%s=%s: no such choice", option, word);
	return index;
}

static unsigned parse_count(struct argp_state *state, const char *option, const char *word)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(word, &end, 10);
	if (errno || *end || end == word || word[0] == '-' || value > 1000000)
		argp_error(state, "--%s=%s: not a number from 0 to 1000000", option, word);
	return (unsigned)value;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	static const char *const formats[] = {"", "text", "json"};
	static const char *const whens[] = {"auto", "always", "never"};
	struct dump_options *dump = state->input;
	int kernel;
	pid_t pid;
	switch (key) {
	case OPTION_FORMAT:
		dump->format =
			(enum format)choose_or_die(state, "format", *word ? word : "?", formats, 3);
		return 0;
	case OPTION_COLOR:
		dump->color = (enum color)choose_or_die(state, "color", word, whens, 3);
		return 0;
	case OPTION_MAX_FRAMES:
		dump->pipeline.max_frames = parse_count(state, "max-frames", word);
		return 0;
	case OPTION_DEADLINE:
		if (!duration_parse(word, &dump->deadline_ms))
			argp_error(state, "--deadline=%s: not a duration (10s, 500ms, 1m30s)",
				   word);
		return 0;
	case OPTION_TREE:
		dump->pipeline.tree = true;
		return 0;
	case OPTION_KERNEL_STACKS:
		kernel = choose_or_die(state, "kernel-stacks", word, whens, 3);
		dump->pipeline.kernel_stacks = (enum kernel_stacks)kernel;
		dump->render.kernel_stacks_always = kernel == KERNEL_STACKS_ALWAYS;
		dump->render.kernel_stacks_never = kernel == KERNEL_STACKS_NEVER;
		return 0;
	case OPTION_UNWINDER:
		dump->pipeline.unwinder = (enum unwinder)choose_or_die(state, "unwinder", word,
								       unwinder_names, UNWINDERS);
		return 0;
	case OPTION_NO_STOP:
		dump->pipeline.no_stop = true;
		return 0;
	case OPTION_DEBUGINFOD:
		dump->pipeline.debuginfod = true;
		return 0;
	case OPTION_NO_IDLE:
		dump->render.no_idle = true;
		return 0;
	case 'o':
		dump->output = word;
		return 0;
	case 'q':
		dump->quiet = true;
		return 0;
	case 'v':
		dump->render.verbose = true;
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

static const struct argp argp = {argp_options, parse, "PID...", doc, NULL, NULL, NULL};

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && strcmp(s + n - m, suffix) == 0;
}

static bool wants_color(const struct dump_options *dump)
{
	if (dump->color != COLOR_AUTO)
		return dump->color == COLOR_ALWAYS;
	const char *none = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
	const char *term = getenv("TERM");
	if (none && *none)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return !dump->output && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static struct error *write_report(const struct dump_options *options, const struct dump *dump,
				  struct output *output)
{
	if (options->format == FORMAT_JSON) {
		struct error *error = store_write_json(dump, output->stream);
		if (error)
			return error;
	} else {
		render_text(dump, &options->render, output->stream);
	}
	return output_finish(output);
}

static bool is_whole(const struct dump *dump)
{
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread) {
			if (thread->stack.incomplete)
				return false;
		}
	}
	return dump->errors.count == 0;
}

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

/* The last resort, should something that has no deadline of its own get stuck. */
static void set_watchdog(uint64_t deadline_ms)
{
	uint64_t ms = deadline_ms * 2 + GRACE_MS;
	if (!deadline_ms)
		return;
	signal(SIGALRM, overdue);
	setitimer(ITIMER_REAL,
		  &(struct itimerval){.it_value = {.tv_sec = (time_t)(ms / 1000),
						   .tv_usec = (suseconds_t)(ms % 1000 * 1000)}},
		  NULL);
}

static enum exit_code dump_and_report(struct dump_options *options)
{
	struct dump dump;
	struct output output = {0};
	enum exit_code code = EXIT_NOTHING;
	size_t count = options->pids.count;
	_cleanup_free_ struct error **failures = xcalloc(count + 1, sizeof(*failures));
	dump_init(&dump);

	struct error *error = output_begin(&output, options->output);
	if (!error && count)
		error = pipeline_dump_live(options->pids.items, count, &options->pipeline, failures,
					   &dump);
	/* How long the reader of the report takes is up to the reader. */
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	for (size_t i = 0; i < count; i++) {
		if (failures[i])
			*array_append(&options->errors) = failures[i];
	}
	render_describe_findings(&dump);
	if (!error && dump.processes.count) {
		code = is_whole(&dump) && !options->errors.count ? EXIT_WHOLE : EXIT_PARTIAL;
		error = write_report(options, &dump, &output);
	}
	array_for_each (&options->errors, failure) {
		if (!options->quiet || !dump.processes.count)
			report_error(*failure);
		error_free(*failure);
	}
	if (error) {
		report_error(error);
		error_free(error);
		code = EXIT_NOTHING;
	}
	output_deinit(&output);
	dump_deinit(&dump);
	return code;
}

static int run_dump(int argc, char **argv)
{
	struct dump_options options = {.pipeline.max_frames = DEFAULT_FRAMES,
				       .deadline_ms = DEFAULT_DEADLINE_MS};
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	options.pipeline.deadline = deadline_in_ms(options.deadline_ms);
	if (options.format == FORMAT_UNSET)
		options.format = options.output && has_suffix(options.output, ".json")
					 ? FORMAT_JSON
					 : FORMAT_TEXT;
	options.render.color = wants_color(&options);
	set_watchdog(options.deadline_ms);
	enum exit_code code = dump_and_report(&options);
	array_deinit(&options.pids);
	array_deinit(&options.errors);
	return code;
}

const struct command command_dump = {"dump", run_dump};
