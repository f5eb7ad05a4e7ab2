/* Texts, and what logs and cuts make of them. */
#ifndef HANGDUMP_TESTS_UNIT_PARSE_TEXTS_H
#define HANGDUMP_TESTS_UNIT_PARSE_TEXTS_H

#include "base/text.h"
#include "model/dump.h"

/* All of a file of tests/; freed by the caller. */
char *text_of(const char *file);

/* The text as a log has it: `how` of LOGS. */
#define LOGS 9
extern const char *const log_names[LOGS];
char *text_in_log(const char *text, int how);

/* As a report; freed by the caller. */
char *report_of(const struct dump *dump);

/* In an allocation that ends with the text, so that a read beyond is seen. */
typedef struct error *parse_fn(const char *text, size_t size, const char *name, struct dump *ret);
bool parse_exactly(parse_fn *parse, const char *text, size_t size, struct dump *ret);

#endif
