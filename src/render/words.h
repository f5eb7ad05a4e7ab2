/* The words of the text report, by enum. */
#ifndef HANGDUMP_RENDER_WORDS_H
#define HANGDUMP_RENDER_WORDS_H

#include "model/dump.h"

struct wait_words {
	const char *doing; /* before the resource: "waits for" mutex savings */
	const char *alone; /* when nothing is known of a resource: "waits for a mutex" */
	const char *owner; /* before the owners: "held by" thread 4244 */
};
extern const struct wait_words wait_words[WAIT_CLASSES];

struct finding_words {
	const char *title;
	/* After a count, unless the count is always one: {singular, plural}. */
	const char *sentence[2];
	bool counts_threads_behind; /* its threads cannot go on, nor can those that wait on them */
};
extern const struct finding_words finding_words[FINDING_KINDS];

extern const char *const found_by_words[FOUND_BY_WAYS];

#endif
