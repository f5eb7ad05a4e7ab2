/*
 * What is written where nobody may hold us up: standard error that nobody reads, a full disk, a
 * file system that does not answer.  Each is written by a process of its own, which is killed at
 * the deadline; the streams' own flags stay as they are, because others share them.
 */
#ifndef HANGDUMP_CLI_OUTLET_H
#define HANGDUMP_CLI_OUTLET_H

#include "base/deadline.h"
#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

/* As much as can be written by then. */
struct error *outlet_standard_error(const char *bytes, size_t n, struct deadline deadline);

typedef struct error *outlet_write_fn(void *context, FILE *to);

/*
 * A new file, mode 0600, with what `write` writes, and the directories above it.  Where there is
 * one of that name already, a number is added.  A device or a FIFO is written to as it is.  *ret
 * is its full name, for the caller to free; on an error nothing is left behind but where that
 * takes too long.
 */
struct error *outlet_file(const char *name, outlet_write_fn *write, void *context,
			  struct deadline deadline, char **ret);

/*
 * Bytes at the end of a file that is there, in one piece; `make` gets its size, and returns them,
 * to be freed, or NULL.
 */
typedef char *outlet_make_fn(void *context, size_t size);
struct error *outlet_append(const char *name, outlet_make_fn *make, void *context,
			    struct deadline deadline);

#endif
