/* Our own report: its parts in their order, and what of them is missing. */
#include "parse/parse.h"

#include "base/address_map.h"
#include "base/text.h"
#include "parse/lines.h"
#include "parse/report_findings.h"
#include "parse/report_lines.h"
#include "parse/report_stack.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define MOST_PROCESSES 65536

enum part {
	NOWHERE, /* before the report, or after it */
	HEAD,
	FINDINGS,
	GROUPS,
	ERRORS,
	MODULES, /* what -v adds at the end */
};

/* How many there should be: of the process in the same place, or of the whole report. */
struct expected {
	uint64_t threads, goroutines;
};

struct reader {
	struct lines lines;
	struct draft draft;
	struct report_findings findings;
	struct report_stack stack;
	enum part part;
	size_t began;		       /* at which line the report did; 0: not yet */
	size_t earlier, first_earlier; /* reports before this one */
	bool is_headless;
	bool is_cut_short; /* a brief report says itself that it leaves out things */
	bool said_partial, has_errors;
	array(struct expected) expected;      /* by process */
	struct address_map pids, tids, goids; /* those that were told: of the report, the process */
	struct expected all, left_out;
	size_t nameless;	 /* members whose numbers the text leaves out */
	struct group_line group; /* the open one; its pieces do not hold any more */
	struct state_line state;
	bool wants_waiting; /* the line below the group's first */
	bool after_blank;   /* the line before was empty */
	bool at_end;	    /* of the text */
	array(struct member {
		uint64_t number; /* 0: not said */
		const char *name;
	}) members;
};

static void reader_init(struct reader *reader, const char *text, size_t size)
{
	*reader = (struct reader){0};
	lines_init(&reader->lines, text, size);
	draft_init(&reader->draft);
}

static void forget_ids(struct reader *reader)
{
	address_map_deinit(&reader->tids, NULL);
	address_map_deinit(&reader->goids, NULL);
}

/* An id that comes again, as in no report of ours, is not known: 0. */
static uint64_t told_once(struct address_map *map, uint64_t id)
{
	if (!id || address_map_get(map, id))
		return 0;
	address_map_put(map, id, map);
	return id;
}

static void reader_deinit(struct reader *reader)
{
	lines_deinit(&reader->lines);
	report_findings_forget(&reader->findings);
	wait_deinit(&reader->state.wait);
	array_deinit(&reader->expected);
	array_deinit(&reader->members);
	address_map_deinit(&reader->pids, NULL);
	forget_ids(reader);
}

static struct process *current_process(struct reader *reader)
{
	struct dump *dump = &reader->draft.dump;
	if (!dump->processes.count) {
		draft_process(&reader->draft);
		array_append(&reader->expected);
	}
	return &dump->processes.items[dump->processes.count - 1];
}

/* --- a group ---------------------------------------------------------------------------------- */

static void add_members(struct reader *reader, const struct members_part *part)
{
	uint64_t room = reader->group.count - reader->members.count;
	uint64_t wanted = part->first ? part->last - part->first + 1 : part->more;
	/* Their number is said twice: the lesser is true of what is here. */
	for (uint64_t i = 0; i < wanted && i < room; i++) {
		if (reader->members.count + reader->draft.threads >= DRAFT_MOST_MEMBERS) {
			reader->draft.threads_over += room - i;
			return;
		}
		array_append(&reader->members)->number = part->first ? part->first + i : 0;
	}
}

static void take_members(struct reader *reader, struct piece list)
{
	struct members_part part;
	reader->members.count = 0;
	for (size_t left = SIZE_MAX; list.n && list.n < left;) {
		size_t first = reader->members.count;
		left = list.n;
		while (members_take_ids(&list, &part)) {
			add_members(reader, &part);
			if (list.n && list.s[0] == ';')
				break;
		}
		const char *name = members_take_name(&reader->draft, &list);
		for (size_t i = first; i < reader->members.count; i++)
			reader->members.items[i].name = name;
		if (!piece_starts(list, "; ") && !piece_starts(list, " and "))
			break;
	}
	if (list.n)
		draft_note_strange(&reader->draft, reader->lines.number);
	if (reader->members.count < reader->group.count)
		add_members(reader, &(struct members_part){.more = reader->group.count});
	array_for_each (&reader->members, member)
		reader->nameless += !member->number;
}

