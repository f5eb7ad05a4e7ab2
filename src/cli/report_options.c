#include "cli/report_options.h"

#include "cli/words.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_FORMAT = 0x2000,
	OPTION_COLOR,
	OPTION_MAX_FRAMES,
	OPTION_KERNEL_STACKS,
	OPTION_NO_IDLE,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "The report:", 3},
	{"format", OPTION_FORMAT, "FORMAT", 0, "text or json (default: by FILE's suffix, or text)",
	 3},
	{"output", 'o', "FILE", 0,
	 "write to FILE, whole or not at all, mode 0600; can be given several times", 3},
	{"color", OPTION_COLOR, "WHEN", 0, "auto, always or never", 3},
	{"max-frames", OPTION_MAX_FRAMES, "N", 0,
	 "frames per stack (default 256; 0: no limit); how many were left out is said", 3},
	{"kernel-stacks", OPTION_KERNEL_STACKS, "WHEN", 0,
	 "auto, always or never; auto: where the user stack tells little", 3},
	{"no-idle", OPTION_NO_IDLE, NULL, 0, "leave idle groups out of the text", 3},
	{"quiet", 'q', NULL, 0, "no messages about what could not be read", 3},
	{"verbose", 'v', NULL, 0, "addresses, modules, and how each frame was found", 3},
	{0}};

static error_t parse(int key, char *word, struct argp_state *state)
{
	static const char *const formats[] = {"text", "json"};
	static const char *const whens[] = {"auto", "always", "never"};
	struct report_options *report = state->input;
	switch (key) {
	case OPTION_FORMAT:
		report->format =
			FORMAT_TEXT + (enum format)choose_or_die(state, "format", word, formats, 2);
		return 0;
	case OPTION_COLOR:
		report->color = (enum color)choose_or_die(state, "color", word, whens, 3);
		return 0;
	case OPTION_MAX_FRAMES:
		report->max_frames = count_or_die(state, "max-frames", word);
		return 0;
	case OPTION_KERNEL_STACKS:
		report->kernel_stacks =
			(enum kernel_stacks)choose_or_die(state, "kernel-stacks", word, whens, 3);
		return 0;
	case OPTION_NO_IDLE:
		report->render.no_idle = true;
		return 0;
	case 'o':
		if (report->output_count == MOST_OUTPUTS)
			argp_error(state, "--output: more than %d files", MOST_OUTPUTS);
		report->outputs[report->output_count++] = word;
		report->output = report->outputs[0];
		return 0;
	case 'q':
		report->quiet = true;
		return 0;
	case 'v':
		report->render.verbose = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp report_argp = {argp_options, parse, NULL, NULL, NULL, NULL, NULL};

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool report_wants_color(const struct report_options *report, int fd)
{
	if (report->color != COLOR_AUTO)
		return report->color == COLOR_ALWAYS;
	const char *none = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
	const char *term = getenv("TERM");
	if (none && *none)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

enum format report_format_for(const struct report_options *report, const char *output)
{
	if (report->format_given)
		return report->format;
	return output && has_suffix(output, ".json") ? FORMAT_JSON : FORMAT_TEXT;
}

void report_options_settle(struct report_options *report)
{
	report->format_given = report->format != FORMAT_UNSET;
	report->format = report_format_for(report, report->output);
	/* A file that nobody asked to be coloured is not. */
	report->render.color = report_wants_color(report, report->output ? -1 : STDOUT_FILENO);
	report->render.kernel_stacks_always = report->kernel_stacks == KERNEL_STACKS_ALWAYS;
	report->render.kernel_stacks_never = report->kernel_stacks == KERNEL_STACKS_NEVER;
}

bool report_has_text(const struct report_options *report)
{
	for (size_t i = 1; i < report->output_count; i++) {
		if (report_format_for(report, report->outputs[i]) == FORMAT_TEXT)
			return true;
	}
	return report->format == FORMAT_TEXT;
}

struct error *report_write(const struct dump *dump, const struct report_options *report,
			   struct output *output)
{
	if (report_format_for(report, output->path) == FORMAT_JSON) {
		struct error *error = store_write_json(dump, output->stream);
		if (error)
			return error;
	} else {
		render_text(dump, &report->render, output->stream);
	}
	return output_finish(output);
}

struct error *reports_begin(struct reports *reports, const struct report_options *options)
{
	*reports = (struct reports){0};
	if (!options->output_count)
		return output_begin(&reports->outputs[reports->count++], NULL);
	for (size_t i = 0; i < options->output_count; i++) {
		struct error *error =
			output_begin(&reports->outputs[reports->count++], options->outputs[i]);
		if (error)
			return error;
	}
	return NULL;
}

struct error *reports_write(const struct dump *dump, const struct report_options *options,
			    struct reports *reports)
{
	for (size_t i = 0; i < reports->count; i++) {
		struct error *error = report_write(dump, options, &reports->outputs[i]);
		if (error)
			return error;
	}
	return NULL;
}

void reports_deinit(struct reports *reports)
{
	for (size_t i = 0; i < reports->count; i++)
		output_deinit(&reports->outputs[i]);
}
