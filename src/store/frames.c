#include "store/frames.h"

#include "base/alloc.h"
#include "store/convert.h"

#include <stdlib.h>

/* Some 30 MB at most; frames beyond that are converted each time. */
#define MAX_TEXTS  65536
#define SLOT_COUNT (2 * MAX_TEXTS)

struct frame_text {
	struct frame frame;
	char *text;
	size_t length;
};

struct frame_texts {
	struct frame_text *slots;
	size_t count;
};

struct frame_texts *frame_texts_new(void)
{
	struct frame_texts *texts = xcalloc(1, sizeof(*texts));
	texts->slots = xcalloc(SLOT_COUNT, sizeof(*texts->slots));
	return texts;
}

void frame_texts_free(struct frame_texts *texts)
{
	for (size_t i = 0; i < SLOT_COUNT; i++)
		free(texts->slots[i].text);
	free(texts->slots);
	free(texts);
}

/* By address: an equal string elsewhere costs one more conversion, nothing else. */
static bool same(const struct frame *a, const struct frame *b)
{
	return a->pc == b->pc && a->function == b->function && a->offset == b->offset &&
	       a->line == b->line && a->file == b->file && a->module == b->module &&
	       a->module_offset == b->module_offset && a->build_id == b->build_id &&
	       a->kind == b->kind && a->found_by == b->found_by && a->inlined == b->inlined &&
	       a->doubtful == b->doubtful;
}

static size_t slot_of(const struct frame_texts *texts, const struct frame *frame)
{
	uint64_t hash = frame->pc ^ (uint64_t)(uintptr_t)frame->function ^
			(uint64_t)frame->line << 40 ^ frame->offset << 20;
	hash *= 0x9e3779b97f4a7c15u;
	size_t i = (hash >> 32) & (SLOT_COUNT - 1);
	while (texts->slots[i].text && !same(&texts->slots[i].frame, frame))
		i = (i + 1) & (SLOT_COUNT - 1);
	return i;
}

void frame_texts_write(struct frame_texts *texts, const struct frame *frame,
		       struct json_stream *stream)
{
	struct frame_text *slot = &texts->slots[slot_of(texts, frame)];
	if (!slot->text && texts->count == MAX_TEXTS) {
		json_write(stream, convert_frame(frame));
		return;
	}
	if (!slot->text) {
		struct json_stream made = {0};
		json_write(&made, convert_frame(frame));
		slot->frame = *frame;
		slot->length = made.text.length;
		slot->text = text_steal(&made.text);
		texts->count++;
	}
	json_write_raw(stream, slot->text, slot->length);
}
