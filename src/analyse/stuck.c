#include "analyse/stuck.h"

#include "base/cleanup.h"

#include <signal.h>

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* What the program's own faults cause, and glibc's and musl's own: nobody waits for those. */
#define INTERNAL_SIGNALS                                                                           \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGABRT) | BIT(SIGTRAP) |    \
	 BIT(SIGSYS) | BIT(SIGPIPE) | BIT(32) | BIT(33) | BIT(34))

/* What people send to end a program or to stop it: by then it has hung. */
#define ENDING_SIGNALS                                                                             \
	(BIT(SIGINT) | BIT(SIGTERM) | BIT(SIGQUIT) | BIT(SIGHUP) | BIT(SIGTSTP) | BIT(SIGTTIN) |   \
	 BIT(SIGTTOU) | BIT(SIGCONT) | BIT(SIGWINCH))

/* What a program sends to itself after a time. */
#define TIMER_SIGNALS (BIT(SIGALRM) | BIT(SIGVTALRM) | BIT(SIGPROF))

bool process_handles_signals(const struct process *process, enum strictness strictness)
{
	uint64_t harmless = INTERNAL_SIGNALS | (strictness == RELAXED ? ENDING_SIGNALS : 0);
	return process->timers || (process->signals_caught & ~harmless);
}

/* Waits that are made of many short ones, between which the thread runs. */
static bool retries(const struct wait *wait)
{
	return wait->class == WAIT_GIL || wait->class == WAIT_MONITOR_ENTER;
}

unsigned thread_doubts(const struct process *process, const struct thread *thread)
{
	const struct wait *wait = &thread->wait;
	unsigned doubts = 0;
	if (!thread->steady)
		doubts |= FINDING_DOUBT_MOVED;
	if (wait->timeout_ms >= 0)
		doubts |= FINDING_DOUBT_TIMEOUT;
	if (process->timers || (process->signals_caught & TIMER_SIGNALS))
		doubts |= FINDING_DOUBT_SIGNAL;
	if (wait->confidence == CONFIDENCE_LIKELY)
		doubts |= FINDING_DOUBT_CLASS;
	bool names_somebody = wait->owners.count || wait->owner_state == OWNER_EXITED;
	if (names_somebody && (wait->owner_confidence == CONFIDENCE_LIKELY ||
			       (wait->owner_state == OWNER_ALIVE && wait->reach != REACH_OWNERS)))
		doubts |= FINDING_DOUBT_OWNER;
	return doubts;
}

/* A handler that writes to a pipe wakes its own process: the self-pipe of event loops. */
static bool handler_may_write(const struct node *node)
{
	const struct wait *wait = &node->thread->wait;
	return (wait->class == WAIT_PIPE_READ || wait->class == WAIT_EVENTFD_READ ||
		wait->class == WAIT_SOCKET_READ) &&
	       wait->owners.count == 1 && wait->owners.items[0].pid == node->id.pid &&
	       process_handles_signals(node->process, STRICT);
}

/* Can only threads of its own process end it, whichever? */
static bool waits_for_process(const struct wait *wait)
{
	return wait->reach == REACH_PROCESS && !wait->owners.count;
}

static bool is_free_by_itself(const struct node *node, enum strictness strictness)
{
	const struct thread *thread = node->thread;
	const struct wait *wait = &thread->wait;
	if (!node->edge_count && !waits_for_process(wait))
		return true;
	if (!retries(wait) &&
	    (!thread->steady || (wait->timeout_ms >= 0 && wait->timeout_ms < SHORT_TIMEOUT_MS)))
		return true;
	if (handler_may_write(node))
		return true;
	if (waits_for_process(wait) && process_handles_signals(node->process, strictness))
		return true;
	return strictness == STRICT && thread_doubts(node->process, thread);
}

/* The graph the other way round: who waits for a node. */
struct waiters {
	size_t *first; /* by node; one more at the end */
	size_t *nodes;
};

static void waiters_init(struct waiters *waiters, const struct graph *graph)
{
	waiters->first = xcalloc(graph->count + 2, sizeof(*waiters->first));
	waiters->nodes = xcalloc(graph->edge_count, sizeof(*waiters->nodes));
	/* Counted two places on, so that filling moves each start to its own place. */
	for (size_t i = 0; i < graph->edge_count; i++)
		waiters->first[graph->edges[i] + 2]++;
	for (size_t i = 2; i < graph->count + 2; i++)
		waiters->first[i] += waiters->first[i - 1];
	for (size_t i = 0; i < graph->count; i++) {
		graph_for_each_edge (graph, &graph->nodes[i], owner)
			waiters->nodes[waiters->first[*owner + 1]++] = i;
	}
}

struct flood {
	const struct graph *graph;
	struct waiters waiters;
	bool *stuck;
	size_t *queue;
	size_t queued;
};

static void set_free(struct flood *flood, size_t node)
{
	if (!flood->stuck[node])
		return;
	flood->stuck[node] = false;
	flood->queue[flood->queued++] = node;
}

static void spread(struct flood *flood, size_t i)
{
	const struct graph *graph = flood->graph;
	const struct node *node = &graph->nodes[i];
	for (size_t j = flood->waiters.first[i]; j < flood->waiters.first[i + 1]; j++)
		set_free(flood, flood->waiters.nodes[j]);
	if (node->kind != NODE_PROCESS)
		return;
	/* Its threads are the first edges of a process, in order, but for those that ended. */
	graph_for_each_edge (graph, node, thread) {
		if (waits_for_process(&graph->nodes[*thread].thread->wait))
			set_free(flood, *thread);
	}
}

bool *find_stuck(const struct graph *graph, enum strictness strictness)
{
	bool *stuck = xcalloc(graph->count, sizeof(*stuck));
	_cleanup_free_ size_t *queue = xcalloc(graph->count, sizeof(*queue));
	struct flood flood = {.graph = graph, .stuck = stuck, .queue = queue};
	waiters_init(&flood.waiters, graph);
	for (size_t i = 0; i < graph->count; i++)
		stuck[i] = true;
	for (size_t i = 0; i < graph->count; i++) {
		const struct node *node = &graph->nodes[i];
		/* A process without threads that could act is one that is just ending. */
		if (node->kind == NODE_OUTSIDE ||
		    (node->kind == NODE_PROCESS && !node->edge_count) ||
		    (node->kind == NODE_THREAD && thread_can_act(node->thread) &&
		     is_free_by_itself(node, strictness)))
			set_free(&flood, i);
	}
	for (size_t done = 0; done < flood.queued; done++)
		spread(&flood, queue[done]);
	free(flood.waiters.first);
	free(flood.waiters.nodes);
	return stuck;
}
