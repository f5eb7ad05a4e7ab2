#include "group/order.h"

#include "base/cleanup.h"

/* A group with all that its place depends on. */
struct ranked {
	struct group group;
	size_t process_rank;
	enum suspicion suspicion;
	bool is_main;
	uint64_t lowest_number; /* tid or goid */
};

/* A process with its most suspicious group. */
struct leader {
	size_t process;
	const struct ranked *first;
};

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* How urgent: what tells groups of different processes apart as well. */
static int compare_urgency(const struct ranked *a, const struct ranked *b)
{
	int order = compare(a->group.idle, b->group.idle);
	return order ? order : compare(a->suspicion, b->suspicion);
}

/* Unknown durations come after known ones; below a minute all are alike. */
static int64_t minutes(const struct group *group)
{
	return group->since_max_ms < 0 ? -1 : group->since_max_ms / 60000;
}

/* Finer than that, the clocks of two CPUs are not to be compared. */
static int64_t seconds(const struct group *group)
{
	return group->since_max_ms < 0 ? -1 : group->since_max_ms / 1000;
}

static int compare_groups(const struct ranked *a, const struct ranked *b)
{
	int order = compare_urgency(a, b);
	if (!order)
		order = compare(b->is_main, a->is_main);
	if (!order)
		order = compare(minutes(&b->group), minutes(&a->group));
	if (!order)
		order = compare((int64_t)b->group.members.count, (int64_t)a->group.members.count);
	if (!order)
		order = compare(seconds(&b->group), seconds(&a->group));
	if (!order)
		order = compare(a->group.of_goroutines, b->group.of_goroutines);
	if (!order)
		order = (a->lowest_number > b->lowest_number) -
			(a->lowest_number < b->lowest_number);
	return order;
}

static int by_process_and_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = compare((int64_t)x->process_rank, (int64_t)y->process_rank);
	return order ? order : compare_groups(x, y);
}

static int by_first_group(const void *a, const void *b)
{
	const struct leader *x = a, *y = b;
	if (!x->first || !y->first)
		return compare(!x->first, !y->first);
	int order = compare_urgency(x->first, y->first);
	if (!order)
		order = compare(minutes(&y->first->group), minutes(&x->first->group));
	return order ? order : compare((int64_t)x->process, (int64_t)y->process);
}

static void rank_processes(const struct dump *dump, struct ranked *ranked)
{
	size_t count = dump->processes.count;
	_cleanup_free_ struct leader *leaders = xcalloc(count, sizeof(*leaders));
	_cleanup_free_ size_t *ranks = xcalloc(count, sizeof(*ranks));
	for (size_t i = 0; i < count; i++)
		leaders[i].process = i;
	for (size_t i = 0; i < dump->groups.count; i++) {
		struct leader *leader = &leaders[ranked[i].group.process];
		if (!leader->first || compare_groups(&ranked[i], leader->first) < 0)
			leader->first = &ranked[i];
	}
	qsort(leaders, count, sizeof(*leaders), by_first_group);
	for (size_t i = 0; i < count; i++)
		ranks[leaders[i].process] = i;
	for (size_t i = 0; i < dump->groups.count; i++)
		ranked[i].process_rank = ranks[ranked[i].group.process];
}

static struct ranked rank(const struct dump *dump, const struct group *group)
{
	const struct thread *threads = group_threads_of(dump, group);
	uint64_t main_number =
		group->of_goroutines ? 1 : (uint64_t)dump->processes.items[group->process].pid;
	struct ranked ranked = {.group = *group,
				.suspicion = wait_classes[group->class].suspicion,
				.lowest_number = thread_number(&threads[group->members.items[0]])};
	for (size_t i = 0; i < group->members.count && !ranked.is_main; i++)
		ranked.is_main = thread_number(&threads[group->members.items[i]]) == main_number;
	return ranked;
}

void order_groups(struct dump *dump)
{
	size_t count = dump->groups.count;
	if (!count)
		return;
	_cleanup_free_ struct ranked *ranked = xcalloc(count, sizeof(*ranked));
	for (size_t i = 0; i < count; i++)
		ranked[i] = rank(dump, &dump->groups.items[i]);
	rank_processes(dump, ranked);
	qsort(ranked, count, sizeof(*ranked), by_process_and_rank);
	for (size_t i = 0; i < count; i++)
		dump->groups.items[i] = ranked[i].group;
}
