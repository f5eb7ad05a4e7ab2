#include "base/error.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The words of every reason, and what a person can do about it. */
static const struct {
	const char *why;
	const char *advice;
} words[] = {
	[ERROR_USAGE] = {"bad usage", "Try 'hangdump --help'."},
	[ERROR_NO_SUCH_PROCESS] = {"no such process", NULL},
	[ERROR_NOT_A_PID] = {"not a process ID",
			     "Give the number of a process: 'pidof NAME' finds it."},
	[ERROR_KERNEL_THREAD] = {"a kernel thread: it has no user stack",
				 "As root, /proc/PID/stack shows where it is in the kernel."},
	[ERROR_ZOMBIE] = {"a zombie: it has ended, and its parent has not waited for it",
			  "Look at its parent instead."},
	[ERROR_SELF] = {"this is hangdump itself", NULL},
	[ERROR_ENDED] = {"the process ended meanwhile", NULL},
	[ERROR_TRACED] = {"already traced", "End that tracer, or use --no-stop."},
	[ERROR_OTHER_USER] = {"no permission: it runs as another user",
			      "Run hangdump as that user or as root."},
	[ERROR_NOT_DUMPABLE] = {"no permission: it is marked not dumpable (a set-id program, or it "
				"changed its credentials)",
				"Run hangdump as root."},
	[ERROR_YAMA_ANCESTOR] =
		{"no permission: kernel.yama.ptrace_scope is 1, which leaves a process to its "
		 "ancestors and to the privileged",
		 "Start the program under 'hangdump run', or run hangdump with sudo (in a "
		 "container, "
		 "with --cap-add=SYS_PTRACE); setting it to 0 lets every process look at its "
		 "user's."},
	[ERROR_YAMA_PRIVILEGE] =
		{"no permission: kernel.yama.ptrace_scope is 2, which leaves processes to the "
		 "privileged",
		 "Run hangdump with sudo, or in a container with --cap-add=SYS_PTRACE."},
	[ERROR_YAMA_NOBODY] =
		{"no permission: kernel.yama.ptrace_scope is 3, which lets nobody look at a "
		 "process, "
		 "not even root",
		 "It stays so until the machine is started anew, with less in sysctl.d(5)."},
	[ERROR_CAPABILITIES] =
		{"no permission: it has capabilities that hangdump lacks, or lives in "
		 "another user namespace",
		 "Run hangdump with CAP_SYS_PTRACE in the process's user namespace."},
	[ERROR_SECCOMP] = {"no permission: a seccomp filter forbids ptrace here, as containers' do",
			   "Run hangdump outside the container, or start it with "
			   "--cap-add=SYS_PTRACE."},
	[ERROR_PERMISSION] = {"no permission", "Run hangdump as root, with CAP_SYS_PTRACE."},
	[ERROR_WRONG_ARCH] = {"not a 64-bit x86 process", "Only x86-64 is supported."},
	[ERROR_TIMED_OUT] = {"the deadline passed", "Give it more time with --deadline."},
	[ERROR_UNREADABLE] = {"could not be read", NULL},
	[ERROR_UNWRITABLE] = {"could not be written", NULL},
	[ERROR_FORMAT] = {"not in the expected form", NULL},
	[ERROR_NO_MATCH] = {"no thread matches", NULL},
	[ERROR_UNSUPPORTED] = {"not supported here", NULL},
	[ERROR_NOT_RUNNABLE] = {"could not be run", NULL},
	[ERROR_INTERNAL] = {"hangdump's own failure", NULL},
};
_Static_assert(sizeof(words) / sizeof(words[0]) == ERROR_REASONS, "every reason has words");

struct error *error_new(enum error_reason reason, int os_errno, const char *subject,
			const char *detail_format, ...)
{
	struct error *error = xcalloc(1, sizeof(*error));
	error->reason = reason;
	error->os_errno = os_errno;
	error->subject = xstrdup(subject);
	if (detail_format) {
		va_list ap;
		va_start(ap, detail_format);
		error->detail = xvasprintf(detail_format, ap);
		va_end(ap);
	}
	return error;
}

void error_free(struct error *error)
{
	if (!error)
		return;
	free(error->subject);
	free(error->detail);
	free(error);
}

char *error_why(const struct error *error)
{
	const char *os = error->os_errno ? strerrordesc_np(error->os_errno) : NULL;
	return xasprintf("%s%s%s%s%s", words[error->reason].why, error->detail ? " " : "",
			 error->detail ? error->detail : "", os ? ": " : "", os ? os : "");
}

const char *error_advice(const struct error *error)
{
	return words[error->reason].advice;
}
