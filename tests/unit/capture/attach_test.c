/*
 * capture: where only an ancestor may attach, and a thread of ours does it.  We are the parent of
 * all targets here, so that this is also what happens where Yama asks for it.
 */
#include "capture/attach.h"
#include "capture/capture.h"
#include "capture/proc.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
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

enum { LIMIT_MS = 60000 };

/*
 * A thread that is ended in the middle of malloc() leaves a lock behind.  Whoever is no process's
 * first thread, in this process, is one of those that may be ended so.
 */
static pid_t own_pid;
static unsigned forbidden;

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as gcc has it */
#endif
#endif

#ifndef __SANITIZE_ADDRESS__
static void note_allocation(void)
{
	if (own_pid && getpid() == own_pid && gettid() != own_pid)
		__atomic_add_fetch(&forbidden, 1, __ATOMIC_RELAXED);
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	note_allocation();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	note_allocation();
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	note_allocation();
	return __libc_realloc(p, size);
}
#endif

static pid_t start(void (*main_function)(void))
{
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			main_function();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* All steps; the second look too. */
static size_t capture_all(pid_t pid, bool no_stop)
{
	const struct capture_options options = {.no_stop = no_stop,
						.deadline = deadline_in_ms(LIMIT_MS)};
	struct error *failure = NULL;
	struct capture *capture;
	assert_null(capture_survey(&pid, 1, &options, &failure, &capture));
	capture_hold(capture, &pid, 1, &failure);
	capture_look_around(capture, options.deadline);
	capture_verify(capture);
	struct capture *look = capture_look_again(capture);
	size_t with_registers = 0;
	if (capture->processes.count) {
		array_for_each (&capture->processes.items[0].threads, thread)
			with_registers += thread->registers_from != REGISTERS_NONE;
		uint64_t word;
		struct capture_process *process = &capture->processes.items[0];
		capture_allow_live_reads(process, options.deadline);
		if (process->mappings.count)
			memory_read_u64(&process->memory, process->mappings.items[0].start, &word);
	}
	if (look)
		capture_free(look);
	capture_free(capture);
	error_free(failure);
	return with_registers;
}

/* Or without a moment of it. */
static void *rest(void *without)
{
	for (;;) {
		if (!without)
			pause();
	}
	return NULL;
}

static void sleep_main(void)
{
	pthread_t thread;
	for (int i = 0; i < 8; i++)
		pthread_create(&thread, NULL, rest, i == 7 ? &thread : NULL);
	rest(NULL);
}

static void *end_soon(void *unused)
{
	nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
	return unused;
}

static void storm_main(void)
{
	for (;;) {
		pthread_t thread;
		pthread_attr_t attributes;
		pthread_attr_init(&attributes);
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		if (pthread_create(&thread, &attributes, end_soon, NULL) != 0)
			end_soon(NULL);
	}
}

static void vfork_main(void)
{
	if (vfork() == 0) {
		for (;;)
			pause();
	}
}

static void a_thread_allocates_nothing(void **state)
{
	(void)state;
	void (*const mains[])(void) = {sleep_main, storm_main, vfork_main};
	for (size_t i = 0; i < sizeof(mains) / sizeof(mains[0]); i++) {
		pid_t pid = start(mains[i]);
		own_pid = getpid();
		size_t most = 0;
		for (int j = 0; j < 6; j++) {
			size_t count = capture_all(pid, j == 5);
			most = count > most ? count : most;
		}
		own_pid = 0;
		assert_true(most >= 1);
		assert_int_equal(forbidden, 0);
		if (mains[i] == vfork_main) {
			pid_t *kin = NULL;
			size_t n = capture_descendants(pid, &kin);
			for (size_t j = 1; j < n; j++)
				kill(kin[j], SIGKILL);
			free(kin);
		}
		finish(pid);
	}
#ifdef __SANITIZE_ADDRESS__
	print_message("allocations are not counted: they are the sanitizer's\n");
#endif
}

static void end_with_a_status(void)
{
	end_soon(NULL);
	_exit(42);
}

/* Whoever traces may wait for it, and one of our threads would take it from us. */
static void the_status_of_a_child_that_ends_meanwhile_is_its_parents(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		int status = 0;
		pid_t pid = start(end_with_a_status);
		capture_all(pid, false);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 42);
	}
}

