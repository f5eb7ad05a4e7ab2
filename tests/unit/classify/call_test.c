/* Calls on descriptors, for time, signals, children and queues. */
#include "unit/classify/fake.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include <cmocka.h>

struct fd_case {
	long number;
	const char *target;
	unsigned mode;
	const char *info;
	const char *class, *kind, *detail;
	bool named;
};

static const struct fd_case fd_cases[] = {
	{SYS_read, "pipe:[9]", S_IFIFO, NULL, "pipe read", "pipe", NULL, false},
	{SYS_writev, "pipe:[9]", S_IFIFO, NULL, "pipe write", "pipe", NULL, false},
	{SYS_read, "/run/queue", S_IFIFO, NULL, "pipe read", "fifo", NULL, true},
	{SYS_read, "socket:[9]", S_IFSOCK, NULL, "socket read", "socket", NULL, false},
	{SYS_write, "socket:[9]", S_IFSOCK, NULL, "socket write", "socket", NULL, false},
	{SYS_recvfrom, "socket:[9]", S_IFSOCK, NULL, "socket read", "socket", NULL, false},
	{SYS_sendmsg, "socket:[9]", S_IFSOCK, NULL, "socket write", "socket", NULL, false},
	{SYS_accept4, "socket:[9]", S_IFSOCK, NULL, "socket accept", "socket", NULL, false},
	{SYS_read, "anon_inode:[eventfd]", 0, "flags:\t02\neventfd-count:                0\n",
	 "eventfd read", "eventfd", "count 0", false},
	{SYS_write, "anon_inode:[eventfd]", 0, "eventfd-count: fffffffffffffffe\n", "eventfd write",
	 "eventfd", "count 18446744073709551614", false},
	{SYS_read, "anon_inode:[timerfd]", 0, "ticks: 0\nit_value: (2, 500000000)\n",
	 "timerfd read", "timerfd", "expires in 2500 ms", false},
	{SYS_read, "anon_inode:[timerfd]", 0, "it_value: (0, 0)\n", "timerfd read", "timerfd",
	 "disarmed", false},
	{SYS_read, "anon_inode:[signalfd]", 0, "sigmask:\t0000000000004002\n", "signalfd read",
	 "signalfd", "signals SIGINT, SIGTERM", false},
	{SYS_read, "anon_inode:inotify", 0, "pos:\t0\ninotify wd:1 ino:2\ninotify wd:2 ino:3\n",
	 "inotify read", "inotify", "2 watches", false},
	{SYS_read, "anon_inode:[fanotify]", 0, NULL, "inotify read", "fanotify", NULL, false},
	{SYS_read, "anon_inode:[userfaultfd]", 0, NULL, "file read", "userfaultfd", NULL, false},
	{SYS_read, "/dev/pts/3", S_IFCHR, NULL, "tty read", "terminal", NULL, true},
	{SYS_write, "/dev/ptmx", S_IFCHR, "tty-index:\t5\n", "tty write", "terminal",
	 "master of /dev/pts/5", true},
	{SYS_read, "/dev/random", S_IFCHR, NULL, "file read", "device", NULL, true},
	{SYS_pread64, "/srv/data", S_IFREG, NULL, "file read", "file", NULL, true},
	{SYS_pwrite64, "/srv/data", S_IFREG, NULL, "file write", "file", NULL, true},
	{SYS_getdents64, "/srv", S_IFDIR, NULL, "file read", "directory", NULL, true},
	{SYS_epoll_wait, "anon_inode:[eventpoll]", 0,
	 "pos:\t0\ntfd:        7 events:       19 data: 7\ntfd:        9 events: 1\n", "epoll wait",
	 "epoll", "watches 2 descriptors: 7 in (epoll), 9 in", false},
	{SYS_epoll_pwait2, "anon_inode:[eventpoll]", 0, "pos:\t0\n", "epoll wait", "epoll",
	 "watches nothing", false},
	{SYS_io_uring_enter, "anon_inode:[io_uring]", 0,
	 "SqHead:\t1\nSqTail:\t3\nCqHead:\t4\nCqTail:\t4\n", "io_uring wait", "io_uring",
	 "2 to submit, 0 completed", false},
	{SYS_mq_timedreceive, "/queue", S_IFREG, NULL, "message receive", "message queue", NULL,
	 true},
	{SYS_mq_timedsend, "/queue", S_IFREG, NULL, "message send", "message queue", NULL, true},
	{SYS_close, "/srv/data", S_IFREG, NULL, "system call", "file", NULL, true},
};

