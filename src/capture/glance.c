/* Threads at a glance: state, system call and wait channel, each as the kernel has it. */
#include "base/cleanup.h"
#include "capture/capture.h"
#include "capture/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { SMALL_FILE = 4096 };

/* False when it is gone. */
static bool glance_thread(int tasks, const char *tid, struct strpool *strings,
			  struct glance_thread *ret)
{
	char path[64], text[SMALL_FILE];
	struct proc_stat stat;
	struct raw_syscall call;
	snprintf(path, sizeof(path), "%s/stat", tid);
	if (proc_read(tasks, path, text, sizeof(text)) <= 0 || !parse_stat(text, &stat))
		return false;
	ret->name = strpool_add(strings, stat.name);
	ret->state = stat.state;
	ret->syscall = -1;
	snprintf(path, sizeof(path), "%s/syscall", tid);
	if (proc_read(tasks, path, text, sizeof(text)) > 0) {
		parse_syscall(text, &call);
		if (call.state == SYSCALL_INSIDE)
			ret->syscall = call.number;
	}
	snprintf(path, sizeof(path), "%s/wchan", tid);
	if (proc_read(tasks, path, text, sizeof(text)) > 0 && strcmp(text, "0") != 0)
		ret->wait_channel = strpool_add(strings, text);
	return true;
}

static void glance_process(struct glance *glance, pid_t pid, struct deadline deadline)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	if (!dir)
		return;
	struct glance_process *process = array_append(&glance->processes);
	process->pid = pid;
	while ((entry = readdir(dir))) {
		struct glance_thread thread = {.tid = parse_pid(entry->d_name)};
		if (!thread.tid)
			continue;
		if (deadline_passed(deadline)) {
			glance->cut = true;
			return;
		}
		if (!glance_thread(dirfd(dir), entry->d_name, &glance->strings, &thread))
			continue;
		*array_append(&process->threads) = thread;
		if (thread.tid == pid)
			process->name = thread.name;
	}
}

void capture_glance(const pid_t *pids, size_t count, struct deadline deadline, struct glance *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (deadline_passed(deadline)) {
			ret->cut = true;
			return;
		}
		glance_process(ret, pids[i], deadline);
	}
}
