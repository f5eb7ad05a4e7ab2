/* Threads that wait, directly or through others, on one that waits for none of them. */
#include "analyse/analysis.h"
#include "base/cleanup.h"

/* A lock that was waited for no longer than this may be one that is much in use. */
#define CONTENTION_MS 100

/* What a wait says about the one that it is for. */
enum bond {
	BOND_EVENT, /* it will act when there is something to do: nothing is wrong */
	BOND_END,   /* it is to finish what it does; nothing is wrong while it is idle by design */
	BOND_LOCK,  /* it keeps what others need */
};

static enum bond bond_of(const struct wait *wait)
{
	switch (wait->class) {
	case WAIT_MUTEX_LOCK:
	case WAIT_RWLOCK_READ:
	case WAIT_RWLOCK_WRITE:
	case WAIT_ONCE:
	case WAIT_GIL:
	case WAIT_MONITOR_ENTER:
	case WAIT_FILE_LOCK:
	case WAIT_MEMORY_MAP_LOCK:
	case WAIT_SEMAPHORE:
		return BOND_LOCK;
	case WAIT_PIPE_READ:
	case WAIT_SOCKET_READ:
	case WAIT_SOCKET_ACCEPT:
	case WAIT_EVENTFD_READ:
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
	case WAIT_MESSAGE_RECEIVE:
	case WAIT_COND:
	case WAIT_PARK:
		return BOND_EVENT;
	default:
		return BOND_END;
	}
}

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
	graph_for_each_edge(graph, node, owner)
	{
		const struct process *process = graph->nodes[*owner].process;
		if (!process || process->ppid != node->id.pid)
			return false;
	}
	return !node->thread->wait.idle;
}

static bool owners_are_idle(const struct graph *graph, const struct node *node)
{
	graph_for_each_edge(graph, node, owner)
	{
		if (!is_idle(&graph->nodes[*owner]))
			return false;
	}
	return true;
}

/* Is there something in this wait that a person should know of? */
static bool is_telling(const struct graph *graph, const struct node *node)
{
	switch (bond_of(&node->thread->wait)) {
	case BOND_LOCK:
		return true;
	case BOND_END:
		return !owners_are_idle(graph, node);
	case BOND_EVENT:
		return reads_from_child(graph, node);
	}
	return false;
}

/* Enough to speak of it? */
static bool is_reason(const struct graph *graph, const struct node *node)
{
	const struct wait *wait = &node->thread->wait;
	if (!node->edge_count || !node->thread->steady || !is_telling(graph, node))
		return false;
	return bond_of(wait) != BOND_LOCK || wait->since_ms < 0 || wait->since_ms >= CONTENTION_MS;
}

/* Who stands between a telling wait and the root, whatever he himself waits for. */
struct links {
	bool *linked; /* by node */
	size_t *queue;
};

static void link_owners(struct links *links, const struct graph *graph, size_t root, size_t from)
{
	size_t queued = 0;
	links->queue[queued++] = from;
	for (size_t done = 0; done < queued; done++) {
		graph_for_each_edge(graph, &graph->nodes[links->queue[done]], owner)
		{
			if (*owner == root || links->linked[*owner])
				continue;
			links->linked[*owner] = true;
			links->queue[queued++] = *owner;
		}
	}
}

static void report(struct analysis *analysis, struct links *links, size_t root, size_t component)
{
	const struct graph *graph = &analysis->graph;
	const struct roots *roots = &analysis->roots;
	struct finding *finding = finding_add(analysis, FINDING_BLOCKED_CHAIN);
	finding_add_thread(finding, &graph->nodes[root]);
	for (size_t i = roots->first[component]; i < roots->first[component + 1]; i++) {
		const struct node *node = &graph->nodes[roots->threads[i]];
		if (roots->threads[i] != root && node->edge_count && is_telling(graph, node))
			link_owners(links, graph, root, roots->threads[i]);
	}
	for (size_t i = roots->first[component]; i < roots->first[component + 1]; i++) {
		const struct node *node = &graph->nodes[roots->threads[i]];
		if (roots->threads[i] == root || !node->edge_count ||
		    !(links->linked[roots->threads[i]] || is_telling(graph, node)))
			continue;
		finding_add_thread(finding, node);
		/* That a wait may end by itself does not make another the root. */
		finding->doubts |= thread_doubts(node->process, node->thread) &
				   ~(unsigned)(FINDING_DOUBT_TIMEOUT | FINDING_DOUBT_SIGNAL);
	}
	if (finding->doubts)
		finding->confidence = CONFIDENCE_LIKELY;
}

static void examine(struct analysis *analysis, struct links *links, size_t component)
{
	const struct graph *graph = &analysis->graph;
	const struct components *components = &analysis->components;
	const struct roots *roots = &analysis->roots;
	size_t root = components->members[components->first[component]];
	if (graph->nodes[root].kind == NODE_LOST ||
	    component_is_cyclic(components, graph, component))
		return;
	for (size_t i = roots->first[component]; i < roots->first[component + 1]; i++) {
		if (roots->threads[i] != root &&
		    is_reason(graph, &graph->nodes[roots->threads[i]])) {
			report(analysis, links, root, component);
			return;
		}
	}
}

void find_chains(struct analysis *analysis)
{
	size_t n = analysis->graph.count;
	_cleanup_free_ bool *linked = xcalloc(n, sizeof(*linked));
	_cleanup_free_ size_t *queue = xcalloc(n, sizeof(*queue));
	struct links links = {.linked = linked, .queue = queue};
	for (size_t i = 0; i < analysis->components.count; i++) {
		if (analysis->roots.of[i] == i)
			examine(analysis, &links, i);
	}
}
