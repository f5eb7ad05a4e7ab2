/*
 * The memory of a live process, page by page, through a helper process: the call may block on the
 * target's memory-map lock for as long as that is held.
 */
#ifndef HANGDUMP_CAPTURE_LIVE_MEMORY_H
#define HANGDUMP_CAPTURE_LIVE_MEMORY_H

#include "base/deadline.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct live_memory;

/* tid: a living thread of the process; memory_fd: as copier_init() takes it, the caller's. */
struct live_memory *live_memory_new(pid_t tid, int memory_fd, struct deadline deadline);
/* Accepts NULL. */
void live_memory_free(struct live_memory *live);

/* A memory_source_fn. */
size_t live_memory_read(void *live, uint64_t address, void *buf, size_t n);

#endif
