/* A dump as text for people.  All sentences about results live in this room. */
#ifndef HANGDUMP_RENDER_RENDER_H
#define HANGDUMP_RENDER_RENDER_H

#include "model/dump.h"

#include <stdbool.h>
#include <stdio.h>

struct render_options {
	bool color;
	bool no_idle; /* leave idle groups out (they are still counted) */
	bool verbose; /* pcs, build ids, how each frame was found, rules, every error */
	bool kernel_stacks_always, kernel_stacks_never;
};

void render_text(const struct dump *dump, const struct render_options *options, FILE *to);

#endif
