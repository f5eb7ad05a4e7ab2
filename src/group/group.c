#include "group/group.h"

#include "base/cleanup.h"
#include "group/key.h"
#include "group/order.h"

struct by_tid {
	pid_t tid;
	size_t index; /* into the process's threads */
};

/* Open addressing; a slot holds the index of a group plus one. */
struct table {
	size_t *slots;
	uint64_t *hashes;
	size_t mask;
};

static int compare_tids(const void *a, const void *b)
{
	const struct by_tid *x = a, *y = b;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static struct by_tid *threads_by_tid(const struct process *process)
{
	struct by_tid *order = xcalloc(process->threads.count, sizeof(*order));
	for (size_t i = 0; i < process->threads.count; i++)
		order[i] = (struct by_tid){process->threads.items[i].tid, i};
	qsort(order, process->threads.count, sizeof(*order), compare_tids);
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

static struct group *new_group(struct dump *dump, size_t process, const struct thread *thread)
{
	struct group *group = array_append(&dump->groups);
	group->process = process;
	group->class = thread->wait.class;
	group->since_min_ms = group->since_max_ms = -1;
	group->idle = thread->wait.idle;
	return group;
}

static struct group *find_group(struct dump *dump, struct table *table, size_t process,
				const struct thread *thread)
{
	const struct thread *threads = dump->processes.items[process].threads.items;
	uint64_t hash = key_hash(thread);
	size_t i = hash & table->mask;
	for (; table->slots[i]; i = (i + 1) & table->mask) {
		struct group *group = &dump->groups.items[table->slots[i] - 1];
		if (table->hashes[i] == hash &&
		    key_equal(&threads[group->members.items[0]], thread))
			return group;
	}
	struct group *group = new_group(dump, process, thread);
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

static void group_process(struct dump *dump, size_t process)
{
	const struct process *p = &dump->processes.items[process];
	_cleanup_free_ struct by_tid *order = threads_by_tid(p);
	struct table table = table_new(p->threads.count);
	for (size_t i = 0; i < p->threads.count; i++) {
		const struct thread *thread = &p->threads.items[order[i].index];
		add_member(find_group(dump, &table, process, thread), order[i].index, thread);
	}
	table_free(&table);
}

void group_threads(struct dump *dump)
{
	array_for_each (&dump->groups, group)
		array_deinit(&group->members);
	array_deinit(&dump->groups);
	for (size_t i = 0; i < dump->processes.count; i++)
		group_process(dump, i);
	order_groups(dump);
}
