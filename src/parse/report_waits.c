/* What a group waits on, and who has to act. */
#include "parse/report_lines.h"

#include "render/words.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#define MOST_OWNERS 32 /* each member of a group has a copy */

#define NOT_HERE " (not in this dump)"

/* What a name follows as a rule; all other words are taken for the kind as a whole. */
static const char *const named_kinds[] = {"mutex",
					  "rwlock",
					  "condition variable",
					  "semaphore",
					  "barrier",
					  "stdio lock",
					  "futex",
					  "static initialiser",
					  "once",
					  "pipe",
					  "fifo",
					  "file",
					  "thread",
					  "tty",
					  "child process",
					  "python lock",
					  "java monitor"};

/* "(name)" up to a closing one that ends a word: a name may have some itself. */
static bool take_name(struct piece *piece, struct piece *ret)
{
	struct piece rest = *piece;
	if (piece_starts(rest, NOT_HERE) || !piece_take(&rest, " ("))
		return false;
	for (size_t i = 0; i < rest.n; i++) {
		struct piece after = {rest.s + i + 1, rest.n - i - 1};
		if (rest.s[i] == ')' && (!after.n || after.s[0] == ' ' || after.s[0] == ',')) {
			*ret = (struct piece){rest.s, i};
			*piece = after;
			return true;
		}
	}
	return false;
}

bool thread_id_take(struct piece *piece, pid_t home, struct thread_id *ret, struct piece *ret_name)
{
	struct piece rest = *piece, name = {0}, ignored;
	uint64_t number, pid;
	bool is_thread = piece_take(&rest, "thread ");
	if ((!is_thread && !piece_take(&rest, "process ")) ||
	    !piece_take_number(&rest, INT_MAX, &number) || !number)
		return false;
	take_name(&rest, &name);
	*ret = is_thread ? (struct thread_id){home, (pid_t)number}
			 : (struct thread_id){(pid_t)number, 0};
	if (is_thread && piece_take(&rest, " of process ")) {
		if (!piece_take_number(&rest, INT_MAX, &pid))
			return false;
		ret->pid = (pid_t)pid;
		take_name(&rest, &ignored);
	}
	*ret_name = name;
	*piece = rest;
	return true;
}

static void note_name(struct draft *draft, struct thread_id id, struct piece name)
{
	struct neighbour *neighbour = array_append(&draft->dump.neighbours);
	neighbour->id = id;
	neighbour->name = draft_string(draft, name);
}

/* Those of pipes and sockets are all known, unless it is said that there may be others. */
static bool names_all_owners(enum wait_class class)
{
	return class == WAIT_PIPE_READ || class == WAIT_PIPE_WRITE || class == WAIT_SOCKET_READ ||
	       class == WAIT_SOCKET_WRITE;
}

static bool take_owners(struct draft *draft, struct piece list, pid_t home, struct wait *wait)
{
	struct thread_id id;
	struct piece name;
	uint64_t more;
	while (wait->owners.count < MOST_OWNERS && thread_id_take(&list, home, &id, &name)) {
		*array_append(&wait->owners) = id;
		note_name(draft, id, name);
		piece_take(&list, NOT_HERE);
		if (!list.n && isdigit((unsigned char)list.s[-1]))
			*array_append(&draft->unfinished) = id;
		if (!piece_take(&list, ", ") && !piece_take(&list, " and "))
			break;
	}
	if (piece_take_number(&list, INT32_MAX, &more) && piece_take(&list, " more"))
		dump_add_error(&draft->dump, home, 0, "owners",
			       "the text leaves out %d of those who must act for a wait to end",
			       (int)more);
	bool has_others = piece_take(&list, "maybe others");
	wait->reach = has_others || !names_all_owners(wait->class) ? REACH_ANYBODY : REACH_OWNERS;
	return wait->owners.count && !list.n;
}

