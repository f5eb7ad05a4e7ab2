#include "cli/run_headline.h"

#include "base/duration.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

enum { COMMAND_BYTES = 200 }; /* in one line with the rest */

/* "500 ms", "1.5 s", "90 s", "5 minutes"; a limit is told as it was given. */
static void add_time(struct text *text, uint64_t ms, bool is_limit)
{
	char minutes[32];
	bool in_minutes = is_limit ? ms % 60000 == 0 : ms >= 120000;
	if (in_minutes && duration_minutes((int64_t)ms, minutes, sizeof(minutes)))
		text_add(text, minutes);
	else if (ms < 1000)
		text_printf(text, "%" PRIu64 " ms", ms);
	else if (ms % 1000 >= 100 && (is_limit || ms < 10000))
		text_printf(text, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms / 100 % 10);
	else
		text_printf(text, "%" PRIu64 " s", ms / 1000);
}

static void add_command(struct text *text, char *const *command)
{
	struct text words = {0};
	text_add(&words, "");
	for (size_t i = 0; command[i] && words.length <= COMMAND_BYTES; i++) {
		text_add(&words, i ? " " : "");
		text_add_n(&words, command[i], strnlen(command[i], COMMAND_BYTES + 1));
	}
	bool cut = words.length > COMMAND_BYTES;
	text_add_escaped(text, words.bytes, cut ? COMMAND_BYTES : words.length);
	text_add(text, cut ? "..." : "");
	text_deinit(&words);
}

static void add_reason(struct text *text, const struct launch_event *event)
{
	switch (event->reason) {
	case LAUNCH_EXPIRED:
		text_add(text, "timed out after ");
		add_time(text, event->limit_ms, true);
		return;
	case LAUNCH_IDLE:
		text_add(text, "nothing happened for ");
		add_time(text, event->limit_ms, true);
		text_add(text, ", after ");
		break;
	case LAUNCH_SIGNALLED:
		text_printf(text, "ended by SIG%s after ", launch_signal_name(event->signal));
		break;
	case LAUNCH_ASKED:
		text_add(text, "asked for a dump after ");
		break;
	}
	add_time(text, event->elapsed_ms, false);
}

char *run_headline(char *const *command, const struct launch_event *event)
{
	struct text text = {0};
	add_command(&text, command);
	text_add(&text, ": ");
	add_reason(&text, event);
	return text_steal(&text);
}
