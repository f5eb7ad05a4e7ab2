/* Which processes and threads of two dumps are the same ones, and what became of the others. */
#ifndef HANGDUMP_DIFF_PAIR_H
#define HANGDUMP_DIFF_PAIR_H

#include "model/diff.h"

/* Fills diff->processes, and tells whether it is the same run. */
void pair_processes(struct diff *diff);

/* Fills diff->threads but for their groups; in another run without pairs. */
void pair_threads(struct diff *diff);

#endif
