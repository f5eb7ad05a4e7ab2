/*
 * Dumps that were text before: our own reports, and the goroutine dumps that Go prints, as they are
 * found in logs.  Facts that a text does not have are "not known"; what is missing of it, because
 * it was cut or left out, is in the dump's errors.
 *
 * Texts are not trusted.  Time is linear in their size; memory too, with a limit on threads and on
 * frames, beyond which they are counted and not kept.
 *
 * Of several reports, or goroutine dumps, in one text, the last is taken: it is of the last attempt,
 * and the goroutines that a process has leaked by then are all in it.
 */
#ifndef HANGDUMP_PARSE_PARSE_H
#define HANGDUMP_PARSE_PARSE_H

#include "base/error.h"
#include "model/dump.h"

#include <stdbool.h>
#include <stddef.h>

/* Is a line of such a text among the lines? */
bool parse_looks_like_report(const char *text, size_t size);
bool parse_looks_like_goroutines(const char *text, size_t size);

/*
 * `name` is what errors are about.  ERROR_FORMAT when it is no such text; *ret is untouched then.
 * A report has its groups; goroutines are still to be grouped.
 */
struct error *parse_report(const char *text, size_t size, const char *name, struct dump *ret);
struct error *parse_goroutines(const char *text, size_t size, const char *name, struct dump *ret);

#endif
