#include "render/select.h"

#include "base/cleanup.h"

#include <fnmatch.h>
#include <string.h>

typedef array(struct thread_id) id_array;

/* What all threads are held against. */
struct selection {
	const struct render_filter *filter;
	id_array owners; /* of what filter->who names */
	id_array shown;	 /* sorted in the end */
};

static int by_id(const void *a, const void *b)
{
	const struct thread_id *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static bool has(const id_array *ids, pid_t pid, pid_t tid)
{
	const struct thread_id key = {pid, tid};
	return ids->count && bsearch(&key, ids->items, ids->count, sizeof(key), by_id);
}

/* Also without what a name has in brackets behind it: the place of a variable, parameters. */
static bool name_matches(const char *pattern, const char *name)
{
	if (!name)
		return false;
	if (fnmatch(pattern, name, 0) == 0)
		return true;
	_cleanup_free_ char *stem = xstrdup(name);
	char *bracket = strrchr(stem, '(');
	if (!bracket || bracket == stem)
		return false;
	bracket -= bracket[-1] == ' ';
	*bracket = '\0';
	return fnmatch(pattern, stem, 0) == 0;
}

bool select_is_asked_for(const struct render_filter *filter, const struct wait *wait)
{
	const struct resource *resource = &wait->resource;
	char *end;
	if (!resource->kind)
		return false;
	uint64_t address = strtoull(filter->who, &end, 16);
	if (strncmp(filter->who, "0x", 2) == 0 && !*end)
		return address && resource->address == address;
	return name_matches(filter->who, resource->name) ||
	       name_matches(filter->who, resource->identity);
}

static bool is_of_threads(const struct render_filter *filter, const struct thread *thread)
{
	for (size_t i = 0; i < filter->thread_count; i++) {
		uint64_t number = filter->threads[i];
		if (thread_number(thread) == number || (uint64_t)thread->tid == number)
			return true;
	}
	return false;
}

static bool has_function(const char *pattern, const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (name_matches(pattern, stack->frames[i].function))
			return true;
	}
	return false;
}

static bool is_selected(const struct selection *selection, const struct process *process,
			const struct thread *thread)
{
	const struct render_filter *filter = selection->filter;
	if (filter->only == ONLY_STUCK && thread->wait.idle)
		return false;
	if (filter->only == ONLY_IDLE && !thread->wait.idle)
		return false;
	if (filter->function && !has_function(filter->function, &thread->stack))
		return false;
	if (filter->thread_count && !is_of_threads(filter, thread))
		return false;
	return !filter->who || select_is_asked_for(filter, &thread->wait) ||
	       has(&selection->owners, process->pid, thread->tid) ||
	       has(&selection->owners, process->pid, 0);
}

static void add_owners(struct selection *selection, const struct thread *threads, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!select_is_asked_for(selection->filter, &threads[i].wait))
			continue;
		array_for_each (&threads[i].wait.owners, owner)
			*array_append(&selection->owners) = *owner;
	}
}

static void find_owners(struct selection *selection, const struct dump *dump)
{
	array_for_each (&dump->processes, process) {
		add_owners(selection, process->threads.items, process->threads.count);
		add_owners(selection, process->goroutines.items, process->goroutines.count);
	}
	array_sort(&selection->owners, by_id);
}

static void add_member(struct group *group, size_t member, int64_t since)
{
	*array_append(&group->members) = member;
	if (since >= 0 && (group->since_min_ms < 0 || since < group->since_min_ms))
		group->since_min_ms = since;
	if (since > group->since_max_ms)
		group->since_max_ms = since;
}

static void select_members(struct selection *selection, const struct dump *dump,
			   const struct group *from, struct dump *view)
{
	const struct process *process = &dump->processes.items[from->process];
	const struct thread *threads = group_threads_of(dump, from);
	struct group group = *from;
	memset(&group.members, 0, sizeof(group.members));
	group.since_min_ms = group.since_max_ms = -1;
	array_for_each (&from->members, member) {
		const struct thread *thread = &threads[*member];
		if (!is_selected(selection, process, thread))
			continue;
		add_member(&group, *member, thread->wait.since_ms);
		*array_append(&selection->shown) = (struct thread_id){process->pid, thread->tid};
	}
	if (group.members.count)
		*array_append(&view->groups) = group;
}

/* A finding about nobody in particular is about all. */
static bool concerns(const struct selection *selection, const struct finding *finding)
{
	array_for_each (&finding->threads, id) {
		if (has(&selection->shown, id->pid, id->tid))
			return true;
	}
	return !finding->threads.count && !selection->filter->thread_count &&
	       !selection->filter->who;
}

void select_view(const struct dump *dump, const struct render_filter *filter, struct dump *view)
{
	struct selection selection = {.filter = filter};
	*view = *dump;
	memset(&view->groups, 0, sizeof(view->groups));
	memset(&view->findings, 0, sizeof(view->findings));
	if (filter->who)
		find_owners(&selection, dump);
	array_for_each (&dump->groups, group)
		select_members(&selection, dump, group, view);
	array_sort(&selection.shown, by_id);
	array_for_each (&dump->findings, finding) {
		if (concerns(&selection, finding))
			*array_append(&view->findings) = *finding;
	}
	array_deinit(&selection.owners);
	array_deinit(&selection.shown);
}

void select_deinit(struct dump *view)
{
	array_for_each (&view->groups, group)
		array_deinit(&group->members);
	array_deinit(&view->groups);
	array_deinit(&view->findings);
}

bool render_filter_matches(const struct dump *dump, const struct render_filter *filter)
{
	struct dump view;
	select_view(dump, filter, &view);
	bool matches = view.groups.count > 0;
	select_deinit(&view);
	return matches;
}
