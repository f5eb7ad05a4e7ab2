#include "cli/filter_options.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
	OPTION_ONLY = 0x4000,
	OPTION_THREAD,
	OPTION_WHO,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "Which threads the text shows:", 2},
	{"only", OPTION_ONLY, "WHAT", 0,
	 "stuck (those that are not idle), idle, or a function that is in the stack; * and ? as in "
	 "a shell",
	 2},
	{"thread", OPTION_THREAD, "TID", 0, "this thread or goroutine; can be given several times",
	 2},
	{"who", OPTION_WHO, "ADDRESS", 0,
	 "who holds the lock at ADDRESS (0x...; or its name) and who waits for it", 2},
	{0}};

static void add_thread(struct argp_state *state, struct render_filter *filter, const char *word)
{
	char *end;
	errno = 0;
	uint64_t number = strtoull(word, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*word))
		argp_error(state, "--thread=%s: not a number", word);
	filter->threads =
		xreallocarray(filter->threads, filter->thread_count + 1, sizeof(*filter->threads));
	filter->threads[filter->thread_count++] = number;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct filter_options *options = state->input;
	struct render_filter *filter = &options->filter;
	switch (key) {
	case OPTION_ONLY:
		if (strcmp(word, "stuck") == 0)
			filter->only = ONLY_STUCK;
		else if (strcmp(word, "idle") == 0)
			filter->only = ONLY_IDLE;
		else
			filter->function = word;
		break;
	case OPTION_THREAD:
		add_thread(state, filter, word);
		break;
	case OPTION_WHO:
		filter->who = word;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	options->given = true;
	return 0;
}

const struct argp filter_argp = {argp_options, parse, NULL, NULL, NULL, NULL, NULL};

struct error *filter_settle(const struct filter_options *options, struct report_options *report)
{
	if (!options->given)
		return NULL;
	report->render.filter = &options->filter;
	return report_has_text(report)
		       ? NULL
		       : error_new(ERROR_USAGE, 0, "--format=json",
				   "(--only, --thread and --who are for the text; JSON is whole)");
}

/* As it could have been given. */
static char *words_of(const struct render_filter *filter)
{
	struct text text = {0};
	if (filter->only)
		text_printf(&text, " --only=%s", filter->only == ONLY_STUCK ? "stuck" : "idle");
	if (filter->function)
		text_printf(&text, " --only=%s", filter->function);
	for (size_t i = 0; i < filter->thread_count; i++)
		text_printf(&text, " --thread=%" PRIu64, filter->threads[i]);
	if (filter->who)
		text_printf(&text, " --who=%s", filter->who);
	return text_steal(&text);
}

struct error *filter_check(const struct filter_options *options, const struct dump *dump)
{
	if (!options->given || render_filter_matches(dump, &options->filter))
		return NULL;
	_cleanup_free_ char *words = words_of(&options->filter);
	return error_new(ERROR_NO_MATCH, 0, words + 1, NULL);
}

void filter_options_deinit(struct filter_options *options)
{
	free(options->filter.threads);
}
