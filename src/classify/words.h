/* Kernel text and bits in words. */
#ifndef HANGDUMP_CLASSIFY_WORDS_H
#define HANGDUMP_CLASSIFY_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Bit n is signal n + 1: "SIGINT, SIGTERM", "all but SIGSEGV", "none".  The caller frees it. */
char *signal_set_text(uint64_t mask);

/* What is left of a timerfd by its fdinfo, rounded up; 0: it is not armed. */
bool timerfd_left_ms(const char *info, int64_t *ret);

#endif
