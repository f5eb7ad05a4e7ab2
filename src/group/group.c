#include "group/group.h"

#include "base/cleanup.h"
#include "group/key.h"
#include "group/order.h"

struct by_number {
	uint64_t number; /* tid or goid */
	size_t index;
};

/* The threads of a process, or its goroutines. */
struct crowd {
	size_t process;
	bool of_goroutines;
	const struct thread *threads;
	size_t count;
};

/* Open addressing; a slot holds the index of a group plus one. */
struct table {
	size_t *slots;
	uint64_t *hashes;
	size_t mask;
};

static int compare_numbers(const void *a, const void *b)
{
	const struct by_number *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static struct by_number *crowd_by_number(const struct crowd *crowd)
{
	struct by_number *order = xcalloc(crowd->count, sizeof(*order));
	for (size_t i = 0; i < crowd->count; i++)
		order[i] = (struct by_number){thread_number(&crowd->threads[i]), i};
	qsort(order, crowd->count, sizeof(*order), compare_numbers);
	return order;
}

static struct table table_new(size_t entries)
{
	size_t size = 16;
	while (size < entries * 2)
		size *= 2;
	return (struct table){.slots = xcalloc(size, sizeof(size_t)),
			      .hashes = xcalloc(size, sizeof(uint64_t)),
			      .mask = size - 1};
}

static void table_free(struct table *table)
{
	free(table->slots);
	free(table->hashes);
}

static struct group *new_group(struct dump *dump, const struct crowd *crowd,
			       const struct thread *thread)
{
	struct group *group = array_append(&dump->groups);
	group->process = crowd->process;
	group->of_goroutines = crowd->of_goroutines;
	group->class = thread->wait.class;
	group->since_min_ms = group->since_max_ms = -1;
	group->idle = thread->wait.idle;
	return group;
}

static struct group *find_group(struct dump *dump, struct table *table, const struct crowd *crowd,
				const struct thread *thread)
{
	uint64_t hash = key_hash(thread);
	size_t i = hash & table->mask;
	for (; table->slots[i]; i = (i + 1) & table->mask) {
		struct group *group = &dump->groups.items[table->slots[i] - 1];
		if (table->hashes[i] == hash &&
		    key_equal(&crowd->threads[group->members.items[0]], thread))
			return group;
	}
	struct group *group = new_group(dump, crowd, thread);
	table->slots[i] = dump->groups.count;
	table->hashes[i] = hash;
	return group;
}

static void add_member(struct group *group, size_t index, const struct thread *thread)
{
	int64_t since = thread->wait.since_ms;
	*array_append(&group->members) = index;
	if (since < 0)
		return;
	if (group->since_min_ms < 0 || since < group->since_min_ms)
		group->since_min_ms = since;
	if (since > group->since_max_ms)
		group->since_max_ms = since;
}

static void group_crowd(struct dump *dump, const struct crowd *crowd)
{
	_cleanup_free_ struct by_number *order = crowd_by_number(crowd);
	struct table table = table_new(crowd->count);
	for (size_t i = 0; i < crowd->count; i++) {
		const struct thread *thread = &crowd->threads[order[i].index];
		add_member(find_group(dump, &table, crowd, thread), order[i].index, thread);
	}
	table_free(&table);
}

void group_threads(struct dump *dump)
{
	array_for_each (&dump->groups, group)
		array_deinit(&group->members);
	array_deinit(&dump->groups);
	for (size_t i = 0; i < dump->processes.count; i++) {
		const struct process *process = &dump->processes.items[i];
		group_crowd(dump, &(struct crowd){.process = i,
						  .threads = process->threads.items,
						  .count = process->threads.count});
		group_crowd(dump, &(struct crowd){.process = i,
						  .of_goroutines = true,
						  .threads = process->goroutines.items,
						  .count = process->goroutines.count});
	}
	order_groups(dump);
}
