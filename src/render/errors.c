/* What could not be read, alike things together. */
#include "base/cleanup.h"
#include "render/parts.h"

#include <string.h>

/* Without -v. */
#define MOST_LINES  20
#define MOST_RANGES 12

static int compare_strings(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* All but the thread. */
static int compare_kinds(const struct dump_error *a, const struct dump_error *b)
{
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	int order = compare_strings(a->what, b->what);
	return order ? order : compare_strings(a->why, b->why);
}

static int compare_errors(const void *a, const void *b)
{
	const struct dump_error *const *x = a, *const *y = b;
	int order = compare_kinds(*x, *y);
	return order ? order : ((*x)->tid > (*y)->tid) - ((*x)->tid < (*y)->tid);
}

static void print_threads(struct printer *p, const struct dump_error *const *errors, size_t count)
{
	_cleanup_free_ uint64_t *tids = xcalloc(count, sizeof(*tids));
	size_t distinct = 0;
	for (size_t i = 0; i < count; i++) {
		if (errors[i]->tid && (!distinct || tids[distinct - 1] != (uint64_t)errors[i]->tid))
			tids[distinct++] = (uint64_t)errors[i]->tid;
	}
	if (!distinct)
		return;
	if (distinct > 1)
		print_format(p, " of %zu threads (", distinct);
	else
		print(p, " of thread ");
	print_ids(p, tids, distinct, p->options->verbose ? SIZE_MAX : MOST_RANGES);
	print(p, distinct > 1 ? ")" : "");
}

static void print_line(struct printer *p, const struct dump_error *const *errors, size_t count)
{
	const struct dump_error *error = errors[0];
	print(p, "  ");
	bool is_clear =
		p->dump->processes.count == 1 && p->dump->processes.items[0].pid == error->pid;
	if (error->pid && !is_clear)
		print_format(p, "process %d: ", error->pid);
	print_foreign(p, error->what);
	print_threads(p, errors, count);
	print(p, ": ");
	print_foreign(p, error->why ? error->why : "no reason is known");
	print_end(p);
}

void print_errors(struct printer *p)
{
	size_t count = p->dump->errors.count, lines = 0;
	if (!count)
		return;
	_cleanup_free_ const struct dump_error **errors = xcalloc(count, sizeof(*errors));
	for (size_t i = 0; i < count; i++)
		errors[i] = &p->dump->errors.items[i];
	qsort(errors, count, sizeof(*errors), compare_errors);
	print_end(p);
	print_styled(p, STYLE_TITLE, "Could not be read:");
	print_end(p);
	for (size_t first = 0, end; first < count; first = end, lines++) {
		if (lines == MOST_LINES && !p->options->verbose) {
			print_format(p, "  and %zu more (-v says which)", count - first);
			print_end(p);
			return;
		}
		end = first + 1;
		while (end < count && compare_kinds(errors[first], errors[end]) == 0)
			end++;
		print_line(p, errors + first, end - first);
	}
}
