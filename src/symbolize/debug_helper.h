/*
 * Debug information is read in a process of its own.  libdw believes what a file says, and a file
 * can make it work for ever, take all memory or crash; none of that may cost the report.  A helper
 * that gives no answer in time, or ends, is replaced by a fresh one, and the object that it was
 * asked about counts as one without debug information from then on: objects_learn_debug() says why.
 */
#ifndef HANGDUMP_SYMBOLIZE_DEBUG_HELPER_H
#define HANGDUMP_SYMBOLIZE_DEBUG_HELPER_H

#include "symbolize/private.h"
#include "symbolize/symbolize.h"

struct debug_helper;

/* Starts nothing before the first question. */
struct debug_helper *debug_helper_new(struct objects *objects,
				      const struct symbolize_options *options,
				      struct strpool *strings);
void debug_helper_free(struct debug_helper *helper);

/* One array of places for each question, for the caller to release; strings are in the pool. */
void debug_helper_ask(struct debug_helper *helper, const struct debug_question *questions,
		      size_t count, place_array *ret);

/* The helper's pid, 0 when there is none: for tests. */
pid_t debug_helper_pid(const struct debug_helper *helper);

/* --- between the two processes --- */

/* Comes before each answer's bytes: `count` of struct debug_place, then their strings, in order. */
struct debug_answer {
	uint32_t count;
	uint32_t size; /* of all that follows */
	/* Lengths of strings plus one, 0 for none; these come last. */
	uint32_t debug_path, debug_why_not;
};

struct debug_place {
	uint64_t start;
	uint32_t line;
	uint32_t function, file; /* as above */
};

enum {
	DEBUG_PLACES_MAX = 128,
	DEBUG_STRING_MAX = 64 << 10,
	DEBUG_ANSWER_MAX = 4 << 20,
};

/* debug_server.c: answers until the other end is closed. */
_Noreturn void debug_server_run(struct objects *objects, const struct symbolize_options *options,
				struct strpool *strings, int socket);

#endif
