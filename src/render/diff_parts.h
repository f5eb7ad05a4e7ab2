/* The parts of the text about two dumps. */
#ifndef HANGDUMP_RENDER_DIFF_PARTS_H
#define HANGDUMP_RENDER_DIFF_PARTS_H

#include "model/diff.h"
#include "render/parts.h"

/* Two printers on one stream: what is about a dump's threads is printed by that dump's. */
struct diff_printer {
	const struct diff *diff;
	const struct render_diff_options *options;
	struct printer old, new;
};

/* Flushes the other one. */
struct printer *diff_printer_old(struct diff_printer *p);
struct printer *diff_printer_new(struct diff_printer *p);

/* Each begins with an empty line, but for --stat. */
void print_diff_groups(struct diff_printer *p);
void print_leaks(struct diff_printer *p);

/* No end of line: "12 stuck, 1 moved". */
void print_progress_counts(struct printer *p, const size_t count[PROGRESSES]);

#endif