/* Cuts the words for an owner's state off the end. */
static enum owner_state take_state(struct piece *line)
{
	for (int i = 0; i < OWNER_STATES; i++) {
		struct piece rest = *line;
		if (!owner_state_words[i] || !piece_take_end(&rest, owner_state_words[i]))
			continue;
		if (!rest.n || piece_take_end(&rest, ", ")) {
			*line = rest;
			return (enum owner_state)i;
		}
	}
	if (piece_take_end(line, ", held by a thread that has exited") ||
	    piece_take_end(line, "held by a thread that has exited"))
		return OWNER_EXITED;
	return OWNER_NOBODY;
}

/* "held by thread 5", with ", likely " or ", " before it where something stands before. */
static bool take_held(struct draft *draft, struct piece *line, pid_t home, struct wait *wait)
{
	const char *owner = wait_words[wait->class].owner;
	struct piece rest = *line, before = {line->s, 0};
	size_t at = 0;
	for (;;) {
		struct piece list = rest;
		struct piece likely = list;
		bool is_likely = piece_take(&likely, "likely ");
		if (is_likely)
			list = likely;
		if (piece_take(&list, owner) && piece_take(&list, " ") &&
		    (piece_starts(list, "thread ") || piece_starts(list, "process "))) {
			wait->owner_confidence = is_likely ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;
			line->n = at;
			return take_owners(draft, list, home, wait);
		}
		if (!piece_split(&rest, ", ", &before))
			return false;
		at = (size_t)(before.s + before.n - line->s);
	}
}

static void take_kind(struct draft *draft, struct piece rest, struct resource *resource)
{
	struct piece kind = rest, after, word;
	/* "unix socket:[1234]": the kernel's name for it, of which the kind says a part. */
	if (piece_split_end(&kind, ":[", &after) && kind.n) {
		word = kind;
		struct piece first = kind;
		if (piece_split_end(&first, " ", &word) && !word.n)
			word = kind;
		resource->kind = draft_string(draft, kind);
		word.n = (size_t)(rest.s + rest.n - word.s);
		resource->identity = draft_string(draft, word);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(named_kinds); i++) {
		struct piece name = rest;
		if (piece_take(&name, named_kinds[i]) && (!name.n || piece_take(&name, " "))) {
			resource->kind = strpool_add(&draft->dump.strings, named_kinds[i]);
			resource->name = draft_string(draft, name);
			return;
		}
	}
	resource->kind = draft_string(draft, rest);
}

/* "mutex current (bank.c:11) fd 3 at 0x5581 (3 waiting)" */
static void take_resource(struct draft *draft, struct piece rest, struct resource *resource)
{
	struct piece after, before = rest, detail;
	uint64_t number;
	bool has_end = false;
	if (piece_split_end(&before, " at 0x", &after) || piece_split_end(&before, " 0x", &after)) {
		struct piece hex = {after.s - 2, after.n + 2};
		if (piece_take_hex(&hex, &number) && (!hex.n || hex.s[0] == ' ')) {
			resource->address = number;
			after = hex;
			rest = before;
			has_end = true;
		}
	}
	before = rest;
	struct piece fd;
	if (piece_split_end(&before, " fd ", &fd) && piece_take_number(&fd, INT_MAX, &number) &&
	    (!fd.n || (!has_end && fd.s[0] == ' '))) {
		resource->fd = (int)number;
		after = has_end ? after : fd;
		rest = before;
		has_end = true;
	}
	detail = after;
	if (has_end && piece_take(&detail, " (") && piece_take_end(&detail, ")") &&
	    !piece_equals(detail, "details differ"))
		resource->detail = draft_string(draft, detail);
	take_kind(draft, rest, resource);
}

bool waiting_line_parse(struct draft *draft, struct piece line, pid_t home, struct wait *ret)
{
	bool has_resource = piece_take(&line, "on ");
	size_t length = line.n;
	enum owner_state state = take_state(&line);
	bool has_owners = take_held(draft, &line, home, ret);
	if (!has_resource && !has_owners && (state == OWNER_NOBODY || line.n))
		return false;
	ret->owner_state = has_owners && state == OWNER_NOBODY ? OWNER_ALIVE : state;
	if (has_resource && line.n)
		take_resource(draft, line, &ret->resource);
	return has_resource || line.n < length;
}
