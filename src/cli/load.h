/* Saved dumps as arguments of commands: what form one has is seen from its content. */
#ifndef HANGDUMP_CLI_LOAD_H
#define HANGDUMP_CLI_LOAD_H

#include "base/deadline.h"
#include "base/error.h"
#include "model/dump.h"

/*
 * Reads the dump in the file that `word` names; "-" is standard input.  A pipe, FIFO or device is
 * waited for until the deadline.  On an error, which is about the file, *ret is untouched.
 */
struct error *load_dump(const char *word, struct deadline deadline, struct dump *ret);

#endif
