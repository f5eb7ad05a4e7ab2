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

static bool waits_for_some_process(const struct wait *wait)
{
	array_for_each (&wait->owners, owner) {
		if (owner->tid == 0)
			return true;
	}
	return false;
}

unsigned thread_doubts(const struct process *process, const struct thread *thread)
{
	const struct wait *wait = &thread->wait;
	unsigned doubts = 0;
	if (!thread->steady)
		doubts |= FINDING_DOUBT_MOVED;
	if (wait->limited)
		doubts |= FINDING_DOUBT_TIMEOUT;
	if (process->timers || (process->signals_caught & TIMER_SIGNALS))
		doubts |= FINDING_DOUBT_SIGNAL;
	/* Where one process is to act for another, a handler may do that, in either of them. */
	if (waits_for_some_process(wait) && process_handles_signals(process, RELAXED))
		doubts |= FINDING_DOUBT_SIGNAL;
	if (wait->confidence == CONFIDENCE_LIKELY)
		doubts |= FINDING_DOUBT_CLASS;
	bool names_somebody = wait->owners.count || wait->owner_state == OWNER_EXITED;
	if (names_somebody &&
	    (wait->owner_confidence == CONFIDENCE_LIKELY || wait->owners_by_search ||
	     (wait->owner_state == OWNER_ALIVE && wait->reach != REACH_OWNERS)))
		doubts |= FINDING_DOUBT_OWNER;
	return doubts;
}

/* A handler that writes to a pipe wakes its own process: the self-pipe of event loops. */
static bool handler_may_write(const struct node *node)
{
	const struct wait *wait = &node->thread->wait;
	if (wait->class == WAIT_FILE_LOCK || !process_handles_signals(node->process, STRICT))
		return false;
	array_for_each (&wait->owners, owner) {
		if (owner->tid == 0 && owner->pid == node->id.pid)
			return true;
	}
	return false;
}

/* A limit of which the time left is not known may be short. */
static bool ends_soon(const struct wait *wait)
{
	return wait->limited && wait->timeout_ms < SHORT_TIMEOUT_MS;
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
	if (!retries(wait) && (!thread->steady || ends_soon(wait)))
		return true;
	if (handler_may_write(node))
		return true;
	if (waits_for_process(wait) && process_handles_signals(node->process, strictness))
		return true;
	return strictness == STRICT && thread_doubts(node->process, thread);
}

/*
 * One of its threads goes on after a time, however long, and may then do what others wait for: a
 * heartbeat.  Where that one waits for a process it may be what the circle is made of.
 */
static bool has_timer(const struct graph *graph, const struct node *process)
{
	graph_for_each_edge (graph, process, edge) {
		const struct thread *thread = graph->nodes[*edge].thread;
		if (thread && thread->wait.limited && thread_can_act(thread) &&
		    !waits_for_some_process(&thread->wait))
			return true;
	}
	return false;
}

static bool is_free(const struct graph *graph, const struct node *node, enum strictness strictness)
{
	switch (node->kind) {
	case NODE_THREAD:
		return thread_can_act(node->thread) && is_free_by_itself(node, strictness);
	case NODE_PROCESS:
		/* Without threads that could act it is just ending; a handler acts for it. */
		return !node->edge_count || node->process->threads_missing ||
		       has_timer(graph, node) ||
		       (strictness == STRICT && process_handles_signals(node->process, RELAXED));
	case NODE_OUTSIDE:
		return true;
	case NODE_LOST:
		break;
	}
	return false;
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
		if (is_free(graph, node, strictness))
			set_free(&flood, i);
	}
	for (size_t done = 0; done < flood.queued; done++)
		spread(&flood, queue[done]);
	free(flood.waiters.first);
	free(flood.waiters.nodes);
	return stuck;
}
