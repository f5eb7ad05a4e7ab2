/* A dump as JSON, version 1 (the form is in hangdump(1), and in the schema beside it). */
#ifndef HANGDUMP_STORE_STORE_H
#define HANGDUMP_STORE_STORE_H

#include "base/error.h"
#include "model/dump.h"

#include <stdio.h>

/* Strings are made valid UTF-8 on the way.  The caller checks the stream. */
struct error *store_write_json(const struct dump *dump, FILE *to);

#endif
