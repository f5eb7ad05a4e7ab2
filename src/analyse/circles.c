/* Threads that wait for each other, or for themselves. */
#include "analyse/analysis.h"
#include "base/cleanup.h"

struct circle {
	const struct analysis *analysis;
	size_t component;
	size_t *threads; /* node numbers */
	size_t count;
	/* By node: on the circle that is being followed: when it was met, from 1. */
	size_t *met;
};

static bool is_inside(const struct circle *circle, size_t node)
{
	return circle->analysis->components.of[node] == circle->component;
}

static size_t next_inside(const struct circle *circle, size_t node)
{
	const struct graph *graph = &circle->analysis->graph;
	graph_for_each_edge(graph, &graph->nodes[node], owner)
	{
		if (is_inside(circle, *owner))
			return *owner;
	}
	return node;
}

static size_t lowest_node(const struct circle *circle)
{
	const struct components *components = &circle->analysis->components;
	size_t lowest = SIZE_MAX;
	for (size_t i = components->first[circle->component];
	     i < components->first[circle->component + 1]; i++) {
		if (components->members[i] < lowest)
			lowest = components->members[i];
	}
	return lowest;
}

static void add(struct circle *circle, size_t node)
{
	if (circle->analysis->graph.nodes[node].kind == NODE_THREAD)
		circle->threads[circle->count++] = node;
}

/*
 * In cycle order, from the lowest: one waits for the next.  Where some wait for one of several,
 * threads that are not on the circle that this finds come after it.
 */
static void collect(struct circle *circle)
{
	const struct components *components = &circle->analysis->components;
	size_t step = 0, node = lowest_node(circle), start;
	for (; !circle->met[node]; node = next_inside(circle, node))
		circle->met[node] = ++step;
	start = node;
	size_t from = circle->met[start];
	do {
		add(circle, node);
		node = next_inside(circle, node);
	} while (node != start);
	for (size_t i = components->first[circle->component + 1];
	     i-- > components->first[circle->component];) {
		size_t member = components->members[i];
		if (!circle->met[member] || circle->met[member] < from)
			add(circle, member);
	}
}

static void report(struct analysis *analysis, size_t component, size_t *threads, size_t *met)
{
	struct circle circle = {
		.analysis = analysis, .component = component, .threads = threads, .met = met};
	collect(&circle);
	struct finding *finding =
		finding_add(analysis, circle.count == 1 ? FINDING_SELF_DEADLOCK : FINDING_DEADLOCK);
	for (size_t i = 0; i < circle.count; i++)
		finding_add_thread(finding, &analysis->graph.nodes[threads[i]]);
	finding_rest_on(analysis, finding, threads, circle.count, component);
}

void find_circles(struct analysis *analysis)
{
	const struct graph *graph = &analysis->graph;
	_cleanup_free_ size_t *threads = xcalloc(graph->thread_count, sizeof(*threads));
	_cleanup_free_ size_t *met = xcalloc(graph->count, sizeof(*met));
	for (size_t i = 0; i < analysis->components.count; i++) {
		if (component_is_deadlock(graph, &analysis->components, analysis->stuck, i))
			report(analysis, i, threads, met);
	}
}
