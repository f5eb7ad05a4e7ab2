/*
 * Open files of ours.  Whoever waits for a pipe to close waits for us as well, so that what the
 * command was given is its alone: we keep standard error, for words, and what we made ourselves.
 */
#ifndef HANGDUMP_LAUNCH_DESCRIPTORS_H
#define HANGDUMP_LAUNCH_DESCRIPTORS_H

#include <stddef.h>

/*
 * Before anything is opened: a standard stream that is closed stays so for the command, but none of
 * our files may take its place.
 */
void descriptors_guard(void);

/* Closes all but standard error and those in `kept`; the other standard streams are /dev/null. */
void descriptors_drop(const int *kept, size_t count);

#endif