static volatile bool thief_ends;

/* As a supervisor might do that reaps its children while another of its threads makes the dump. */
static void *steal_news(void *unused)
{
	siginfo_t info;
	while (!thief_ends)
		waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | __WALL);
	return unused;
}

static void a_stop_is_met_though_another_thread_has_waited_for_it(void **state)
{
	(void)state;
	pthread_t thief;
	pid_t pid = start(sleep_main);
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (capture_all(pid, false) < 9 && !deadline_passed(deadline))
		continue;
	thief_ends = false;
	assert_int_equal(pthread_create(&thief, NULL, steal_news, NULL), 0);
	for (int i = 0; i < 5; i++) {
		const struct capture_options options = {.deadline = deadline_in_ms(LIMIT_MS)};
		struct error *failure = NULL;
		struct capture *capture;
		assert_null(capture_survey(&pid, 1, &options, &failure, &capture));
		capture_hold(capture, &pid, 1, &failure);
		assert_null(failure);
		assert_int_equal(capture->processes.items[0].threads.count, 9);
		array_for_each (&capture->processes.items[0].threads, thread)
			assert_int_equal(thread->stop, STOP_DONE);
		capture_free(capture);
	}
	thief_ends = true;
	pthread_join(thief, NULL);
	finish(pid);
}

static void descriptors_do_not_pile_up(void **state)
{
	(void)state;
	pid_t pid = start(sleep_main);
	int before = dup(0);
	close(before);
	for (int i = 0; i < 10; i++)
		capture_all(pid, false);
	int after = dup(0);
	close(after);
	assert_int_equal(after, before);
	finish(pid);
}

static void descendants_are_told_from_others(void **state)
{
	(void)state;
	assert_true(attach_is_descendant(getpid()));
	assert_false(attach_is_descendant(getppid()));
	assert_false(attach_is_descendant(1));
	assert_false(attach_is_descendant(0x3fffffff));
	pid_t pid = start(vfork_main), *kin = NULL;
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	size_t n = 0;
	while (n < 2 && !deadline_passed(deadline)) {
		free(kin);
		n = capture_descendants(pid, &kin);
	}
	assert_int_equal(n, 2);
	assert_true(attach_is_descendant(pid));
	assert_true(attach_is_descendant(kin[1]));
	kill(kin[1], SIGKILL);
	free(kin);
	finish(pid);
}

static void a_thread_is_needed_where_yama_says_so(void **state)
{
	(void)state;
	pid_t none[] = {getppid(), 1};
	char text[8192];
	uint64_t effective = 0;
	assert_true(proc_read(AT_FDCWD, "/proc/self/status", text, sizeof(text)) > 0);
	assert_true(parse_number(text, "CapEff", 16, &effective));
	bool privileged = effective >> 19 & 1; /* CAP_SYS_PTRACE, uapi/linux/capability.h */
	unsetenv("HANGDUMP_ATTACH");
	pid_t pid = start(sleep_main);
	assert_false(attach_needs_thread(none, 2));
	assert_int_equal(attach_needs_thread(&pid, 1), attach_yama_scope() == 1 && !privileged);
	setenv("HANGDUMP_ATTACH", "thread", 1);
	assert_true(attach_needs_thread(none, 2));
	finish(pid);
}

int main(void)
{
	setenv("HANGDUMP_ATTACH", "thread", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_allocates_nothing),
		cmocka_unit_test(the_status_of_a_child_that_ends_meanwhile_is_its_parents),
		cmocka_unit_test(a_stop_is_met_though_another_thread_has_waited_for_it),
		cmocka_unit_test(descriptors_do_not_pile_up),
		cmocka_unit_test(descendants_are_told_from_others),
		cmocka_unit_test(a_thread_is_needed_where_yama_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
