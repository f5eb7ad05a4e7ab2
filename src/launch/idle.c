#include "launch/idle.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
	LOOKS = 8, /* within the limit */
	LOOK_LEAST_MS = 50,
	LOOK_MOST_MS = 5000,
};

static int by_pid(const void *a, const void *b)
{
	const struct idle_process *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static uint64_t written_by(pid_t pid)
{
	char path[64], text[1024];
	uint64_t written = 0;
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	/* Refused for one that runs as somebody else: its CPU time has to do. */
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) > 0)
		parse_number(text, "wchar", 10, &written);
	return written;
}

bool idle_is_progress(const struct idle_process *before, size_t before_count,
		      const struct idle_process *after, size_t after_count, uint64_t ms)
{
	uint64_t ticks = 0;
	if (before_count != after_count)
		return true;
	for (size_t i = 0; i < after_count; i++) {
		if (before[i].pid != after[i].pid || before[i].start_time != after[i].start_time ||
		    before[i].written != after[i].written)
			return true;
		ticks += after[i].ticks - before[i].ticks;
	}
	uint64_t used_ms = ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	return used_ms && used_ms * 100 >= ms;
}

static void plan(struct idle *idle)
{
	uint64_t ms = idle->limit_ms / LOOKS;
	if (ms < LOOK_LEAST_MS)
		ms = LOOK_LEAST_MS;
	if (ms > LOOK_MOST_MS)
		ms = LOOK_MOST_MS;
	idle->looked_ns = monotonic_ns();
	idle->next_look = deadline_in_ms(ms);
}

void idle_begin(struct idle *idle, uint64_t limit_ms)
{
	*idle = (struct idle){.limit_ms = limit_ms, .active_ns = monotonic_ns()};
	if (limit_ms)
		plan(idle);
}

bool idle_look(struct idle *idle, const struct tree *tree)
{
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count = tree_list(tree, &relatives);
	__typeof__(idle->seen) now = {0};
	for (size_t i = 0; i < count; i++) {
		const struct proc_stat *stat = &relatives[i].stat;
		*array_append(&now) = (struct idle_process){relatives[i].pid, stat->start_time,
							    stat->utime + stat->stime,
							    written_by(relatives[i].pid)};
	}
	array_sort(&now, by_pid);
	uint64_t ns = monotonic_ns();
	if (idle_is_progress(idle->seen.items, idle->seen.count, now.items, now.count,
			     (ns - idle->looked_ns) / 1000000))
		idle->active_ns = ns;
	array_deinit(&idle->seen);
	idle->seen = now;
	plan(idle);
	return ns - idle->active_ns >= idle->limit_ms * 1000000;
}

void idle_skip(struct idle *idle, uint64_t ns)
{
	idle->active_ns += ns;
	idle->looked_ns += ns;
	if (idle->next_look.at_ns)
		idle->next_look.at_ns += ns;
}

void idle_deinit(struct idle *idle)
{
	array_deinit(&idle->seen);
}
