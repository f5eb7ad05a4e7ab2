/*
 * A dump as JSON, version 1: hangdump(1) tells of it, and hangdump.schema.json beside this file has
 * all keys and their types.  One thread, frame, module, group, finding and error a line, in that
 * order of keys, so that grep(1) and diff(1) are of use.  ASCII only: what is not, and every
 * control character, is escaped.
 */
#ifndef HANGDUMP_STORE_STORE_H
#define HANGDUMP_STORE_STORE_H

#include "base/error.h"
#include "model/diff.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define STORE_FORMAT  "hangdump"
#define STORE_VERSION 1

/*
 * Strings are made valid UTF-8 on the way.  An error when the stream failed or a value could not
 * be made; what was written until then is not a dump.  The caller flushes, and checks that too.
 */
struct error *store_write_json(const struct dump *dump, FILE *to);

/*
 * The dump that `size` bytes of text hold: the inverse of store_write_json(), so that writing it
 * again gives the same text.  What a report is made of comes back whole; what only the making of a
 * dump needs (struct frame's cfa and lookup_pc) is 0.
 *
 * Every dump of version 1 is accepted, with its keys in any order, and without those that came
 * later: what is missing is not known.  Unknown keys are passed over.  Unknown words of the open
 * lists (wait classes, kinds of frames and findings) and goroutines are named in the dump's
 * errors.  All else is refused: an ERROR_FORMAT with the line and what is wrong there, or
 * ERROR_UNSUPPORTED for a higher version; *ret is untouched then.  Types, ranges, doubled ids and
 * references between parts are checked.
 *
 * `name` is what errors are about.  Time and memory are linear in `size`, whatever the text holds:
 * some ten times that at worst, twice for a dump as it is written.
 */
struct error *store_read_json(const char *text, size_t size, const char *name, struct dump *ret);

/* Could this be JSON of any kind? */
bool store_looks_like_json(const char *text, size_t size);

/*
 * What changed between two dumps, by hangdump-diff.schema.json, in the same manner: one thread,
 * group and finding a line.
 */
struct error *store_write_diff_json(const struct diff *diff, FILE *to);

#define STORE_DIFF_FORMAT  "hangdump-diff"
#define STORE_DIFF_VERSION 1

#endif
