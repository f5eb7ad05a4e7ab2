/* Findings of both dumps. */
#ifndef HANGDUMP_DIFF_FINDINGS_H
#define HANGDUMP_DIFF_FINDINGS_H

#include "model/diff.h"

/*
 * Fills diff->findings.  A finding persists when the other dump has one of the same kind about the
 * same threads, in whatever order; a chain, about the same root.  In another run: about threads in
 * the same places (key.h) that wait for things of the same kind and name.
 */
void compare_findings(struct diff *diff);

#endif