static void what_a_descriptor_is_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fd_cases) / sizeof(fd_cases[0]); i++) {
		const struct fd_case *c = &fd_cases[i];
		struct fake *fake = fake_new();
		fake_descriptor(fake, 7, c->target, c->mode, c->info);
		fake_call(fake, c->number, 7, 0, 0, 0, 0, 0);
		const struct wait *wait = fake_classify(fake);
		assert_class(wait, c->class);
		assert_string_equal(wait->resource.kind, c->kind);
		assert_int_equal(wait->resource.fd, 7);
		assert_int_equal(wait->confidence, CONFIDENCE_CERTAIN);
		if (c->detail)
			assert_string_equal(wait->resource.detail, c->detail);
		else
			assert_null(wait->resource.detail);
		if (c->named)
			assert_string_equal(wait->resource.name, c->target);
		else
			assert_null(wait->resource.name);
		fake_free(fake);
	}
}

static void an_unknown_descriptor_is_not_guessed(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_read, 7, 0, 0, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "system call");
	assert_string_equal(wait->syscall.name, "read");
	assert_int_equal(wait->syscall.argument_count, 3);
	assert_int_equal(wait->resource.fd, 7);
	/* ... unless the kernel's functions tell. */
	fake->thread->wait_channel = "anon_pipe_read";
	assert_class(fake_classify(fake), "pipe read");
	fake->thread->wait_channel = "0";
	fake->thread->kernel_stack = "[<0>] n_tty_read+0x5f/0x9e0\n[<0>] tty_read+0x1/0x2\n";
	assert_class(fake_classify(fake), "tty read");
	fake_free(fake);
}

static void sockets_are_told_apart_by_the_kernel(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_descriptor(fake, 7, "socket:[9]", S_IFSOCK, NULL);
	fake_call(fake, SYS_accept, 7, 0, 0, 0, 0, 0);
	fake->thread->wait_channel = "inet_csk_accept";
	assert_string_equal(fake_classify(fake)->resource.kind, "tcp socket");
	fake->thread->wait_channel = "unix_stream_read_generic";
	assert_string_equal(fake_classify(fake)->resource.kind, "unix socket");
	assert_string_equal(fake->wait.resource.identity, "socket:[9]");
	fake_free(fake);
}

static void connect_says_where_to(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(5432)};
	in.sin_addr.s_addr = htonl(0x0a000005);
	fake_write(fake, DATA, &in, sizeof(in));
	fake_descriptor(fake, 7, "socket:[9]", S_IFSOCK, NULL);
	fake_call(fake, SYS_connect, 7, DATA, sizeof(in), 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "socket connect");
	assert_string_equal(wait->resource.detail, "to 10.0.0.5:5432");
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0hidden"};
	fake_write(fake, DATA, &un, sizeof(un));
	fake_call(fake, SYS_connect, 7, DATA, 9, 0, 0, 0);
	wait = fake_classify(fake);
	assert_string_equal(wait->resource.detail, "to @hidden");
	assert_string_equal(wait->resource.kind, "unix socket");
	fake_call(fake, SYS_connect, 7, DATA, 0xffffffff, 0, 0, 0);
	assert_null(fake_classify(fake)->resource.detail);
	fake_free(fake);
}

