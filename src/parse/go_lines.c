#include "parse/go_lines.h"

#include <limits.h>

/* "chan receive (scan)": only that the garbage collector was looking at it. */
#define SCANNED " (scan)"

static void take_part(struct go_header *header, struct piece part)
{
	struct piece rest = part;
	uint64_t minutes;
	if (piece_take_end(&rest, " minutes") && piece_number(rest, INT64_MAX / 60000, &minutes)) {
		header->minutes = (int64_t)minutes;
	} else if (piece_equals(part, "locked to thread")) {
		header->locked_to_thread = true;
	} else if (piece_starts(part, "synctest ")) {
		header->bubble = part;
	} else {
		/* All parts are of one line: what is not known stays with the words. */
		header->words.n = (size_t)(part.s + part.n - header->words.s);
	}
}

/* "select, 5 minutes, locked to thread labels:{"k": "v"}" */
static void take_state(struct go_header *header, struct piece state)
{
	struct piece part, before;
	struct piece rest = state;
	header->minutes = -1;
	if (piece_ends(state, "}") && piece_split(&rest, " labels:", &before)) {
		header->labels = rest;
		state = before;
	}
	header->words = (struct piece){state.s, 0};
	while (piece_split(&state, ", ", &part))
		take_part(header, part);
	take_part(header, state);
	piece_take_end(&header->words, SCANNED);
}

/* " gp=0xc0000021c0 m=0 mp=0x563a80" */
static void skip_addresses(struct piece *rest)
{
	static const char *const keys[] = {" gp=", " m=", " mp="};
	uint64_t value;
	for (int i = 0; i < 3; i++) {
		struct piece after = *rest;
		if (piece_take(&after, keys[i]) &&
		    (piece_take(&after, "nil") || piece_take_hex(&after, &value) ||
		     piece_take_number(&after, INT64_MAX, &value)))
			*rest = after;
	}
}

static bool take_header(struct piece rest, struct go_header *ret)
{
	if (!piece_take_number(&rest, INT64_MAX, &ret->goid))
		return false;
	skip_addresses(&rest);
	if (!piece_take(&rest, " [") || !piece_take_end(&rest, "]:") || !rest.n)
		return false;
	take_state(ret, rest);
	return true;
}

/* "42 in state select, with main.f on top of the stack:" */
static bool take_goleak_header(struct piece rest, struct go_header *ret)
{
	struct piece state;
	if (!piece_take_number(&rest, INT64_MAX, &ret->goid) || !piece_take(&rest, " in state ") ||
	    !piece_split(&rest, ", with ", &state) || !state.n)
		return false;
	take_state(ret, state);
	/* The list stands in brackets; its elements are separated by a blank. */
	if (!piece_take_end(&ret->prefix, "["))
		piece_take_end(&ret->prefix, " ");
	return true;
}

static bool take_runtime_header(struct piece line, struct go_header *ret)
{
	*ret = (struct go_header){.minutes = -1, .prefix = line};
	if (!piece_take_end(&ret->prefix, "runtime stack:"))
		return false;
	ret->words = (struct piece){line.s + ret->prefix.n, line.n - ret->prefix.n - 1};
	return true;
}

bool go_header_parse(struct piece line, struct go_header *ret)
{
	bool is_goleak = piece_ends(line, " on top of the stack:");
	struct piece rest = line, before, function;
	if (!piece_ends(line, ":"))
		return false;
	/* No header begins after the last of these, which each would look for. */
	if (is_goleak && !piece_split_end(&rest, ", with ", &function))
		return false;
	while (piece_split(&rest, is_goleak ? "Goroutine " : "goroutine ", &before)) {
		struct piece from = {rest.s, (size_t)(line.s + line.n - rest.s)};
		*ret = (struct go_header){.minutes = -1};
		ret->prefix = (struct piece){line.s, (size_t)(before.s + before.n - line.s)};
		if (is_goleak ? take_goleak_header(from, ret) : take_header(from, ret))
			return true;
	}
	return take_runtime_header(line, ret);
}

bool go_call_parse(struct piece line, struct piece *ret_function, bool *ret_inlined)
{
	struct piece arguments;
	if (!piece_take_end(&line, ")") || !piece_split_end(&line, "(", &arguments) || !line.n)
		return false;
	*ret_function = line;
	*ret_inlined = piece_equals(arguments, "...");
	return true;
}

static bool take_end_hex(struct piece *piece, const char *key, uint64_t *ret)
{
	struct piece before = *piece, number;
	uint64_t value;
	if (!piece_split_end(&before, key, &number) || !piece_take_hex(&number, &value) || number.n)
		return false;
	*piece = before;
	*ret = value;
	return true;
}

bool go_place_parse(struct piece line, struct go_place *ret)
{
	struct piece number;
	uint64_t value;
	*ret = (struct go_place){0};
	/* Terminals make blanks of the tab. */
	if (!piece_take(&line, "\t") && !piece_take(&line, "    "))
		return false;
	while (piece_take(&line, " "))
		;
	if (piece_take(&line, "pc=")) /* of C, without a name */
		return piece_take_hex(&line, &ret->pc) && !line.n;
	take_end_hex(&line, " pc=", &ret->pc);
	take_end_hex(&line, " sp=", &value);
	take_end_hex(&line, " fp=", &value);
	ret->has_offset = take_end_hex(&line, " +", &ret->offset) && ret->offset <= INT64_MAX;
	if (!ret->has_offset)
		ret->offset = 0;
	if (!piece_split_end(&line, ":", &number) || !piece_number(number, UINT_MAX, &value) ||
	    !line.n)
		return false;
	ret->file = line;
	ret->line = (unsigned)value;
	return true;
}

bool go_creator_parse(struct piece line, struct piece *ret_function, uint64_t *ret_goid)
{
	struct piece function = line, number;
	if (!piece_take(&line, "created by ") || !line.n)
		return false;
	function = line;
	*ret_goid = 0;
	if (piece_split_end(&function, " in goroutine ", &number) && function.n &&
	    piece_number(number, INT64_MAX, ret_goid))
		line = function;
	*ret_function = line;
	return true;
}

bool go_elided_parse(struct piece line, uint64_t *ret_frames)
{
	if (!piece_take(&line, "...") || !piece_take_end(&line, " frames elided..."))
		return false;
	*ret_frames = 0;
	return piece_equals(line, "additional") || piece_number(line, INT64_MAX, ret_frames);
}

bool go_foreign_parse(struct piece line, uint64_t *ret_pc)
{
	return piece_take(&line, "non-Go function at pc=") && piece_take_hex(&line, ret_pc) &&
	       !line.n;
}

bool go_is_register(struct piece line)
{
	struct piece name;
	uint64_t value;
	if (!piece_split(&line, " ", &name) || !name.n || name.n > 6)
		return false;
	while (piece_take(&line, " "))
		;
	return piece_take_hex(&line, &value) && !line.n;
}

bool go_occasion_parse(struct piece line, struct piece *ret)
{
	static const char *const words[] = {"SIGQUIT: quit", "SIGABRT: abort", "fatal error: ",
					    "panic: ", "found unexpected goroutines:"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t at = piece_find(line, words[i]);
		if (at < line.n) {
			*ret = (struct piece){line.s + at, line.n - at};
			piece_take_end(ret, ":");
			return true;
		}
	}
	return false;
}
