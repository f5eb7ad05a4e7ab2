/* base: helpers, processes and threads, that end at their deadline whatever they do. */
#include "base/helper_server.h"
#include "base/helper_thread.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIMIT_MS = 60000 };

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static size_t own_threads(void)
{
	size_t count = 0;
	DIR *dir = opendir("/proc/self/task");
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* "." and ".." */
}

static void wait_for_own_threads(size_t count)
{
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (own_threads() != count && !deadline_passed(deadline))
		nap();
	assert_int_equal(own_threads(), count);
}

static void add_one(void *context)
{
	++*(int *)context;
}

static void work_in_a_thread_leaves_its_results(void **state)
{
	(void)state;
	int value = 1;
	bool left_behind = false;
	assert_int_equal(helper_run_thread(add_one, &value, deadline_in_ms(LIMIT_MS), &left_behind),
			 HELPER_DONE);
	assert_int_equal(helper_run_thread(add_one, &value, deadline_in_ms(0), &left_behind),
			 HELPER_DONE);
	assert_int_equal(value, 3);
	assert_false(left_behind);
	wait_for_own_threads(1);
}

static void spin(void *context)
{
	for (;;)
		++*(volatile int *)context;
}

static void sleep_for_ever(void *context)
{
	(void)context;
	for (;;)
		pause();
}

static void read_for_ever(void *context)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	*(volatile int *)context = ends[0];
	while (read(ends[0], &byte, 1) != 0 && errno == EINTR)
		continue;
}

static void a_thread_is_ended_at_its_deadline_whatever_it_does(void **state)
{
	(void)state;
	static void (*const works[])(void *) = {spin, sleep_for_ever, read_for_ever};
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		int value = 0;
		bool left_behind = false;
		/* Once it has begun, and perhaps before that. */
		for (unsigned ms = 1; ms < 50; ms += 7) {
			struct deadline deadline = deadline_in_ms(ms);
			assert_int_equal(
				helper_run_thread(works[i], &value, deadline, &left_behind),
				HELPER_TIMED_OUT);
			assert_true(deadline_passed(deadline));
		}
		wait_for_own_threads(1);
		int last = value;
		nap();
		assert_int_equal(value, last);
	}
}

struct held {
	pid_t pid;
	volatile bool stopped;
};

static void hold_for_ever(void *context)
{
	struct held *held = context;
	int status;
	if (ptrace(PTRACE_SEIZE, held->pid, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, held->pid, NULL, NULL) != 0)
		return;
	if (waitpid(held->pid, &status, __WALL) == held->pid && WIFSTOPPED(status))
		held->stopped = true;
	sleep_for_ever(NULL);
}

static char state_and_tracer(pid_t pid, int *ret_tracer)
{
	char path[64], line[256], letter = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "State: %c", &letter);
		sscanf(line, "TracerPid: %d", ret_tracer);
	}
	fclose(file);
	return letter;
}

static void the_end_of_a_thread_lets_go_of_what_it_holds(void **state)
{
	(void)state;
	struct held held = {.pid = fork()};
	if (held.pid == 0)
		sleep_for_ever(NULL);
	bool left_behind = false;
	for (unsigned ms = 20; !held.stopped && ms < LIMIT_MS; ms *= 2)
		assert_int_equal(
			helper_run_thread(hold_for_ever, &held, deadline_in_ms(ms), &left_behind),
			HELPER_TIMED_OUT);
	assert_true(held.stopped);
	int tracer = -1;
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (state_and_tracer(held.pid, &tracer) != 'S' && !deadline_passed(deadline))
		nap();
	assert_int_equal(state_and_tracer(held.pid, &tracer), 'S');
	assert_int_equal(tracer, 0);
	kill(held.pid, SIGKILL);
	waitpid(held.pid, NULL, 0);
}

struct stuck {
	volatile pid_t *child; /* shared with it */
	volatile bool went_on;
};

static int block_parent(void *context)
{
	*(volatile pid_t *)context = getpid();
	sleep_for_ever(NULL);
	return 0;
}

/* As in vfork(2): a sleep that only a fatal signal ends, and that would be our process's end. */
static void get_stuck(void *context)
{
	static char stack[65536];
	struct stuck *stuck = context;
	clone(block_parent, stack + sizeof(stack), CLONE_VFORK | SIGCHLD, (void *)stuck->child);
	stuck->went_on = true;
}

