/* What was dumped, and how it was done. */
#include "render/parts.h"

#include <inttypes.h>
#include <string.h>

/* Without -v: class paths of Java programs can have many kilobytes. */
#define MOST_COMMAND_BYTES 2000

void print_held(struct printer *p, int64_t us)
{
	if (us < 0)
		print(p, "held for an unknown time");
	else if (us == 0)
		print(p, "not stopped");
	else if (us < 1000)
		print_format(p, "held for %" PRId64 " us", us);
	else if (us < 100000)
		print_format(p, "held for %" PRId64 ".%" PRId64 " ms", us / 1000, us / 100 % 10);
	else
		print_format(p, "held for %" PRId64 " ms", us / 1000);
}

/* Of several: errors about no process in particular count for each. */
static bool is_partial(const struct dump *dump, const struct process *process)
{
	if (dump->processes.count == 1)
		return dump->errors.count > 0;
	array_for_each (&dump->errors, error) {
		if (!process || !error->pid || error->pid == process->pid)
			return true;
	}
	return false;
}

/* The first n bytes, quoted as for a shell where they need it. */
static void print_argument(struct printer *p, const char *argument, size_t n)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";
	if (n && strspn(argument, plain) >= n) {
		text_add_n(&p->text, argument, n);
		return;
	}
	print(p, "'");
	for (const char *quote; (quote = memchr(argument, '\'', n));) {
		size_t before = (size_t)(quote - argument);
		text_add_escaped(&p->text, argument, before);
		print(p, "'\\''");
		argument = quote + 1;
		n -= before + 1;
	}
	text_add_escaped(&p->text, argument, n);
	print(p, "'");
}

static size_t length_of(const char *argument)
{
	return argument ? strlen(argument) : 0;
}

static void print_command(struct printer *p, const struct process *process)
{
	if (!process->command.count)
		return;
	size_t left = p->options->verbose ? SIZE_MAX : MOST_COMMAND_BYTES, cut = 0;
	size_t count = process->command.count;
	/* A program that writes its title over its arguments leaves empty ones behind. */
	while (count > 1 && !length_of(process->command.items[count - 1]) && !p->options->verbose)
		count--;
	print(p, "command:");
	for (size_t i = 0; i < count; i++) {
		const char *argument = process->command.items[i];
		size_t n = length_of(argument);
		size_t shown = n < left ? n : left;
		if (left) {
			print(p, " ");
			print_argument(p, argument ? argument : "", shown);
		}
		left -= shown;
		cut += n - shown;
	}
	if (cut)
		print_format(p, " ... and %zu more bytes", cut);
	print_end(p);
}

static void print_count(struct printer *p, size_t count, const char *word)
{
	print_format(p, ", %zu %s%s", count, word, count == 1 ? "" : "s");
}

static void print_process_line(struct printer *p, const struct process *process)
{
	if (process->pid)
		print_format(p, "process %d", process->pid);
	else
		print(p, "a process");
	if (process->name) {
		print(p, " (");
		print_foreign(p, process->name);
		print(p, ")");
	}
	if (process->threads.count || !process->goroutines.count) {
		print_count(p, process->threads.count, "thread");
		print(p, ", ");
		print_held(p, process->frozen_us);
	}
	if (process->goroutines.count)
		print_count(p, process->goroutines.count, "goroutine");
	if (is_partial(p->dump, process))
		print(p, ", partial: the end says what is missing");
}

void print_process_header(struct printer *p, const struct process *process)
{
	print_end(p);
	style_on(p, STYLE_TITLE);
	print_process_line(p, process);
	style_off(p);
	print_end(p);
	print_command(p, process);
}

static void print_tree_header(struct printer *p)
{
	size_t count = p->dump->processes.count, goroutines = 0;
	array_for_each (&p->dump->processes, process)
		goroutines += process->goroutines.count;
	style_on(p, STYLE_TITLE);
	if (count == 0)
		print(p, "hangdump: no process");
	else
		print_format(p, "hangdump: %zu processes", count);
	if (count && (p->thread_count || !goroutines))
		print_count(p, p->thread_count, "thread");
	if (goroutines)
		print_count(p, goroutines, "goroutine");
	if (is_partial(p->dump, NULL))
		print(p, ", partial: the end says what is missing");
	style_off(p);
	print_end(p);
}

static void print_occasion(struct printer *p)
{
	if (!p->dump->occasion)
		return;
	print(p, "occasion: ");
	print_foreign(p, p->dump->occasion);
	print_end(p);
}

static void print_watched(struct printer *p)
{
	int64_t ms = p->dump->watched_ms;
	if (!ms)
		return;
	print_format(p,
		     "watched for %" PRId64 ".%" PRId64
		     " s: each group says what its threads did meanwhile",
		     ms / 1000, ms / 100 % 10);
	print_end(p);
}

void print_header(struct printer *p)
{
	if (p->dump->processes.count != 1) {
		print_tree_header(p);
	} else {
		style_on(p, STYLE_TITLE);
		print(p, "hangdump: ");
		print_process_line(p, &p->dump->processes.items[0]);
		style_off(p);
		print_end(p);
		print_command(p, &p->dump->processes.items[0]);
	}
	print_occasion(p);
	print_watched(p);
	if (p->options->verbose)
		print_origin(p);
}
