/* What the parts of a reader share, and those parts. */
#ifndef HANGDUMP_STORE_READ_H
#define HANGDUMP_STORE_READ_H

#include "base/address_map.h"
#include "base/array.h"
#include "model/dump.h"
#include "store/cursor.h"
#include "store/fields.h"

/* A thread of the dump, or, tid 0, a process: by index, because arrays move. */
struct place {
	pid_t pid, tid;
	size_t process, thread;
	const char *text; /* where it stands */
	bool grouped;
};

struct reader {
	struct cursor cursor;
	struct dump *dump;
	array(struct place) places; /* by pid and tid, once reader_sort_places() was called */
	/*
	 * Threads of one program share most of their frames, and a frame is the dearest thing to
	 * read: each distinct text is read once.
	 */
	struct strpool frame_texts;
	struct address_map frames;   /* from the pooled text to a struct frame */
	array(const char *) unknown; /* words of the open lists that a later version may know */
};

void reader_deinit(struct reader *reader);
/* Remembers, for the dump's errors, that `word` means nothing to us. */
void reader_note_unknown(struct reader *reader, const char *what, const char *word);
/* Fails where a process or a thread is there twice. */
void reader_sort_places(struct reader *reader);
/* NULL when the dump does not have it. */
struct place *reader_place(struct reader *reader, pid_t pid, pid_t tid);
struct fields reader_fields(struct reader *reader, const json_t *object);

/* Each reads the value at the cursor. */
void read_process(struct reader *reader);
void read_group(struct reader *reader);
void read_finding(struct reader *reader);
void read_neighbour(struct reader *reader);
void read_error(struct reader *reader);
/* The stack's frames, in the order of the array at the cursor. */
void read_frames(struct reader *reader, struct stack *stack);

enum wait_class read_class(struct reader *reader, const struct fields *fields);
struct resource read_resource(const struct fields *fields);
struct thread_id read_thread_id(const struct fields *fields);

#endif
