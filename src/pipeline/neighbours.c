#include "pipeline/neighbours.h"

static int compare_ids(const struct thread_id *a, const struct thread_id *b)
{
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

static int by_id(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;
	return compare_ids(&x->id, &y->id);
}

static int by_pid(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

typedef array(pid_t) pid_array;

static void add(struct dump *dump, const struct capture *capture, struct thread_id id)
{
	const struct capture_neighbour *known = capture_neighbour_of(capture, id.pid);
	struct neighbour *neighbour = array_append(&dump->neighbours);
	neighbour->id = id;
	if (!known)
		return;
	neighbour->start_time = known->start_time;
	/* What the process shows is its first thread's. */
	if (id.tid && id.tid != id.pid)
		return;
	neighbour->name = strpool_add(&dump->strings, known->name);
	neighbour->state = known->state;
}

static void add_owners(struct dump *dump, const struct capture *capture, const pid_array *dumped,
		       const struct wait *wait)
{
	if (wait->owner_state == OWNER_EXITED)
		return;
	array_for_each (&wait->owners, owner) {
		if (bsearch(&owner->pid, dumped->items, dumped->count, sizeof(pid_t), by_pid))
			continue;
		add(dump, capture, (struct thread_id){owner->pid, 0});
		if (owner->tid)
			add(dump, capture, *owner);
	}
}

void pipeline_add_neighbours(struct dump *dump, const struct capture *capture)
{
	pid_array dumped = {0};
	array_for_each (&dump->processes, process)
		*array_append(&dumped) = process->pid;
	if (!dumped.count)
		return;
	array_sort(&dumped, by_pid);
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread)
			add_owners(dump, capture, &dumped, &thread->wait);
	}
	array_deinit(&dumped);
	size_t kept = 0;
	struct neighbour *all = dump->neighbours.items;
	if (dump->neighbours.count)
		qsort(all, dump->neighbours.count, sizeof(*all), by_id);
	for (size_t i = 0; i < dump->neighbours.count; i++) {
		if (!kept || by_id(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	}
	dump->neighbours.count = kept;
}
