#include "diff/pair.h"

#include "base/address_map.h"
#include "base/cleanup.h"
#include "diff/progress.h"

#include <string.h>

/* Of start times, which /proc has in hundredths of a second on every architecture that we know. */
#define TICK_MS 10

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* One of the two dumps, and what is to be looked up in it. */
struct side {
	const struct dump *dump;
	struct address_map processes;  /* by pid */
	struct address_map incomplete; /* pids whose list of threads may lack some */
	bool all_incomplete;
};

static void *find(const struct address_map *map, pid_t pid)
{
	return address_map_get(map, (uint64_t)pid);
}

/* The first one with its number counts. */
static void put(struct address_map *map, uint64_t number, const void *value)
{
	if (!address_map_get(map, number))
		address_map_put(map, number, (void *)value);
}

/* What errors about lists of threads, and about getting at a process at all, are called. */
static bool is_about_threads(const struct dump_error *error)
{
	return !error->tid &&
	       (same_text(error->what, "threads") || same_text(error->what, "process"));
}

static void side_init(struct side *side, const struct dump *dump)
{
	*side = (struct side){.dump = dump};
	array_for_each (&dump->processes, process)
		put(&side->processes, (uint64_t)process->pid, process);
	array_for_each (&dump->errors, error) {
		if (!is_about_threads(error))
			continue;
		if (error->pid)
			put(&side->incomplete, (uint64_t)error->pid, error);
		else
			side->all_incomplete = true;
	}
}

static void side_deinit(struct side *side)
{
	address_map_deinit(&side->processes, NULL);
	address_map_deinit(&side->incomplete, NULL);
}

static bool has_all_threads(const struct side *side, pid_t pid)
{
	return !side->all_incomplete && !find(&side->incomplete, pid);
}

static bool same_process(const struct process *a, const struct process *b)
{
	bool other_namespace =
		a->pid_namespace && b->pid_namespace && a->pid_namespace != b->pid_namespace;
	return a->pid == b->pid && a->start_time && a->start_time == b->start_time &&
	       !other_namespace;
}

static const struct module *program_of(const struct process *process)
{
	array_for_each (&process->modules, module) {
		if (same_text(module->path, process->executable))
			return module;
	}
	return NULL;
}

static bool is_without(const char *path, const char *tail, const char *other)
{
	size_t n = strlen(path), m = strlen(tail), k = strlen(other);
	return n == k + m && memcmp(path, other, k) == 0 && memcmp(path + k, tail, m) == 0;
}

/* A program that is replaced on disk while it runs is shown as deleted from then on. */
static bool same_path(const char *a, const char *b)
{
	static const char deleted[] = " (deleted)";
	return !a || !b || strcmp(a, b) == 0 || is_without(a, deleted, b) ||
	       is_without(b, deleted, a);
}

/* exec keeps the pid and the start time; a program that is started anew lies elsewhere. */
static bool has_execed(const struct process *old, const struct process *new)
{
	if (!same_path(old->executable, new->executable))
		return true;
	const struct module *before = program_of(old), *after = program_of(new);
	if (!before || !after)
		return false;
	if (before->build_id && after->build_id && strcmp(before->build_id, after->build_id) != 0)
		return true;
	return before->start != after->start;
}

static void add_process(struct diff *diff, const struct process *old, const struct process *new)
{
	struct process_diff *process = array_append(&diff->processes);
	*process = (struct process_diff){old, new, old &&new &&has_execed(old, new)};
}

void pair_processes(struct diff *diff)
{
	struct side old;
	side_init(&old, diff->old);
	bool same_boot = diff->old->boot_id && same_text(diff->old->boot_id, diff->new->boot_id);
	_cleanup_free_ bool *taken = xcalloc(diff->old->processes.count + 1, sizeof(*taken));
	array_for_each (&diff->new->processes, process) {
		const struct process *other = same_boot ? find(&old.processes, process->pid) : NULL;
		size_t index = other ? (size_t)(other - diff->old->processes.items) : 0;
		if (other && (taken[index] || !same_process(other, process)))
			other = NULL;
		if (other)
			diff->same_run = taken[index] = true;
		add_process(diff, other, process);
	}
	for (size_t i = 0; i < diff->old->processes.count; i++) {
		if (!taken[i])
			add_process(diff, &diff->old->processes.items[i], NULL);
	}
	side_deinit(&old);
}

