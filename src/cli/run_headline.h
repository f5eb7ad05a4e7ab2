/* What `hangdump run` says of a dump before anything else: of what it is, and why it is made. */
#ifndef HANGDUMP_CLI_RUN_HEADLINE_H
#define HANGDUMP_CLI_RUN_HEADLINE_H

#include "launch/launch.h"

/*
 * "./test --all: timed out after 5 minutes", escaped, for the caller to free.  A long command line
 * is cut.
 */
char *run_headline(char *const *command, const struct launch_event *event);

#endif
