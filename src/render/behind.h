/* How many threads cannot go on before those of a finding do. */
#ifndef HANGDUMP_RENDER_BEHIND_H
#define HANGDUMP_RENDER_BEHIND_H

#include "render/printer.h"

/*
 * Threads, not of the finding, all of whose owners are of it or are counted here.  Where not all
 * are, the thread may yet be let go, and is not counted.
 */
size_t count_threads_behind(const struct printer *p, const struct finding *finding);

#endif
