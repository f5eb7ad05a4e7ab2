/*
 * Identical stacks with the same wait become groups, in report order.
 *
 * Threads are in one group when all of these are equal: the process; the frames (kind, call site,
 * function, inlined or not, a guess or not), kernel frames included; how the stack ends; the wait
 * class (and which call, for "system call"); the resource; its owners; idle or not.  So are
 * goroutines, never with threads, when they also wait in the same words of Go's and have the same
 * creator (but for the goroutine it was), the same test bubble, and are locked to a thread or not.
 *
 * Report order: processes by their most suspicious group.  In a process: idle groups last; by
 * wait_classes[].suspicion; the group of the main thread or goroutine 1 before its equals; longest wait first, in
 * whole minutes; more threads first; then by milliseconds; threads before goroutines; then by the
 * lowest tid or goid.
 */
#ifndef HANGDUMP_GROUP_GROUP_H
#define HANGDUMP_GROUP_GROUP_H

#include "model/dump.h"

/*
 * Fills dump->groups, replacing what was there.  Linear in threads and frames: by hash, never
 * pairwise.
 */
void group_threads(struct dump *dump);

#endif