/* From here on by time: what was before, what came after. */
struct span {
	struct diff *diff;
	struct side before, after;
	bool reversed; /* the new dump is the one before */
	int64_t ns;
	int64_t boot_ms; /* the same, with the time that the machine was suspended */
};

static const struct process *earlier(const struct span *span, const struct process_diff *process)
{
	return span->reversed ? process->new : process->old;
}

static const struct process *later(const struct span *span, const struct process_diff *process)
{
	return span->reversed ? process->old : process->new;
}

enum answer { NO, YES, NOT_KNOWN };

/* Did it begin within the span?  start_time is that of the process, or of one of its threads. */
static enum answer is_young(const struct span *span, const struct process *process,
			    uint64_t start_time)
{
	if (process->running_ms < 0 || !start_time || start_time < process->start_time)
		return NOT_KNOWN;
	uint64_t later_ms = (start_time - process->start_time) * TICK_MS;
	if (later_ms > (uint64_t)process->running_ms)
		return YES;
	return process->running_ms - (int64_t)later_ms <= span->boot_ms + TICK_MS ? YES : NO;
}

/*
 * Is a process that only the earlier dump has gone?  Surely where the later one has all children
 * of its parent: a process gets another parent only by that one's end.
 */
static bool has_ended(const struct span *span, const struct process *process)
{
	const struct process *parent = find(&span->before.processes, process->ppid);
	const struct process *still = parent ? find(&span->after.processes, parent->pid) : NULL;
	return still && same_process(parent, still) && span->after.dump->tree &&
	       has_all_threads(&span->after, process->pid);
}

static struct thread_diff *add_thread(struct span *span, size_t process, const struct thread *old,
				      const struct thread *new)
{
	struct thread_diff *thread = array_append(&span->diff->threads);
	*thread = (struct thread_diff){.process = process,
				       .old = old,
				       .new = new,
				       .cpu_ns = -1,
				       .switches = -1,
				       .group = SIZE_MAX,
				       .old_group = SIZE_MAX};
	return thread;
}

/* In one of the dumps only. */
static void add_lone(struct span *span, size_t process, const struct thread *thread, bool is_later,
		     enum unknown_reason unknown)
{
	bool is_new = is_later != span->reversed;
	struct thread_diff *added =
		add_thread(span, process, is_new ? NULL : thread, is_new ? thread : NULL);
	if (!span->diff->same_run)
		return;
	added->progress = unknown ? PROGRESS_UNKNOWN : is_new ? PROGRESS_NEW : PROGRESS_GONE;
	added->why_unknown = unknown;
}

static void add_lone_process(struct span *span, size_t index)
{
	const struct process_diff *pair = &span->diff->processes.items[index];
	const struct process *process = pair->old ? pair->old : pair->new;
	bool is_later = process == later(span, pair);
	bool sure = is_later ? is_young(span, process, process->start_time) == YES
			     : has_ended(span, process);
	enum unknown_reason unknown = sure ? UNKNOWN_NOT : UNKNOWN_NOT_DUMPED;
	array_for_each (&process->threads, thread)
		add_lone(span, index, thread, is_later, unknown);
	array_for_each (&process->goroutines, goroutine)
		add_lone(span, index, goroutine, is_later, unknown);
}

static enum unknown_reason why_not_new(const struct span *span, const struct process *process,
				       const struct thread *thread)
{
	switch (is_young(span, process, thread->start_time)) {
	case YES:
		return UNKNOWN_NOT;
	case NO:
		return UNKNOWN_LEFT_OUT;
	default:
		return has_all_threads(&span->before, process->pid) ? UNKNOWN_NOT
								    : UNKNOWN_LEFT_OUT;
	}
}

static bool same_thread(const struct thread *a, const struct thread *b)
{
	return !a->start_time || !b->start_time || a->start_time == b->start_time;
}

static void add_pair(struct span *span, size_t index, const struct thread *before,
		     const struct thread *after)
{
	const struct process_diff *process = &span->diff->processes.items[index];
	struct thread_diff *thread = span->reversed ? add_thread(span, index, after, before)
						    : add_thread(span, index, before, after);
	if (span->diff->same_moment) {
		thread->progress = PROGRESS_UNKNOWN;
		thread->why_unknown = UNKNOWN_NO_TIME;
		return;
	}
	compare_thread(before, after, span->ns, thread);
	if (process->execed) {
		thread->progress = PROGRESS_MOVED;
		thread->why_unknown = UNKNOWN_NOT;
	}
}

