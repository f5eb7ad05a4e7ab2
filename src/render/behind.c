#include "render/behind.h"

#include "base/cleanup.h"

/* waiter waits for owner: indexes into the printer's threads. */
struct edge {
	size_t owner, waiter;
};

struct graph {
	struct edge *edges; /* by owner */
	size_t count;
	size_t *unmet; /* for each thread, its owners that are not known to be stuck */
	bool *stuck;
	size_t *queue;
	size_t queued;
};

static int by_owner(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	return (x->owner > y->owner) - (x->owner < y->owner);
}

static void collect_edges(const struct printer *p, struct graph *graph)
{
	size_t total = 0;
	for (size_t i = 0; i < p->thread_count; i++)
		total += p->threads[i].thread->wait.owners.count;
	graph->edges = xcalloc(total, sizeof(*graph->edges));
	for (size_t i = 0; i < p->thread_count; i++) {
		const struct wait *wait = &p->threads[i].thread->wait;
		graph->unmet[i] = wait->owners.count;
		for (size_t j = 0; j < wait->owners.count; j++) {
			const struct thread_entry *owner = printer_thread(p, wait->owners.items[j]);
			if (owner)
				graph->edges[graph->count++] =
					(struct edge){(size_t)(owner - p->threads), i};
		}
	}
	qsort(graph->edges, graph->count, sizeof(*graph->edges), by_owner);
}

static size_t first_edge(const struct graph *graph, size_t owner)
{
	size_t low = 0, high = graph->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (graph->edges[middle].owner < owner)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void mark_stuck(struct graph *graph, size_t thread)
{
	if (graph->stuck[thread])
		return;
	graph->stuck[thread] = true;
	graph->queue[graph->queued++] = thread;
}

size_t count_threads_behind(const struct printer *p, const struct finding *finding)
{
	_cleanup_free_ size_t *unmet = xcalloc(p->thread_count, sizeof(*unmet));
	_cleanup_free_ bool *stuck = xcalloc(p->thread_count, sizeof(*stuck));
	_cleanup_free_ size_t *queue = xcalloc(p->thread_count, sizeof(*queue));
	struct graph graph = {.unmet = unmet, .stuck = stuck, .queue = queue};
	collect_edges(p, &graph);
	array_for_each (&finding->threads, id) {
		const struct thread_entry *entry = printer_thread(p, *id);
		if (entry)
			mark_stuck(&graph, (size_t)(entry - p->threads));
	}
	size_t own = graph.queued;
	for (size_t done = 0; done < graph.queued; done++) {
		size_t owner = graph.queue[done];
		for (size_t i = first_edge(&graph, owner);
		     i < graph.count && graph.edges[i].owner == owner; i++) {
			if (--graph.unmet[graph.edges[i].waiter] == 0)
				mark_stuck(&graph, graph.edges[i].waiter);
		}
	}
	free(graph.edges);
	return graph.queued - own;
}
