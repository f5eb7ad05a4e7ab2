/* Why may we not attach?  Evidence first, then words. */
#include "capture/attach.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_MOST = 8192 };

static bool read_status(pid_t pid, struct proc_status *ret)
{
	char path[64], text[STATUS_MOST];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (proc_read_status(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return false;
	parse_status(text, ret);
	return true;
}

static ino_t user_namespace(pid_t pid)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* A filter answers for the call itself, the kernel for the pid that cannot be: ESRCH. */
static bool ptrace_is_filtered(void)
{
	return ptrace(PTRACE_SEIZE, 0x7ffffff0, NULL, NULL) != 0 && errno != ESRCH;
}

static bool yama_refuses(pid_t pid, bool may_trace_all, enum error_reason *ret)
{
	switch (attach_yama_scope()) {
	case 0:
		return false;
	case 1:
		*ret = ERROR_YAMA_ANCESTOR;
		return !may_trace_all && !attach_is_descendant(pid);
	case 2:
		*ret = ERROR_YAMA_PRIVILEGE;
		return !may_trace_all;
	default:
		*ret = ERROR_YAMA_NOBODY;
		return true;
	}
}

struct error *refusal_explain(pid_t pid, int os_errno)
{
	char subject[16], name[64];
	snprintf(subject, sizeof(subject), "%d", pid);
	struct proc_status target, self;
	if (!read_status(pid, &target))
		return error_new(ERROR_ENDED, 0, subject, NULL);
	if (!read_status(getpid(), &self))
		return error_new(ERROR_PERMISSION, os_errno, subject, NULL);
	if (target.tracer) {
		proc_name(target.tracer, name, sizeof(name));
		return error_new(ERROR_TRACED, 0, subject, "by %s (pid %d)", name, target.tracer);
	}
	if (ptrace_is_filtered())
		return error_new(ERROR_SECCOMP, os_errno, subject, NULL);
	bool may_trace_all = self.capabilities_permitted >> CAP_SYS_PTRACE & 1;
	bool same_user = target.uid[0] == geteuid() && target.uid[1] == geteuid() &&
			 target.uid[2] == geteuid();
	bool set_id = target.uid[0] != target.uid[1] || target.uid[1] != target.uid[2];
	enum error_reason yama;
	if (!may_trace_all && set_id)
		return error_new(ERROR_NOT_DUMPABLE, os_errno, subject, NULL);
	if (!may_trace_all && !same_user)
		return error_new(ERROR_OTHER_USER, os_errno, subject, "(uid %u, hangdump's is %u)",
				 target.uid[0], geteuid());
	if (yama_refuses(pid, may_trace_all, &yama))
		return error_new(yama, os_errno, subject, NULL);
	ino_t ours = user_namespace(getpid()), theirs = user_namespace(pid);
	if ((theirs && ours != theirs) ||
	    target.capabilities_permitted & ~self.capabilities_permitted)
		return error_new(ERROR_CAPABILITIES, os_errno, subject, NULL);
	char path[64];
	struct stat st;
	/* Root owns the files (not the folder) of a process that is not dumpable. */
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!may_trace_all && stat(path, &st) == 0 && st.st_uid != target.uid[1])
		return error_new(ERROR_NOT_DUMPABLE, os_errno, subject, NULL);
	return error_new(ERROR_PERMISSION, os_errno, subject, NULL);
}

struct error *capture_check(pid_t pid)
{
	/* PF_KTHREAD of include/linux/sched.h, in field 9 of stat. */
	static const uint64_t kernel_thread = 0x00200000;
	char subject[16], path[64], text[4096];
	snprintf(subject, sizeof(subject), "%d", pid);
	if (pid == getpid())
		return error_new(ERROR_SELF, 0, subject, NULL);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	ssize_t n = proc_read(AT_FDCWD, path, text, sizeof(text));
	struct proc_stat stat;
	if (n == -ENOENT || n == -ESRCH)
		return error_new(ERROR_NO_SUCH_PROCESS, 0, subject, NULL);
	if (n < 0)
		return error_new(ERROR_PERMISSION, (int)-n, subject, NULL);
	if (!parse_stat(text, &stat))
		return error_new(ERROR_FORMAT, 0, subject, "(%s)", path);
	if (stat.flags & kernel_thread)
		return error_new(ERROR_KERNEL_THREAD, 0, subject, "(%s)", stat.name);
	return NULL;
}
