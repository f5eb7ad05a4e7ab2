#include "analyse/analyse.h"

#include "analyse/analysis.h"

#include <string.h>

/* Worst first: what will never end, then what keeps others waiting, then what only burns. */
static const unsigned char kind_ranks[FINDING_KINDS] = {
	[FINDING_DEADLOCK] = 0,	   [FINDING_SELF_DEADLOCK] = 1, [FINDING_OWNER_EXITED] = 2,
	[FINDING_NO_PROGRESS] = 3, [FINDING_LOST_WAKEUP] = 4,	[FINDING_BLOCKED_CHAIN] = 5,
	[FINDING_SPINNING] = 6,
};

struct finding *finding_add(struct analysis *analysis, enum finding_kind kind)
{
	struct finding *finding = array_append(&analysis->dump->findings);
	finding->kind = kind;
	finding->confidence = CONFIDENCE_CERTAIN;
	return finding;
}

static bool same_resource(const struct resource *a, const struct resource *b)
{
	if (a->identity || b->identity)
		return a->identity && b->identity && strcmp(a->identity, b->identity) == 0;
	return a->address == b->address && a->fd == b->fd && a->name == b->name;
}

void finding_add_thread(struct finding *finding, const struct node *node)
{
	*array_append(&finding->threads) = node->id;
	if (node->thread)
		node->thread->wait.idle = false;
	const struct resource *resource = node->thread ? &node->thread->wait.resource : NULL;
	if (!resource || !resource->kind)
		return;
	/* Those that wait for one thing come one after the other, or there are few. */
	size_t n = finding->resources.count;
	for (size_t i = n > 16 ? n - 16 : 0; i < n; i++) {
		if (same_resource(&finding->resources.items[i], resource))
			return;
	}
	*array_append(&finding->resources) = *resource;
}

void finding_rest_on(struct analysis *analysis, struct finding *finding, const size_t *nodes,
		     size_t count, size_t root)
{
	const struct roots *roots = &analysis->roots;
	size_t stuck = 0;
	bool certain = true;
	for (size_t i = 0; i < count; i++) {
		const struct node *node = &analysis->graph.nodes[nodes[i]];
		finding->doubts |= thread_doubts(node->process, node->thread);
		certain = certain && analysis->certain[nodes[i]];
	}
	for (size_t i = roots->first[root]; i < roots->first[root + 1]; i++) {
		if (!analysis->stuck[roots->threads[i]])
			continue;
		analysis->in_worse[roots->threads[i]] = true;
		stuck++;
	}
	finding->behind = stuck > count ? stuck - count : 0;
	if (certain)
		return;
	finding->confidence = CONFIDENCE_LIKELY;
	if (!finding->doubts)
		finding->doubts = FINDING_DOUBT_OTHERS;
}

static int by_rank(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	if (x->kind != y->kind)
		return kind_ranks[x->kind] < kind_ranks[y->kind] ? -1 : 1;
	if (x->confidence != y->confidence)
		return x->confidence == CONFIDENCE_CERTAIN ? -1 : 1;
	size_t more = x->threads.count + x->behind, less = y->threads.count + y->behind;
	if (more != less)
		return more > less ? -1 : 1;
	const struct thread_id *first = x->threads.items, *second = y->threads.items;
	if (first->pid != second->pid)
		return first->pid < second->pid ? -1 : 1;
	return (first->tid > second->tid) - (first->tid < second->tid);
}

void analyse_dump(struct dump *dump)
{
	struct analysis analysis = {.dump = dump};
	array_for_each (&dump->findings, finding)
		finding_deinit(finding);
	array_deinit(&dump->findings);
	graph_init(&analysis.graph, dump, EDGES_ALL);
	graph_init(&analysis.chain_graph, dump, EDGES_OF_CHAINS);
	components_init(&analysis.components, &analysis.graph);
	components_init(&analysis.chain_components, &analysis.chain_graph);
	analysis.stuck = find_stuck(&analysis.graph, RELAXED);
	analysis.certain = find_stuck(&analysis.graph, STRICT);
	roots_init(&analysis.roots, &analysis.graph, &analysis.components, analysis.stuck);
	roots_init(&analysis.chain_roots, &analysis.chain_graph, &analysis.chain_components,
		   analysis.stuck);
	analysis.in_worse = xcalloc(analysis.graph.thread_count, sizeof(*analysis.in_worse));
	find_circles(&analysis);
	find_lost_locks(&analysis);
	find_no_progress(&analysis);
	find_lost_wakeups(&analysis);
	find_chains(&analysis);
	find_spinning(&analysis);
	array_sort(&dump->findings, by_rank);
	free(analysis.in_worse);
	free(analysis.certain);
	free(analysis.stuck);
	roots_deinit(&analysis.chain_roots);
	roots_deinit(&analysis.roots);
	components_deinit(&analysis.chain_components);
	components_deinit(&analysis.components);
	graph_deinit(&analysis.chain_graph);
	graph_deinit(&analysis.graph);
}
