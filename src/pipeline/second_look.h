/*
 * The second look at threads that were running: what they have used since, and what their stacks
 * have in common.  It comes after all the slow work, and waits only where that took too little time.
 */
#ifndef HANGDUMP_PIPELINE_SECOND_LOOK_H
#define HANGDUMP_PIPELINE_SECOND_LOOK_H

#include "objects/objects.h"
#include "pipeline/pipeline.h"
#include "symbolize/symbolize.h"

/* A process that has threads to look at again (second_look_wants()), and what knows its code. */
struct looked_at {
	const struct capture_process *from;
	struct process *to;
	struct objects *objects;
	struct symbolize *symbolize;
};

bool second_look_wants(const struct capture_process *process);

/*
 * Fills what struct thread has of a second look in the processes of the dump, and adds what its
 * stops cost.  Where there is no time left for it, or it fails, the dump's errors say so.
 */
void second_look(struct dump *dump, const struct capture *capture,
		 const struct pipeline_options *options, const struct looked_at *processes,
		 size_t count);

#endif