static struct thread *add_member(struct reader *reader, const struct member *member)
{
	struct process *process = current_process(reader);
	struct goroutine *goroutine;
	struct thread *thread = reader->group.of_goroutines
					? draft_goroutine(&reader->draft, process)
					: draft_thread(&reader->draft, process);
	if (!thread)
		return NULL;
	struct wait *wait = &thread->wait;
	*wait = reader->state.wait;
	memset(&wait->owners, 0, sizeof(wait->owners));
	array_for_each (&reader->state.wait.owners, owner)
		*array_append(&wait->owners) = *owner;
	thread->progress = reader->state.progress;
	thread->stack = reader->stack.end;
	thread->name = member->name;
	if (!reader->group.of_goroutines) {
		uint64_t tid = member->number <= INT_MAX ? member->number : 0;
		thread->tid = (pid_t)told_once(&reader->tids, tid);
		return thread;
	}
	goroutine = thread->goroutine;
	goroutine->goid = told_once(&reader->goids, member->number);
	goroutine->locked_to_thread = reader->state.locked_to_thread;
	goroutine->bubble = reader->state.bubble;
	goroutine->system = wait->idle;
	goroutine->created_by = reader->stack.creator;
	return thread;
}

static void close_group(struct reader *reader)
{
	struct draft *draft = &reader->draft;
	if (!reader->group.count)
		return;
	bool dropped = report_stack_close(&reader->stack);
	if (dropped)
		draft_note_strange(draft, reader->lines.number);
	/* What the end of the text may have taken away is told of the whole. */
	if (!reader->at_end && reader->stack.end.complete && (dropped || !draft->stack.count)) {
		reader->stack.end.complete = false;
		reader->stack.end.incomplete =
			strpool_add(&draft->dump.strings, "the text does not have the rest");
	}
	struct process *process = current_process(reader);
	struct group *group = array_append(&draft->dump.groups);
	group->process = draft->dump.processes.count - 1;
	group->of_goroutines = reader->group.of_goroutines;
	group->class = reader->state.wait.class;
	group->idle = reader->state.wait.idle;
	group->since_min_ms = reader->state.since_min_ms;
	group->since_max_ms = reader->state.since_max_ms;
	array_for_each (&reader->members, member) {
		struct thread *thread = add_member(reader, member);
		if (!thread)
			continue;
		draft_set_stack(draft, thread);
		*array_append(&group->members) = (group->of_goroutines ? process->goroutines.count
								       : process->threads.count) -
						 1;
	}
	if (!group->members.count)
		draft->dump.groups.count--;
	wait_deinit(&reader->state.wait);
	reader->group.count = 0;
}

static void open_group(struct reader *reader, const struct group_line *line)
{
	if (!reader->began) {
		reader->began = reader->lines.number;
		reader->is_headless = true;
	}
	lines_set_prefix(&reader->lines, line->prefix);
	current_process(reader);
	reader->part = GROUPS;
	reader->group = *line;
	take_members(reader, line->members);
	if (!state_line_parse(&reader->draft, line->state, line->of_goroutines, &reader->state))
		draft_note_strange(&reader->draft, reader->lines.number);
	report_stack_open(&reader->stack, &reader->draft, line->of_goroutines);
	reader->wants_waiting = true;
}

static bool is_detail(struct piece line)
{
	return piece_starts(line, "  thread ") || piece_starts(line, "  goroutine ");
}

