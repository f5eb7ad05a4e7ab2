/* Identical stacks with the same wait and resource become groups, in report order. */
#ifndef HANGDUMP_GROUP_GROUP_H
#define HANGDUMP_GROUP_GROUP_H

#include "model/dump.h"

/* Fills dump->groups.  Linear in threads and frames: by hash, never pairwise. */
void group_threads(struct dump *dump);

#endif
