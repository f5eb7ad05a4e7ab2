/* The process table: /proc/PID/stat of all, and status where children are waited for. */
#include "base/cleanup.h"
#include "capture/around.h"
#include "capture/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PF_KTHREAD	  0x00200000  /* include/linux/sched.h */
#define INIT_PID_NS_INODE 0xEFFFFFFCu /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

static const pid_t *copy_ids(struct around *around, const pid_t *ids, unsigned count)
{
	pid_t *copy = arena_alloc(&around->raw->arena, count * sizeof(*ids));
	if (copy)
		memcpy(copy, ids, count * sizeof(*ids));
	return copy;
}

static void add_status(struct around *around, struct capture_neighbour *process)
{
	char path[64], text[8192];
	pid_t ids[NS_LEVELS_MOST], groups[NS_LEVELS_MOST];
	struct proc_status status;
	snprintf(path, sizeof(path), "/proc/%d/status", process->pid);
	if (proc_read_status(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	parse_status(text, &status);
	process->tracer = status.tracer;
	unsigned levels = parse_status_ids(text, "NSpid", ids, NS_LEVELS_MOST);
	if (!levels || parse_status_ids(text, "NSpgid", groups, NS_LEVELS_MOST) != levels)
		return;
	process->ids = copy_ids(around, ids, levels);
	process->groups = copy_ids(around, groups, levels);
	if (process->ids && process->groups)
		process->level_count = levels;
}

static bool runs_in_its_parents_memory(const struct around *around, pid_t pid, pid_t ppid)
{
	array_for_each (&around->vfork_parents, parent) {
		if (parent->pid == ppid && syscall(SYS_kcmp, parent->tid, pid, KCMP_VM, 0, 0) == 0)
			return true;
	}
	return false;
}

static void add_process(struct around *around, pid_t pid)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	ssize_t n = proc_read(AT_FDCWD, path, text, sizeof(text));
	if (n == -EPERM || n == -EACCES) {
		/* hidepid=1: that there is such a process is all that we are told. */
		struct capture_neighbour hidden = {.pid = pid, .name = "", .exit_signal = -1};
		around_add(around, &around->found->processes, &hidden, sizeof(hidden));
		return;
	}
	if (n <= 0 || !parse_stat(text, &stat))
		return;
	struct capture_neighbour process = {
		.pid = pid,
		.ppid = stat.ppid,
		.group = stat.group,
		.session = stat.session,
		.name = arena_string(&around->raw->arena, stat.name, strlen(stat.name)),
		.state = stat.state,
		.start_time = stat.start_time,
		.kernel_thread = stat.flags & PF_KTHREAD,
		.threads = stat.threads,
		.exit_signal = stat.exit_signal,
		.shares_memory = runs_in_its_parents_memory(around, pid, stat.ppid),
	};
	if (around->children && !process.kernel_thread)
		add_status(around, &process);
	around_add(around, &around->found->processes, &process, sizeof(process));
}

/* Mounted with hidepid=2, /proc leaves out the processes of others, the first one too. */
static bool hides_processes(void)
{
	struct stat st;
	return stat("/proc/1", &st) != 0 && (kill(1, 0) == 0 || errno == EPERM);
}

/* The newest thread's id in our pid namespace: 0 not known. */
static pid_t newest_id(void)
{
	char text[256];
	long newest = 0;
	/* "0.20 0.18 0.12 1/80 11206" */
	if (proc_read(AT_FDCWD, "/proc/loadavg", text, sizeof(text)) > 0)
		sscanf(text, "%*s %*s %*s %*s %ld", &newest);
	return newest > 0 && newest <= INT_MAX ? (pid_t)newest : 0;
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Adds those that are not among the known, which are sorted.  0; ETIME: not all; or an errno. */
static int list_processes(struct around *around, const pid_t *known, size_t count)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	if (!dir)
		return errno;
	while ((entry = readdir(dir)) && !deadline_passed(around->deadline)) {
		pid_t pid = parse_pid(entry->d_name);
		/* Ourselves: a process that is about to end, with copies of our parent's files. */
		if (pid && pid != getpid() &&
		    !(count && bsearch(&pid, known, count, sizeof(pid), compare_pids)))
			add_process(around, pid);
	}
	return entry ? ETIME : 0;
}

bool around_newborn(struct around *around)
{
	array(pid_t) known = {0};
	pid_t newest = newest_id();
	if (newest && newest == around->born)
		return true;
	around->born = newest;
	around_for_each (struct capture_neighbour, &around->found->processes, process)
		*array_append(&known) = process->pid;
	array_sort(&known, compare_pids);
	list_processes(around, known.items, known.count);
	array_deinit(&known);
	return false;
}

void around_processes(struct around *around)
{
	struct around_found *found = around->found;
	if (found->processes_done)
		return;
	found->hidden = hides_processes();
	around->born = newest_id();
	found->contained = namespace_of(0, "pid") != INIT_PID_NS_INODE;
	int why = list_processes(around, NULL, 0);
	found->processes_done = !why;
	if (why == ETIME)
		around_error(around, "processes", "not all were looked at before the deadline");
	else if (why)
		around_error(around, "processes", "%s", strerrordesc_np(why));
	else if (found->hidden)
		around_error(around, "processes of other users",
			     "/proc does not show them (it is mounted with hidepid)");
}
