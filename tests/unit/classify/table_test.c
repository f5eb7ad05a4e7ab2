#include "classify/syscall_table.h"

#include "classify/classify.h"

#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define NUMBERS 1024

/* Calls that only a file system's, a lock's or a device's sleep can hold up: decided, one by one. */
static const char *const plain[] = {
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"pipe",
	"pipe2",
	"sched_yield",
	"shmget",
	"shmctl",
	"dup",
	"dup2",
	"dup3",
	"getitimer",
	"setitimer",
	"alarm",
	"getpid",
	"socket",
	"shutdown",
	"bind",
	"listen",
	"getsockname",
	"getpeername",
	"socketpair",
	"setsockopt",
	"getsockopt",
	"kill",
	"uname",
	"semget",
	"semctl",
	"msgget",
	"msgctl",
	"umask",
	"gettimeofday",
	"getrlimit",
	"getrusage",
	"sysinfo",
	"times",
	"ptrace",
	"getuid",
	"syslog",
	"getgid",
	"setuid",
	"setgid",
	"geteuid",
	"getegid",
	"setpgid",
	"getppid",
	"getpgrp",
	"setsid",
	"setreuid",
	"setregid",
	"getgroups",
	"setgroups",
	"setresuid",
	"getresuid",
	"setresgid",
	"getresgid",
	"getpgid",
	"setfsuid",
	"setfsgid",
	"getsid",
	"capget",
	"capset",
	"rt_sigpending",
	"rt_sigqueueinfo",
	"sigaltstack",
	"personality",
	"ustat",
	"sysfs",
	"getpriority",
	"setpriority",
	"sched_setparam",
	"sched_getparam",
	"sched_setscheduler",
	"sched_getscheduler",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"sched_rr_get_interval",
	"vhangup",
	"modify_ldt",
	"_sysctl",
	"prctl",
	"arch_prctl",
	"adjtimex",
	"setrlimit",
	"settimeofday",
	"reboot",
	"sethostname",
	"setdomainname",
	"iopl",
	"ioperm",
	"create_module",
	"init_module",
	"delete_module",
	"get_kernel_syms",
	"query_module",
	"nfsservctl",
	"getpmsg",
	"putpmsg",
	"afs_syscall",
	"tuxcall",
	"security",
	"gettid",
	"tkill",
	"time",
	"sched_setaffinity",
	"sched_getaffinity",
	"set_thread_area",
	"io_setup",
	"io_destroy",
	"io_submit",
	"io_cancel",
	"get_thread_area",
	"lookup_dcookie",
	"epoll_create",
	"epoll_ctl_old",
	"set_tid_address",
	"restart_syscall",
	"timer_create",
	"timer_settime",
	"timer_gettime",
	"timer_getoverrun",
	"timer_delete",
	"clock_settime",
	"clock_gettime",
	"clock_getres",
	"epoll_ctl",
	"tgkill",
	"vserver",
	"set_mempolicy",
	"get_mempolicy",
	"mq_open",
	"mq_unlink",
	"mq_notify",
	"mq_getsetattr",
	"kexec_load",
	"add_key",
	"request_key",
	"keyctl",
	"ioprio_set",
	"ioprio_get",
	"inotify_init",
	"inotify_rm_watch",
	"unshare",
	"set_robust_list",
	"get_robust_list",
	"signalfd",
	"timerfd_create",
	"eventfd",
	"timerfd_settime",
	"timerfd_gettime",
	"signalfd4",
	"eventfd2",
	"epoll_create1",
	"inotify_init1",
	"rt_tgsigqueueinfo",
	"perf_event_open",
	"fanotify_init",
	"prlimit64",
	"clock_adjtime",
	"setns",
	"getcpu",
	"kcmp",
	"sched_setattr",
	"sched_getattr",
	"seccomp",
	"getrandom",
	"memfd_create",
	"kexec_file_load",
	"bpf",
	"userfaultfd",
	"membarrier",
	"pkey_alloc",
	"pkey_free",
	"rseq",
	"pidfd_send_signal",
	"io_uring_setup",
	"io_uring_register",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"pidfd_open",
	"close_range",
	"pidfd_getfd",
	"quotactl_fd",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
	"memfd_secret",
	"process_mrelease",
	"futex_wake",
	"futex_requeue",
};

