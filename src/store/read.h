/* What the parts of a reader share, and those parts. */
#ifndef HANGDUMP_STORE_READ_H
#define HANGDUMP_STORE_READ_H

#include "base/array.h"
#include "model/dump.h"
#include "store/cursor.h"
#include "store/fields.h"

/* A thread or goroutine of the dump. */
struct place {
	size_t process;
	bool of_goroutines;
	uint64_t number;  /* tid or goid */
	size_t index;	  /* into that process's threads or goroutines */
	const char *text; /* where it stands */
	bool grouped;
};

struct process_place {
	pid_t pid;
	size_t process;
	const char *text;
};

/* A frame by its text, which lasts as long as the reader; open addressing. */
struct known_frame {
	const char *text; /* NULL: free */
	size_t length;
	uint64_t hash;
	struct frame frame;
};

struct frame_table {
	struct known_frame *slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
};

struct reader {
	struct cursor cursor;
	struct dump *dump;
	/* Both in order once reader_sort_places() was called. */
	array(struct process_place) processes;
	array(struct place) places;
	/*
	 * Threads of one program share most of their frames, and a frame is the dearest thing to
	 * read: each distinct text is read once.
	 */
	struct frame_table frames;
	array(const char *) unknown; /* words of the open lists that a later version may know */
};

void reader_deinit(struct reader *reader);
/* Remembers, for the dump's errors, that `word` means nothing to us. */
void reader_note_unknown(struct reader *reader, const char *what, const char *word);
/* Fails where a process or a thread is there twice. */
void reader_sort_places(struct reader *reader);
/* NULL when there is no such process; one of several without a pid. */
const struct process_place *reader_process(struct reader *reader, pid_t pid);
/* The one of key's process, kind and number (goroutines 0: and index), or NULL. */
struct place *reader_place(struct reader *reader, const struct place *key);
struct fields reader_fields(struct reader *reader, const json_t *object);

/* Each reads the value at the cursor. */
void read_process(struct reader *reader);
void read_thread(struct reader *reader, struct process *process);
void read_goroutine(struct reader *reader, struct process *process);
void read_frames(struct reader *reader, struct stack *stack);
void read_group(struct reader *reader);
void read_finding(struct reader *reader);
void read_neighbour(struct reader *reader);
void read_error(struct reader *reader);

/* The same of a member that was read; `wait` is wait_init()ed. */
void read_wait(const struct fields *fields, struct wait *wait);
/* Go's words for it. */
void read_go_wait(const struct fields *fields, struct wait *wait);
struct resource read_resource(const struct fields *fields);
struct thread_id read_thread_id(const struct fields *fields);

#endif
