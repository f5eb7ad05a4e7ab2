/* --who: who holds what was asked for, and how many wait for it. */
#include "render/parts.h"
#include "render/select.h"

/* Of a pattern that many names match. */
#define MOST_RESOURCES 20

static size_t count_among(const struct printer *p, const struct thread *threads, size_t count,
			  const struct resource *resource)
{
	size_t waiting = 0;
	for (size_t i = 0; i < count; i++)
		waiting += select_is_asked_for(p->options->filter, &threads[i].wait) &&
			   resource_is(&threads[i].wait.resource, resource);
	return waiting;
}

/* Also of those that another filter leaves out. */
static size_t count_waiting(const struct printer *p, const struct resource *resource)
{
	size_t count = 0;
	array_for_each (&p->dump->processes, process) {
		count += count_among(p, process->threads.items, process->threads.count, resource);
		count += count_among(p, process->goroutines.items, process->goroutines.count,
				     resource);
	}
	return count;
}

static void print_one(struct printer *p, const struct wait *wait)
{
	const struct dump *dump = p->dump;
	size_t waiting = count_waiting(p, &wait->resource);
	print_end(p);
	print_resource(p, &wait->resource, true);
	print_detail(p, &wait->resource);
	print_owners(p, ", ", wait, dump->processes.count == 1 ? dump->processes.items[0].pid : 0,
		     true);
	print_format(p, "; %zu %s for it.", waiting,
		     waiting == 1 ? "thread waits" : "threads wait");
	print_end(p);
}

void print_who(struct printer *p)
{
	const struct resource *told[MOST_RESOURCES];
	size_t count = 0;
	if (!p->options->filter || !p->options->filter->who)
		return;
	array_for_each (&p->dump->groups, group) {
		const struct thread *threads = group_threads_of(p->dump, group);
		const struct wait *wait = &threads[group->members.items[0]].wait;
		bool is_known = !select_is_asked_for(p->options->filter, wait);
		for (size_t i = 0; i < count; i++)
			is_known = is_known || resource_is(told[i], &wait->resource);
		if (is_known)
			continue;
		if (count == MOST_RESOURCES) {
			print(p, "... and more");
			print_end(p);
			return;
		}
		told[count++] = &wait->resource;
		print_one(p, wait);
	}
}
