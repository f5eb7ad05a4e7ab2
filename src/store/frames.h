/*
 * Frames as JSON text.  Threads of one program share most of their frames, and a frame is the
 * dearest thing to convert, so each distinct one is converted once.
 */
#ifndef HANGDUMP_STORE_FRAMES_H
#define HANGDUMP_STORE_FRAMES_H

#include "model/stack.h"
#include "store/json.h"

struct frame_texts;

struct frame_texts *frame_texts_new(void);
void frame_texts_free(struct frame_texts *texts);
void frame_texts_write(struct frame_texts *texts, const struct frame *frame,
		       struct json_stream *stream);

#endif