static void a_transfer_waits_on_the_side_that_the_kernel_names(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_descriptor(fake, 7, "pipe:[9]", S_IFIFO, NULL);
	fake_descriptor(fake, 8, "socket:[5]", S_IFSOCK, NULL);
	fake_descriptor(fake, 9, "/srv/data", S_IFREG, NULL);
	fake_call(fake, SYS_splice, 7, 0, 8, 0, 4096, 0);
	fake->thread->wait_channel = "pipe_wait_readable";
	assert_class(fake_classify(fake), "pipe read");
	fake->thread->wait_channel = "sk_stream_wait_memory";
	assert_class(fake_classify(fake), "socket write");
	fake->thread->wait_channel = NULL;
	fake_call(fake, SYS_sendfile, 8, 9, 0, 4096, 0, 0);
	assert_class(fake_classify(fake), "socket write");
	assert_int_equal(fake->wait.confidence, CONFIDENCE_LIKELY);
	assert_int_equal(fake->wait.resource.fd, 8);
	fake_free(fake);
}

static void polled_descriptors_are_listed(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	const struct pollfd fds[3] = {{4, POLLIN, 0}, {7, POLLIN | POLLOUT, 0}, {9, POLLIN, 0}};
	fake_write(fake, DATA, fds, sizeof(fds));
	fake_call(fake, SYS_poll, DATA, 3, -1ull, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "poll");
	assert_string_equal(wait->resource.detail, "3 descriptors: 4 in, 7 in out, 9 in");
	/* Nobody trusts the count. */
	fake_call(fake, SYS_ppoll, DATA, 0xffffffffu, 0, 0, 0, 0);
	assert_memory_equal(fake_classify(fake)->resource.detail, "4294967295 descriptors: 4 in",
			    28);
	fake_call(fake, SYS_poll, 0, 0, 1000, 0, 0, 0);
	assert_class(fake_classify(fake), "sleep");
	fake_free(fake);
}

static void selected_descriptors_are_listed(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_write_u64(fake, DATA, 1ull << 4 | 1ull << 9);
	fake_write_u64(fake, DATA + 8, 1);
	fake_write_u64(fake, DATA + 16, 1ull << 9);
	fake_call(fake, SYS_pselect6, 65, DATA, DATA + 16, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "select");
	assert_string_equal(wait->resource.detail, "3 descriptors: 4 in, 9 in out, 64 in");
	fake_call(fake, SYS_select, 0x7fffffff, DATA, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "select"); /* more than is there to read */
	fake_call(fake, SYS_select, 0, 0, 0, 0, DATA, 0);
	assert_class(fake_classify(fake), "sleep");
	fake_free(fake);
}

static void file_locks_say_what_they_ask_for(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	fake_write(fake, DATA, &lock, sizeof(lock));
	fake_descriptor(fake, 7, "/srv/lock", S_IFREG, NULL);
	fake_call(fake, SYS_fcntl, 7, F_SETLKW, DATA, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "file lock");
	assert_string_equal(wait->resource.detail, "write lock, whole file");
	lock.l_type = F_RDLCK;
	lock.l_start = 100;
	lock.l_len = 8;
	fake_write(fake, DATA, &lock, sizeof(lock));
	fake_call(fake, SYS_fcntl, 7, F_OFD_SETLKW, DATA, 0, 0, 0);
	assert_string_equal(fake_classify(fake)->resource.detail,
			    "OFD read lock, from 100, length 8");
	fake_call(fake, SYS_fcntl, 7, F_GETFL, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "system call");
	fake_call(fake, SYS_flock, 7, LOCK_EX, 0, 0, 0, 0);
	wait = fake_classify(fake);
	assert_class(wait, "file lock");
	assert_string_equal(wait->resource.detail, "exclusive flock");
	assert_string_equal(wait->resource.name, "/srv/lock");
	fake_free(fake);
}

