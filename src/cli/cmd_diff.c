/* hangdump diff OLD NEW: what changed between two dumps, and which threads have leaked. */
#include "base/cleanup.h"
#include "base/pid.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/ignore_file.h"
#include "cli/live_dump.h"
#include "cli/load.h"
#include "cli/report.h"
#include "cli/words.h"
#include "store/store.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEFAULT_INTERVAL_MS = 1000,
	/* Between looks at a process that has leaks so far: the first, and the longest. */
	RETRY_FIRST_MS = 10,
	RETRY_LONGEST_MS = 500,
};

struct diff_options {
	struct live_options live;
	struct report_options report;
	struct ignore_list ignores;
	struct error *error; /* of an ignore file */
	const char *words[2];
	unsigned word_count;
	unsigned fail_on; /* DIFFERS_* */
	bool fail_on_given, leaks, strict, stat, no_default_ignores;
	unsigned allow;
	uint64_t grace_ms, interval_ms;
};

enum {
	OPTION_LEAKS = 0x3000,
	OPTION_ALLOW,
	OPTION_GRACE,
	OPTION_IGNORE,
	OPTION_STRICT,
	OPTION_NO_DEFAULT_IGNORES,
	OPTION_PRINT_DEFAULT_IGNORES,
	OPTION_FAIL_ON,
	OPTION_STAT,
	OPTION_INTERVAL,
};

/* Groups of their own: the options that are shared have the first numbers. */
static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "What counts:", 21},
	{"fail-on", OPTION_FAIL_ON, "LIST", 0,
	 "exit with 1 for these only: stuck, cycling, spinning, moved, new, gone, unknown, "
	 "finding, "
	 "resolved, leak (default: moved,new,gone,unknown,finding,resolved)",
	 21},
	{"stat", OPTION_STAT, NULL, 0, "one line a group", 21},
	{"interval", OPTION_INTERVAL, "DURATION", 0,
	 "between the two dumps, where both are of live processes (default 1s)", 21},
	{NULL, 0, NULL, 0, "Leaks:", 22},
	{"leaks", OPTION_LEAKS, NULL, 0, "only groups that have grown by new threads", 22},
	{"allow", OPTION_ALLOW, "N", 0, "a group may grow by N threads", 22},
	{"grace", OPTION_GRACE, "DURATION", 0,
	 "look again at a live process for so long before threads are called leaked", 22},
	{"ignore", OPTION_IGNORE, "FILE", 0,
	 "threads that are no leaks: function:, top:, module: or name: and a glob, one a line", 22},
	{"strict", OPTION_STRICT, NULL, 0,
	 "exit with 1 also where a pattern of FILE matches nothing", 22},
	{"no-default-ignores", OPTION_NO_DEFAULT_IGNORES, NULL, 0, "without the built-in list", 22},
	{"print-default-ignores", OPTION_PRINT_DEFAULT_IGNORES, NULL, 0, "print that list, and end",
	 22},
	{0}};