static void a_thread_that_cannot_be_ended_is_left_behind_and_never_goes_on(void **state)
{
	(void)state;
	struct stuck stuck = {.child = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
	assert_ptr_not_equal(stuck.child, MAP_FAILED);
	bool left_behind = false;
	/* The deadline may pass before it gets stuck. */
	for (unsigned ms = 20; !left_behind && ms < LIMIT_MS; ms *= 2)
		assert_int_equal(
			helper_run_thread(get_stuck, &stuck, deadline_in_ms(ms), &left_behind),
			HELPER_TIMED_OUT);
	assert_true(left_behind);
	assert_int_equal(own_threads(), 2);
	kill(*stuck.child, SIGKILL);
	wait_for_own_threads(1);
	assert_false(stuck.went_on);
	waitpid(*stuck.child, NULL, 0);
	munmap((void *)stuck.child, 4096);
}

static volatile sig_atomic_t handled_by;

static void note_thread(int signal_number)
{
	(void)signal_number;
	handled_by = gettid();
}

static void signal_ourselves(void *context)
{
	(void)context;
	kill(getpid(), SIGUSR1);
}

static void signals_are_for_the_thread_that_waits(void **state)
{
	(void)state;
	bool left_behind = false;
	sigset_t before, after;
	signal(SIGUSR1, note_thread);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	for (int i = 0; i < 20; i++) {
		handled_by = 0;
		helper_run_thread(signal_ourselves, NULL, deadline_in_ms(LIMIT_MS), &left_behind);
		assert_int_equal(handled_by, getpid());
	}
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int i = 1; i < NSIG; i++)
		assert_int_equal(sigismember(&after, i), sigismember(&before, i));
	signal(SIGUSR1, SIG_DFL);
}

static volatile int *shared_value;

static void answer(void *context, char question)
{
	(void)context;
	if (question == 's')
		sleep_for_ever(NULL);
	if (question == 'x')
		_exit(1);
	*shared_value += question;
}

static void a_server_answers_until_it_dies_or_gets_stuck(void **state)
{
	(void)state;
	shared_value = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared_value, MAP_FAILED);
	for (const char *last = "sx"; *last; last++) {
		struct helper_server server = {0};
		assert_false(helper_server_ask(&server, 'a', deadline_in_ms(LIMIT_MS)));
		assert_true(helper_server_start(&server, answer, NULL));
		*shared_value = 0;
		assert_true(helper_server_ask(&server, 'a', deadline_in_ms(LIMIT_MS)));
		assert_true(helper_server_ask(&server, 'b', deadline_in_ms(0)));
		assert_int_equal(*shared_value, 'a' + 'b');
		assert_false(helper_server_ask(&server, *last, deadline_in_ms(50)));
		pid_t pid = server.pid;
		helper_server_end(&server);
		assert_int_equal(server.pid, 0);
		assert_int_equal(kill(pid, 0), -1);
		helper_server_end(&server);
	}
	munmap((void *)shared_value, 4096);
}

/* Our parent may have them blocked, to read them from a descriptor. */
static void a_helper_process_has_no_signals_blocked(void *context)
{
	sigset_t now;
	sigprocmask(SIG_SETMASK, NULL, &now);
	*(volatile int *)context = sigismember(&now, SIGTERM) ? 2 : 1;
}

static void blocked_signals_are_not_inherited(void **state)
{
	(void)state;
	sigset_t term, before;
	volatile int *seen =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(seen, MAP_FAILED);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	helper_run(a_helper_process_has_no_signals_blocked, (void *)seen, deadline_in_ms(LIMIT_MS));
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(*seen, 1);
	munmap((void *)seen, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_in_a_thread_leaves_its_results),
		cmocka_unit_test(a_thread_is_ended_at_its_deadline_whatever_it_does),
		cmocka_unit_test(the_end_of_a_thread_lets_go_of_what_it_holds),
		cmocka_unit_test(a_thread_that_cannot_be_ended_is_left_behind_and_never_goes_on),
		cmocka_unit_test(signals_are_for_the_thread_that_waits),
		cmocka_unit_test(a_server_answers_until_it_dies_or_gets_stuck),
		cmocka_unit_test(blocked_signals_are_not_inherited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
