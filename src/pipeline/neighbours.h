/* Owners that were not dumped, with what is known of them. */
#ifndef HANGDUMP_PIPELINE_NEIGHBOURS_H
#define HANGDUMP_PIPELINE_NEIGHBOURS_H

#include "capture/reader.h"
#include "model/dump.h"

/* Fills dump->neighbours from the owners of its waits: processes, and threads of such. */
void pipeline_add_neighbours(struct dump *dump, const struct capture *capture);

#endif
