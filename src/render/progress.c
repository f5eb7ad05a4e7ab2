/* What several samples have shown of threads. */
#include "render/parts.h"

#include <inttypes.h>

static bool is_told(enum progress progress)
{
	return progress != PROGRESS_NONE && progress != PROGRESS_UNKNOWN;
}

/* "stuck" when all are, and `counted` is false; else "3 stuck, 1 moved". */
static void print_counts(struct printer *p, const char *before, const size_t counts[PROGRESSES],
			 size_t total, bool counted)
{
	for (unsigned i = 0; i < PROGRESSES; i++) {
		if (!counts[i] || !is_told((enum progress)i))
			continue;
		print(p, before);
		if (counts[i] < total || counted)
			print_format(p, "%zu ", counts[i]);
		print(p, progress_names[i]);
		before = ", ";
	}
}

void print_progress(struct printer *p, const char *before, const struct group *group)
{
	const struct thread *threads = group_threads_of(p->dump, group);
	size_t counts[PROGRESSES] = {0};
	array_for_each (&group->members, member)
		counts[threads[*member].progress]++;
	print_counts(p, before, counts, group->members.count, false);
}

void print_finding_progress(struct printer *p, const struct finding *finding)
{
	size_t counts[PROGRESSES] = {0}, told = 0;
	array_for_each (&finding->threads, id) {
		const struct thread_entry *entry = printer_thread(p, *id);
		if (!entry)
			continue;
		counts[entry->thread->progress]++;
		told += is_told(entry->thread->progress);
	}
	if (!told)
		return;
	print_format(p, "  Over %" PRId64 ".%" PRId64 " s: ", p->dump->watched_ms / 1000,
		     p->dump->watched_ms / 100 % 10);
	print_counts(p, "", counts, told, told > 1);
	print(p, ".");
	print_end(p);
}
