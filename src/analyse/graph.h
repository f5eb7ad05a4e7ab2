/*
 * The wait-for graph: threads, processes, and what is not in the dump, with an edge from each
 * waiter to each of those of whom one must act for its wait to end.
 */
#ifndef HANGDUMP_ANALYSE_GRAPH_H
#define HANGDUMP_ANALYSE_GRAPH_H

#include "model/dump.h"

enum node_kind {
	NODE_THREAD,
	NODE_PROCESS, /* a dumped process as a whole: it acts when one of its threads does */
	NODE_OUTSIDE, /* an owner that was not dumped */
	NODE_LOST,    /* a lock whose owner is no more: nobody acts */
};

struct node {
	enum node_kind kind;
	struct thread_id id;	 /* NODE_LOST: of the owner, as memory has it */
	struct process *process; /* NULL unless it is dumped */
	struct thread *thread;	 /* NULL unless it is one */
	size_t process_node;	 /* of a thread: its process */
	size_t first_edge, edge_count;
	uint64_t lock; /* NODE_LOST: its address */
};

#define NO_NODE SIZE_MAX

struct graph {
	struct node *nodes; /* the threads in the dump's order, then the processes, then others */
	size_t count, thread_count;
	size_t *edges; /* node numbers */
	size_t edge_count;
};

enum edges {
	EDGES_ALL,
	/*
	 * Without those of waits for an event that may come from outside of the dump, or from the
	 * waiter's own process: nothing says that anybody there is at fault.
	 */
	EDGES_OF_CHAINS,
};

/* The nodes are the same, and have the same numbers, whatever the edges. */
void graph_init(struct graph *graph, struct dump *dump, enum edges edges);
void graph_deinit(struct graph *graph);

/* Does it still run code, or could it? */
bool thread_can_act(const struct thread *thread);

#define graph_for_each_edge(graph, node, owner)                                                    \
	for (const size_t *owner = (graph)->edges + (node)->first_edge,                            \
			  *owner##_end = owner + (node)->edge_count;                               \
	     owner < owner##_end; owner++)

#endif
