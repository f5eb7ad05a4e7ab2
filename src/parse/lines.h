/*
 * The lines of a text as a log has them: without the end of line that Windows and terminals add,
 * without escape sequences (colours), and without what a log writes before each line: a time, a
 * process, blanks.  What that is shows in the first line of a report: whatever stands before it.
 * Other lines have the same there, but for their digits.
 */
#ifndef HANGDUMP_PARSE_LINES_H
#define HANGDUMP_PARSE_LINES_H

#include "base/text.h"
#include "parse/piece.h"

struct lines {
	const char *text;
	size_t size, at;
	size_t number;	   /* of the line that lines_next() gave last, from 1 */
	bool is_cut;	   /* the text ended without an end of line */
	struct text clean; /* that line, where it had to be copied */
	struct text prefix;
};

struct line {
	struct piece whole; /* with its prefix */
	struct piece text;  /* without, or the whole line where that has another prefix, or none */
};

/* `text` must stay; the rest of *lines is zeroed storage. */
void lines_init(struct lines *lines, const char *text, size_t size);
void lines_deinit(struct lines *lines);

/* False at the end.  The line is valid until the next call. */
bool lines_next(struct lines *lines, struct line *ret);

/* From the next line on.  What is too long for a prefix is none. */
void lines_set_prefix(struct lines *lines, struct piece prefix);

#endif
