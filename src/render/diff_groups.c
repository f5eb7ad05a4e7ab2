/* Groups of two dumps: how many before and after, and what became of each. */
#include "base/cleanup.h"
#include "render/diff_parts.h"
#include "render/words.h"

#include <inttypes.h>
#include <string.h>

/* Which members of a group: by what they did, or those that have left it for another place. */
struct query {
	enum progress progress;
	enum unknown_reason why; /* of PROGRESS_UNKNOWN */
	bool left;
	bool in_new; /* that the new dump has, shown as it has them; else as the old one has */
};

static bool is_wanted(size_t index, const struct thread_diff *thread, const struct query *query)
{
	if (query->left)
		return thread->new && thread->old && thread->old_group == index &&
		       thread->group != index;
	return thread->group == index && thread->progress == query->progress &&
	       thread->why_unknown == query->why && query->in_new == (thread->new != NULL);
}

static const struct thread *shown(const struct thread_diff *thread, bool in_new)
{
	return in_new ? thread->new : thread->old;
}

static void add_since(struct group *group, int64_t since_ms)
{
	if (since_ms < 0)
		return;
	if (group->since_min_ms < 0 || since_ms < group->since_min_ms)
		group->since_min_ms = since_ms;
	if (since_ms > group->since_max_ms)
		group->since_max_ms = since_ms;
}

static void begin_group(struct diff_printer *p, const struct thread_diff *thread, bool in_new,
			struct group *ret)
{
	const struct process_diff *pair = &p->diff->processes.items[thread->process];
	const struct dump *dump = in_new ? p->diff->new : p->diff->old;
	const struct process *process = in_new ? pair->new : pair->old;
	const struct thread *first = shown(thread, in_new);
	*ret = (struct group){.process = (size_t)(process - dump->processes.items),
			      .of_goroutines = first->goroutine != NULL,
			      .class = first->wait.class,
			      .since_min_ms = -1,
			      .since_max_ms = -1,
			      .idle = true};
}

static void add_to_group(const struct dump *dump, const struct thread *thread, struct group *group)
{
	*array_append(&group->members) = (size_t)(thread - group_threads_of(dump, group));
	add_since(group, thread->wait.since_ms);
	group->idle = group->idle && thread->wait.idle;
}

static int compare_members(const void *a, const void *b)
{
	const size_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/*
 * No end of line: "4301-4303 "sender"", of one process after the other.  The diff's threads are in
 * order of their processes.
 */
static void print_ids_of(struct diff_printer *p, const size_t *members, size_t count, bool in_new)
{
	struct printer *to = in_new ? diff_printer_new(p) : diff_printer_old(p);
	const struct thread_diff *threads = p->diff->threads.items;
	for (size_t i = 0, next; i < count; i = next) {
		size_t process = threads[members[i]].process;
		struct group group;
		begin_group(p, &threads[members[i]], in_new, &group);
		for (next = i; next < count && threads[members[next]].process == process; next++)
			add_to_group(to->dump, shown(&threads[members[next]], in_new), &group);
		print(to, i ? "; " : "");
		print_members(to, &group);
		if (to->dump->processes.count > 1)
			print_format(to, " of process %d",
				     to->dump->processes.items[group.process].pid);
		array_deinit(&group.members);
	}
}

/* The caller frees. */
static size_t *members_with(const struct diff *diff, size_t index, const struct query *query,
			    size_t *ret)
{
	const struct group_diff *group = &diff->groups.items[index];
	size_t *members = xcalloc(group->members.count + 1, sizeof(*members));
	*ret = 0;
	array_for_each (&group->members, member) {
		if (is_wanted(index, &diff->threads.items[*member], query))
			members[(*ret)++] = *member;
	}
	qsort(members, *ret, sizeof(*members), compare_members);
	return members;
}

static void print_word(struct printer *p, const struct query *query)
{
	style_on(p, query->left ? STYLE_LOW : progress_styles[query->progress]);
	print(p, query->left ? "moved away" : progress_names[query->progress]);
	style_off(p);
	if (query->why)
		print_format(p, " (%s)", unknown_words[query->why]);
}

static void print_thread_figures(struct printer *p, const struct thread_diff *thread)
{
	if (thread->cpu_ns < 0 && thread->switches < 0)
		return;
	print_format(p, "    thread %d:", thread->new->tid);
	if (thread->cpu_ns >= 0)
		print_format(p, " ran %" PRId64 " ms", thread->cpu_ns / 1000000);
	if (thread->switches >= 0)
		print_format(p, "%s slept %" PRId64 " times", thread->cpu_ns >= 0 ? "," : "",
			     thread->switches);
	print(p, " beyond what hangdump's stops cost");
	print_end(p);
}

/* "  3 new: 4301-4303 "sender"" */
static void print_members_line(struct diff_printer *p, size_t index, const struct query *query)
{
	size_t count;
	_cleanup_free_ size_t *members = members_with(p->diff, index, query, &count);
	if (!count)
		return;
	struct printer *to = query->in_new ? diff_printer_new(p) : diff_printer_old(p);
	print_format(to, "  %zu ", count);
	print_word(to, query);
	print(to, ": ");
	print_ids_of(p, members, count, query->in_new);
	print_end(to);
	for (size_t i = 0; i < count && to->options->verbose && query->in_new; i++)
		print_thread_figures(to, &p->diff->threads.items[members[i]]);
}

static const enum progress progress_order[] = {PROGRESS_NEW,	  PROGRESS_STUCK, PROGRESS_CYCLING,
					       PROGRESS_SPINNING, PROGRESS_MOVED, PROGRESS_GONE};

/* What became of each of its members. */
static void print_words(struct diff_printer *p, size_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(progress_order); i++) {
		enum progress progress = progress_order[i];
		bool in_new = progress != PROGRESS_GONE;
		print_members_line(p, index, &(struct query){progress, UNKNOWN_NOT, false, in_new});
	}
	for (int why = UNKNOWN_NOT + 1; why < UNKNOWN_REASONS; why++) {
		enum unknown_reason reason = (enum unknown_reason)why;
		print_members_line(p, index,
				   &(struct query){PROGRESS_UNKNOWN, reason, false, true});
		print_members_line(p, index,
				   &(struct query){PROGRESS_UNKNOWN, reason, false, false});
	}
	print_members_line(p, index, &(struct query){.left = true});
}