static bool is_plain(const char *name)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strcmp(plain[i], name) == 0)
			return true;
	}
	return false;
}

static void every_call_has_a_row_or_is_knowingly_plain(void **state)
{
	(void)state;
	unsigned known = 0;
	for (int number = 0; number < NUMBERS; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
		const struct syscall_row *row = syscall_row(number);
		if (!name)
			continue;
		if (!row)
			fail_msg("%s (%d) has no row", name, number);
		if ((row->family == FAMILY_OTHER) != is_plain(name))
			fail_msg("%s (%d) has family %d", name, number, row->family);
		known++;
		free(name);
	}
	assert_true(known >= 364); /* libseccomp 2.5.4 */
}

static void rows_beyond_the_library_have_their_own_names(void **state)
{
	(void)state;
	for (int number = 0; number < NUMBERS; number++) {
		const struct syscall_row *row = syscall_row(number);
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
		if (row && !name)
			assert_non_null(row->name);
		if (row && name && row->name)
			assert_string_equal(row->name, name);
		free(name);
	}
}

static void arguments_that_rows_speak_of_exist(void **state)
{
	(void)state;
	for (int number = 0; number < NUMBERS; number++) {
		const struct syscall_row *row = syscall_row(number);
		if (!row)
			continue;
		assert_true(row->arguments <= 6);
		assert_true(row->fd[0] <= row->arguments && row->fd[1] <= row->arguments);
		assert_true(row->path <= row->arguments && row->timeout <= row->arguments);
		assert_int_equal(row->timeout != 0, row->timeout_kind != TIMEOUT_NONE);
		assert_true(row->family < SYSCALL_FAMILIES);
	}
}

static void numbers_out_of_range_have_no_row(void **state)
{
	(void)state;
	assert_null(syscall_row(-1));
	assert_null(syscall_row(NUMBERS));
	assert_null(syscall_row(400)); /* the gap before 424 */
	assert_null(syscall_row(INT64_MAX));
	assert_null(syscall_row(INT64_MIN));
}

static void the_descriptors_of_a_call_are_named(void **state)
{
	(void)state;
	int fds[2] = {-1, -1};
	const uint64_t arguments[6] = {0xffffffff00000007, 0, 9, 0, 0, 0};
	assert_int_equal(classify_syscall_fds(SYS_read, arguments, fds), 1);
	assert_int_equal(fds[0], 7); /* the upper half of an int is noise */
	assert_int_equal(classify_syscall_fds(SYS_splice, arguments, fds), 2);
	assert_int_equal(fds[0], 7);
	assert_int_equal(fds[1], 9);
	assert_int_equal(classify_syscall_fds(SYS_epoll_wait, arguments, fds), 1);
	assert_int_equal(classify_syscall_fds(SYS_futex, arguments, fds), 0);
	assert_int_equal(classify_syscall_fds(SYS_poll, arguments, fds), 0);
	assert_int_equal(classify_syscall_fds(99999, arguments, fds), 0);
	const uint64_t pidfd[6] = {3, 5, 0, 0, 0, 0};
	assert_int_equal(classify_syscall_fds(SYS_waitid, pidfd, fds), 1);
	assert_int_equal(fds[0], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_has_a_row_or_is_knowingly_plain),
		cmocka_unit_test(rows_beyond_the_library_have_their_own_names),
		cmocka_unit_test(arguments_that_rows_speak_of_exist),
		cmocka_unit_test(numbers_out_of_range_have_no_row),
		cmocka_unit_test(the_descriptors_of_a_call_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
