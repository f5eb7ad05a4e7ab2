/* Who descends from whom, as /proc tells. */
#ifndef HANGDUMP_BASE_RELATIVES_H
#define HANGDUMP_BASE_RELATIVES_H

#include "base/proc.h"

struct relative {
	pid_t pid;
	struct proc_stat stat;
};

/*
 * All descendants of a process as of now, zombies too, parents first; not the process itself.
 * Those in `without` are left out with their descendants.  Processes that are started or reparented
 * meanwhile may be missed.  The caller frees *ret.
 */
size_t relatives_of(pid_t pid, const pid_t *without, size_t without_count, struct relative **ret);

/* What /proc tells of one process; false when there is none. */
bool relative_read(pid_t pid, struct relative *ret);

/* False for what has ended and only waits for its parent; a leader whose threads go on is alive. */
bool relative_is_alive(const struct relative *relative);

#endif
