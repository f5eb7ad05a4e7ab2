#include "analyse/roots.h"

bool component_is_deadlock(const struct graph *graph, const struct components *components,
			   const bool *stuck, size_t component)
{
	/* One member is stuck when all are: each waits for the next. */
	return stuck[components->members[components->first[component]]] &&
	       component_is_cyclic(components, graph, component);
}

/* A process acts when one of its threads does: with several of them, it stands for itself. */
static bool stands_for_itself(const struct node *node)
{
	return node->kind == NODE_PROCESS && node->edge_count != 1;
}

/* Owners have lower component numbers: their roots are known. */
static size_t find_root(const struct roots *roots, const struct graph *graph,
			const struct components *components, const bool *stuck, size_t component)
{
	size_t root = component;
	bool found = false, several = false, process = false;
	if (component_is_deadlock(graph, components, stuck, component))
		return component;
	for (size_t i = components->first[component]; i < components->first[component + 1]; i++) {
		const struct node *node = &graph->nodes[components->members[i]];
		process = process || stands_for_itself(node);
		graph_for_each_edge (graph, node, owner) {
			if (components->of[*owner] == component)
				continue;
			/* In a circle, that a process has other threads too says nothing of them. */
			if (node->kind == NODE_PROCESS &&
			    component_is_cyclic(components, graph, component))
				return NO_ROOT;
			size_t theirs = roots->of[components->of[*owner]];
			several = several || (found && theirs != root) || theirs == NO_ROOT;
			root = theirs;
			found = true;
		}
	}
	if (!several)
		return root;
	/* At one who waits for one of several, the chains behind it end. */
	return process || !component_is_cyclic(components, graph, component) ? component : NO_ROOT;
}

static void collect_threads(struct roots *roots, const struct graph *graph,
			    const struct components *components)
{
	roots->first = xcalloc(components->count + 2, sizeof(*roots->first));
	roots->threads = xcalloc(graph->thread_count, sizeof(*roots->threads));
	/* Counted two places on, so that filling moves each start to its own place. */
	for (size_t i = 0; i < graph->thread_count; i++) {
		size_t root = roots->of[components->of[i]];
		if (root != NO_ROOT)
			roots->first[root + 2]++;
	}
	for (size_t i = 2; i < components->count + 2; i++)
		roots->first[i] += roots->first[i - 1];
	for (size_t i = 0; i < graph->thread_count; i++) {
		size_t root = roots->of[components->of[i]];
		if (root != NO_ROOT)
			roots->threads[roots->first[root + 1]++] = i;
	}
}

void roots_init(struct roots *roots, const struct graph *graph, const struct components *components,
		const bool *stuck)
{
	roots->of = xcalloc(components->count, sizeof(*roots->of));
	for (size_t i = 0; i < components->count; i++)
		roots->of[i] = find_root(roots, graph, components, stuck, i);
	collect_threads(roots, graph, components);
}

void roots_deinit(struct roots *roots)
{
	free(roots->of);
	free(roots->first);
	free(roots->threads);
	*roots = (struct roots){0};
}
