/* Option values that are one word of a list, a count or a duration; the rest is bad usage. */
#ifndef HANGDUMP_CLI_WORDS_H
#define HANGDUMP_CLI_WORDS_H

#include <argp.h>
#include <stdint.h>

/* The index in names of the option's value.  No return when it is none of them. */
int choose_or_die(struct argp_state *state, const char *option, const char *word,
		  const char *const *names, int count);
/* 0 to 1000000. */
unsigned count_or_die(struct argp_state *state, const char *option, const char *word);
/* Milliseconds. */
uint64_t duration_or_die(struct argp_state *state, const char *option, const char *word);

#endif
