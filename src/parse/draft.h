/* A dump in the making, within limits: what is beyond them is counted and told in its errors. */
#ifndef HANGDUMP_PARSE_DRAFT_H
#define HANGDUMP_PARSE_DRAFT_H

#include "model/dump.h"
#include "parse/piece.h"

enum {
	DRAFT_MOST_GOROUTINES = 1 << 19, /* some 200 MB */
	/* Of a report, in which a few bytes may stand for any number of them. */
	DRAFT_MOST_MEMBERS = 1 << 17,
	DRAFT_MOST_FRAMES = 1 << 22, /* of all stacks; some 500 MB */
};

struct draft {
	struct dump dump;
	size_t threads, frames;		     /* kept */
	size_t threads_over, frames_over;    /* beyond the limits */
	size_t strange_lines, first_strange; /* within a report, but not of one; its number */
	array(struct frame) stack;	     /* of the thread that is being read */
	/* Owners whose number is the last of a line, which may have been cut in it. */
	array(struct thread_id) unfinished;
};

void draft_init(struct draft *draft);
/* Begins anew with the limits: all that was made so far is gone from the dump. */
void draft_forget(struct draft *draft);
/* Leaves the dump to the caller. */
void draft_finish(struct draft *draft, struct dump *ret);

/* In the pool; NULL for an empty piece. */
const char *draft_string(struct draft *draft, struct piece piece);

/* Nothing is known of it; NULL beyond the limit on goroutines. */
struct thread *draft_thread(struct draft *draft, struct process *process);
struct thread *draft_goroutine(struct draft *draft, struct process *process);
/* Of a process of which nothing is known. */
struct process *draft_process(struct draft *draft);

/* The next outer frame of draft->stack: nothing is known of it. */
struct frame *draft_frame(struct draft *draft);
/* Gives a thread its copy of draft->stack, as far as the limit lets it. */
void draft_set_stack(struct draft *draft, struct thread *thread);

/* A line that means nothing where it stands. */
void draft_note_strange(struct draft *draft, size_t number);

#endif
