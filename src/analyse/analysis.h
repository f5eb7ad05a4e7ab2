/* Inside the analyse room: what the makers of findings share. */
#ifndef HANGDUMP_ANALYSE_ANALYSIS_H
#define HANGDUMP_ANALYSE_ANALYSIS_H

#include "analyse/roots.h"
#include "analyse/stuck.h"

struct analysis {
	struct dump *dump;
	struct graph graph;
	struct components components;
	struct roots roots;
	/* The same without the edges that chains do not follow. */
	struct graph chain_graph;
	struct components chain_components;
	struct roots chain_roots;
	bool *stuck;	/* by node */
	bool *certain;	/* by node: stuck whatever may be doubted */
	bool *in_worse; /* by thread: in, or behind, a finding of what can never end */
};

/* The makers: each appends its findings to the dump. */
void find_circles(struct analysis *analysis);
void find_lost_locks(struct analysis *analysis);
void find_no_progress(struct analysis *analysis);
void find_lost_wakeups(struct analysis *analysis);
void find_chains(struct analysis *analysis);
void find_spinning(struct analysis *analysis);

struct finding *finding_add(struct analysis *analysis, enum finding_kind kind);
/* Adds a thread and what it waits for, once each. */
void finding_add_thread(struct finding *finding, const struct node *node);
/*
 * For a finding that rests on waits which cannot end: its confidence and its doubts, from those of
 * `nodes`, and who waits behind them, from the threads whose chains end at component `root`.
 */
void finding_rest_on(struct analysis *analysis, struct finding *finding, const size_t *nodes,
		     size_t count, size_t root);

#endif
