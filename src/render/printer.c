#include "render/printer.h"

#include "base/cleanup.h"

#include <string.h>

#define FLUSH_AT 65536

static const char *const styles[STYLES] = {
	[STYLE_TITLE] = "\33[1m",   [STYLE_FINDING] = "\33[1;31m", [STYLE_HIGH] = "\33[31m",
	[STYLE_MEDIUM] = "\33[33m", [STYLE_LOW] = "\33[32m",	   [STYLE_DIM] = "\33[2m",
};

static int compare_entries(const void *a, const void *b)
{
	const struct thread_entry *x = a, *y = b;
	if (x->process->pid != y->process->pid)
		return x->process->pid < y->process->pid ? -1 : 1;
	return (x->thread->tid > y->thread->tid) - (x->thread->tid < y->thread->tid);
}

void printer_init(struct printer *p, const struct dump *dump, const struct render_options *options,
		  FILE *to)
{
	size_t count = 0;
	*p = (struct printer){.dump = dump, .options = options, .to = to};
	array_for_each (&dump->processes, process)
		count += process->threads.count;
	p->threads = xcalloc(count, sizeof(*p->threads));
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread)
			p->threads[p->thread_count++] = (struct thread_entry){process, thread};
	}
	qsort(p->threads, p->thread_count, sizeof(*p->threads), compare_entries);
}

void printer_flush(struct printer *p)
{
	if (p->text.length && p->to)
		fwrite(p->text.bytes, 1, p->text.length, p->to);
	p->text.length = 0;
}

void printer_finish(struct printer *p)
{
	printer_flush(p);
	text_deinit(&p->text);
	free(p->threads);
}

void print(struct printer *p, const char *s)
{
	text_add(&p->text, s);
}

void print_format(struct printer *p, const char *format, ...)
{
	char buf[256];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(buf, sizeof(buf), format, ap);
	va_end(ap);
	if (n < (int)sizeof(buf)) {
		text_add(&p->text, buf);
		return;
	}
	va_start(ap, format);
	_cleanup_free_ char *s = xvasprintf(format, ap);
	va_end(ap);
	text_add(&p->text, s);
}

void print_foreign(struct printer *p, const char *s)
{
	if (s)
		text_add_escaped(&p->text, s, strlen(s));
}

void print_quoted(struct printer *p, const char *s)
{
	print(p, "\"");
	for (const char *quote; (quote = strchr(s, '"')); s = quote + 1) {
		text_add_escaped(&p->text, s, (size_t)(quote - s));
		print(p, "\\\"");
	}
	print_foreign(p, s);
	print(p, "\"");
}

void style_on(struct printer *p, enum style style)
{
	if (p->options->color)
		print(p, styles[style]);
}

void style_off(struct printer *p)
{
	if (p->options->color)
		print(p, "\33[0m");
}

void print_styled(struct printer *p, enum style style, const char *s)
{
	style_on(p, style);
	print(p, s);
	style_off(p);
}

void print_end(struct printer *p)
{
	print(p, "\n");
	if (p->to && p->text.length >= FLUSH_AT)
		printer_flush(p);
}

const struct process *printer_process(const struct printer *p, pid_t pid)
{
	size_t low = 0, high = p->thread_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->threads[middle].process->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < p->thread_count && p->threads[low].process->pid == pid)
		return p->threads[low].process;
	return NULL;
}

const struct thread_entry *printer_thread(const struct printer *p, struct thread_id id)
{
	const struct process process = {.pid = id.pid};
	const struct thread thread = {.tid = id.tid};
	const struct thread_entry key = {&process, &thread};
	return bsearch(&key, p->threads, p->thread_count, sizeof(key), compare_entries);
}

static int compare_neighbours(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;
	if (x->id.pid != y->id.pid)
		return x->id.pid < y->id.pid ? -1 : 1;
	return (x->id.tid > y->id.tid) - (x->id.tid < y->id.tid);
}

const struct neighbour *printer_neighbour(const struct printer *p, struct thread_id id)
{
	const struct neighbour key = {.id = id};
	if (!p->dump->neighbours.count)
		return NULL;
	return bsearch(&key, p->dump->neighbours.items, p->dump->neighbours.count, sizeof(key),
		       compare_neighbours);
}

static void print_name(struct printer *p, const char *name)
{
	if (!name)
		return;
	print(p, " (");
	print_foreign(p, name);
	print(p, ")");
}

/* Names are said with the innermost: that of a thread, or that of a process as a whole. */
static const char *name_of(const struct printer *p, struct thread_id id)
{
	const struct thread_entry *entry = id.tid ? printer_thread(p, id) : NULL;
	const struct process *process = id.tid ? NULL : printer_process(p, id.pid);
	const struct neighbour *neighbour = printer_neighbour(p, id);
	if (entry)
		return entry->thread->name;
	if (process)
		return process->name;
	return neighbour ? neighbour->name : NULL;
}

/* The one thread of another process is that process. */
static bool is_whole_process(const struct printer *p, struct thread_id id, pid_t home)
{
	const struct process *process = printer_process(p, id.pid);
	return !id.tid ||
	       (id.pid != home && id.tid == id.pid && process && process->threads.count == 1);
}

void print_thread_id(struct printer *p, struct thread_id id, pid_t home, bool with_name)
{
	if (!is_whole_process(p, id, home)) {
		print_format(p, "thread %d", id.tid);
		if (with_name)
			print_name(p, name_of(p, id));
		if (id.pid == home || !id.pid)
			return;
		print(p, " of ");
	}
	struct thread_id process = {id.pid, 0};
	print_format(p, "process %d", id.pid);
	if (with_name)
		print_name(p, name_of(p, process));
}
