#include "analyse/components.h"

#include "base/cleanup.h"

/* A node whose owners are being visited. */
struct visit {
	size_t node, next_edge;
};

struct search {
	const struct graph *graph;
	struct components *components;
	size_t *order; /* when each node was met, from 1; 0: not yet */
	size_t *low;   /* the earliest node still open that it leads to */
	size_t *open;  /* nodes met whose component is not known yet */
	bool *is_open;
	struct visit *path;
	size_t met, opened, depth;
};

static void enter(struct search *search, size_t node)
{
	search->order[node] = search->low[node] = ++search->met;
	search->open[search->opened++] = node;
	search->is_open[node] = true;
	search->path[search->depth++] =
		(struct visit){.node = node, .next_edge = search->graph->nodes[node].first_edge};
}

/* All that was opened since `root` is one component. */
static void complete(struct search *search, size_t root)
{
	struct components *components = search->components;
	size_t node;
	do {
		node = search->open[--search->opened];
		search->is_open[node] = false;
		components->of[node] = components->count;
	} while (node != root);
	components->count++;
}

static void leave(struct search *search)
{
	size_t node = search->path[--search->depth].node;
	if (search->low[node] == search->order[node])
		complete(search, node);
	if (search->depth) {
		size_t parent = search->path[search->depth - 1].node;
		if (search->low[node] < search->low[parent])
			search->low[parent] = search->low[node];
	}
}

static void walk_from(struct search *search, size_t start)
{
	enter(search, start);
	while (search->depth) {
		struct visit *visit = &search->path[search->depth - 1];
		const struct node *node = &search->graph->nodes[visit->node];
		if (visit->next_edge == node->first_edge + node->edge_count) {
			leave(search);
			continue;
		}
		size_t owner = search->graph->edges[visit->next_edge++];
		if (!search->order[owner])
			enter(search, owner);
		else if (search->is_open[owner] && search->order[owner] < search->low[visit->node])
			search->low[visit->node] = search->order[owner];
	}
}

static void collect_members(struct components *components, size_t n)
{
	components->members = xcalloc(n, sizeof(*components->members));
	components->first = xcalloc(components->count + 2, sizeof(*components->first));
	/* Counted two places on, so that filling moves each start to its own place. */
	for (size_t i = 0; i < n; i++)
		components->first[components->of[i] + 2]++;
	for (size_t i = 2; i < components->count + 2; i++)
		components->first[i] += components->first[i - 1];
	for (size_t i = 0; i < n; i++)
		components->members[components->first[components->of[i] + 1]++] = i;
}

void components_init(struct components *components, const struct graph *graph)
{
	size_t n = graph->count;
	_cleanup_free_ size_t *order = xcalloc(n, sizeof(*order));
	_cleanup_free_ size_t *low = xcalloc(n, sizeof(*low));
	_cleanup_free_ size_t *open = xcalloc(n, sizeof(*open));
	_cleanup_free_ bool *is_open = xcalloc(n, sizeof(*is_open));
	_cleanup_free_ struct visit *path = xcalloc(n, sizeof(*path));
	struct search search = {.graph = graph,
				.components = components,
				.order = order,
				.low = low,
				.open = open,
				.is_open = is_open,
				.path = path};
	components->count = 0;
	components->of = xcalloc(n, sizeof(*components->of));
	for (size_t i = 0; i < n; i++) {
		if (!order[i])
			walk_from(&search, i);
	}
	collect_members(components, n);
}

void components_deinit(struct components *components)
{
	free(components->of);
	free(components->members);
	free(components->first);
	*components = (struct components){0};
}

bool component_is_cyclic(const struct components *components, const struct graph *graph,
			 size_t component)
{
	size_t first = components->first[component];
	if (components->first[component + 1] - first > 1)
		return true;
	graph_for_each_edge (graph, &graph->nodes[components->members[first]], owner) {
		if (*owner == components->members[first])
			return true;
	}
	return false;
}