static void print_waited_for(struct diff_printer *p, struct printer *to,
			     const struct group_diff *group)
{
	size_t count = 0;
	_cleanup_free_ uint64_t *tids = xcalloc(group->members.count + 1, sizeof(*tids));
	array_for_each (&group->members, member) {
		const struct thread_diff *thread = &p->diff->threads.items[*member];
		if (thread->waited_for && thread->progress == PROGRESS_STUCK)
			tids[count++] = (uint64_t)thread->new->tid;
	}
	print(to, "  others wait for ");
	print_ids(to, tids, count, to->options->verbose ? SIZE_MAX : 12);
	print_end(to);
}

static void print_size(struct printer *p, const struct group_diff *group)
{
	bool of_goroutines = group->thread->goroutine != NULL;
	if (group->before == group->after) {
		print_format(p, "%zu %s ", group->after, member_word(of_goroutines, group->after));
		return;
	}
	print_format(p, "%zu -> %zu %s (%+lld) ", group->before, group->after,
		     member_word(of_goroutines, group->after),
		     (long long)group->after - (long long)group->before);
}

/* All that are in the group now, or were, when it has none any more. */
static size_t *shown_members(const struct diff *diff, size_t index, size_t *ret)
{
	const struct group_diff *group = &diff->groups.items[index];
	size_t *members = xcalloc(group->members.count + 1, sizeof(*members));
	*ret = 0;
	array_for_each (&group->members, member) {
		const struct thread_diff *thread = &diff->threads.items[*member];
		if (group->in_new ? thread->new && thread->group == index : thread->old != NULL)
			members[(*ret)++] = *member;
	}
	qsort(members, *ret, sizeof(*members), compare_members);
	return members;
}

