/*
 * Fuzz targets: each file json.c, ... of this folder is one, with a corpus of its own name.
 *
 *	make fuzz-json && tests/fuzz/fuzz-json DIRECTORY $(srcdir)/tests/fuzz/corpus/json
 *
 * builds it with clang and libFuzzer, whatever compiler was configured, and lets it run.  `make
 * check` replays the corpora through the same code (replay.c), without a fuzzer.
 */
#ifndef HANGDUMP_TESTS_FUZZ_FUZZ_H
#define HANGDUMP_TESTS_FUZZ_FUZZ_H

#include "base/error.h"
#include "model/dump.h"

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Ends the program unless a reader's result is what it should be: an error in one line or, taking
 * the dump, one that can be shown in every way, and whose JSON is read as the same dump again.
 */
void fuzz_check(struct error *error, struct dump *dump);
/* For readers that are much faster than that: of what a fuzzer has made, one in many, by its size. */
void fuzz_check_some(struct error *error, struct dump *dump, size_t size);

#endif