/* The threads of a process, or its goroutines. */
struct crowd {
	const struct thread *items;
	size_t count;
};

static void add_crowds(struct span *span, size_t index, struct crowd before, struct crowd after)
{
	const struct process_diff *pair = &span->diff->processes.items[index];
	struct address_map by_number = {0};
	_cleanup_free_ bool *taken = xcalloc(before.count + 1, sizeof(*taken));
	for (size_t i = 0; i < before.count; i++)
		put(&by_number, thread_number(&before.items[i]), &before.items[i]);
	for (size_t i = 0; i < after.count; i++) {
		const struct thread *thread = &after.items[i];
		const struct thread *other = address_map_get(&by_number, thread_number(thread));
		size_t at = other ? (size_t)(other - before.items) : 0;
		if (other && !taken[at] && same_thread(other, thread)) {
			taken[at] = true;
			add_pair(span, index, other, thread);
		} else {
			add_lone(span, index, thread, true,
				 why_not_new(span, later(span, pair), thread));
		}
	}
	bool sure = pair->execed || has_all_threads(&span->after, later(span, pair)->pid);
	for (size_t i = 0; i < before.count; i++) {
		if (!taken[i])
			add_lone(span, index, &before.items[i], false,
				 sure ? UNKNOWN_NOT : UNKNOWN_LEFT_OUT);
	}
	address_map_deinit(&by_number, NULL);
}

static struct crowd threads_of(const struct process *process)
{
	return (struct crowd){process->threads.items, process->threads.count};
}

static struct crowd goroutines_of(const struct process *process)
{
	return (struct crowd){process->goroutines.items, process->goroutines.count};
}

static void add_process_pair(struct span *span, size_t index)
{
	const struct process *before = earlier(span, &span->diff->processes.items[index]);
	const struct process *after = later(span, &span->diff->processes.items[index]);
	add_crowds(span, index, threads_of(before), threads_of(after));
	add_crowds(span, index, goroutines_of(before), goroutines_of(after));
}

/* Whom a thread of the new dump waits for. */
static void mark_waited_for(struct diff *diff)
{
	struct address_map by_id = {0};
	array_for_each (&diff->threads, thread) {
		const struct process *process = diff->processes.items[thread->process].new;
		if (!thread->new || thread->new->goroutine)
			continue;
		uint64_t key = (uint64_t)process->pid << 32 | (uint32_t)thread->new->tid;
		/* A process that has one thread is waited for by its pid, too. */
		uint64_t whole = (uint64_t)process->pid << 32;
		if (!address_map_get(&by_id, key))
			address_map_put(&by_id, key, thread);
		if (process->threads.count == 1 && !address_map_get(&by_id, whole))
			address_map_put(&by_id, whole, thread);
	}
	array_for_each (&diff->threads, thread) {
		const struct wait *wait = thread->new ? &thread->new->wait : NULL;
		if (!wait || wait->owner_state != OWNER_ALIVE)
			continue;
		array_for_each (&wait->owners, owner) {
			struct thread_diff *owned = address_map_get(
				&by_id, (uint64_t)owner->pid << 32 | (uint32_t)owner->tid);
			if (owned && owned != thread)
				owned->waited_for = true;
		}
	}
	address_map_deinit(&by_id, NULL);
}

/* Ages of processes go on while the machine is suspended, the dumps' clock does not. */
static int64_t boot_ms(const struct span *span)
{
	array_for_each (&span->diff->processes, pair) {
		if (!pair->old || !pair->new || pair->old->running_ms < 0)
			continue;
		int64_t ms = pair->new->running_ms - pair->old->running_ms;
		ms = span->reversed ? -ms : ms;
		if (ms >= span->ns / 1000000)
			return ms;
	}
	return span->ns / 1000000;
}

void pair_threads(struct diff *diff)
{
	struct span span = {.diff = diff, .reversed = diff->apart_ns < 0};
	span.ns = span.reversed ? -diff->apart_ns : diff->apart_ns;
	span.boot_ms = boot_ms(&span);
	side_init(&span.before, span.reversed ? diff->new : diff->old);
	side_init(&span.after, span.reversed ? diff->old : diff->new);
	for (size_t i = 0; i < diff->processes.count; i++) {
		const struct process_diff *pair = &diff->processes.items[i];
		if (pair->old && pair->new)
			add_process_pair(&span, i);
		else
			add_lone_process(&span, i);
	}
	mark_waited_for(diff);
	side_deinit(&span.before);
	side_deinit(&span.after);
}