static unsigned parse_differences(struct argp_state *state, const char *list)
{
	static const char *const names[] = {[PROGRESS_NONE] = "",
					    [PROGRESS_STUCK] = "stuck",
					    [PROGRESS_CYCLING] = "cycling",
					    [PROGRESS_SPINNING] = "spinning",
					    [PROGRESS_MOVED] = "moved",
					    [PROGRESS_NEW] = "new",
					    [PROGRESS_GONE] = "gone",
					    [PROGRESS_UNKNOWN] = "unknown",
					    [PROGRESSES] = "finding",
					    "resolved",
					    "leak"};
	unsigned differences = 0;
	_cleanup_free_ char *copy = xstrdup(list);
	char *rest = NULL;
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		differences |=
			1u << choose_or_die(state, "fail-on", word, names, (int)ARRAY_SIZE(names));
	/* A variable that is not set, in somebody's script: it would never fail. */
	if (!differences)
		argp_error(state, "--fail-on needs the name of a difference");
	return differences;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct diff_options *diff = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &diff->live;
		state->child_inputs[1] = &diff->report;
		return 0;
	case OPTION_LEAKS:
		diff->leaks = true;
		return 0;
	case OPTION_ALLOW:
		diff->allow = count_or_die(state, "allow", word);
		return 0;
	case OPTION_GRACE:
		diff->grace_ms = duration_or_die(state, "grace", word);
		return 0;
	case OPTION_IGNORE:
		if (!diff->error)
			diff->error = ignore_list_read(&diff->ignores, word);
		return 0;
	case OPTION_STRICT:
		diff->strict = true;
		return 0;
	case OPTION_NO_DEFAULT_IGNORES:
		diff->no_default_ignores = true;
		return 0;
	case OPTION_PRINT_DEFAULT_IGNORES:
		print_default_ignores();
		exit(0);
	case OPTION_FAIL_ON:
		diff->fail_on = parse_differences(state, word);
		diff->fail_on_given = true;
		return 0;
	case OPTION_STAT:
		diff->stat = true;
		return 0;
	case OPTION_INTERVAL:
		diff->interval_ms = duration_or_die(state, "interval", word);
		return 0;
	case ARGP_KEY_ARG:
		if (diff->word_count == ARRAY_SIZE(diff->words))
			argp_error(state, "two dumps are compared, not more");
		else
			diff->words[diff->word_count++] = word;
		return 0;
	case ARGP_KEY_END:
		if (diff->word_count < ARRAY_SIZE(diff->words))
			argp_error(state, "two dumps are needed: files, or PIDs of live processes");
		if (!diff->leaks &&
		    (diff->strict || diff->allow || diff->grace_ms || diff->fail_on & DIFFERS_LEAK))
			argp_error(state, "--strict, --allow, --grace and --fail-on=leak are "
					  "about leaks: --leaks is missing");
		if (diff->report.output_count > 1)
			argp_error(state, "there is one report, and --output twice");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Show what changed between two dumps: files, or PIDs of live processes (a number that is "
	"no "
	"file).\v"
	"Exit status: 0 nothing differs; 1 something does; 2 trouble.\n\nhangdump-diff(1) has the "
	"rest.";

static const struct argp_child children[] = {
	{&live_argp, 0, NULL, 0}, {&report_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {argp_options, parse, "OLD NEW", doc, children, NULL, NULL};

/* One of the two, with what it is called. */
struct side {
	const char *word;
	pid_t pid; /* 0: a file */
	char *name;
	struct dump dump;
};

static void side_init(struct side *side, const char *word)
{
	*side = (struct side){.word = word};
	dump_init(&side->dump);
	if (strcmp(word, "-") != 0 && access(word, F_OK) != 0)
		side->pid = parse_pid(word);
	if (side->pid)
		side->name = xstrdup("live");
	else
		side->name = xstrdup(strcmp(word, "-") == 0 ? "standard input" : word);
}

static void side_deinit(struct side *side)
{
	dump_deinit(&side->dump);
	free(side->name);
}

static struct error *side_take(struct side *side, struct diff_options *options)
{
	if (side->pid)
		return live_dump_one(side->pid, &options->live, &side->dump);
	struct dump loaded;
	dump_init(&loaded);
	struct error *error =
		load_dump(side->word, deadline_in_ms(options->live.deadline_ms), &loaded);
	if (error) {
		dump_deinit(&loaded);
		return error;
	}
	dump_deinit(&side->dump);
	side->dump = loaded;
	return NULL;
}

struct reading {
	struct side *side;
	struct diff_options *options;
	struct error *error;
};

static void *read_beside(void *context)
{
	struct reading *reading = context;
	reading->error = side_take(reading->side, reading->options);
	return NULL;
}

static bool is_file(const char *word)
{
	struct stat st;
	return strcmp(word, "-") != 0 && stat(word, &st) == 0 && S_ISREG(st.st_mode);
}

/* Two files are read at the same time; what one of us may have to wait for, one after the other. */
static struct error *take_files(struct side *old, struct side *new, struct diff_options *options)
{
	struct reading beside = {.side = new, .options = options};
	pthread_t thread;
	bool is_beside = is_file(old->word) && is_file(new->word) &&
			 pthread_create(&thread, NULL, read_beside, &beside) == 0;
	struct error *error = side_take(old, options);
	if (is_beside)
		pthread_join(thread, NULL);
	else if (!error)
		read_beside(&beside);
	if (!error)
		return beside.error;
	error_free(beside.error);
	return error;
}

static struct error *take_both(struct side *old, struct side *new, struct diff_options *options)
{
	if (!old->pid && !new->pid)
		return take_files(old, new, options);
	struct error *error = side_take(old, options);
	if (!error && old->pid && new->pid)
		sleep_ms(options->interval_ms);
	return error ? error : side_take(new, options);
}

static void compare(const struct side *old, const struct side *new, struct diff_options *options,
		    struct diff *ret)
{
	diff_dumps(&old->dump, &new->dump, ret);
	if (options->leaks)
		diff_find_leaks(ret, options->allow, options->ignores.items.items,
				options->ignores.items.count);
}

/*
 * Threads that are about to end are no leaks: as long as there are some, and there is time, the
 * process is looked at again.  What it was like before its own end stands.
 */
static void wait_for_leaks(struct side *old, struct side *new, struct diff_options *options,
			   struct diff *diff)
{
	struct deadline end = deadline_in_ms(options->grace_ms);
	uint64_t pause = RETRY_FIRST_MS;
	while (diff->leaks.count && new->pid && options->grace_ms && !deadline_passed(end)) {
		uint64_t left = (uint64_t)deadline_poll_ms(end);
		sleep_ms(pause < left ? pause : left);
		pause = pause * 2 < RETRY_LONGEST_MS ? pause * 2 : RETRY_LONGEST_MS;
		struct side again;
		side_init(&again, new->word);
		struct error *error = side_take(&again, options);
		if (error) {
			error_free(error);
			side_deinit(&again);
			return;
		}
		diff_carry_stops(diff, &old->dump);
		diff_deinit(diff);
		side_deinit(new);
		*new = again;
		compare(old, new, options, diff);
	}
}

static struct error *write_diff(const struct diff *diff, const struct diff_options *options,
				const struct side *old, const struct side *new,
				struct output *output)
{
	const struct render_diff_options render = {.report = options->report.render,
						   .stat = options->stat,
						   .old_name = old->name,
						   .new_name = new->name};
	if (options->report.format == FORMAT_JSON) {
		struct error *error = store_write_diff_json(diff, output->stream);
		if (error)
			return error;
	} else {
		render_diff(diff, &render, output->stream);
	}
	return output_finish(output);
}

static void warn_about_order(const struct diff *diff, const struct diff_options *options)
{
	struct text text = {0};
	if (diff->apart_ns >= 0 || options->report.quiet)
		return;
	text_add_escaped(&text, options->words[1], strlen(options->words[1]));
	text_add(&text, ": older than ");
	text_add_escaped(&text, options->words[0], strlen(options->words[0]));
	fprintf(stderr, "hangdump: %s: are they swapped?\n", text.bytes);
	text_deinit(&text);
}

static enum exit_code compare_and_report(struct side *old, struct side *new,
					 struct diff_options *options, struct output *output,
					 struct error **ret)
{
	struct diff diff;
	compare(old, new, options, &diff);
	wait_for_leaks(old, new, options, &diff);
	warn_about_order(&diff, options);
	bool fails = (diff_differences(&diff) & options->fail_on) != 0;
	if (options->leaks && options->strict && report_unused_ignores(&options->ignores))
		fails = true;
	*ret = write_diff(&diff, options, old, new, output);
	diff_deinit(&diff);
	return fails ? EXIT_PARTIAL : EXIT_WHOLE;
}

static enum exit_code run(struct diff_options *options)
{
	struct side old, new;
	struct output output = {0};
	enum exit_code code = EXIT_NOTHING;
	side_init(&old, options->words[0]);
	side_init(&new, options->words[1]);
	struct error *error = take_ptr(options->error);
	if (!error)
		error = output_begin(&output, options->report.output);
	if (!error)
		error = take_both(&old, &new, options);
	if (!error)
		code = compare_and_report(&old, &new, options, &output, &error);
	if (error) {
		report_error(error);
		error_free(error);
		code = EXIT_NOTHING;
	}
	output_deinit(&output);
	side_deinit(&old);
	side_deinit(&new);
	return code;
}

static int run_diff(int argc, char **argv)
{
	struct diff_options options = {.live = LIVE_OPTIONS_DEFAULT,
				       .report = REPORT_OPTIONS_DEFAULT,
				       .interval_ms = DEFAULT_INTERVAL_MS};
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	report_options_settle(&options.report);
	live_options_settle(&options.live, &options.report);
	if (!options.no_default_ignores)
		ignore_list_add_defaults(&options.ignores);
	if (!options.fail_on_given)
		options.fail_on = options.leaks ? DIFFERS_LEAK : DIFFERS_BY_DEFAULT;
	enum exit_code code = run(&options);
	ignore_list_deinit(&options.ignores);
	return code;
}

const struct command command_diff = {"diff", run_diff};
