/* What changed between two dumps: the head, findings, then groups. */
#include "render/diff_parts.h"
#include "render/words.h"

#include <inttypes.h>
#include <time.h>

struct printer *diff_printer_old(struct diff_printer *p)
{
	printer_flush(&p->new);
	return &p->old;
}

struct printer *diff_printer_new(struct diff_printer *p)
{
	printer_flush(&p->old);
	return &p->new;
}

static void print_apart(struct printer *p, int64_t ns)
{
	int64_t ms = (ns < 0 ? -ns : ns) / 1000000;
	if (ms < 10000)
		print_format(p, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms / 100 % 10);
	else if (ms < 600000)
		print_format(p, "%" PRId64 " s", ms / 1000);
	else
		print_format(p, "%" PRId64 " minutes", ms / 60000);
}

/* "old: hang.json, taken 2026-11-30 21:04:50 UTC: process 4242 (bank), 14 threads" */
static void print_side(struct printer *p, const char *word, const char *name)
{
	const struct dump *dump = p->dump;
	time_t seconds = (time_t)(dump->taken_at_ns / 1000000000);
	struct tm tm;
	char when[40];
	print_format(p, "%s: ", word);
	print_foreign(p, name ? name : "a dump");
	if (dump->taken_at_ns > 0 && gmtime_r(&seconds, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm))
		print_format(p, ", taken %s", when);
	size_t goroutines = 0;
	array_for_each (&dump->processes, process)
		goroutines += process->goroutines.count;
	if (dump->processes.count == 1 && dump->processes.items[0].pid) {
		print(p, ": ");
		print_thread_id(p, (struct thread_id){dump->processes.items[0].pid, 0}, 0, true);
	} else if (dump->processes.count != 1) {
		print_format(p, ": %zu processes", dump->processes.count);
	}
	if (p->thread_count || !goroutines)
		print_format(p, ", %zu %s", p->thread_count, member_word(false, p->thread_count));
	if (goroutines)
		print_format(p, ", %zu %s", goroutines, member_word(true, goroutines));
	if (!dump_is_whole(dump))
		print(p, ", partial");
	print_end(p);
}

static void print_compared(struct printer *p, const struct diff *diff)
{
	if (diff->same_run)
		print(p, "compared: each thread with itself, by its stack, its wait, and what it "
			 "ran beyond hangdump's own stops");
	else
		print(p, "compared: groups, by class and functions, without addresses and pids");
	print_end(p);
	if (diff->same_moment) {
		print(p, "No time has passed between the two: that nothing moved says nothing.");
		print_end(p);
	} else if (diff->apart_ns < 0) {
		print(p, "The new one is older than the old one: are they swapped?");
		print_end(p);
	}
}

static void print_execs(struct printer *p, const struct diff *diff)
{
	array_for_each (&diff->processes, process) {
		if (!process->execed)
			continue;
		print_format(p, "process %d runs another program since: ", process->new->pid);
		print_foreign(p, process->old->executable ? process->old->executable : "unknown");
		print(p, " -> ");
		print_foreign(p, process->new->executable ? process->new->executable : "unknown");
		print_end(p);
	}
}

static void print_totals(struct printer *p, const struct diff *diff)
{
	size_t count[PROGRESSES] = {0};
	array_for_each (&diff->threads, thread)
		count[thread->progress]++;
	if (!diff->same_run || !diff->threads.count)
		return;
	print(p, "threads: ");
	print_progress_counts(p, count);
	print_end(p);
}

static void print_head(struct diff_printer *p)
{
	const struct diff *diff = p->diff;
	struct printer *to = &p->new;
	style_on(to, STYLE_TITLE);
	print(to, diff->same_run ? "hangdump: two dumps of the same run"
				 : "hangdump: dumps of two runs");
	if (diff->apart_known) {
		print(to, ", ");
		print_apart(to, diff->apart_ns);
		print(to, " apart");
	}
	style_off(to);
	print_end(to);
	print_side(diff_printer_old(p), "old", p->options->old_name);
	print_side(diff_printer_new(p), "new", p->options->new_name);
	print_compared(to, diff);
	print_execs(to, diff);
	print_totals(to, diff);
}

static void print_diff_findings(struct diff_printer *p)
{
	array_for_each (&p->diff->findings, finding) {
		const char *before = finding_change_words[finding->change];
		if (finding->new)
			print_finding(diff_printer_new(p), before, finding->new);
		else
			print_finding(diff_printer_old(p), before, finding->old);
	}
}

/* -v: a report of one of them has them otherwise. */
static void print_errors_of(struct printer *p, const char *which)
{
	if (!p->options->verbose || !p->dump->errors.count)
		return;
	print_end(p);
	print_format(p, "Of the %s dump:", which);
	print_errors(p);
}

void render_diff(const struct diff *diff, const struct render_diff_options *options, FILE *to)
{
	struct diff_printer p = {.diff = diff, .options = options};
	printer_init(&p.old, diff->old, &options->report, to);
	printer_init(&p.new, diff->new, &options->report, to);
	print_head(&p);
	if (diff->leaks_sought) {
		print_leaks(&p);
	} else {
		print_diff_findings(&p);
		print_diff_groups(&p);
	}
	if (p.old.saw_guess || p.new.saw_guess) {
		print_end(diff_printer_new(&p));
		print(&p.new, "Frames marked ? are guesses, or stand behind one.");
		print_end(&p.new);
	}
	print_errors_of(diff_printer_old(&p), "old");
	print_errors_of(diff_printer_new(&p), "new");
	printer_finish(&p.old);
	printer_finish(&p.new);
}