static void print_diff_group(struct diff_printer *p, size_t index)
{
	const struct group_diff *diff = &p->diff->groups.items[index];
	struct printer *to = diff->in_new ? diff_printer_new(p) : diff_printer_old(p);
	size_t count;
	_cleanup_free_ size_t *members = shown_members(p->diff, index, &count);
	struct group group;
	begin_group(p, &p->diff->threads.items[members[0]], diff->in_new, &group);
	for (size_t i = 0; i < count; i++) {
		const struct thread_diff *thread = &p->diff->threads.items[members[i]];
		if (thread->process == p->diff->threads.items[members[0]].process)
			add_to_group(to->dump, shown(thread, diff->in_new), &group);
	}
	print_end(to);
	print_size(to, diff);
	print_bracket(to, &group, false);
	print(to, ":");
	if (p->diff->same_run) {
		print_end(to);
		print_words(p, index);
		to = diff->in_new ? diff_printer_new(p) : diff_printer_old(p);
	} else {
		print(to, " ");
		print_ids_of(p, members, count, diff->in_new);
		print_end(to);
	}
	if (diff->waited_for)
		print_waited_for(p, to, diff);
	print_waiting_on(to, &group);
	print_stack(to, diff->thread);
	print_creator(to, &group);
	array_deinit(&group.members);
}

void print_progress_counts(struct printer *p, const size_t count[PROGRESSES])
{
	const char *before = "";
	for (size_t i = 0; i <= ARRAY_SIZE(progress_order); i++) {
		bool is_last = i == ARRAY_SIZE(progress_order);
		enum progress progress = is_last ? PROGRESS_UNKNOWN : progress_order[i];
		if (!count[progress])
			continue;
		print_format(p, "%s%zu ", before, count[progress]);
		print_word(p, &(struct query){.progress = progress});
		before = ", ";
	}
}

/* "   2 ->    5   +3  [channel send] send_forever: 3 new, 2 stuck" */
static void print_stat(struct diff_printer *p, const struct group_diff *group)
{
	struct printer *to = diff_printer_new(p);
	const struct frame *place = stack_place(&group->thread->stack);
	print_format(to, "%5zu -> %5zu %+6lld  [", group->before, group->after,
		     (long long)group->after - (long long)group->before);
	print_foreign(to, wait_name(&group->thread->wait));
	print(to, "] ");
	if (place && place->function)
		print_foreign(to, place->function);
	else
		print_foreign(to, place && place->module ? place->module : "?");
	if (p->diff->same_run) {
		print(to, ": ");
		print_progress_counts(to, group->count);
		if (group->left)
			print_format(to, "%s%zu moved away",
				     group->left < group->before + group->after ? ", " : "",
				     group->left);
	}
	print_end(to);
}

static bool is_left_out(const struct diff_printer *p, const struct group_diff *group)
{
	return p->options->report.no_idle && group->idle && group->before == group->after &&
	       !group->count[PROGRESS_NEW] && !group->count[PROGRESS_GONE] && !group->left;
}

void print_diff_groups(struct diff_printer *p)
{
	size_t left_out = 0;
	if (p->options->stat)
		print_end(diff_printer_new(p));
	for (size_t i = 0; i < p->diff->groups.count; i++) {
		const struct group_diff *group = &p->diff->groups.items[i];
		if (is_left_out(p, group))
			left_out++;
		else if (p->options->stat)
			print_stat(p, group);
		else
			print_diff_group(p, i);
	}
	if (!left_out)
		return;
	struct printer *to = diff_printer_new(p);
	print_end(to);
	print_format(to, "%zu idle group%s left out.", left_out, left_out == 1 ? "" : "s");
	print_end(to);
}

static bool has_grown(const struct diff *diff)
{
	array_for_each (&diff->groups, group) {
		if (group->after > group->before)
			return true;
	}
	return false;
}

void print_leaks(struct diff_printer *p)
{
	struct printer *to = diff_printer_new(p);
	size_t threads = 0;
	bool goroutines = p->diff->leaks.count > 0;
	array_for_each (&p->diff->leaks, leak) {
		threads += leak->grown;
		goroutines = goroutines && p->diff->groups.items[leak->group].thread->goroutine;
	}
	print_end(to);
	style_on(to, threads ? STYLE_FINDING : STYLE_TITLE);
	if (threads)
		print_format(to, "LEAKED: %zu %s in %zu group%s", threads,
			     member_word(goroutines, threads), p->diff->leaks.count,
			     p->diff->leaks.count == 1 ? "" : "s");
	else
		print(to, has_grown(p->diff)
				  ? "No group has grown beyond what is allowed or ignored."
				  : "No group has grown.");
	style_off(to);
	print_end(to);
	array_for_each (&p->diff->leaks, leak) {
		if (p->options->stat)
			print_stat(p, &p->diff->groups.items[leak->group]);
		else
			print_diff_group(p, leak->group);
	}
}
