#include "store/frames.h"

#include "base/alloc.h"
#include "store/convert.h"

#include <stdlib.h>

/* Some 30 MB at most; frames beyond that are converted each time. */
#define MAX_TEXTS 65536

struct frame_text {
	struct frame frame;
	char *text; /* NULL: free */
	size_t length;
};

/* Open addressing; at most half of the slots are used. */
struct frame_texts {
	struct frame_text *slots;
	size_t slot_count; /* a power of two */
	size_t count;
};

struct frame_texts *frame_texts_new(void)
{
	struct frame_texts *texts = xcalloc(1, sizeof(*texts));
	texts->slot_count = 256;
	texts->slots = xcalloc(texts->slot_count, sizeof(*texts->slots));
	return texts;
}

void frame_texts_free(struct frame_texts *texts)
{
	for (size_t i = 0; i < texts->slot_count; i++)
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
	size_t i = (hash >> 32) & (texts->slot_count - 1);
	while (texts->slots[i].text && !same(&texts->slots[i].frame, frame))
		i = (i + 1) & (texts->slot_count - 1);
	return i;
}

static void grow(struct frame_texts *texts)
{
	struct frame_texts bigger = {.slot_count = texts->slot_count * 2, .count = texts->count};
	bigger.slots = xcalloc(bigger.slot_count, sizeof(*bigger.slots));
	for (size_t i = 0; i < texts->slot_count; i++) {
		if (texts->slots[i].text)
			bigger.slots[slot_of(&bigger, &texts->slots[i].frame)] = texts->slots[i];
	}
	free(texts->slots);
	*texts = bigger;
}

void frame_texts_write(struct frame_texts *texts, const struct frame *frame,
		       struct json_stream *stream)
{
	if (texts->count * 2 == texts->slot_count && texts->count < MAX_TEXTS)
		grow(texts);
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
