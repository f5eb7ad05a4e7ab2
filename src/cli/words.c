#include "cli/words.h"

#include "base/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int choose_or_die(struct argp_state *state, const char *option, const char *word,
		  const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(word, names[i]) == 0)
			return i;
	}
	argp_error(state, "--%s=%s: no such choice", option, word);
	return 0;
}

unsigned count_or_die(struct argp_state *state, const char *option, const char *word)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(word, &end, 10);
	if (errno || *end || end == word || word[0] == '-' || value > 1000000)
		argp_error(state, "--%s=%s: not a number from 0 to 1000000", option, word);
	return (unsigned)value;
}

uint64_t duration_or_die(struct argp_state *state, const char *option, const char *word)
{
	uint64_t ms = 0;
	if (!duration_parse(word, &ms))
		argp_error(state, "--%s=%s: not a duration (10s, 500ms, 1m30s)", option, word);
	return ms;
}
