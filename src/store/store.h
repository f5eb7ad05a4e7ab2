/*
 * A dump as JSON, version 1: the keys are in hangdump(1), their types in hangdump.schema.json
 * beside this file.  One thread, frame, module, group, finding and error a line, in that order of
 * keys, so that grep(1) and diff(1) are of use.  ASCII only: what is not, and every control
 * character, is escaped.
 */
#ifndef HANGDUMP_STORE_STORE_H
#define HANGDUMP_STORE_STORE_H

#include "base/error.h"
#include "model/dump.h"

#include <stdio.h>

#define STORE_FORMAT  "hangdump"
#define STORE_VERSION 1

/*
 * Strings are made valid UTF-8 on the way.  An error when the stream failed or a value could not
 * be made; what was written until then is not a dump.  The caller flushes, and checks that too.
 */
struct error *store_write_json(const struct dump *dump, FILE *to);

#endif
