/* Threads that wait for each other, or for themselves. */
#include "analyse/analysis.h"
#include "base/cleanup.h"

/*
 * Where some wait for one of several, a component has more than one circle.  The shortest is told:
 * it says why most clearly.  It is looked for from so many of its threads at most.
 */
#define MOST_STARTS 64

struct search {
	const struct analysis *analysis;
	size_t component;
	/* By node: the search that met it, from 1; who waited for it there. */
	size_t *met, *waiter;
	size_t searches;
	size_t *queue;
	size_t *nodes; /* the circle, in its order */
	size_t count;
};

/* From the last node back to the start. */
static void keep_if_shorter(struct search *search, size_t start, size_t last)
{
	size_t length = 1, node = last;
	for (; node != start; node = search->waiter[node])
		length++;
	if (search->count && length >= search->count)
		return;
	search->count = length;
	for (node = last; length; node = search->waiter[node])
		search->nodes[--length] = node;
}

/* Does `node`, by waiting for `owner`, close a circle that began at `start`? */
static bool closes(const struct search *search, size_t start, size_t node, size_t owner)
{
	if (owner == start)
		return true;
	/* A process that was met at once, as one's own, is met again. */
	return owner == search->analysis->graph.nodes[start].process_node && node != start &&
	       search->met[owner] == search->searches && search->waiter[owner] == start;
}

/* Waits for itself, or for its own process: a circle only where there is no other. */
static bool is_loop(const struct search *search, size_t start, size_t last)
{
	return last == start || (search->analysis->graph.nodes[last].kind == NODE_PROCESS &&
				 search->waiter[last] == start);
}

static void search_from(struct search *search, size_t start)
{
	const struct graph *graph = &search->analysis->graph;
	size_t queued = 0;
	search->met[start] = ++search->searches;
	search->queue[queued++] = start;
	for (size_t done = 0; done < queued; done++) {
		size_t node = search->queue[done];
		graph_for_each_edge (graph, &graph->nodes[node], owner) {
			if (closes(search, start, node, *owner)) {
				if (is_loop(search, start, node))
					continue;
				keep_if_shorter(search, start, node);
				return;
			}
			if (search->met[*owner] == search->searches ||
			    search->analysis->components.of[*owner] != search->component)
				continue;
			search->met[*owner] = search->searches;
			search->waiter[*owner] = node;
			search->queue[queued++] = *owner;
		}
	}
}

/* No circle: then one of them waits for itself. */
static void keep_loop(struct search *search)
{
	const struct components *components = &search->analysis->components;
	const struct graph *graph = &search->analysis->graph;
	size_t first = components->first[search->component];
	size_t end = components->first[search->component + 1];
	for (size_t i = first; i < end; i++) {
		const struct node *node = &graph->nodes[components->members[i]];
		if (node->kind != NODE_THREAD)
			continue;
		graph_for_each_edge (graph, node, owner) {
			if (*owner != components->members[i] && *owner != node->process_node)
				continue;
			search->nodes[0] = components->members[i];
			search->count = 1;
			return;
		}
	}
}

/* Leaves the circle's threads alone, in cycle order from the lowest. */
static void keep_threads(struct search *search)
{
	size_t count = 0, lowest = 0;
	for (size_t i = 0; i < search->count; i++) {
		if (search->analysis->graph.nodes[search->nodes[i]].kind != NODE_THREAD)
			continue;
		if (search->nodes[i] < search->nodes[lowest] || !count)
			lowest = count;
		search->nodes[count++] = search->nodes[i];
	}
	for (size_t i = 0; i < count; i++)
		search->queue[i] = search->nodes[(lowest + i) % count];
	memcpy(search->nodes, search->queue, count * sizeof(*search->nodes));
	search->count = count;
}

static void report(struct search *search, struct analysis *analysis)
{
	const struct components *components = &analysis->components;
	size_t first = components->first[search->component];
	size_t end = components->first[search->component + 1];
	search->count = 0;
	for (size_t i = first, starts = 0; i < end && starts < MOST_STARTS; i++) {
		if (analysis->graph.nodes[components->members[i]].kind != NODE_THREAD)
			continue;
		search_from(search, components->members[i]);
		starts++;
	}
	if (!search->count)
		keep_loop(search);
	keep_threads(search);
	struct finding *finding = finding_add(analysis, search->count == 1 ? FINDING_SELF_DEADLOCK
									   : FINDING_DEADLOCK);
	for (size_t i = 0; i < search->count; i++)
		finding_add_thread(finding, &analysis->graph.nodes[search->nodes[i]]);
	finding_rest_on(analysis, finding, search->nodes, search->count, search->component);
}

void find_circles(struct analysis *analysis)
{
	size_t n = analysis->graph.count;
	_cleanup_free_ size_t *met = xcalloc(n, sizeof(*met));
	_cleanup_free_ size_t *waiter = xcalloc(n, sizeof(*waiter));
	_cleanup_free_ size_t *queue = xcalloc(n, sizeof(*queue));
	_cleanup_free_ size_t *nodes = xcalloc(n, sizeof(*nodes));
	struct search search = {
		.analysis = analysis, .met = met, .waiter = waiter, .queue = queue, .nodes = nodes};
	for (size_t i = 0; i < analysis->components.count; i++) {
		search.component = i;
		if (component_is_deadlock(&analysis->graph, &analysis->components, analysis->stuck,
					  i))
			report(&search, analysis);
	}
}
