/* The command and all that it has started, wherever that has gone: found, signalled and ended. */
#ifndef HANGDUMP_LAUNCH_TREE_H
#define HANGDUMP_LAUNCH_TREE_H

#include "base/relatives.h"

#include <stdbool.h>

struct tree {
	pid_t root;	     /* the supervisor, or who inherits from it: not part of the tree */
	pid_t command;	     /* 0: unknown; its pid is not used again until it is reaped */
	bool reaped;	     /* the command is: its pid and its group mean nothing any more */
	bool has_group;	     /* the command leads a process group of its own */
	const pid_t *others; /* children of the root that are none of the tree, with theirs */
	size_t other_count;
};

/* All that live, parents first; the caller frees *ret. */
size_t tree_list(const struct tree *tree, struct relative **ret);

/*
 * Once the command has ended: does nobody live?  Whatever does has an ancestor among the root's
 * children, or is one, since orphans become that; so this is sure, once the root has reaped all
 * children but the command.
 */
bool tree_is_empty(const struct tree *tree);

/*
 * To the command's group, or to the command, where it has none or has left it.  True when it was the
 * group.
 */
bool tree_signal_command(const struct tree *tree, int signal_number);

/* To all of the tree, each once, SIGCONT after it. */
void tree_signal(const struct tree *tree, int signal_number);

/*
 * One round of SIGKILL for all; true when there was nobody.  To be repeated: what is forked at the
 * same time may escape a round, though it cannot leave the tree.
 */
bool tree_kill(const struct tree *tree);

/*
 * For a caller that is the root: kills its children, all but one.  Nobody else reaps them, so that a
 * pid is still that child's.  Whoever forks and ends at once is gone before it is found in a list
 * of the tree; but its child is the root's by then, and met here within microseconds, if the dead
 * are reaped in between.  False when there were none.
 */
bool tree_kill_children(const struct tree *tree, pid_t but);

/*
 * A debugger from outside the tree that has one of its processes, and its name; 0: none.
 * `name` has at least 64 bytes.
 */
pid_t tree_tracer(const struct tree *tree, char *name, size_t size);

/* The children of one thread, in no order; false where the kernel does not tell. */
bool children_of(pid_t pid, pid_t tid, pid_t **ret, size_t *ret_count);

#endif
