/*
 * A place in JSON text.  The outer levels of a dump are walked element by element, and only what
 * is small is handed to jansson: a tree of everything would take some fifty times the text.
 */
#ifndef HANGDUMP_STORE_CURSOR_H
#define HANGDUMP_STORE_CURSOR_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct cursor {
	const char *begin, *at, *end;
	const char *value;   /* where the value read last begins: what errors are about */
	const char *name;    /* of the file, for errors */
	struct error *error; /* the first one; after it, nothing is read any more */
	char key[64];	     /* of the last cursor_key() */
};

/* Sets the error, with the line: (line 7: "tid" ...). */
void cursor_fail(struct cursor *cursor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Elements of an array, members of an object; the brackets are "[]" or "{}":
 *
 *	for (bool more = cursor_open(c, "[]"); more; more = cursor_more(c, "[]"))
 */
bool cursor_open(struct cursor *cursor, const char *brackets);
bool cursor_more(struct cursor *cursor, const char *brackets);
/* The key of a member, cut where no key of ours is that long; "" after an error. */
const char *cursor_key(struct cursor *cursor);

/*
 * The value here as jansson has it, for the caller to release; NULL after an error.  Text, depth
 * and number of elements of one are limited.
 */
json_t *cursor_value(struct cursor *cursor);
/* Its text, which is not looked at closely.  NULL, length 0 after an error. */
const char *cursor_text(struct cursor *cursor, size_t *ret_length);
/* cursor_text(), put into words again. */
json_t *cursor_parse(struct cursor *cursor, const char *text, size_t length);
/* After the outermost value there may be nothing but blanks. */
void cursor_finish(struct cursor *cursor);

/*
 * The members of the object here as one jansson object: those in `keys` (NULL at its end), also
 * with JSON_BYTES behind them.  For those that `walk` takes, and has read then, a value of null.
 * Others are passed over.
 */
typedef bool cursor_walk_fn(void *context, const char *key);
json_t *cursor_members(struct cursor *cursor, const char *const *keys, cursor_walk_fn *walk,
		       void *context);

#endif
