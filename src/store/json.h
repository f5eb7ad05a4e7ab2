/*
 * Values of the model as jansson values, and a stream that they are written to.  Every number
 * here is an integer and never negative: "not known" is null.
 */
#ifndef HANGDUMP_STORE_JSON_H
#define HANGDUMP_STORE_JSON_H

#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Null for NULL; valid UTF-8 whatever s holds. */
json_t *json_text(const char *s);
/* "0x401136". */
json_t *json_address(uint64_t address);
/* Null below 0. */
json_t *json_known(int64_t value);
/* Null for 0: process and thread ids, inodes, line numbers. */
json_t *json_nonzero(uint64_t value);

/* Null where JSON's readers would take it for something else, beyond 2^63. */
json_t *json_count(uint64_t value);

/* Appends to an object; takes the value. */
void json_put(json_t *object, const char *key, json_t *value);
/*
 * Appends text that may hold any byte.  Where that is not UTF-8, another member, its key with
 * JSON_BYTES behind it, has the bytes in hexadecimal.
 */
void json_put_text(json_t *object, const char *key, const char *s);
#define JSON_BYTES "_bytes"

/* Its bytes in hexadecimal: "6dff". */
json_t *json_bytes(const char *s);
/* Is json_text(s) all there is to s?  Not where s was no UTF-8. */
bool json_is_exact(const json_t *value, const char *s);

/* A file being written, or, without one, text being made.  After a failure nothing is tried. */
struct json_stream {
	FILE *to;
	struct text text; /* not yet written: jansson hands over a few bytes at a time */
	bool failed;
	int os_errno; /* why, where the system said so */
};

/* Writes what is left. */
void json_stream_finish(struct json_stream *stream);

void json_write_raw(struct json_stream *stream, const char *bytes, size_t n);
void json_write_word(struct json_stream *stream, const char *word);
/* Both take the value.  Members: an object without its braces. */
void json_write(struct json_stream *stream, json_t *value);
void json_write_members(struct json_stream *stream, json_t *object);

#endif
