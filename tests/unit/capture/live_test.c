/* capture: live processes, whole and in trouble. */
#include "base/helper.h"
#include "capture/capture.h"
#include "capture/proc.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 20, MARK = 0x4d41524b };

static int pipe_ends[2];

static void *read_for_ever(void *unused)
{
	/* On the stack, and so in the capture. */
	volatile uint64_t marks[64];
	for (int i = 0; i < 64; i++)
		marks[i] = MARK;
	char byte;
	ssize_t n = read(pipe_ends[0], &byte, 1);
	(void)n;
	(void)unused;
	return (void *)(uintptr_t)marks[0];
}

static void child_main(void)
{
	pthread_t thread;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, read_for_ever, NULL);
	pause();
	_exit(0);
}

static pid_t start(void (*main_function)(void))
{
	assert_int_equal(pipe(pipe_ends), 0);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		if (helper_begin(parent))
			main_function();
		_exit(0);
	}
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static struct capture *capture(pid_t pid, bool no_stop, struct error **ret_failure)
{
	struct capture_options options = {.no_stop = no_stop, .deadline = deadline_in_ms(30000)};
	struct capture *ret;
	assert_null(capture_survey(&pid, 1, &options, ret_failure, &ret));
	capture_hold(ret, &pid, 1, ret_failure);
	capture_verify(ret);
	return ret;
}

static bool all_in(const struct capture_process *process, size_t threads, long read_call)
{
	size_t reading = 0;
	array_for_each (&process->threads, thread)
		reading += thread->syscall.state == SYSCALL_INSIDE &&
			   thread->syscall.number == read_call;
	return process->threads.count == threads + 1 && reading == threads;
}

/* Until all threads are where they are going, or a minute has passed. */
static struct capture *capture_settled(pid_t pid, bool no_stop)
{
	struct deadline deadline = deadline_in_ms(60000);
	for (;;) {
		struct error *failure = NULL;
		struct capture *ret = capture(pid, no_stop, &failure);
		assert_null(failure);
		assert_int_equal(ret->processes.count, 1);
		if (all_in(&ret->processes.items[0], THREADS, SYS_read) ||
		    deadline_passed(deadline))
			return ret;
		capture_free(ret);
	}
}

static void check_threads(struct capture_process *process, enum registers_from from)
{
	assert_true(all_in(process, THREADS, SYS_read));
	array_for_each (&process->threads, thread) {
		if (thread->tid == process->pid)
			continue;
		assert_int_equal(thread->registers_from, from);
		uint64_t sp = thread->registers.value[DWARF_RSP], word = 0;
		assert_int_equal(thread->registers.value[DWARF_RIP], thread->syscall.pc);
		bool found = false;
		for (unsigned i = 0; i < 512 && !found; i++)
			found = memory_read_u64(&process->memory, sp + 8 * i, &word) &&
				word == MARK;
		assert_true(found);
	}
	assert_null(capture_thread_by_tid(process, 1));
	assert_non_null(capture_thread_by_tid(process, process->pid));
}

static void every_thread_is_captured_with_its_stack(void **state)
{
	(void)state;
	pid_t pid = start(child_main);
	struct capture *ret = capture_settled(pid, false);
	check_threads(&ret->processes.items[0], REGISTERS_STOPPED);
	assert_true(ret->processes.items[0].frozen_us > 0);
	capture_free(ret);
	finish(pid);
}

static void sleeping_threads_need_no_stop(void **state)
{
	(void)state;
	pid_t pid = start(child_main);
	struct capture *ret = capture_settled(pid, true);
	check_threads(&ret->processes.items[0], REGISTERS_SYSCALL_FILE);
	assert_int_equal(ret->processes.items[0].frozen_us, 0);
	array_for_each (&ret->processes.items[0].threads, thread)
		assert_int_equal(thread->stop, STOP_NOT_TRIED);
	capture_free(ret);
	finish(pid);
}

static void threads_that_sleep_through_it_are_steady(void **state)
{
	(void)state;
	pid_t pid = start(child_main);
	struct deadline deadline = deadline_in_ms(60000);
	size_t steady = 0;
	while (steady != THREADS + 1 && !deadline_passed(deadline)) {
		struct capture *ret = capture_settled(pid, false);
		steady = 0;
		array_for_each (&ret->processes.items[0].threads, thread)
			steady += thread->steady;
		capture_free(ret);
	}
	assert_int_equal(steady, THREADS + 1);
	finish(pid);
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void leave_main(void)
{
	pthread_t thread;
	char byte;
	pthread_create(&thread, NULL, sleep_for_ever, NULL);
	ssize_t n = read(pipe_ends[0], &byte, 1);
	(void)n;
	pthread_exit(NULL);
}

static char state_of(pid_t pid)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, &stat)
		       ? stat.state
		       : 0;
}

static void wait_for_state(pid_t pid, char wanted)
{
	struct deadline deadline = deadline_in_ms(60000);
	while (state_of(pid) != wanted && !deadline_passed(deadline))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(state_of(pid), wanted);
}

