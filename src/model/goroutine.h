/*
 * What a goroutine has beyond what it shares with threads (its wait and its stack), and what Go's
 * words for its waits mean.  Strings are in the dump's pool.
 */
#ifndef HANGDUMP_MODEL_GOROUTINE_H
#define HANGDUMP_MODEL_GOROUTINE_H

#include "model/wait.h"

#include <stdbool.h>
#include <stdint.h>

/* Who began it, and where; function NULL: not known, or nobody (goroutine 1). */
struct creator {
	const char *function;
	const char *file;
	unsigned line;	 /* 0: not known */
	uint64_t offset; /* of the return address from the function's start; 0: not known */
	uint64_t goid;	 /* 0: not known: Go records it since 1.21 */
};

struct goroutine {
	uint64_t goid;	    /* 0: the stack on which a thread of the runtime schedules */
	const char *status; /* "runnable", "running", "syscall", "waiting"...; NULL: not known */
	const char *bubble; /* "synctest bubble 1": the part of a test that it belongs to; NULL */
	const char *labels; /* of its profile, as Go writes them, or NULL */
	bool locked_to_thread;
	bool system; /* one of the runtime's own */
	struct creator created_by;
};

/*
 * The class of what Go says of a goroutine: the reason of a wait, or its status where it does not
 * wait.  WAIT_PARK for words of no known version; what comes after a
 * comma does not count.  *ret_idle: the runtime's own are at rest so.
 */
enum wait_class go_wait_class(const char *words, bool *ret_idle);

#endif
