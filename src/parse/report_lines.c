#include "parse/report_lines.h"

#include "parse/lines.h"

#include <ctype.h>
#include <limits.h>
#include <seccomp.h>

#define PARTIAL	     ", partial: the end says what is missing"
#define MOST_MINUTES (INT64_MAX / 60000)

/* Cuts ", 14 threads" off the end. */
static bool take_end_count(struct piece *line, const char *one, const char *many, uint64_t *ret)
{
	struct piece rest = *line, number;
	if (!piece_take_end(&rest, many) && !piece_take_end(&rest, one))
		return false;
	if (!piece_split_end(&rest, ", ", &number) || !piece_number(number, INT32_MAX, ret))
		return false;
	*line = rest;
	return true;
}

/* Cuts ", held for 1.8 ms" off the end. */
static bool take_end_held(struct piece *line, int64_t *ret_us)
{
	struct piece rest = *line, held;
	uint64_t whole, tenths = 0;
	*ret_us = -1;
	if (piece_take_end(line, ", held for an unknown time"))
		return true;
	if (piece_take_end(line, ", not stopped")) {
		*ret_us = 0;
		return true;
	}
	if (!piece_split_end(&rest, ", held for ", &held) ||
	    !piece_take_number(&held, INT32_MAX, &whole))
		return false;
	if (piece_take(&held, ".") && !piece_take_number(&held, 9, &tenths))
		return false;
	if (piece_equals(held, " ms"))
		*ret_us = (int64_t)(whole * 1000 + tenths * 100);
	else if (piece_equals(held, " us"))
		*ret_us = (int64_t)whole;
	else
		return false;
	*line = rest;
	return true;
}

bool process_line_parse(struct piece line, struct process_line *ret)
{
	*ret = (struct process_line){.frozen_us = -1};
	ret->is_partial = piece_take_end(&line, PARTIAL);
	bool goroutines = take_end_count(&line, " goroutine", " goroutines", &ret->goroutines);
	bool threads = take_end_held(&line, &ret->frozen_us) &&
		       take_end_count(&line, " thread", " threads", &ret->threads);
	if (!goroutines && !threads)
		return false;
	if (!piece_take(&line, "a process") &&
	    (!piece_take(&line, "process ") || !piece_take_number(&line, INT_MAX, &ret->pid)))
		return false;
	if (piece_take(&line, " (") && piece_take_end(&line, ")")) {
		ret->name = line;
		return true;
	}
	return line.n == 0;
}

/* "3 processes, 14 threads", and "time limit of 10 s; 1 process, 14 threads" */
static bool take_counts(struct piece line, struct head_line *ret)
{
	struct piece number;
	ret->is_partial = piece_take_end(&line, PARTIAL);
	bool goroutines = take_end_count(&line, " goroutine", " goroutines", &ret->goroutines);
	if (!take_end_count(&line, " thread", " threads", &ret->threads) && !goroutines)
		return false;
	if (!piece_take_end(&line, " processes") && !piece_take_end(&line, " process"))
		return false;
	if (piece_number(line, INT_MAX, &ret->processes))
		return true;
	if (!piece_split_end(&line, "; ", &number) ||
	    !piece_number(number, INT_MAX, &ret->processes))
		return false;
	ret->occasion = line;
	return true;
}

bool head_line_parse(struct piece line, struct head_line *ret)
{
	struct piece before;
	*ret = (struct head_line){0};
	if (!piece_split(&line, "hangdump: ", &before))
		return false;
	ret->prefix = before;
	ret->has_process = process_line_parse(line, &ret->process);
	return ret->has_process || take_counts(line, ret);
}

