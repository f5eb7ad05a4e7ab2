/*
 * The text report on its way out: the line being made, colours, escaping, and the look-up of
 * threads by id.
 */
#ifndef HANGDUMP_RENDER_PRINTER_H
#define HANGDUMP_RENDER_PRINTER_H

#include "base/text.h"
#include "model/dump.h"
#include "render/render.h"

enum style {
	STYLE_TITLE,
	STYLE_FINDING,
	STYLE_HIGH, /* as enum suspicion */
	STYLE_MEDIUM,
	STYLE_LOW,
	STYLE_DIM,
	STYLES
};

struct thread_entry {
	const struct process *process;
	const struct thread *thread;
};

struct printer {
	const struct dump *dump;
	const struct render_options *options;
	FILE *to;		      /* NULL: all stays in text */
	struct text text;	      /* not yet written */
	struct thread_entry *threads; /* all of the dump's, by pid and tid */
	size_t thread_count;
	bool saw_guess; /* a frame was marked "?" */
};

void printer_init(struct printer *p, const struct dump *dump, const struct render_options *options,
		  FILE *to);
/* Writes what is left. */
void printer_finish(struct printer *p);
/* Writes what there is: before another printer writes to the same stream. */
void printer_flush(struct printer *p);

/* Ours, as it is. */
void print(struct printer *p, const char *s);
void print_format(struct printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The target's: escaped.  NULL prints nothing. */
void print_foreign(struct printer *p, const char *s);
/* The same in double quotes, so that what follows cannot be taken for a part of it. */
void print_quoted(struct printer *p, const char *s);
void print_styled(struct printer *p, enum style style, const char *s);
void style_on(struct printer *p, enum style style);
void style_off(struct printer *p);

/* Ends a line; the place where bytes go to the stream. */
void print_end(struct printer *p);

/* NULL when the dump does not have it, or no thread of it. */
const struct process *printer_process(const struct printer *p, pid_t pid);
/* NULL when the dump does not have it. */
const struct thread_entry *printer_thread(const struct printer *p, struct thread_id id);

/* NULL when nothing is known of it. */
const struct neighbour *printer_neighbour(const struct printer *p, struct thread_id id);

/*
 * "thread 4243 (transfer-1)", "process 4300 (sh)", "thread 12 (io) of process 10 (db)": of which
 * process is said when it is not `home`; its one thread is the process.
 */
void print_thread_id(struct printer *p, struct thread_id id, pid_t home, bool with_name);

#endif
