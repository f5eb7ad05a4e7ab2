/* The words of the text report, by enum. */
#ifndef HANGDUMP_RENDER_WORDS_H
#define HANGDUMP_RENDER_WORDS_H

#include "model/diff.h"
#include "render/printer.h"

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
};
/* After the owners, or in their place; NULL: nothing to say. */
extern const char *const owner_state_words[OWNER_STATES];

/* Why a finding is not certain, by bit number of FINDING_DOUBT_*. */
extern const char *const doubt_words[FINDING_DOUBTS];

extern const struct finding_words finding_words[FINDING_KINDS];

/* Colours of what threads did. */
extern const enum style progress_styles[PROGRESSES];
extern const char *const unknown_words[UNKNOWN_REASONS];
extern const char *const finding_change_words[FINDING_CHANGES];

extern const char *const found_by_words[FOUND_BY_WAYS];

#endif
