#include "base/alloc.h"
#include "store/read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

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

static struct frame make_frame(struct reader *reader, const json_t *object)
{
	struct fields fields = reader_fields(reader, object);
	struct frame frame = {0};
	field_require(&fields, "kind");
	field_require(&fields, "found_by");
	frame.kind = read_kind(reader, &fields);
	frame.found_by = read_found_by(reader, &fields);
	frame.doubtful = field_flag(&fields, "doubtful");
	frame.inlined = field_flag(&fields, "inlined");
	uint64_t pc = field_address(&fields, "pc");
	frame.pc = frame.kind == FRAME_KERNEL ? 0 : pc;
	frame.function = field_text(&fields, "function");
	frame.offset = (uint64_t)field_number(&fields, "offset", INT64_MAX, 0);
	frame.module = field_text(&fields, "module");
	frame.module_offset = field_address(&fields, "module_offset");
	frame.build_id = field_text(&fields, "build_id");
	frame.file = field_text(&fields, "file");
	frame.line = (unsigned)field_number(&fields, "line", UINT_MAX, 0);
	return frame;
}

/* Eight bytes at a time: there is a lot of text. */
static uint64_t hash_text(const char *text, size_t length)
{
	uint64_t hash = length, word;
	for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	for (; length; length--)
		hash = (hash ^ (unsigned char)*text++) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* The slot of a text, or the free one where it goes. */
static struct known_frame *slot_of(const struct frame_table *table, const struct known_frame *key)
{
	size_t i = key->hash & (table->slot_count - 1);
	for (; table->slots[i].text; i = (i + 1) & (table->slot_count - 1)) {
		const struct known_frame *known = &table->slots[i];
		if (known->hash == key->hash && known->length == key->length &&
		    memcmp(known->text, key->text, key->length) == 0)
			break;
	}
	return &table->slots[i];
}

static void grow(struct frame_table *table)
{
	struct frame_table bigger = {.slot_count = table->slot_count ? table->slot_count * 2 : 64,
				     .used = table->used};
	bigger.slots = xcalloc(bigger.slot_count, sizeof(*bigger.slots));
	for (size_t i = 0; i < table->slot_count; i++) {
		if (table->slots[i].text)
			*slot_of(&bigger, &table->slots[i]) = table->slots[i];
	}
	free(table->slots);
	*table = bigger;
}

/* Valid until the next one; NULL after an error. */
static const struct frame *read_frame(struct reader *reader)
{
	struct known_frame key = {0};
	key.text = cursor_text(&reader->cursor, &key.length);
	if (!key.text)
		return NULL;
	key.hash = hash_text(key.text, key.length);
	if (reader->frames.used * 2 >= reader->frames.slot_count)
		grow(&reader->frames);
	struct known_frame *known = slot_of(&reader->frames, &key);
	if (known->text)
		return &known->frame;
	json_t *object = cursor_parse(&reader->cursor, key.text, key.length);
	key.frame = make_frame(reader, object);
	json_decref(object);
	*known = key;
	reader->frames.used++;
	return &known->frame;
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
