/*
 * The members of one object of a dump, with their types checked: the inverse of json.h.  What is
 * missing is taken for null, "not known"; what is of another type or out of range fails.
 */
#ifndef HANGDUMP_STORE_FIELDS_H
#define HANGDUMP_STORE_FIELDS_H

#include "base/strpool.h"
#include "store/cursor.h"

#include <stdint.h>
#include <sys/types.h>

struct fields {
	struct cursor *cursor; /* takes the errors */
	struct strpool *strings;
	const json_t *object;
};

/* The members of a member that is an object; of none where it is null. */
struct fields fields_of(const struct fields *fields, const char *key);
/* A member that is an array; NULL where it is null, which has no elements. */
const json_t *field_array(const struct fields *fields, const char *key);
/* For the elements of arrays: fails where they are not objects. */
struct fields fields_of_element(const struct fields *fields, const json_t *element);

/* Fails where the member is missing or null. */
void field_require(const struct fields *fields, const char *key);

bool field_flag(const struct fields *fields, const char *key);
/* From 0 to `most`; `missing` where it is null. */
int64_t field_number(const struct fields *fields, const char *key, int64_t most, int64_t missing);
/* From 1; 0 where it is null. */
pid_t field_pid(const struct fields *fields, const char *key);
/* "0x401136"; 0 where it is null. */
uint64_t field_address(const struct fields *fields, const char *key);
/* In the pool: the bytes that json_put_text() was given, or NULL. */
const char *field_text(const struct fields *fields, const char *key);
/* One byte, or 0. */
char field_letter(const struct fields *fields, const char *key);
/* The index of a word in names, which may have gaps; `missing` where it is null. */
int field_choice(const struct fields *fields, const char *key, const char *const *names, int count,
		 int missing);
/* -1 where it is none of names. */
int find_word(const char *word, const char *const *names, int count);

/* Elements of an array, which is named for errors.  bytes: what json_bytes() made of it, if any. */
const char *element_text(const struct fields *fields, const char *key, const json_t *element,
			 const json_t *bytes);
uint64_t element_address(const struct fields *fields, const char *key, const json_t *element);
/* From 1. */
pid_t element_pid(const struct fields *fields, const char *key, const json_t *element);

#endif