static void ioctl_waits_for_a_terminal_to_drain(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_descriptor(fake, 7, "/dev/pts/3", S_IFCHR, NULL);
	fake_descriptor(fake, 8, "/dev/dri/card0", S_IFCHR, NULL);
	fake_call(fake, SYS_ioctl, 7, TCSBRK, 1, 0, 0, 0);
	assert_class(fake_classify(fake), "tty write");
	fake_call(fake, SYS_ioctl, 8, 0xc01064b3, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "system call");
	assert_string_equal(fake->wait.resource.detail, "request 0xc01064b3");
	assert_string_equal(fake->wait.resource.name, "/dev/dri/card0");
	fake_free(fake);
}

static void opening_a_fifo_is_told_by_the_kernel(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_write(fake, DATA, "/run/fifo", 10);
	fake_call(fake, SYS_openat, (uint64_t)AT_FDCWD, DATA, 0, 0, 0, 0);
	fake->thread->wait_channel = "wait_for_partner";
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "fifo open");
	assert_string_equal(wait->resource.kind, "fifo");
	assert_string_equal(wait->resource.name, "/run/fifo");
	fake->thread->wait_channel = "__break_lease";
	assert_class(fake_classify(fake), "file lock");
	fake->thread->wait_channel = NULL;
	assert_class(fake_classify(fake), "system call");
	fake_free(fake);
}

static void a_child_of_another_pid_namespace_is_not_taken_for_one_of_ours(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_wait4, 7, 0, 0, 0, 0, 0);
	fake->thread->ns_tid = 1;
	assert_string_equal(fake_classify(fake)->resource.detail, "process 7 of its pid namespace");
	assert_null(fake->wait.resource.identity);
	fake->thread->ns_tid = 0;
	assert_null(fake_classify(fake)->resource.identity);
	fake_free(fake);
}

static void the_kernel_knows_better_than_a_number_that_was_used_again(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_descriptor(fake, 5, "/var/log/other", S_IFREG, NULL);
	fake_call(fake, SYS_read, 5, 0, 0, 0, 0, 0);
	fake->thread->wait_channel = "pipe_read";
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "pipe read");
	assert_string_equal(wait->resource.kind, "pipe");
	assert_null(wait->resource.name);
	assert_null(wait->resource.identity);
	assert_int_equal(wait->confidence, CONFIDENCE_LIKELY);
	fake_free(fake);
}

static void children_waited_for_are_named(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_wait4, 4242, 0, 0, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "child wait");
	assert_string_equal(wait->resource.detail, "process 4242");
	fake_call(fake, SYS_wait4, 0xffffffffffffffff, 0, 0, 0, 0, 0);
	assert_string_equal(fake_classify(fake)->resource.detail, "any child");
	fake_call(fake, SYS_wait4, (uint32_t)-77, 0, 0, 0, 0, 0);
	assert_string_equal(fake_classify(fake)->resource.detail, "any child of process group 77");
	fake_call(fake, SYS_wait4, 0x80000000, 0, 0, 0, 0, 0);
	assert_string_equal(fake_classify(fake)->resource.detail,
			    "any child of process group 2147483648");
	fake_call(fake, SYS_waitid, P_PID, 5, 0, 0, 0, 0);
	assert_string_equal(fake_classify(fake)->resource.detail, "process 5");
	fake_descriptor(fake, 6, "anon_inode:[pidfd]", 0, "Pid:\t77\n");
	fake_call(fake, SYS_waitid, P_PIDFD, 6, 0, 0, 0, 0);
	assert_int_equal(fake_classify(fake)->resource.fd, 6);
	assert_string_equal(fake->wait.resource.detail, "process 77");
	fake_free(fake);
}

static void vfork_is_a_clone_with_a_flag(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_vfork, 0, 0, 0, 0, 0, 0);
	fake->thread->state = 'D';
	assert_class(fake_classify(fake), "vfork wait");
	fake_call(fake, SYS_clone, CLONE_VFORK | CLONE_VM, 0, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "vfork wait");
	fake_write_u64(fake, DATA, CLONE_VFORK | CLONE_VM);
	fake_call(fake, SYS_clone3, DATA, 88, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "vfork wait");
	fake_call(fake, SYS_clone, CLONE_THREAD, 0, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "system call");
	fake_free(fake);
}

