/* Durations as people write them, and as Go writes them. */
#ifndef HANGDUMP_BASE_DURATION_H
#define HANGDUMP_BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "5", "1.5s", "300ms", "10m", "1h30m", "2d": milliseconds into *ret.  A bare number is seconds.
 * False, with *ret untouched, for anything else: negative, empty, overflowing, trailing words.
 */
bool duration_parse(const char *s, uint64_t *ret_ms);

/*
 * "5 minutes" as in Go's goroutine dumps; below one minute there is nothing to say: false.
 * At least 32 bytes.
 */
bool duration_minutes(int64_t ms, char *buf, unsigned size);

/* For counts of time left: "800 ms", "12 s", "5 min", "3 h", "2 d".  At least 32 bytes. */
void duration_short(int64_t ms, char *buf, unsigned size);

#endif
