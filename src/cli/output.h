/*
 * Where a report goes: standard output, or a file that is written whole or not at all.
 */
#ifndef HANGDUMP_CLI_OUTPUT_H
#define HANGDUMP_CLI_OUTPUT_H

#include "base/error.h"

#include <stdio.h>

#define MOST_OUTPUTS 8 /* files at once */

struct output {
	FILE *stream;
	char *path;	  /* what was asked for; NULL: standard output */
	char *final;	  /* where it ends up; NULL: written in place (standard output, a device) */
	char *temporary;  /* beside `final` until output_finish() */
	char *unfinished; /* what output_abandon() has of that */
};

/* path NULL or "-": standard output. */
struct error *output_begin(struct output *output, const char *path);
/* Flushes, and puts the file in its place.  On an error nothing is left behind. */
struct error *output_finish(struct output *output);
/* Accepts zeroed storage; removes what was not finished. */
void output_deinit(struct output *output);

/* Removes what was not finished.  For signal handlers that end the program. */
void output_abandon(void);

#endif
