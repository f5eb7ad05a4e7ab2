/* Threads at a glance, those that show the same in one line. */
#include "base/cleanup.h"
#include "render/parts.h"

#include <string.h>

enum {
	RANGES_MOST = 12,
	LINES_MOST = 40, /* for a process */
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

static void print_kind(struct printer *p, const struct glance_thread *threads, size_t count)
{
	_cleanup_free_ uint64_t *tids = xcalloc(count, sizeof(*tids));
	bool one_name = true;
	for (size_t i = 0; i < count; i++) {
		tids[i] = (uint64_t)threads[i].tid;
		one_name = one_name && threads[i].name == threads->name;
	}
	print_format(p, "  %zu %s", count, words_of(threads->state));
	if (threads->syscall_name) {
		print(p, " in ");
		print_foreign(p, threads->syscall_name);
	}
	if (threads->wait_channel) {
		print(p, " (");
		print_foreign(p, threads->wait_channel);
		print(p, ")");
	}
	print(p, ": ");
	print_ids(p, tids, count, RANGES_MOST);
	if (one_name && threads->name) {
		print(p, " ");
		print_quoted(p, threads->name);
	}
	print_end(p);
}

static void print_process(struct printer *p, const struct glance_process *process)
{
	size_t count = process->threads.count, lines = 0;
	_cleanup_free_ struct glance_thread *threads = xcalloc(count, sizeof(*threads));
	print_format(p, "process %d", process->pid);
	if (process->name) {
		print(p, " (");
		print_foreign(p, process->name);
		print(p, ")");
	}
	print_format(p, ", %zu thread%s:", count, count == 1 ? "" : "s");
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

void render_glance(const struct glance *glance, struct text *ret)
{
	static const struct render_options plain = {0};
	static const struct dump none = {0};
	struct printer p;
	printer_init(&p, &none, &plain, NULL);
	array_for_each (&glance->processes, process)
		print_process(&p, process);
	if (glance->cut) {
		print(&p, "There was no time to look at more.");
		print_end(&p);
	}
	if (p.text.length)
		text_add_n(ret, p.text.bytes, p.text.length);
	printer_finish(&p);
}
