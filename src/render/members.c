/*
 * Who is in a group: "4245-4254, 4260 "worker-1".."worker-10"; 4300 "io"".  Names that differ only
 * in the number at their end are one entry, which says the lowest and the highest.
 */
#include "base/cleanup.h"
#include "render/parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* Without -v; a line is to be read by people.  The JSON dump has them all. */
#define MOST_RANGES  12
#define MOST_ENTRIES 8

struct member {
	uint64_t id; /* tid or goid */
	const char *name;
	size_t stem; /* length of the name without its number */
	uint64_t number;
};

/* Members [first, end) of one stem. */
struct entry {
	size_t first, end;
	uint64_t lowest_id;
};

/* No more digits than a uint64_t holds for sure. */
#define MOST_DIGITS 18

/* A text may have named fewer than it counted. */
static uint64_t id_of(const struct thread *thread)
{
	bool is_known = thread->goroutine ? thread->goroutine->goid || thread->goroutine->system
					  : thread->tid != 0;
	return is_known ? thread_number(thread) : ID_UNKNOWN;
}

static struct member make_member(const struct thread *thread)
{
	struct member member = {.id = id_of(thread), .name = thread->name};
	if (!member.name)
		return member;
	size_t length = strlen(member.name), digits = 0;
	while (digits < length && digits < MOST_DIGITS &&
	       isdigit((unsigned char)member.name[length - digits - 1]))
		digits++;
	member.stem = length - digits;
	if (digits)
		member.number = strtoull(member.name + member.stem, NULL, 10);
	return member;
}

static int compare_stems(const struct member *a, const struct member *b)
{
	if (!a->name || !b->name)
		return (a->name != NULL) - (b->name != NULL);
	if (a->stem != b->stem)
		return a->stem < b->stem ? -1 : 1;
	return memcmp(a->name, b->name, a->stem);
}

static int by_stem_and_id(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = compare_stems(x, y);
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int by_lowest_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return (x->lowest_id > y->lowest_id) - (x->lowest_id < y->lowest_id);
}

static size_t range_end(const uint64_t *ids, size_t count, size_t first)
{
	size_t end = first + 1;
	while (end < count && ids[end] == ids[end - 1] + 1)
		end++;
	return end - first > 2 ? end : first + 1;
}

void print_ids(struct printer *p, const uint64_t *ids, size_t count, size_t most)
{
	size_t ranges = 0, known = count, first = 0;
	while (known && ids[known - 1] == ID_UNKNOWN)
		known--;
	for (size_t end; first < known && ranges < most; first = end, ranges++) {
		end = range_end(ids, known, first);
		print_format(p, "%s%" PRIu64, first ? ", " : "", ids[first]);
		if (end - first > 1)
			print_format(p, "-%" PRIu64, ids[end - 1]);
	}
	if (first < count)
		print_format(p, " and %zu more", count - first);
}

static int compare_names(const struct member *a, const struct member *b)
{
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name); /* "w1" and "w01" */
}

static void print_names(struct printer *p, const struct member *members, size_t count)
{
	const struct member *low = members, *high = members;
	if (!members->name)
		return;
	for (size_t i = 1; i < count; i++) {
		if (compare_names(&members[i], low) < 0)
			low = &members[i];
		if (compare_names(&members[i], high) > 0)
			high = &members[i];
	}
	print(p, " ");
	print_quoted(p, low->name);
	if (compare_names(low, high) != 0) {
		print(p, "..");
		print_quoted(p, high->name);
	}
}

static void print_entry(struct printer *p, const struct member *members, size_t count)
{
	_cleanup_free_ uint64_t *ids = xcalloc(count, sizeof(*ids));
	for (size_t i = 0; i < count; i++)
		ids[i] = members[i].id;
	print_ids(p, ids, count, p->options->verbose ? SIZE_MAX : MOST_RANGES);
	print_names(p, members, count);
}

/* Members must be sorted by stem; the entries come out by their lowest id. */
static size_t find_entries(const struct member *members, size_t count, struct entry *entries)
{
	size_t found = 0;
	for (size_t first = 0, end; first < count; first = end) {
		end = first + 1;
		while (end < count && compare_stems(&members[first], &members[end]) == 0)
			end++;
		entries[found++] = (struct entry){first, end, members[first].id};
	}
	qsort(entries, found, sizeof(*entries), by_lowest_id);
	return found;
}

void print_members(struct printer *p, const struct group *group)
{
	const struct thread *threads = group_threads_of(p->dump, group);
	size_t count = group->members.count, shown = 0;
	_cleanup_free_ struct member *members = xcalloc(count, sizeof(*members));
	_cleanup_free_ struct entry *entries = xcalloc(count, sizeof(*entries));
	for (size_t i = 0; i < count; i++)
		members[i] = make_member(&threads[group->members.items[i]]);
	qsort(members, count, sizeof(*members), by_stem_and_id);
	size_t found = find_entries(members, count, entries);
	for (size_t i = 0; i < found; i++) {
		if (i == MOST_ENTRIES && !p->options->verbose) {
			print_format(p, " and %zu more", count - shown);
			return;
		}
		bool has_id = members[entries[i].first].id != ID_UNKNOWN;
		print(p, i && has_id ? "; " : "");
		print_entry(p, members + entries[i].first, entries[i].end - entries[i].first);
		shown += entries[i].end - entries[i].first;
	}
}
