/*
 * The walk for targets whose memory cannot be copied in bulk: made in the tracer process while the
 * thread is held, with the accessors of libunwind-ptrace, one word at a time.
 */
#ifndef HANGDUMP_UNWIND_HELD_H
#define HANGDUMP_UNWIND_HELD_H

#include "capture/reader.h"

extern const struct held_walker_ops unwind_held;

#endif
