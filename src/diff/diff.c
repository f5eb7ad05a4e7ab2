#include "diff/diff.h"

#include "diff/findings.h"
#include "diff/groups.h"
#include "diff/pair.h"
#include "diff/progress.h"

#include <string.h>

/* The clock of one boot, where it is the same one: the other can be set. */
static bool tell_apart(const struct dump *old, const struct dump *new, int64_t *ret_ns)
{
	bool same_boot = old->boot_id && new->boot_id &&strcmp(old->boot_id, new->boot_id) == 0;
	*ret_ns = 0;
	if (same_boot && old->monotonic_ns && new->monotonic_ns)
		*ret_ns = (int64_t)(new->monotonic_ns - old->monotonic_ns);
	else if (new->taken_at_ns && old->taken_at_ns)
		*ret_ns = new->taken_at_ns - old->taken_at_ns;
	else
		return false;
	return true;
}

/* Does it name sources, and no files that were made of them? */
static bool is_text(const struct dump *dump)
{
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread) {
			for (size_t i = 0; i < thread->stack.count; i++) {
				const struct frame *frame = &thread->stack.frames[i];
				if (frame->function && frame->file)
					return !frame->module;
			}
		}
	}
	return false;
}

static struct diff begin(const struct dump *old, const struct dump *new)
{
	struct diff diff = {.old = old, .new = new, .by_name = is_text(old) || is_text(new)};
	diff.apart_known = tell_apart(old, new, &diff.apart_ns);
	return diff;
}

void diff_dumps(const struct dump *old, const struct dump *new, struct diff *ret)
{
	*ret = begin(old, new);
	pair_processes(ret);
	ret->same_moment = ret->same_run && ret->apart_ns == 0;
	pair_threads(ret);
	group_diff_threads(ret);
	compare_findings(ret);
}

static void carry_over(const struct diff *diff, const struct thread_diff *thread, struct thread *to)
{
	const struct thread *old = thread->old;
	to->progress = old ? progress_over(old->progress, thread->progress) : thread->progress;
	if (thread->progress != PROGRESS_STUCK || old->wait.since_ms < 0)
		return;
	int64_t since_ms = old->wait.since_ms + diff->apart_ns / 1000000;
	if (to->wait.since_ms < since_ms)
		to->wait.since_ms = since_ms;
}

/* The same thread of the dump, to its owner. */
static struct thread *to_change(struct dump *dump, const struct process *process,
				const struct thread *thread)
{
	size_t p = (size_t)(process - dump->processes.items);
	return &dump->processes.items[p].threads.items[thread - process->threads.items];
}

void diff_mark_progress(const struct dump *old, struct dump *new)
{
	struct diff diff = begin(old, new);
	pair_processes(&diff);
	diff.same_moment = diff.same_run && diff.apart_ns == 0;
	pair_threads(&diff);
	array_for_each (&diff.threads, thread) {
		if (thread->new)
			carry_over(&diff, thread,
				   to_change(new, diff.processes.items[thread->process].new,
					     thread->new));
	}
	diff_deinit(&diff);
}

void diff_carry_stops(const struct diff *diff, struct dump *old)
{
	array_for_each (&diff->threads, thread) {
		if (thread->old && thread->new)
			to_change(old, diff->processes.items[thread->process].old, thread->old)
				->own_stops += thread->new->own_stops;
	}
}