bool group_line_parse(struct piece line, struct group_line *ret)
{
	static const char *const words[] = {" thread [", " threads [", " goroutine [",
					    " goroutines ["};
	struct piece before;
	for (int i = 0; i < 4; i++) {
		struct piece rest = line;
		size_t digits = 0;
		if (!piece_split(&rest, words[i], &before))
			continue;
		while (digits < before.n && isdigit((unsigned char)before.s[before.n - digits - 1]))
			digits++;
		struct piece number = {before.s + before.n - digits, digits};
		*ret = (struct group_line){.of_goroutines = i >= 2};
		ret->prefix = (struct piece){before.s, before.n - digits};
		if (!piece_number(number, INT32_MAX, &ret->count) || !ret->count ||
		    !piece_split(&rest, "]: ", &ret->state) || !rest.n)
			return false;
		/* "Using 4 threads [auto]: fast mode" */
		if (!isdigit((unsigned char)rest.s[0]) && rest.s[0] != '"' && rest.s[0] != ' ')
			return false;
		ret->members = rest;
		return true;
	}
	return false;
}

/* --- what the brackets say --------------------------------------------------------------------- */

/* "5 minutes", "1-5 minutes", "up to 5 minutes" */
static bool take_since(struct piece part, struct state_line *ret)
{
	uint64_t least, most;
	bool up_to = piece_take(&part, "up to ");
	if ((!piece_take_end(&part, " minutes") && !piece_take_end(&part, " minute")) ||
	    !piece_take_number(&part, MOST_MINUTES, &least))
		return false;
	most = least;
	if (piece_take(&part, "-") && !piece_take_number(&part, MOST_MINUTES, &most))
		return false;
	if (part.n)
		return false;
	ret->since_min_ms = up_to ? 0 : (int64_t)least * 60000;
	ret->since_max_ms = (int64_t)most * 60000;
	if (!up_to && least == most)
		ret->wait.since_ms = ret->since_max_ms;
	return true;
}

static bool time_left(struct piece *part, int64_t *ret_ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{" ms", 1}, {" s", 1000}, {" min", 60000}, {" h", 3600000}, {" d", 86400000}};
	uint64_t number;
	if (!piece_take_number(part, INT64_MAX / 86400000, &number))
		return false;
	/* The longer of " m" and " min" are told apart by what follows. */
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		struct piece rest = *part;
		if (piece_take(&rest, units[i].name) && (!rest.n || rest.s[0] == ' ')) {
			*part = rest;
			*ret_ms = (int64_t)number * units[i].ms;
			return true;
		}
	}
	return false;
}

/* "ends in 12 s", "end in 3 s to 12 s", "2 of them end in 3 s": said only where it is for all. */
static bool take_timeout(struct piece part, struct state_line *ret)
{
	uint64_t some;
	int64_t least, most;
	bool of_all = !piece_take_number(&part, INT32_MAX, &some);
	if (!of_all && !piece_take(&part, " of them "))
		return false;
	if (!piece_take(&part, "ends in ") && !piece_take(&part, "end in "))
		return false;
	if (!time_left(&part, &least))
		return false;
	most = least;
	if (piece_take(&part, " to ") && !time_left(&part, &most))
		return false;
	if (of_all && least == most)
		ret->wait.timeout_ms = least;
	return !part.n;
}

/* "stuck"; or "3 stuck", of which nobody knows who they are. */
static bool take_progress(struct piece part, struct state_line *ret)
{
	uint64_t some;
	bool of_all = !piece_take_number(&part, INT32_MAX, &some);
	if (!of_all)
		piece_take(&part, " ");
	for (int i = 0; i < PROGRESSES; i++) {
		if (progress_names[i] && piece_equals(part, progress_names[i])) {
			if (of_all)
				ret->progress = (enum progress)i;
			return true;
		}
	}
	return false;
}

