/* Threads that wait, directly or through others, on one that waits for none of them. */
#include "analyse/analysis.h"
#include "analyse/bond.h"
#include "base/cleanup.h"

/* A lock that was waited for no longer than this may be one that is much in use. */
#define CONTENTION_MS 100

struct chains {
	struct analysis *analysis;
	bool *needed; /* by node */
};

static bool is_idle(const struct node *node)
{
	if (node->kind == NODE_THREAD)
		return node->thread->wait.idle;
	if (node->kind != NODE_PROCESS)
		return false;
	array_for_each (&node->process->threads, thread) {
		if (thread_can_act(thread) && !thread->wait.idle)
			return false;
	}
	return true;
}

/* Does a process read what its own child writes, as a shell does for $(...)? */
static bool reads_from_child(const struct graph *graph, const struct node *node)
{
	graph_for_each_edge (graph, node, owner) {
		const struct process *process = graph->nodes[*owner].process;
		if (!process || process->ppid != node->id.pid)
			return false;
	}
	return !node->thread->wait.idle;
}

static bool owners_are_idle(const struct graph *graph, const struct node *node)
{
	graph_for_each_edge (graph, node, owner) {
		if (!is_idle(&graph->nodes[*owner]))
			return false;
	}
	return true;
}

/* Is there something in this wait that a person should know of? */
static bool is_telling(const struct chains *chains, const struct node *node)
{
	const struct graph *graph = &chains->analysis->chain_graph;
	switch (bond_of(&node->thread->wait)) {
	case BOND_LOCK:
		return true;
	case BOND_END:
		return !node->thread->wait.idle && !owners_are_idle(graph, node);
	case BOND_EVENT:
		return chains->needed[node - graph->nodes] || reads_from_child(graph, node);
	}
	return false;
}

/* Enough to speak of it? */
static bool is_reason(const struct chains *chains, const struct node *node)
{
	const struct wait *wait = &node->thread->wait;
	if (!node->edge_count || !node->thread->steady || !is_telling(chains, node))
		return false;
	return bond_of(wait) != BOND_LOCK || wait->since_ms < 0 || wait->since_ms >= CONTENTION_MS;
}

static void report(const struct chains *chains, size_t root, size_t component)
{
	struct analysis *analysis = chains->analysis;
	const struct graph *graph = &analysis->chain_graph;
	const struct roots *roots = &analysis->chain_roots;
	struct finding *finding = finding_add(analysis, FINDING_BLOCKED_CHAIN);
	finding_add_thread(finding, &graph->nodes[root]);
	for (size_t i = roots->first[component]; i < roots->first[component + 1]; i++) {
		const struct node *node = &graph->nodes[roots->threads[i]];
		if (roots->threads[i] == root || !node->edge_count || !is_telling(chains, node))
			continue;
		finding_add_thread(finding, node);
		/* That a wait may end by itself does not make another the root. */
		finding->doubts |= thread_doubts(node->process, node->thread) &
				   ~(unsigned)(FINDING_DOUBT_TIMEOUT | FINDING_DOUBT_SIGNAL);
	}
	if (finding->doubts)
		finding->confidence = CONFIDENCE_LIKELY;
}

static void examine(const struct chains *chains, size_t component)
{
	const struct analysis *analysis = chains->analysis;
	const struct graph *graph = &analysis->chain_graph;
	const struct components *components = &analysis->chain_components;
	const struct roots *roots = &analysis->chain_roots;
	size_t root = components->members[components->first[component]];
	/* What never ends is told already, with those behind it. */
	if (graph->nodes[root].kind == NODE_LOST ||
	    (graph->nodes[root].thread && analysis->in_worse[root]) ||
	    component_is_cyclic(components, graph, component))
		return;
	for (size_t i = roots->first[component]; i < roots->first[component + 1]; i++) {
		if (roots->threads[i] != root &&
		    is_reason(chains, &graph->nodes[roots->threads[i]])) {
			report(chains, root, component);
			return;
		}
	}
}

/* Whom others need for more than events; of a process, its one thread. */
static void mark_needed(const struct graph *graph, bool *needed)
{
	for (size_t i = 0; i < graph->thread_count; i++) {
		const struct node *node = &graph->nodes[i];
		if (bond_of(&node->thread->wait) == BOND_EVENT)
			continue;
		graph_for_each_edge (graph, node, owner) {
			const struct node *process = &graph->nodes[*owner];
			if (process->kind == NODE_PROCESS && process->edge_count == 1)
				needed[graph->edges[process->first_edge]] = true;
			else
				needed[*owner] = true;
		}
	}
}

void find_chains(struct analysis *analysis)
{
	_cleanup_free_ bool *needed = xcalloc(analysis->chain_graph.count, sizeof(*needed));
	struct chains chains = {analysis, needed};
	mark_needed(&analysis->chain_graph, needed);
	for (size_t i = 0; i < analysis->chain_components.count; i++) {
		if (analysis->chain_roots.of[i] == i)
			examine(&chains, i);
	}
}
