/* Threads that sleep though memory says that they should have been woken. */
#include "analyse/analysis.h"

/*
 * A thread that was just woken, but has not run yet, leaves the same traces for those that wait
 * beside it: nothing can be said while any thread of the process runs or has moved.  Those that are
 * overdue themselves were still asleep when they were stopped; the stop wakes them.
 */
static bool is_still(const struct process *process)
{
	array_for_each (&process->threads, thread) {
		if (thread_can_act(thread) && !thread->steady && !thread->wait.overdue)
			return false;
	}
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;
	uint64_t first = (*x)->thread->wait.resource.address;
	uint64_t second = (*y)->thread->wait.resource.address;
	if (first != second)
		return first < second ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

static void add(struct analysis *analysis, struct finding *finding, const struct node *node)
{
	const struct wait *wait = &node->thread->wait;
	finding_add_thread(finding, node);
	/* Threads of another process may have been woken, and have not run yet. */
	if (wait->reach == REACH_ANYBODY)
		finding->doubts |= FINDING_DOUBT_OTHERS;
	finding->doubts |= thread_doubts(node->process, node->thread) &
			   (FINDING_DOUBT_MOVED | FINDING_DOUBT_TIMEOUT | FINDING_DOUBT_CLASS);
	if (finding->doubts)
		finding->confidence = CONFIDENCE_LIKELY;
	analysis->in_worse[node - analysis->graph.nodes] = true;
}

static void report(struct analysis *analysis, const struct node **overdue, size_t count)
{
	struct finding *finding = NULL;
	qsort(overdue, count, sizeof(const struct node *), by_address);
	for (size_t i = 0; i < count; i++) {
		if (!i || overdue[i]->thread->wait.resource.address !=
				  overdue[i - 1]->thread->wait.resource.address)
			finding = finding_add(analysis, FINDING_LOST_WAKEUP);
		add(analysis, finding, overdue[i]);
	}
}

void find_lost_wakeups(struct analysis *analysis)
{
	size_t first = 0;
	array_for_each (&analysis->dump->processes, process) {
		array(const struct node *) overdue = {0};
		bool still = is_still(process);
		for (size_t i = 0; i < process->threads.count; i++) {
			if (still && process->threads.items[i].wait.overdue)
				*array_append(&overdue) = &analysis->graph.nodes[first + i];
		}
		if (overdue.count)
			report(analysis, overdue.items, overdue.count);
		array_deinit(&overdue);
		first += process->threads.count;
	}
}
