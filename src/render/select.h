/* Which threads a filter shows: a dump that has only their groups, and the findings about them. */
#ifndef HANGDUMP_RENDER_SELECT_H
#define HANGDUMP_RENDER_SELECT_H

#include "render/printer.h"

/*
 * *view shares everything with the dump but its groups and findings, which select_deinit() frees;
 * the dump must outlive it.  Linear in threads and frames.
 */
void select_view(const struct dump *dump, const struct render_filter *filter, struct dump *view);
void select_deinit(struct dump *view);

/* Does the thread wait for what filter->who names? */
bool select_is_asked_for(const struct render_filter *filter, const struct wait *wait);

#endif
