#include "base/alloc.h"
#include "store/read.h"

#include <limits.h>

static enum frame_kind read_kind(struct reader *reader, const struct fields *fields)
{
	const char *word = field_text(fields, "kind");
	int kind = word ? find_word(word, frame_kind_names, FRAME_KINDS) : 0;
	if (kind < 0)
		reader_note_unknown(reader, "kind of frame", word);
	return kind < 0 ? FRAME_NATIVE : (enum frame_kind)kind;
}

/* What is found in a way that we do not know is a guess, for all that we know. */
static enum found_by read_found_by(struct reader *reader, const struct fields *fields)
{
	const char *word = field_text(fields, "found_by");
	int found_by = word ? find_word(word, found_by_names, FOUND_BY_WAYS) : FOUND_BY_SCAN;
	if (found_by < 0)
		reader_note_unknown(reader, "way to find a frame", word);
	return found_by < 0 ? FOUND_BY_SCAN : (enum found_by)found_by;
}

static struct frame *make_frame(struct reader *reader, const json_t *object)
{
	struct fields fields = reader_fields(reader, object);
	struct frame *frame = xcalloc(1, sizeof(*frame));
	field_require(&fields, "kind");
	field_require(&fields, "found_by");
	frame->kind = read_kind(reader, &fields);
	frame->found_by = read_found_by(reader, &fields);
	frame->doubtful = field_flag(&fields, "doubtful");
	frame->inlined = field_flag(&fields, "inlined");
	uint64_t pc = field_address(&fields, "pc");
	frame->pc = frame->kind == FRAME_KERNEL ? 0 : pc;
	frame->function = field_text(&fields, "function");
	frame->offset = (uint64_t)field_number(&fields, "offset", INT64_MAX, 0);
	frame->module = field_text(&fields, "module");
	frame->module_offset = field_address(&fields, "module_offset");
	frame->build_id = field_text(&fields, "build_id");
	frame->file = field_text(&fields, "file");
	frame->line = (unsigned)field_number(&fields, "line", UINT_MAX, 0);
	return frame;
}

/* NULL after an error. */
static const struct frame *read_frame(struct reader *reader)
{
	size_t length;
	const char *text = cursor_text(&reader->cursor, &length);
	if (!text)
		return NULL;
	const char *pooled = strpool_add_n(&reader->frame_texts, text, length);
	struct frame *frame = address_map_get(&reader->frames, (uintptr_t)pooled);
	if (frame)
		return frame;
	json_t *object = cursor_parse(&reader->cursor, text, length);
	frame = make_frame(reader, object);
	address_map_put(&reader->frames, (uintptr_t)pooled, frame);
	json_decref(object);
	return frame;
}

void read_frames(struct reader *reader, struct stack *stack)
{
	array(struct frame) frames = {0};
	struct cursor *cursor = &reader->cursor;
	for (bool more = cursor_open(cursor, "[]"); more; more = cursor_more(cursor, "[]")) {
		const struct frame *frame = read_frame(reader);
		if (frame)
			*array_append(&frames) = *frame;
	}
	if (frames.count)
		stack->frames = xreallocarray(frames.items, frames.count, sizeof(*frames.items));
	stack->count = frames.count;
}