static void take_group_line(struct reader *reader, struct piece line)
{
	bool dropped, first = reader->wants_waiting;
	if (first && is_detail(line)) /* of -v */
		return;
	reader->wants_waiting = false;
	if (first && waiting_line_parse(&reader->draft, line, current_process(reader)->pid,
					&reader->state.wait))
		return;
	if (!report_stack_take(&reader->stack, line, &dropped))
		draft_note_strange(&reader->draft, reader->lines.number);
	if (dropped)
		draft_note_strange(&reader->draft, reader->lines.number - 1);
	if (!reader->stack.is_open)
		close_group(reader);
}

/* --- heads ------------------------------------------------------------------------------------ */

static void forget_report(struct reader *reader)
{
	if (!reader->earlier++)
		reader->first_earlier = reader->began;
	report_findings_forget(&reader->findings);
	draft_forget(&reader->draft);
	reader->expected.count = 0;
	address_map_deinit(&reader->pids, NULL);
	forget_ids(reader);
	reader->all = reader->left_out = (struct expected){0};
	reader->nameless = 0;
	reader->is_headless = reader->is_cut_short = false;
	reader->said_partial = reader->has_errors = false;
}

static void begin_process(struct reader *reader, const struct process_line *line)
{
	struct process *process = draft_process(&reader->draft);
	forget_ids(reader);
	process->pid = (pid_t)told_once(&reader->pids, line->pid);
	process->name = draft_string(&reader->draft, line->name);
	process->frozen_us = line->frozen_us;
	*array_append(&reader->expected) = (struct expected){line->threads, line->goroutines};
	reader->said_partial |= line->is_partial;
	reader->part = HEAD;
}

static void begin_report(struct reader *reader, const struct head_line *line)
{
	close_group(reader);
	if (reader->began)
		forget_report(reader);
	reader->began = reader->lines.number;
	lines_set_prefix(&reader->lines, line->prefix);
	reader->draft.dump.occasion = draft_string(&reader->draft, line->occasion);
	reader->said_partial = line->is_partial;
	reader->findings.is_open = false;
	reader->part = HEAD;
	if (line->has_process)
		begin_process(reader, &line->process);
	else
		reader->all = (struct expected){line->threads, line->goroutines};
}

/* Quoted as for a shell; "\''" within quotes is one. */
static void take_command(struct reader *reader, struct piece rest)
{
	struct process *process = current_process(reader);
	struct text argument = {0};
	while (piece_take(&rest, " ")) {
		if (piece_starts(rest, "... and ") && piece_ends(rest, " more bytes")) {
			dump_add_error(&reader->draft.dump, process->pid, 0, "command line",
				       "the text leaves out its end");
			break;
		}
		bool quoted = false;
		argument.length = 0;
		for (; rest.n && (quoted || rest.s[0] != ' '); rest.s++, rest.n--) {
			if (piece_starts(rest, "'\\''")) {
				text_add_n(&argument, "'", 1);
				rest.s += 3;
				rest.n -= 3;
			} else if (rest.s[0] == '\'') {
				quoted = !quoted;
			} else {
				text_add_n(&argument, rest.s, 1);
			}
		}
		struct piece piece = {argument.bytes, argument.length};
		const char *pooled = draft_string(&reader->draft, piece);
		*array_append(&process->command) =
			pooled ? pooled : strpool_add(&reader->draft.dump.strings, "");
	}
	text_deinit(&argument);
}

