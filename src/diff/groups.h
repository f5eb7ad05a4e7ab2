/* Threads in the same place, in both dumps. */
#ifndef HANGDUMP_DIFF_GROUPS_H
#define HANGDUMP_DIFF_GROUPS_H

#include "model/diff.h"

/*
 * Fills diff->groups from diff->threads, and their place in there.  In report order: groups with
 * new threads (in another run: that have grown), stuck ones that others wait for, stuck, cycling,
 * spinning, moved, gone (or shrunk), unknown, idle; within these the more suspicious class, then
 * the larger group first.
 */
void group_diff_threads(struct diff *diff);

#endif
