/* Processes of which no thread can ever go on, though no circle or lost lock says why. */
#include "analyse/analysis.h"
#include "base/cleanup.h"

/* Threads [first, first + count) of the graph are the process's. */
static bool is_hopeless(const struct analysis *analysis, const struct process *process,
			size_t first)
{
	bool waits = false, idle = false;
	for (size_t i = 0; i < process->threads.count; i++) {
		const struct thread *thread = &process->threads.items[i];
		if (!thread_can_act(thread))
			continue;
		if (!analysis->stuck[first + i] || analysis->in_worse[first + i])
			return false;
		waits = true;
		idle = idle || thread->wait.idle;
	}
	/* A service at rest whose handlers end it, or give it work, is in order. */
	return waits && !(idle && process_handles_signals(process, STRICT));
}

static void report(struct analysis *analysis, const struct process *process, size_t first)
{
	_cleanup_free_ size_t *threads = xcalloc(process->threads.count, sizeof(*threads));
	size_t count = 0;
	struct finding *finding = finding_add(analysis, FINDING_NO_PROGRESS);
	for (size_t i = 0; i < process->threads.count; i++) {
		if (thread_can_act(&process->threads.items[i]))
			threads[count++] = first + i;
	}
	for (size_t i = 0; i < count; i++) {
		const struct node *node = &analysis->graph.nodes[threads[i]];
		finding_add_thread(finding, node);
		analysis->in_worse[threads[i]] = true;
		finding->doubts |= thread_doubts(process, node->thread);
		if (!analysis->certain[threads[i]])
			finding->confidence = CONFIDENCE_LIKELY;
	}
	if (process_handles_signals(process, STRICT))
		finding->doubts |= FINDING_DOUBT_SIGNAL;
	if (finding->confidence == CONFIDENCE_LIKELY && !finding->doubts)
		finding->doubts = FINDING_DOUBT_OTHERS;
}

void find_no_progress(struct analysis *analysis)
{
	size_t first = 0;
	array_for_each (&analysis->dump->processes, process) {
		if (is_hopeless(analysis, process, first))
			report(analysis, process, first);
		first += process->threads.count;
	}
}
