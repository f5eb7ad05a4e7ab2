/*
 * Where each chain of waits ends: at a circle, at a lost lock, or at somebody who waits for nobody
 * that is known.
 */
#ifndef HANGDUMP_ANALYSE_ROOTS_H
#define HANGDUMP_ANALYSE_ROOTS_H

#include "analyse/components.h"

#define NO_ROOT SIZE_MAX /* of a circle that may be broken at several places */

struct roots {
	size_t *of; /* by component: the component at which all its waits end, maybe itself */
	/* By component: the threads whose chains end there, its own included. */
	size_t *first; /* in threads; one more at the end */
	size_t *threads;
};

/* `stuck`: find_stuck()'s, by node. */
void roots_init(struct roots *roots, const struct graph *graph, const struct components *components,
		const bool *stuck);
void roots_deinit(struct roots *roots);

/*
 * Is it a circle that nothing can break?  (A circle of which a member is free is none: it waits for
 * one of several.)
 */
bool component_is_deadlock(const struct graph *graph, const struct components *components,
			   const bool *stuck, size_t component);

#endif