static void signals_waited_for_are_named(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_write_u64(fake, DATA, 1 << 1 | 1 << 14);
	fake_call(fake, SYS_rt_sigtimedwait, DATA, 0, 0, 8, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "signal wait");
	assert_string_equal(wait->resource.detail, "SIGINT, SIGTERM");
	fake_write_u64(fake, DATA, ~(uint64_t)(1 << 9));
	fake_call(fake, SYS_rt_sigsuspend, DATA, 8, 0, 0, 0, 0);
	assert_string_equal(fake_classify(fake)->resource.detail, "SIGUSR1");
	fake_call(fake, SYS_pause, DATA, 0, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "signal wait");
	assert_null(fake->wait.resource.detail); /* the first argument is noise */
	fake_free(fake);
}

static void system_v_and_posix_objects_are_named(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	const int16_t operation[3] = {2, -1, 0};
	fake_write(fake, DATA, operation, sizeof(operation));
	fake_call(fake, SYS_semtimedop, 65541, DATA, 1, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "semaphore wait");
	assert_string_equal(wait->resource.detail, "id 65541, number 2, operation -1");
	fake_call(fake, SYS_msgrcv, 3, 0, 0, 5, 0, 0);
	wait = fake_classify(fake);
	assert_class(wait, "message receive");
	assert_string_equal(wait->resource.detail, "id 3, type 5");
	fake_call(fake, SYS_msgsnd, 3, 0, 0, 0, 0, 0);
	assert_class(fake_classify(fake), "message send");
	fake_call(fake, SYS_io_getevents, DATA, 1, 1, 0, 0, 0);
	assert_class(fake_classify(fake), "aio wait");
	fake_free(fake);
}

static void other_calls_keep_their_name(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_getrandom, DATA, 16, 0, 0, 0, 0);
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "system call");
	assert_string_equal(wait->syscall.name, "getrandom");
	assert_int_equal(wait->syscall.argument_count, 3);
	fake_call(fake, 462, 0, 0, 0, 0, 0, 0); /* younger than libseccomp 2.5.4 */
	assert_string_equal(fake_classify(fake)->syscall.name, "mseal");
	fake_call(fake, 9999, 0, 0, 0, 0, 0, 0);
	wait = fake_classify(fake);
	assert_class(wait, "system call");
	assert_string_equal(wait->syscall.name, "syscall_9999");
	assert_int_equal(wait->syscall.argument_count, 6);
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_descriptor_is_decides),
		cmocka_unit_test(an_unknown_descriptor_is_not_guessed),
		cmocka_unit_test(sockets_are_told_apart_by_the_kernel),
		cmocka_unit_test(connect_says_where_to),
		cmocka_unit_test(a_transfer_waits_on_the_side_that_the_kernel_names),
		cmocka_unit_test(polled_descriptors_are_listed),
		cmocka_unit_test(selected_descriptors_are_listed),
		cmocka_unit_test(file_locks_say_what_they_ask_for),
		cmocka_unit_test(ioctl_waits_for_a_terminal_to_drain),
		cmocka_unit_test(opening_a_fifo_is_told_by_the_kernel),
		cmocka_unit_test(children_waited_for_are_named),
		cmocka_unit_test(a_child_of_another_pid_namespace_is_not_taken_for_one_of_ours),
		cmocka_unit_test(the_kernel_knows_better_than_a_number_that_was_used_again),
		cmocka_unit_test(vfork_is_a_clone_with_a_flag),
		cmocka_unit_test(signals_waited_for_are_named),
		cmocka_unit_test(system_v_and_posix_objects_are_named),
		cmocka_unit_test(other_calls_keep_their_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
