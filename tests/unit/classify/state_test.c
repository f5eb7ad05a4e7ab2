/* What comes before the system call: states, the kernel's functions, restart_syscall. */
#include "unit/classify/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

static void a_thread_that_could_not_be_read_is_unknown(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake->thread->syscall.state = SYSCALL_UNREADABLE;
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "unknown");
	assert_false(wait->has_syscall);
	fake_free(fake);
}

static void states_come_before_the_call(void **state)
{
	(void)state;
	static const struct {
		char state;
		uint64_t flags;
		bool frozen;
		const char *class;
	} rows[] = {
		{'Z', 0, false, "exited"},
		{'X', 0, false, "exited"},
		{'T', 0, false, "stopped"},
		{'t', 0, false, "traced"},
		{'S', 0, true, "frozen"},
		{'S', 0x10, false, "io_uring worker"},
		{'S', 0x4, false, "exiting"},
		{'Z', 0x4, false, "exited"},
		{'S', 0x4010, false, "io_uring worker"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = fake_new();
		fake_call(fake, SYS_futex, DATA, 0x80, 2, 0, 0, 0);
		fake->thread->state = rows[i].state;
		fake->thread->flags = rows[i].flags;
		fake->process.frozen_cgroup = rows[i].frozen;
		assert_class(fake_classify(fake), rows[i].class);
		fake_free(fake);
	}
}

static void a_debugger_is_named(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake->thread->state = 't';
	fake->thread->tracer = 4711;
	assert_string_equal(fake_classify(fake)->resource.detail, "process 4711");
	fake_free(fake);
}

static void running_is_what_was_read_before_the_stop(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake->thread->state = 'S';
	fake->thread->slept_ms = 5;
	fake->thread->syscall.state = SYSCALL_RUNNING;
	/* At the stop it happened to be in a call. */
	fake->thread->stop = STOP_DONE;
	fake->thread->in_syscall = true;
	fake->thread->stopped_syscall = SYS_write;
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "running");
	assert_false(wait->has_syscall);
	assert_int_equal(wait->since_ms, -1);
	fake->thread->state = 'R';
	fake->thread->syscall.state = SYSCALL_NONE;
	assert_class(fake_classify(fake), "running");
	fake->thread->syscall.state = SYSCALL_UNREADABLE;
	assert_class(fake_classify(fake), "running");
	/* Seen asleep after it was seen running: a short sleeper. */
	fake_call(fake, SYS_nanosleep, DATA, 0, 0, 0, 0, 0);
	fake->thread->state = 'R';
	wait = fake_classify(fake);
	assert_class(wait, "sleep");
	assert_int_equal(wait->confidence, CONFIDENCE_LIKELY);
	fake_free(fake);
}

static void the_stop_stands_in_for_an_unreadable_call(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_descriptor(fake, 7, "pipe:[9]", S_IFIFO, NULL);
	fake->thread->state = 'S';
	fake->thread->syscall.state = SYSCALL_UNREADABLE;
	fake->thread->stop = STOP_DONE;
	fake->thread->registers_from = REGISTERS_STOPPED;
	fake->thread->in_syscall = true;
	fake->thread->stopped_syscall = SYS_read;
	fake->thread->stopped_result = -512;
	fake->thread->registers.value[DWARF_RDI] = 7;
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "pipe read");
	assert_int_equal(wait->confidence, CONFIDENCE_LIKELY);
	fake->thread->stopped_result = 10; /* it was not asleep: it came back with data */
	assert_class(fake_classify(fake), "unknown");
	fake_free(fake);
}

