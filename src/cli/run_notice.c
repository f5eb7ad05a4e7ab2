#include "cli/run_notice.h"

#include "base/text.h"
#include "cli/ci.h"
#include "cli/outlet.h"

#include <string.h>

enum { LEFTOVERS_TOLD = 10, SAY_MS = 1000 };

static void add_name(struct text *line, const char *name)
{
	text_add_escaped(line, name, strlen(name));
}

static void say(struct text *line)
{
	const struct ci ci = ci_detect();
	struct text all = {0};
	text_add(line, "\n");
	ci_add_foreign(&ci, &all, line->bytes, line->length);
	error_free(outlet_standard_error(all.bytes, all.length, deadline_in_ms(SAY_MS)));
	text_deinit(&all);
	text_deinit(line);
}

void run_notice(enum launch_notice what, int signal_number, pid_t pid, const char *name)
{
	struct text line = {0};
	text_add(&line, "hangdump: ");
	switch (what) {
	case LAUNCH_SENDING:
		text_printf(&line, "sending signal %s to command '",
			    launch_signal_name(signal_number));
		add_name(&line, name);
		text_add(&line, "'");
		break;
	case LAUNCH_DUMP_FAILED:
		text_add(&line, "dump: given up: it was not made in time");
		break;
	case LAUNCH_NO_DUMP:
		text_add(&line, "dump: there is none: no thread could be made to make it in, for "
				"want of processes or memory");
		break;
	case LAUNCH_UNKILLABLE:
		text_printf(&line, "process %d (", pid);
		add_name(&line, name);
		text_add(&line, "): still there after signal KILL");
		break;
	case LAUNCH_TRACED:
		text_printf(&line, "the time is over, and begins anew: process %d (", pid);
		add_name(&line, name);
		text_add(&line, ") is debugging the command");
		break;
	}
	say(&line);
}

void run_leftovers(const char *command, const struct relative *processes, size_t count,
		   bool are_ended)
{
	struct text line = {0};
	text_add(&line, "hangdump: ");
	add_name(&line, command);
	text_printf(&line, ": left %zu process%s behind%s: ", count, count == 1 ? "" : "es",
		    are_ended ? ", to be ended now" : "");
	for (size_t i = 0; i < count && i < LEFTOVERS_TOLD; i++) {
		text_printf(&line, "%s%d (", i ? ", " : "", processes[i].pid);
		add_name(&line, processes[i].stat.name);
		text_add(&line, ")");
	}
	if (count > LEFTOVERS_TOLD)
		text_printf(&line, " and %zu more", count - LEFTOVERS_TOLD);
	say(&line);
}
