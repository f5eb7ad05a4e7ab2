/* Groups that have grown. */
#include "base/cleanup.h"
#include "diff/diff.h"
#include "diff/key.h"

#include <fnmatch.h>
#include <string.h>

static bool matches(const char *glob, const char *s)
{
	return s && fnmatch(glob, s, 0) == 0;
}

static bool module_matches(const char *glob, const char *path)
{
	if (!path || strchr(glob, '/'))
		return matches(glob, path);
	size_t length;
	const char *base = module_base(path, &length);
	_cleanup_free_ char *name = xstrndup(base, length);
	return matches(glob, name);
}

static bool stack_matches(const struct ignore *ignore, const struct stack *stack)
{
	const struct frame *place = stack_place(stack);
	if (ignore->kind == IGNORE_TOP)
		return place && matches(ignore->glob, place->function);
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (ignore->kind == IGNORE_FUNCTION ? matches(ignore->glob, frame->function)
						    : module_matches(ignore->glob, frame->module))
			return true;
	}
	return false;
}

/* One group's check.  Its threads share all but their names. */
struct check {
	const struct diff *diff;
	struct ignore *ignores;
	size_t count;
};

static bool is_ignored_group(const struct check *check, const struct group_diff *group)
{
	bool ignored = false;
	for (size_t i = 0; i < check->count; i++) {
		struct ignore *ignore = &check->ignores[i];
		if (ignore->kind == IGNORE_NAME || !stack_matches(ignore, &group->thread->stack))
			continue;
		ignored = true;
		ignore->used = ignore->used || group->after > 0;
	}
	return ignored;
}

static bool is_ignored_name(const struct check *check, const struct thread *thread, bool is_new)
{
	bool ignored = false;
	for (size_t i = 0; i < check->count; i++) {
		struct ignore *ignore = &check->ignores[i];
		if (ignore->kind != IGNORE_NAME || !matches(ignore->glob, thread->name))
			continue;
		ignored = true;
		ignore->used = ignore->used || is_new;
	}
	return ignored;
}

static void check_group(const struct check *check, size_t index, size_t allow, struct diff *diff)
{
	const struct group_diff *group = &diff->groups.items[index];
	bool passed_over = is_ignored_group(check, group);
	size_t before = 0, after = 0;
	struct leak leak = {.group = index};
	array_for_each (&group->members, member) {
		const struct thread_diff *thread = &diff->threads.items[*member];
		bool was_there = thread->old && thread->old_group == index;
		bool is_there = thread->new && thread->group == index;
		if (is_ignored_name(check, thread->new ? thread->new : thread->old, is_there))
			continue;
		before += was_there;
		after += is_there;
		if (is_there && (!diff->same_run || thread->progress == PROGRESS_NEW))
			*array_append(&leak.members) = *member;
	}
	leak.grown = after > before ? after - before : 0;
	if (leak.grown > leak.members.count)
		leak.grown = leak.members.count;
	if (passed_over || leak.grown <= allow) {
		array_deinit(&leak.members);
		return;
	}
	*array_append(&diff->leaks) = leak;
}

void diff_find_leaks(struct diff *diff, size_t allow, struct ignore *ignores, size_t count)
{
	struct check check = {diff, ignores, count};
	diff->leaks_sought = true;
	for (size_t i = 0; i < diff->groups.count; i++)
		check_group(&check, i, allow, diff);
}