static void sleep_in_the_kernel_is_told_by_its_functions(void **state)
{
	(void)state;
	static const struct {
		long number;
		char state;
		const char *stack, *class, *kind;
	} rows[] = {
		{SYS_read, 'D', "[<0>] folio_wait_bit_common+0x1/0x2\n", "disk wait", "file"},
		{SYS_fsync, 'D', "[<0>] jbd2_log_wait_commit+0x1/0x2 [jbd2]\n", "disk wait",
		 "file"},
		{SYS_write, 'D', "[<0>] percpu_rwsem_wait+0x1/0x2\n", "disk wait",
		 "frozen file system"},
		{SYS_read, 'D', "[<0>] request_wait_answer+0x1/0x2\n", "disk wait", "fuse file"},
		{SYS_read, 'S', "[<0>] request_wait_answer+0x1/0x2\n", "file read", "file"},
		{SYS_read, 'D', NULL, "disk wait", "file"},
		{SYS_mmap, 'D', "[<0>] rwsem_down_write_slowpath+0x1/0x2\n", "memory map lock",
		 "address space"},
		{SYS_read, 'D',
		 "[<0>] rwsem_down_read_slowpath.isra.0+0x1/0x2\n[<0>] exc_page_fault+0x3/0x4\n",
		 "memory map lock", "address space"},
		{SYS_read, 'D',
		 "[<0>] rwsem_down_read_slowpath+0x1/0x2\n[<0>] ext4_readdir+0x3/0x4\n",
		 "disk wait", "file"},
		{SYS_read, 'S', "[<0>] handle_userfault+0x1/0x2\n", "page fault",
		 "userfaultfd page"},
		{SYS_getpid, 'S', "[<0>] seccomp_do_user_notification+0x1/0x2\n", "system call",
		 "seccomp supervisor"},
		{SYS_exit_group, 'S', NULL, "exiting", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = fake_new();
		fake_descriptor(fake, 7, "/srv/data", S_IFREG, NULL);
		fake_call(fake, rows[i].number, 7, 0, 0, 0, 0, 0);
		fake->thread->state = rows[i].state;
		fake->thread->kernel_stack = rows[i].stack;
		const struct wait *wait = fake_classify(fake);
		assert_class(wait, rows[i].class);
		if (rows[i].kind)
			assert_string_equal(wait->resource.kind, rows[i].kind);
		fake_free(fake);
	}
}

static void outside_of_a_call_a_thread_sleeps_in_a_fault(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake->thread->state = 'S';
	fake->thread->syscall.state = SYSCALL_NONE;
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, "page fault");
	assert_int_equal(wait->confidence, CONFIDENCE_LIKELY);
	fake->thread->wait_channel = "handle_userfault";
	wait = fake_classify(fake);
	assert_class(wait, "page fault");
	assert_int_equal(wait->confidence, CONFIDENCE_CERTAIN);
	fake->thread->state = 'D';
	fake->thread->wait_channel = "folio_wait_bit_common";
	assert_class(fake_classify(fake), "page fault");
	fake->thread->wait_channel = NULL;
	fake->thread->kernel_stack =
		"[<0>] rwsem_down_read_slowpath+0x1/0x2\n[<0>] do_user_addr_fault+0x1/0x2\n";
	assert_class(fake_classify(fake), "memory map lock");
	fake_free(fake);
}

static void a_restarted_call_gets_its_own_number_back(void **state)
{
	(void)state;
	const unsigned char poll_code[7] = {0xb8, 7, 0, 0, 0, 0x0f, 0x05};
	struct fake *fake = fake_new();
	fake_call(fake, SYS_restart_syscall, 0, 0, 1000, 0, 0, 0);
	fake->thread->syscall.pc = DATA + 0x107;
	fake_write(fake, DATA + 0x100, poll_code, 7);
	const struct wait *wait = fake_classify(fake);
	assert_int_equal(wait->syscall.number, SYS_poll);
	assert_string_equal(wait->syscall.name, "poll");

	/* A number that cannot be restarted is not believed. */
	fake_write_u32(fake, DATA + 0x101, SYS_write);
	wait = fake_classify(fake);
	assert_string_equal(wait->syscall.name, "restart_syscall");
	assert_class(wait, "system call");

	fake->thread->wait_channel = "hrtimer_nanosleep";
	fake->thread->syscall.arguments[0] = 1; /* a clock */
	assert_string_equal(fake_classify(fake)->syscall.name, "clock_nanosleep");
	fake->thread->syscall.arguments[0] = DATA;
	assert_string_equal(fake_classify(fake)->syscall.name, "nanosleep");
	fake->thread->wait_channel = "futex_do_wait";
	assert_string_equal(fake_classify(fake)->syscall.name, "futex");
	fake->thread->wait_channel = NULL;
	fake_frames(fake, "__syscall_cancel_arch", "__poll", "|", "main", NULL);
	assert_string_equal(fake_classify(fake)->syscall.name, "poll");
	fake_frames(fake, "", "|", "my_poll", "poll", NULL);
	assert_string_equal(fake_classify(fake)->syscall.name, "restart_syscall");
	/* What stands beyond a stranger's frame without a name did not make the call. */
	fake_frames(fake, "", "|", "", NULL);
	fake->stack.frames[fake->stack.count++] =
		(struct frame){.function = "poll", .module = "/usr/lib/x86_64-linux-gnu/libc.so.6"};
	assert_string_equal(fake_classify(fake)->syscall.name, "restart_syscall");
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_could_not_be_read_is_unknown),
		cmocka_unit_test(states_come_before_the_call),
		cmocka_unit_test(a_debugger_is_named),
		cmocka_unit_test(running_is_what_was_read_before_the_stop),
		cmocka_unit_test(the_stop_stands_in_for_an_unreadable_call),
		cmocka_unit_test(sleep_in_the_kernel_is_told_by_its_functions),
		cmocka_unit_test(outside_of_a_call_a_thread_sleeps_in_a_fault),
		cmocka_unit_test(a_restarted_call_gets_its_own_number_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
