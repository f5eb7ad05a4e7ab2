/*
 * The names of functions, and what it means for a wait that they are on its stack.
 *
 * Names are compared in a normal form: without parameters, template arguments, symbol versions and
 * the compiler's suffixes (.constprop.0, .isra.0, .part.0, .cold), and, where they are C names,
 * without `__GI_`, `__interceptor_` and leading underscores.  A pattern "Mutex::lock_contended"
 * matches a name that is so or ends in "::Mutex::lock_contended"; a trailing '*' matches any ending
 * of the last component.
 */
#ifndef HANGDUMP_CLASSIFY_FRAMES_H
#define HANGDUMP_CLASSIFY_FRAMES_H

#include "classify/locks.h"
#include "classify/memo.h"
#include "model/stack.h"
#include "model/wait.h"

/* Where several rows fit, the higher layer knows better what is waited for. */
enum frame_layer {
	LAYER_STUB,    /* libc's own way into the kernel */
	LAYER_LIBC,    /* the primitive */
	LAYER_LIBRARY, /* what a language's standard library or a lock library builds on it */
	LAYER_RUNTIME, /* what is really waited for */
};

/* In which calls a row may decide. */
enum frame_calls {
	IN_FUTEX = 1,
	IN_EVENTS = 2, /* epoll, poll, select */
	IN_SLEEP = 4,
	IN_SEMAPHORE = 8, /* semop */
	IN_ANY = 16,
};

struct frame_row {
	const char *pattern;
	const char *contains; /* must be in the whole name too, arguments and all; NULL: nothing */
	const char *module;   /* how the file's base name begins, or "one|other"; NULL: any */
	enum frame_layer layer;
	unsigned calls;	       /* enum frame_calls; 0: IN_FUTEX */
	enum wait_class class; /* 0 (unknown): decides nothing, and is no stranger */
	enum primitive primitive;
	const char *kind;     /* of resource; NULL: the class says it */
	enum wait_class over; /* refines this class alone; 0 (unknown): whatever was found so far */
	uint8_t word;	      /* where the futex word is in the object */
	uint8_t within;	      /* how many frames of strangers may stand before it */
	bool own_word;	      /* the futex word is the waiter's, and says nothing of the object */
	const char *source;
};

extern const struct frame_row frame_rows[];
extern const size_t frame_row_count;

struct frame_match {
	const struct frame_row *row;
	/* The row of libc's that `row` stands upon, or `row` itself; NULL: none has a primitive. */
	const struct frame_row *object;
	const struct frame *frame;
	bool doubtful;
};

struct subject;

/* The row that says best what the wait is, for a call of the given kinds. */
bool frames_match(const struct subject *subject, unsigned calls, struct frame_match *ret);

/* Is a function of this pattern on the stack before any frame that is not libc's? */
bool frames_begin_with(const struct subject *subject, const char *pattern);

/*
 * What lock inside of libc or the loader this is, by who asked for it: "malloc arena", "stdio
 * lock", ...; NULL: not one of those.
 */
const char *frames_libc_lock(const struct subject *subject, enum primitive primitive);

/*
 * Likewise, of the code that the innermost signal handler interrupted: what it may have taken, and
 * does not give back before the handler ends.
 */
const char *frames_interrupted_libc_lock(const struct subject *subject);

/* libc_lock.c: renames a mutex or low-level lock, the resource, that is one of libc's own. */
void libc_lock_name(struct subject *subject, enum primitive primitive);

/* For the memo: fills the facts beside the name, and the rows of this table and of idle.c's. */
void frames_learn(struct name_facts *facts, row_numbers *ret_rows);
void idle_learn(const struct name_facts *facts, row_numbers *ret_rows);

#define NAME_CAP 256
/* The normal form of a name; "" for NULL.  Cut to fit. */
void name_normalise(const char *name, char ret[NAME_CAP]);
bool name_matches_pattern(const char *normal, const char *pattern);

/*
 * The letters that a name's components begin with, as a set: hundreds of patterns are tried on each
 * name, and nearly all fail by their first letter.
 */
uint64_t name_initials(const char *normal);
static inline bool name_may_match(uint64_t initials, const char *pattern)
{
	return initials >> (pattern[0] & 63) & 1;
}

#endif
