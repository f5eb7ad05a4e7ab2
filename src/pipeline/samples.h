/* One dump after the other of the same processes. */
#ifndef HANGDUMP_PIPELINE_SAMPLES_H
#define HANGDUMP_PIPELINE_SAMPLES_H

#include "model/dump.h"

/*
 * `next` was taken after `dump`, and takes its place: *dump is it from then on, with what its
 * threads did since the first (progress, watched_ms), and with how long those that are stuck have
 * waited, which our own stops make the kernel forget.  Analysed and grouped anew for that.
 */
void pipeline_take_sample(struct dump *dump, struct dump *next);

#endif
