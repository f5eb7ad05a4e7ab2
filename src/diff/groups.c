#include "diff/groups.h"

#include "base/address_map.h"
#include "base/cleanup.h"
#include "diff/key.h"

struct builder {
	struct diff *diff;
	struct address_map first; /* by hash: the first group that has it, as its index plus one */
	array(size_t) next;	  /* by group: the next one with its hash, plus one */
};

static bool is_place_of(const struct builder *builder, const struct group_diff *group,
			size_t process, const struct thread *thread)
{
	const struct thread_diff *member = &builder->diff->threads.items[group->members.items[0]];
	if (builder->diff->same_run && member->process != process)
		return false;
	return place_equal(group->thread, thread, builder->diff->by_name);
}

static size_t add_group(struct builder *builder, uint64_t hash, const struct process *process,
			const struct thread *thread)
{
	struct group_diff *group = array_append(&builder->diff->groups);
	size_t index = builder->diff->groups.count - 1;
	group->process = process;
	group->thread = thread;
	uintptr_t first = (uintptr_t)address_map_get(&builder->first, hash);
	size_t *next = array_append(&builder->next);
	if (!first) {
		address_map_put(&builder->first, hash, (void *)(uintptr_t)(index + 1));
	} else {
		*next = builder->next.items[first - 1];
		builder->next.items[first - 1] = index + 1;
	}
	return index;
}

static size_t group_of(struct builder *builder, size_t member, const struct process *process,
		       const struct thread *thread)
{
	struct diff *diff = builder->diff;
	size_t pair = diff->threads.items[member].process;
	uint64_t hash = hash_mix(place_hash(thread, diff->by_name), diff->same_run ? pair : 0);
	size_t index = (uintptr_t)address_map_get(&builder->first, hash);
	while (index && !is_place_of(builder, &diff->groups.items[index - 1], pair, thread))
		index = builder->next.items[index - 1];
	if (!index)
		index = add_group(builder, hash, process, thread) + 1;
	*array_append(&diff->groups.items[index - 1].members) = member;
	return index - 1;
}

static bool is_at_rest(const struct thread *thread)
{
	return thread->wait.idle || thread->wait.class == WAIT_EXITED ||
	       thread->wait.class == WAIT_IO_URING_WORKER;
}

/* The new dump's threads first, so that they stand for their groups. */
static void add_new(struct builder *builder, size_t member)
{
	struct diff *diff = builder->diff;
	struct thread_diff *thread = &diff->threads.items[member];
	if (!thread->new)
		return;
	thread->group =
		group_of(builder, member, diff->processes.items[thread->process].new, thread->new);
	struct group_diff *group = &diff->groups.items[thread->group];
	group->in_new = true;
	group->idle = (group->after == 0 || group->idle) && is_at_rest(thread->new);
	group->after++;
	group->count[thread->progress]++;
	group->waited_for =
		group->waited_for || (thread->waited_for && thread->progress == PROGRESS_STUCK);
}

static void add_old(struct builder *builder, size_t member)
{
	struct diff *diff = builder->diff;
	struct thread_diff *thread = &diff->threads.items[member];
	if (!thread->old)
		return;
	/* Almost all are where they were: ask there first. */
	if (thread->new &&place_equal(thread->new, thread->old, diff->by_name)) {
		thread->old_group = thread->group;
		diff->groups.items[thread->group].before++;
		return;
	}
	thread->old_group =
		group_of(builder, member, diff->processes.items[thread->process].old, thread->old);
	struct group_diff *group = &diff->groups.items[thread->old_group];
	group->before++;
	if (thread->new) {
		group->left++;
		return;
	}
	thread->group = thread->old_group;
	group->count[thread->progress]++;
}

enum rank {
	RANK_NEW,
	RANK_WAITED_FOR,
	RANK_STUCK,
	RANK_CYCLING,
	RANK_SPINNING,
	RANK_MOVED,
	RANK_GONE,
	RANK_UNKNOWN,
	RANK_SAME, /* of another run */
	RANK_IDLE,
};

static enum rank rank_of(const struct diff *diff, const struct group_diff *group)
{
	const size_t *count = group->count;
	if (!diff->same_run && group->after != group->before)
		return group->after > group->before ? RANK_NEW : RANK_GONE;
	if (!diff->same_run)
		return group->idle ? RANK_IDLE : RANK_SAME;
	if (count[PROGRESS_NEW])
		return RANK_NEW;
	if (count[PROGRESS_STUCK] && !group->idle)
		return group->waited_for ? RANK_WAITED_FOR : RANK_STUCK;
	if (count[PROGRESS_CYCLING] && !group->idle)
		return RANK_CYCLING;
	if (count[PROGRESS_SPINNING])
		return RANK_SPINNING;
	if (count[PROGRESS_MOVED] || group->left)
		return RANK_MOVED;
	if (count[PROGRESS_GONE])
		return RANK_GONE;
	return count[PROGRESS_STUCK] || count[PROGRESS_CYCLING] ? RANK_IDLE : RANK_UNKNOWN;
}

/* A group with what its place depends on. */
struct ranked {
	struct group_diff group;
	size_t index; /* before the groups were ordered */
	enum rank rank;
};

static int compare(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = compare(x->rank, y->rank);
	if (!order)
		order = compare(wait_classes[x->group.thread->wait.class].suspicion,
				wait_classes[y->group.thread->wait.class].suspicion);
	if (!order)
		order = compare(y->group.members.count, x->group.members.count);
	return order ? order : compare(x->index, y->index);
}

static void order_groups(struct diff *diff)
{
	size_t count = diff->groups.count;
	if (!count)
		return;
	_cleanup_free_ struct ranked *ranked = xcalloc(count, sizeof(*ranked));
	_cleanup_free_ size_t *places = xcalloc(count, sizeof(*places));
	for (size_t i = 0; i < count; i++) {
		const struct group_diff *group = &diff->groups.items[i];
		ranked[i] = (struct ranked){*group, i, rank_of(diff, group)};
	}
	qsort(ranked, count, sizeof(*ranked), by_rank);
	for (size_t i = 0; i < count; i++) {
		places[ranked[i].index] = i;
		diff->groups.items[i] = ranked[i].group;
	}
	array_for_each (&diff->threads, thread) {
		thread->group = places[thread->group];
		if (thread->old)
			thread->old_group = places[thread->old_group];
	}
}

void group_diff_threads(struct diff *diff)
{
	struct builder builder = {.diff = diff};
	for (size_t i = 0; i < diff->threads.count; i++)
		add_new(&builder, i);
	for (size_t i = 0; i < diff->threads.count; i++)
		add_old(&builder, i);
	order_groups(diff);
	address_map_deinit(&builder.first, NULL);
	array_deinit(&builder.next);
}