static bool take_head_line(struct reader *reader, struct piece line)
{
	if (piece_take(&line, "command:"))
		take_command(reader, line);
	else if (piece_take(&line, "occasion: "))
		reader->draft.dump.occasion = draft_string(&reader->draft, line);
	else if (piece_take(&line, "by: "))
		reader->draft.dump.generator = draft_string(&reader->draft, line);
	else
		return piece_starts(line, "taken: ") || piece_starts(line, "host: ");
	return true;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* "  process 5: stack of 3 threads (6-8): no permission" */
static bool take_error(struct reader *reader, struct piece line)
{
	struct dump *dump = &reader->draft.dump;
	struct piece why, what, rest = line;
	uint64_t number = 0;
	pid_t pid = dump->processes.count == 1 ? dump->processes.items[0].pid : 0, tid = 0;
	if (!piece_take(&rest, "  "))
		return false;
	if (piece_take(&rest, "process ") && piece_take_number(&rest, INT_MAX, &number) &&
	    piece_take(&rest, ": "))
		pid = (pid_t)number;
	line = rest;
	if (piece_split(&rest, " of thread ", &what) &&
	    piece_take_number(&rest, INT_MAX, &number) && piece_take(&rest, ": ")) {
		tid = (pid_t)number;
	} else {
		rest = line;
		if (!piece_split(&rest, ": ", &what))
			what = line, rest = (struct piece){0};
	}
	why = rest;
	struct dump_error *error = array_append(&dump->errors);
	error->pid = pid;
	error->tid = tid;
	error->what = draft_string(&reader->draft, what);
	error->why = draft_string(&reader->draft, why);
	if (!error->what)
		error->what = strpool_add(&dump->strings, "something");
	return true;
}

/* "3 idle threads in 2 groups left out.", "2 goroutines in no group." */
static bool take_left_out(struct reader *reader, struct piece line)
{
	static const char *const ends[] = {" left out.", " in no group."};
	static const char *const words[] = {" idle goroutine", " goroutine", " idle thread",
					    " thread"};
	struct dump *dump = &reader->draft.dump;
	struct piece rest = line, what = line;
	uint64_t count;
	if (piece_starts(line, "Left out: ") || piece_ends(line, ", and are not listed here.")) {
		reader->is_cut_short = true;
		dump_add_error(dump, 0, 0, "parts of the report", "%.*s",
			       (int)(line.n < 500 ? line.n : 500), line.s);
		return true;
	}
	if ((!piece_take_end(&what, ends[0]) && !piece_take_end(&what, ends[1])) ||
	    !piece_take_number(&rest, INT32_MAX, &count))
		return false;
	for (int i = 0; i < 4; i++) {
		if (!piece_starts(rest, words[i]))
			continue;
		*(i < 2 ? &reader->left_out.goroutines : &reader->left_out.threads) += count;
		struct dump_error *error = array_append(&dump->errors);
		error->what = draft_string(&reader->draft, what);
		error->why = strpool_add(&dump->strings, "the text leaves them out");
		return true;
	}
	return false;
}

static void take_other_line(struct reader *reader, struct piece line)
{
	struct process_line process;
	if (reader->draft.dump.processes.count < MOST_PROCESSES &&
	    process_line_parse(line, &process)) {
		begin_process(reader, &process);
	} else if (report_findings_begin(&reader->findings, &reader->draft, line)) {
		reader->part = FINDINGS;
	} else if (piece_equals(line, "Could not be read:")) {
		reader->part = ERRORS;
		reader->has_errors = true;
	} else if (piece_starts(line, "Modules of process ")) {
		reader->part = MODULES;
	} else if (!take_left_out(reader, line)) {
		reader->part = NOWHERE;
	}
}

static bool take_in_part(struct reader *reader, struct piece line)
{
	switch (reader->part) {
	case HEAD:
		return take_head_line(reader, line);
	case FINDINGS:
		return report_findings_take(&reader->findings, &reader->draft, line);
	case ERRORS:
		return take_error(reader, line);
	case MODULES:
		return piece_starts(line, "  0x");
	default:
		return false;
	}
}

/*
 * Other programs' lines, and logs with every other line empty, come between the lines of a stack.
 * One that is empty ends it, unless what follows can be nothing but more of it.
 */
static bool goes_on(const struct reader *reader, struct piece line)
{
	return (reader->wants_waiting && piece_starts(line, "on ")) ||
	       report_stack_goes_on(&reader->stack, line);
}

/* A head may have a prefix of its own, as "E       AssertionError: " has: the next line tells. */
static bool learn_prefix(struct reader *reader, struct piece whole)
{
	struct piece rest = whole, prefix;
	if (reader->lines.number != reader->began + 1 || !piece_split(&rest, "command: ", &prefix))
		return false;
	lines_set_prefix(&reader->lines, prefix);
	rest = (struct piece){prefix.s + prefix.n, whole.n - prefix.n};
	return take_head_line(reader, rest);
}

static void take_line(struct reader *reader, const struct line *line)
{
	struct head_line head;
	struct group_line group;
	bool after_blank = reader->after_blank;
	reader->after_blank = !line->text.n;
	if (reader->group.count && line->text.n &&
	    (after_blank ? !goes_on(reader, line->text)
			 : report_stack_is_whole(&reader->stack, line->text)))
		close_group(reader);
	if (head_line_parse(line->whole, &head)) {
		begin_report(reader, &head);
	} else if (group_line_parse(line->whole, &group)) {
		close_group(reader);
		open_group(reader, &group);
	} else if (!reader->began) {
		return;
	} else if (!line->text.n) {
		return;
	} else if (reader->group.count) {
		take_group_line(reader, line->text);
	} else if (!take_in_part(reader, line->text) && !learn_prefix(reader, line->whole)) {
		enum part part = reader->part;
		take_other_line(reader, line->text);
		/* In the middle of the head or a finding: the rest of that is lost. */
		if (reader->part == NOWHERE && !after_blank && (part == HEAD || part == FINDINGS))
			draft_note_strange(&reader->draft, reader->lines.number);
	}
}

/* Where the stacks of others end, this one may be thought to end too. */
static bool ends_like_others(const struct dump *dump)
{
	const struct group *last = &dump->groups.items[dump->groups.count - 1];
	const struct stack *stack = &group_threads_of(dump, last)[last->members.items[0]].stack;
	static const char *const outermost[] = {"_start",   "clone3",	    "clone",
						"__clone",  "start_thread", "__libc_start_main",
						"main.main"};
	const char *function = stack->count ? stack->frames[stack->count - 1].function : NULL;
	if (!stack->complete || last->of_goroutines)
		return true;
	if (!function)
		return stack->count != 0;
	for (size_t i = 0; i < ARRAY_SIZE(outermost); i++) {
		if (strncmp(function, outermost[i], strlen(outermost[i])) == 0)
			return true;
	}
	for (size_t i = 0; i + 1 < dump->groups.count; i++) {
		const struct group *group = &dump->groups.items[i];
		const struct stack *other =
			&group_threads_of(dump, group)[group->members.items[0]].stack;
		const char *end = other->count ? other->frames[other->count - 1].function : NULL;
		if (end && strcmp(end, function) == 0)
			return true;
	}
	return false;
}

static void note_lost(struct dump *dump, pid_t pid, const char *what, uint64_t expected,
		      uint64_t got)
{
	if (got < expected)
		dump_add_error(dump, pid, 0, what, "%" PRIu64 " of %" PRIu64 " are not in the text",
			       expected - got, expected);
}

static void note_missing(struct reader *reader, bool ended_in_stack)
{
	struct dump *dump = &reader->draft.dump;
	struct expected all = reader->left_out, expected = reader->all;
	for (size_t i = 0; i < dump->processes.count; i++) {
		const struct process *process = &dump->processes.items[i];
		all.threads += process->threads.count;
		all.goroutines += process->goroutines.count;
		expected.threads += reader->all.threads ? 0 : reader->expected.items[i].threads;
		expected.goroutines +=
			reader->all.goroutines ? 0 : reader->expected.items[i].goroutines;
	}
	if (!reader->is_cut_short && !reader->draft.threads_over) {
		note_lost(dump, 0, "threads", expected.threads, all.threads);
		note_lost(dump, 0, "goroutines", expected.goroutines, all.goroutines);
	}
	if (reader->nameless)
		dump_add_error(dump, 0, 0, "ids", "the text leaves out those of %zu",
			       reader->nameless);
	if (reader->is_headless)
		dump_add_error(dump, 0, 0, "beginning of the report",
			       "the text begins within it, before line %zu", reader->began);
	if (reader->said_partial && !reader->has_errors)
		dump_add_error(dump, 0, 0, "list of what could not be read",
			       "the text ends before it");
	if (ended_in_stack && dump->groups.count && !ends_like_others(dump))
		dump_add_error(dump, 0, 0, "end of the last stack", "the text may end before it");
	if (reader->earlier)
		dump_add_error(
			dump, 0, 0, "reports",
			"the text has %zu more before the one that is shown: the first begins "
			"in line %zu, this one in line %zu",
			reader->earlier, reader->first_earlier, reader->began);
}

/* Threads and processes have their numbers apart. */
static uint64_t key_of(struct thread_id id)
{
	return id.tid ? (uint64_t)id.tid : (uint64_t)id.pid | UINT64_C(1) << 32;
}

/* Of those that end their line, the numbers that are nobody's in the dump. */
static void find_unfinished(struct reader *reader, struct address_map *ret)
{
	struct address_map there = {0};
	array_for_each (&reader->draft.dump.processes, process) {
		address_map_put(&there, key_of((struct thread_id){process->pid, 0}), reader);
		array_for_each (&process->threads, thread)
			address_map_put(&there,
					key_of((struct thread_id){process->pid, thread->tid}),
					reader);
	}
	array_for_each (&reader->draft.unfinished, id) {
		if (!address_map_get(&there, key_of(*id)))
			address_map_put(ret, key_of(*id), reader);
	}
	address_map_deinit(&there, NULL);
}

/*
 * A number that ends its line and is nobody's here: the line was cut in it.  Who is elsewhere is
 * said to be so.
 */
static void forget_unfinished(struct reader *reader)
{
	struct dump *dump = &reader->draft.dump;
	struct address_map unfinished = {0};
	size_t cut = 0;
	find_unfinished(reader, &unfinished);
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread) {
			struct wait *wait = &thread->wait;
			size_t kept = 0;
			array_for_each (&wait->owners, owner) {
				if (!address_map_get(&unfinished, key_of(*owner)))
					wait->owners.items[kept++] = *owner;
			}
			cut += wait->owners.count - kept;
			if (!kept && wait->owners.count)
				wait->owner_state = OWNER_UNREADABLE;
			wait->owners.count = kept;
		}
	}
	address_map_deinit(&unfinished, NULL);
	if (cut)
		dump_add_error(dump, 0, 0, "owners",
			       "%zu are nobody's numbers here: lines seem to be cut", cut);
}

bool parse_looks_like_report(const char *text, size_t size)
{
	struct lines lines;
	struct line line;
	struct head_line head;
	struct group_line group;
	bool found = false;
	lines_init(&lines, text, size);
	while (!found && lines_next(&lines, &line))
		found = head_line_parse(line.whole, &head) || group_line_parse(line.whole, &group);
	lines_deinit(&lines);
	return found;
}

struct error *parse_report(const char *text, size_t size, const char *name, struct dump *ret)
{
	struct reader reader;
	struct line line;
	reader_init(&reader, text, size);
	while (lines_next(&reader.lines, &line))
		take_line(&reader, &line);
	bool ended_in_stack = reader.group.count && !reader.after_blank;
	reader.at_end = ended_in_stack;
	close_group(&reader);
	if (reader.draft.unfinished.count)
		forget_unfinished(&reader);
	report_findings_finish(&reader.findings, &reader.draft);
	note_missing(&reader, ended_in_stack);
	struct dump dump;
	draft_finish(&reader.draft, &dump);
	bool found = reader.began != 0;
	reader_deinit(&reader);
	if (!found) {
		dump_deinit(&dump);
		return error_new(ERROR_FORMAT, 0, name, "(no report in it)");
	}
	*ret = dump;
	return NULL;
}
