/*
 * From waits to findings: who waits for whom, what can never end, and what stands at the root of
 * the rest.  A function from data to data; linear in threads and owners but for sorting.
 */
#ifndef HANGDUMP_ANALYSE_ANALYSE_H
#define HANGDUMP_ANALYSE_ANALYSE_H

#include "model/dump.h"

/*
 * Fills dump->findings, replacing what was there: worst first, each once, without words (summary,
 * evidence).  Every wait must be classified.  A thread of which a finding speaks is not idle any
 * more, whatever it was made for.
 *
 * A finding is certain only where every wait that it rests on was seen not to move, has no time
 * limit, and names all who could end it.
 */
void analyse_dump(struct dump *dump);

#endif
