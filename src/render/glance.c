/* Threads at a glance, those that show the same in one line, of one process or one name. */
#include "base/cleanup.h"
#include "render/parts.h"

#include <string.h>

enum {
	RANGES_MOST = 12,
	LINES_MOST = 40, /* of a process, and of each kind of process */
};

static const char *const state_words[] = {
	['R'] = "running",
	['S'] = "asleep",
	['D'] = "asleep, uninterruptible",
	['T'] = "stopped",
	['t'] = "stopped by a tracer",
	['Z'] = "ended (a zombie)",
	['X'] = "ended",
	['I'] = "idle",
};

/* Interned strings are equal when their addresses are. */
static int compare_pointers(const char *a, const char *b)
{
	return (a > b) - (a < b);
}

static int compare_kinds(const struct glance_thread *a, const struct glance_thread *b)
{
	if (a->state != b->state)
		return a->state < b->state ? -1 : 1;
	int order = compare_pointers(a->syscall_name, b->syscall_name);
	return order ? order : compare_pointers(a->wait_channel, b->wait_channel);
}

static int compare_threads(const void *a, const void *b)
{
	const struct glance_thread *x = a, *y = b;
	int order = compare_kinds(x, y);
	return order ? order : (x->tid > y->tid) - (x->tid < y->tid);
}

static const char *words_of(char state)
{
	size_t index = (unsigned char)state;
	bool known = index < ARRAY_SIZE(state_words) && state_words[index];
	return known ? state_words[index] : "in an unknown state";
}

static void print_doing(struct printer *p, const struct glance_thread *thread)
{
	print(p, words_of(thread->state));
	if (thread->syscall_name) {
		print(p, " in ");
		print_foreign(p, thread->syscall_name);
	}
	if (thread->wait_channel) {
		print(p, " (");
		print_foreign(p, thread->wait_channel);
		print(p, ")");
	}
}

static void print_kind(struct printer *p, const struct glance_thread *threads, size_t count)
{
	_cleanup_free_ uint64_t *tids = xcalloc(count, sizeof(*tids));
	bool one_name = true;
	for (size_t i = 0; i < count; i++) {
		tids[i] = (uint64_t)threads[i].tid;
		one_name = one_name && threads[i].name == threads->name;
	}
	print_format(p, "  %zu ", count);
	print_doing(p, threads);
	print(p, ": ");
	print_ids(p, tids, count, RANGES_MOST);
	if (one_name && threads->name) {
		print(p, " ");
		print_quoted(p, threads->name);
	}
	print_end(p);
}

static void print_name(struct printer *p, const char *name)
{
	if (!name)
		return;
	print(p, " (");
	print_foreign(p, name);
	print(p, ")");
}

static void print_process(struct printer *p, const struct glance_process *process)
{
	size_t count = process->threads.count, lines = 0;
	_cleanup_free_ struct glance_thread *threads = xcalloc(count, sizeof(*threads));
	print_format(p, "process %d", process->pid);
	print_name(p, process->name);
	print_format(p, ", %zu thread%s%s", count, count == 1 ? "" : "s", count ? ":" : "");
	print_end(p);
	if (!count)
		return;
	memcpy(threads, process->threads.items, count * sizeof(*threads));
	qsort(threads, count, sizeof(*threads), compare_threads);
	for (size_t first = 0, end; first < count; first = end, lines++) {
		if (lines == LINES_MOST) {
			print_format(p, "  and %zu more", count - first);
			print_end(p);
			return;
		}
		end = first + 1;
		while (end < count && compare_kinds(&threads[first], &threads[end]) == 0)
			end++;
		print_kind(p, threads + first, end - first);
	}
}

/* Processes of one thread: theirs, whose tid is the pid. */
static int compare_single(const void *a, const void *b)
{
	const struct glance_thread *x = a, *y = b;
	int order = compare_pointers(x->name, y->name);
	return order ? order : compare_threads(x, y);
}

static void print_single(struct printer *p, const struct glance_thread *threads, size_t count)
{
	_cleanup_free_ uint64_t *pids = xcalloc(count, sizeof(*pids));
	for (size_t i = 0; i < count; i++)
		pids[i] = (uint64_t)threads[i].tid;
	if (count == 1)
		print_format(p, "process %d", threads->tid);
	else
		print_format(p, "%zu processes", count);
	print_name(p, threads->name);
	print(p, ", 1 thread");
	print(p, count == 1 ? ": " : " each: ");
	print_doing(p, threads);
	if (count > 1) {
		print(p, ": ");
		print_ids(p, pids, count, RANGES_MOST);
	}
	print_end(p);
}

/* A tree of hundreds of processes has many that are alike. */
static void print_singles(struct printer *p, const struct glance *glance)
{
	array(struct glance_thread) all = {0};
	array_for_each (&glance->processes, process) {
		if (process->threads.count == 1)
			*array_append(&all) = process->threads.items[0];
	}
	array_sort(&all, compare_single);
	for (size_t first = 0, end, lines = 0; first < all.count; first = end, lines++) {
		if (lines == LINES_MOST) {
			print_format(p, "and %zu more processes", all.count - first);
			print_end(p);
			break;
		}
		end = first + 1;
		while (end < all.count && all.items[first].name == all.items[end].name &&
		       compare_kinds(&all.items[first], &all.items[end]) == 0)
			end++;
		print_single(p, all.items + first, end - first);
	}
	array_deinit(&all);
}

void render_glance(const struct glance *glance, struct text *ret)
{
	static const struct render_options plain = {0};
	static const struct dump none = {0};
	struct printer p;
	size_t shown = 0;
	printer_init(&p, &none, &plain, NULL);
	array_for_each (&glance->processes, process) {
		if (process->threads.count != 1 && shown++ < LINES_MOST)
			print_process(&p, process);
	}
	if (shown > LINES_MOST) {
		print_format(&p, "and %zu more processes with several threads", shown - LINES_MOST);
		print_end(&p);
	}
	print_singles(&p, glance);
	if (glance->cut) {
		print(&p, "There was no time to look at more.");
		print_end(&p);
	}
	if (p.text.length)
		text_add_n(ret, p.text.bytes, p.text.length);
	printer_finish(&p);
}
