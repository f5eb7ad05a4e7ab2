#include "capture/raw.h"

#include "base/cleanup.h"
#include "capture/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTORY_PIECE = 32768 };

void raw_add_error(struct raw_capture *raw, struct raw_process *process, pid_t tid,
		   const char *what, const char *why_format, ...)
{
	char why[512];
	va_list ap;
	va_start(ap, why_format);
	int n = vsnprintf(why, sizeof(why), why_format, ap);
	va_end(ap);
	struct raw_error *error = arena_alloc(&raw->arena, sizeof(*error));
	if (!error || n < 0)
		return;
	*error = (struct raw_error){tid, arena_string(&raw->arena, what, strlen(what)),
				    arena_string(&raw->arena, why, strlen(why)), process->errors};
	__atomic_store_n(&process->errors, error, __ATOMIC_RELEASE);
}

struct raw_thread *raw_thread_new(struct raw_process *process, pid_t tid)
{
	if (process->thread_count == process->thread_capacity) {
		process->threads_left_out = true;
		return NULL;
	}
	struct raw_thread *thread = &process->threads[process->thread_count];
	*thread = (struct raw_thread){
		.exec_start_ns = -1,
		.facts = {.tid = tid,
			  .name = "",
			  .processor = -1,
			  .cpu_user_ns = -1,
			  .cpu_system_ns = -1,
			  .cpu_total_ns = -1,
			  .switches_voluntary = -1,
			  .switches_involuntary = -1,
			  .slept_ms = -1,
			  .syscall = {.state = SYSCALL_UNREADABLE, .number = -1},
			  .stopped_syscall = -1}};
	return thread;
}

void raw_thread_publish(struct raw_process *process)
{
	__atomic_store_n(&process->thread_count, process->thread_count + 1, __ATOMIC_RELEASE);
}

static int compare_tids(const void *a, const void *b)
{
	const struct raw_thread *x = a, *y = b;
	return (x->facts.tid > y->facts.tid) - (x->facts.tid < y->facts.tid);
}

void raw_sort_threads(struct raw_process *process)
{
	qsort(process->threads, process->thread_count, sizeof(*process->threads), compare_tids);
	process->sorted_count = process->thread_count;
}

/* Is it among the first `known` threads? */
static bool is_known(const struct raw_process *process, size_t known, pid_t tid)
{
	const struct raw_thread key = {.facts.tid = tid};
	if (bsearch(&key, process->threads, process->sorted_count, sizeof(key), compare_tids))
		return true;
	for (size_t i = process->sorted_count; i < known; i++) {
		if (process->threads[i].facts.tid == tid)
			return true;
	}
	return false;
}

int raw_visit_new_threads(struct raw_capture *raw, struct raw_process *process, raw_visit_fn *visit)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	int found = 0;
	size_t known = process->thread_count;
	/* opendir() would allocate. */
	_Alignas(struct dirent64) char entries[DIRECTORY_PIECE];
	ssize_t n;
	while ((n = getdents64(dir, entries, sizeof(entries))) > 0) {
		const struct dirent64 *entry;
		for (ssize_t at = 0; at < n; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			pid_t tid = parse_pid(entry->d_name);
			if (!tid || is_known(process, known, tid))
				continue;
			visit(raw, process, tid);
			found++;
		}
	}
	return found;
}

const struct capture_mapping *raw_mapping_at(const struct raw_process *process, uint64_t address)
{
	size_t low = 0, high = process->mapping_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct capture_mapping *map = &process->mappings[middle];
		if (address < map->start)
			high = middle;
		else if (address >= map->end)
			low = middle + 1;
		else
			return map;
	}
	return NULL;
}