static bool take_class(struct draft *draft, struct piece part, bool of_goroutine, struct wait *wait)
{
	struct piece call = part;
	uint64_t number;
	if (piece_take_end(&part, " (likely)"))
		wait->confidence = CONFIDENCE_LIKELY;
	const char *name = draft_string(draft, part);
	if (of_goroutine) {
		bool idle;
		wait->words = name;
		wait->class = go_wait_class(name ? name : "", &idle);
		return true;
	}
	if (name && wait_class_from_name(name, &wait->class))
		return true;
	call = part;
	if (!piece_take(&call, "system call "))
		return false;
	wait->class = WAIT_SYSTEM_CALL;
	wait->has_syscall = true;
	if (piece_number(call, INT_MAX, &number)) {
		wait->syscall.number = (long)number;
		return true;
	}
	wait->syscall.name = draft_string(draft, call);
	int known = wait->syscall.name ? seccomp_syscall_resolve_name(wait->syscall.name) : -1;
	wait->syscall.number = known;
	return known >= 0;
}

bool state_line_parse(struct draft *draft, struct piece state, bool of_goroutine,
		      struct state_line *ret)
{
	struct piece part;
	bool understood = true, more = true;
	*ret = (struct state_line){.since_min_ms = -1, .since_max_ms = -1};
	wait_init(&ret->wait);
	ret->wait.syscall.number = -1;
	if (!piece_split(&state, ", ", &part)) {
		part = state;
		more = false;
	}
	understood = take_class(draft, part, of_goroutine, &ret->wait);
	while (more) {
		more = piece_split(&state, ", ", &part);
		if (!more)
			part = state;
		if (piece_equals(part, "idle"))
			ret->wait.idle = true;
		else if (piece_equals(part, "locked to thread"))
			ret->locked_to_thread = true;
		else if (piece_starts(part, "synctest "))
			ret->bubble = draft_string(draft, part);
		else if (!take_since(part, ret) && !take_timeout(part, ret) &&
			 !take_progress(part, ret))
			understood = false;
	}
	return understood;
}

/* --- members ----------------------------------------------------------------------------------- */

bool members_take_ids(struct piece *members, struct members_part *ret)
{
	struct piece rest = *members;
	*ret = (struct members_part){0};
	if (piece_take(&rest, " and ") && piece_take_number(&rest, INT32_MAX, &ret->more) &&
	    piece_take(&rest, " more")) {
		*members = rest;
		return true;
	}
	rest = *members;
	ret->more = 0;
	if (!piece_take(&rest, ", "))
		piece_take(&rest, "; ");
	if (!piece_take_number(&rest, INT64_MAX, &ret->first))
		return false;
	ret->last = ret->first;
	if (piece_take(&rest, "-") &&
	    (!piece_take_number(&rest, INT64_MAX, &ret->last) || ret->last < ret->first))
		return false;
	*members = rest;
	return true;
}

/* Without its quotes, up to the closing one: those within are escaped. */
static bool take_quoted(struct piece *piece, struct text *ret)
{
	struct piece rest = *piece;
	if (!piece_take(&rest, "\""))
		return false;
	ret->length = 0;
	for (; rest.n && rest.s[0] != '"'; rest.s++, rest.n--) {
		if (rest.n > 1 && rest.s[0] == '\\' && rest.s[1] == '"') {
			rest.s++;
			rest.n--;
		}
		text_add_n(ret, rest.s, 1);
	}
	if (!piece_take(&rest, "\""))
		return false;
	*piece = rest;
	return true;
}

const char *members_take_name(struct draft *draft, struct piece *members)
{
	struct piece rest = *members;
	struct text name = {0}, last = {0};
	const char *pooled = NULL;
	if (piece_take(&rest, " ") && take_quoted(&rest, &name)) {
		struct piece after = rest;
		if (piece_take(&after, "..") && take_quoted(&after, &last)) {
			/* Who has which number is not said. */
			rest = after;
			while (name.length && isdigit((unsigned char)name.bytes[name.length - 1]))
				name.length--;
			text_add(&name, "*");
		}
		pooled = strpool_add_n(&draft->dump.strings, name.length ? name.bytes : "",
				       name.length);
		*members = rest;
	}
	text_deinit(&name);
	text_deinit(&last);
	return pooled;
}
