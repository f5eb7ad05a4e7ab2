#include "capture/attach.h"

#include "capture/proc.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GENERATIONS_MOST = 10000, /* parents may change while they are looked up */
	STATUS_MOST = 8192,
};

int attach_yama_scope(void)
{
	char text[16];
	return proc_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) > 0
		       ? atoi(text)
		       : 0;
}

bool attach_is_descendant(pid_t pid)
{
	for (unsigned i = 0; i < GENERATIONS_MOST && pid > 1; i++) {
		char path[64], text[1024];
		struct proc_stat stat;
		if (pid == getpid())
			return true;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0 || !parse_stat(text, &stat))
			return false;
		pid = stat.ppid;
	}
	return false;
}

static bool may_trace_all(void)
{
	char text[STATUS_MOST];
	uint64_t effective;
	return proc_read_status(AT_FDCWD, "/proc/self/status", text, sizeof(text)) > 0 &&
	       parse_number(text, "CapEff", 16, &effective) && effective >> CAP_SYS_PTRACE & 1;
}

bool attach_needs_thread(const pid_t *pids, size_t count)
{
	const char *forced = secure_getenv("HANGDUMP_ATTACH");
	if (forced && strcmp(forced, "thread") == 0)
		return true;
	if (attach_yama_scope() != 1 || may_trace_all())
		return false;
	for (size_t i = 0; i < count; i++) {
		if (attach_is_descendant(pids[i]))
			return true;
	}
	return false;
}
