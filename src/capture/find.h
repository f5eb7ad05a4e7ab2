/* Private to this room: what capture_find_thread() keeps. */
#ifndef HANGDUMP_CAPTURE_FIND_H
#define HANGDUMP_CAPTURE_FIND_H

#include "capture/raw.h"

/* Knows the threads of the capture as they are now. */
struct finder *finder_new(const struct capture *capture, struct raw_capture *raw);
/* Accepts NULL. */
void finder_free(struct finder *finder);
/* A process that a thread was found in, or NULL; finder may be NULL. */
const struct capture_neighbour *finder_neighbour(const struct finder *finder, pid_t pid);

/* For tests: translate ids as on kernels that have no call for it. */
extern bool find_without_ioctl;

#endif
