/* Strongly connected components: Tarjan's algorithm, with a stack of its own. */
#ifndef HANGDUMP_ANALYSE_COMPONENTS_H
#define HANGDUMP_ANALYSE_COMPONENTS_H

#include "analyse/graph.h"

struct components {
	size_t *of;	 /* by node */
	size_t *members; /* nodes, component by component, in order */
	size_t *first;	 /* by component: its first in members; one more at the end */
	size_t count;	 /* a component waits only for itself and for ones of lower number */
};

void components_init(struct components *components, const struct graph *graph);
void components_deinit(struct components *components);

/* More than one node, or one that waits for itself. */
bool component_is_cyclic(const struct components *components, const struct graph *graph,
			 size_t component);

#endif