static void a_main_thread_that_ends_meanwhile_is_not_taken_for_a_refusal(void **state)
{
	(void)state;
	pid_t pid = start(leave_main);
	const struct capture_options options = {.deadline = deadline_in_ms(60000)};
	struct error *failure = NULL;
	struct capture *ret = NULL;
	do {
		capture_free(ret);
		assert_null(capture_survey(&pid, 1, &options, &failure, &ret));
		assert_null(failure);
	} while (!all_in(&ret->processes.items[0], 1, SYS_pause) &&
		 !deadline_passed(options.deadline));
	assert_int_equal(write(pipe_ends[1], "", 1), 1);
	wait_for_state(pid, 'Z');
	capture_hold(ret, &pid, 1, &failure);
	assert_null(failure);
	struct capture_process *process = &ret->processes.items[0];
	const struct capture_thread *thread = capture_thread_by_tid(process, pid);
	assert_int_equal(thread->stop, STOP_GONE);
	assert_int_equal(thread->state, 'Z');
	assert_int_equal(thread->syscall.state, SYSCALL_UNREADABLE);
	assert_int_equal(process->errors.count, 0);
	capture_free(ret);
	finish(pid);
}

static void spin_main(void)
{
	for (volatile unsigned long i = 0;; i++)
		continue;
}

static void a_running_thread_is_never_steady(void **state)
{
	(void)state;
	pid_t pid = start(spin_main);
	struct error *failure = NULL;
	struct capture *ret = capture(pid, false, &failure);
	assert_null(failure);
	const struct capture_thread *thread = &ret->processes.items[0].threads.items[0];
	assert_false(thread->steady);
	assert_int_equal(thread->registers_from, REGISTERS_STOPPED);
	capture_free(ret);
	finish(pid);
}

static void vfork_main(void)
{
	if (vfork() == 0) {
		for (;;)
			pause();
	}
}

static void a_vfork_parent_is_told_from_proc_and_let_go(void **state)
{
	(void)state;
	pid_t pid = start(vfork_main);
	wait_for_state(pid, 'D');
	uint64_t before = monotonic_ns();
	struct error *failure = NULL;
	struct capture *ret = capture(pid, false, &failure);
	assert_null(failure);
	assert_true(monotonic_ns() - before < 20000000000u);
	const struct capture_thread *thread = &ret->processes.items[0].threads.items[0];
	assert_int_equal(thread->stop, STOP_TIMED_OUT);
	assert_int_equal(thread->registers_from, REGISTERS_SYSCALL_FILE);
	assert_int_equal(ret->processes.items[0].errors.count, 1);
	capture_free(ret);
	char path[64], text[8192];
	struct proc_status status;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	assert_true(proc_read(AT_FDCWD, path, text, sizeof(text)) > 0);
	parse_status(text, &status);
	assert_int_equal(status.tracer, 0);
	pid_t *kin = NULL;
	size_t n = capture_descendants(pid, &kin);
	for (size_t i = 1; i < n; i++)
		kill(kin[i], SIGKILL);
	assert_int_equal(n, 2);
	free(kin);
	finish(pid);
}

static void refused(pid_t pid, enum error_reason reason)
{
	struct error *failure = NULL;
	struct capture *ret = capture(pid, false, &failure);
	assert_non_null(failure);
	assert_int_equal(failure->reason, reason);
	assert_int_equal(ret->processes.count, 0);
	error_free(failure);
	capture_free(ret);
}

static void what_cannot_be_dumped_is_refused_by_reason(void **state)
{
	(void)state;
	refused(getpid(), ERROR_SELF);
	refused(0x3fffffff, ERROR_NO_SUCH_PROCESS);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	wait_for_state(pid, 'Z');
	refused(pid, ERROR_ZOMBIE);
	waitpid(pid, NULL, 0);
}

static void spin_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

static void a_stuck_helper_is_given_up_at_its_deadline(void **state)
{
	(void)state;
	uint64_t before = monotonic_ns();
	assert_int_equal(helper_run(spin_for_ever, NULL, deadline_in_ms(50)), HELPER_TIMED_OUT);
	assert_true(monotonic_ns() - before < 20000000000u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_is_captured_with_its_stack),
		cmocka_unit_test(sleeping_threads_need_no_stop),
		cmocka_unit_test(threads_that_sleep_through_it_are_steady),
		cmocka_unit_test(a_main_thread_that_ends_meanwhile_is_not_taken_for_a_refusal),
		cmocka_unit_test(a_running_thread_is_never_steady),
		cmocka_unit_test(a_vfork_parent_is_told_from_proc_and_let_go),
		cmocka_unit_test(what_cannot_be_dumped_is_refused_by_reason),
		cmocka_unit_test(a_stuck_helper_is_given_up_at_its_deadline),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* Again, as where only an ancestor may attach. */
	setenv("HANGDUMP_ATTACH", "thread", 1);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
