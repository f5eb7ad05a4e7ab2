/* Locks whose owner is no more. */
#include "analyse/analysis.h"
#include "base/cleanup.h"

static bool waits_for(const struct graph *graph, size_t node, size_t owner)
{
	graph_for_each_edge (graph, &graph->nodes[node], other) {
		if (*other == owner)
			return true;
	}
	return false;
}

static void report(struct analysis *analysis, size_t lost, size_t *threads)
{
	const struct graph *graph = &analysis->graph;
	const struct roots *roots = &analysis->roots;
	size_t root = analysis->components.of[lost], count = 0;
	for (size_t i = roots->first[root]; i < roots->first[root + 1]; i++) {
		size_t thread = roots->threads[i];
		if (analysis->stuck[thread] && waits_for(graph, thread, lost))
			threads[count++] = thread;
	}
	if (!count)
		return;
	struct finding *finding = finding_add(analysis, FINDING_OWNER_EXITED);
	for (size_t i = 0; i < count; i++)
		finding_add_thread(finding, &graph->nodes[threads[i]]);
	finding_rest_on(analysis, finding, threads, count, root);
}

void find_lost_locks(struct analysis *analysis)
{
	const struct graph *graph = &analysis->graph;
	_cleanup_free_ size_t *threads = xcalloc(graph->thread_count, sizeof(*threads));
	for (size_t i = graph->thread_count; i < graph->count; i++) {
		if (graph->nodes[i].kind == NODE_LOST)
			report(analysis, i, threads);
	}
}
