/*
 * launch: what becomes of a dump that is stuck or dies, what the caller is told, and the parts that
 * need no process.  Each run is made in a child, since launch_run() leaves signals blocked.
 */
#include "base/array.h"
#include "base/cleanup.h"
#include "launch/idle.h"
#include "launch/launch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

enum { LIMIT_MS = 60000 };

enum dump_behaviour { DUMP_RETURNS, DUMP_HANGS, DUMP_CRASHES, DUMP_EXITS };

/* What is seen in all processes, in shared memory. */
struct seen {
	volatile int dumps;
	volatile enum launch_reason reason;
	volatile int signal;
	volatile size_t count;
	volatile pid_t first, command;
	volatile uint64_t elapsed_ms, limit_ms, budget_ms;
	volatile int notices[8];
	volatile bool returned;
	struct launch_result result;
	volatile int reason_of_error; /* -1: none */
};

struct run {
	struct launch_options options;
	enum dump_behaviour behaviour;
	struct seen *seen;
	pid_t pid;
};

static void dump(void *context, const struct launch_event *event)
{
	struct run *run = context;
	struct seen *seen = run->seen;
	seen->reason = event->reason;
	seen->signal = event->signal;
	seen->count = event->count;
	seen->first = event->count ? event->tree[0] : 0;
	seen->command = event->command;
	seen->elapsed_ms = event->elapsed_ms;
	seen->limit_ms = event->limit_ms;
	seen->budget_ms = (uint64_t)deadline_poll_ms(event->budget);
	seen->dumps++;
	switch (run->behaviour) {
	case DUMP_RETURNS:
		break;
	case DUMP_HANGS:
		for (;;)
			pause();
	case DUMP_CRASHES:
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		break;
	case DUMP_EXITS:
		_exit(1);
	}
}

static void notice(void *context, enum launch_notice what, int signal_number, pid_t pid,
		   const char *name)
{
	const struct run *run = context;
	(void)signal_number;
	(void)pid;
	(void)name;
	run->seen->notices[what]++;
}

static void leftovers(void *context, const struct relative *processes, size_t count)
{
	(void)context;
	(void)processes;
	(void)count;
}

static const struct launch_ops ops = {dump, notice, leftovers};

static void begin(struct run *run, char **command)
{
	run->options.command = command;
	run->seen = mmap(NULL, sizeof(*run->seen), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(run->seen, MAP_FAILED);
	run->seen->reason_of_error = -1;
	run->pid = fork();
	assert_return_code(run->pid, 0);
	if (run->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct launch_result result;
	struct error *error = launch_run(&run->options, &ops, run, &result);
	if (error)
		run->seen->reason_of_error = (int)error->reason;
	else
		run->seen->result = result;
	run->seen->returned = true;
	error_free(error);
	_exit(0);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Until the command has called exec: from then on, signals are taken. */
static void wait_for_command(const struct run *run, const char *name)
{
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (!deadline_passed(deadline)) {
		_cleanup_free_ struct relative *relatives = NULL;
		size_t count = relatives_of(run->pid, NULL, 0, &relatives);
		for (size_t i = 0; i < count; i++) {
			if (strcmp(relatives[i].stat.name, name) == 0)
				return;
		}
		nap();
	}
	fail_msg("there is no %s", name);
}

static void wait_for_dump(const struct run *run)
{
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (!run->seen->dumps && !deadline_passed(deadline))
		nap();
	assert_int_equal(run->seen->dumps, 1);
}

static void end(struct run *run)
{
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (waitpid(run->pid, NULL, WNOHANG) == 0) {
		if (deadline_passed(deadline)) {
			kill(run->pid, SIGKILL);
			fail_msg("launch_run() did not return");
		}
		nap();
	}
}

static void forget(struct run *run)
{
	munmap(run->seen, sizeof(*run->seen));
}

static char sleep_word[] = "sleep", long_word[] = "300", sh_word[] = "sh", c_word[] = "-c";
static char *long_sleep[] = {sleep_word, long_word, NULL};

static struct run new_run(enum dump_behaviour behaviour)
{
	struct run run = {.options = LAUNCH_OPTIONS_DEFAULT, .behaviour = behaviour};
	run.options.timeout_ms = 100;
	run.options.kill_after_ms = 200;
	return run;
}

static void test_dump_is_told_all(void **state)
{
	(void)state;
	char script[] = "sleep 300 & sleep 300";
	char *command[] = {sh_word, c_word, script, NULL};
	struct run run = new_run(DUMP_RETURNS);
	run.options.timeout_ms = 2000;
	run.options.dump_budget_ms = 20000;
	begin(&run, command);
	end(&run);
	assert_true(run.seen->returned);
	assert_int_equal(run.seen->dumps, 1);
	assert_int_equal(run.seen->reason, LAUNCH_EXPIRED);
	assert_int_equal(run.seen->signal, 0);
	assert_int_equal(run.seen->limit_ms, 2000);
	assert_true(run.seen->elapsed_ms >= 2000);
	assert_true(run.seen->budget_ms <= 20000 && run.seen->budget_ms > 1000);
	assert_int_equal(run.seen->count, 3);
	/* Parents first. */
	assert_int_equal(run.seen->first, run.seen->command);
	assert_true(run.seen->result.timed_out);
	assert_int_equal(run.seen->result.status, SIGTERM);
	assert_int_equal(run.seen->notices[LAUNCH_SENDING], 1);
	forget(&run);
}

static void test_stuck_dump_is_given_up(void **state)
{
	(void)state;
	struct run run = new_run(DUMP_HANGS);
	run.options.dump_budget_ms = 100;
	run.options.kill_after_ms = 5000;
	begin(&run, long_sleep);
	end(&run);
	assert_int_equal(run.seen->notices[LAUNCH_DUMP_FAILED], 1);
	assert_int_equal(run.seen->reason_of_error, -1);
	assert_true(run.seen->result.timed_out);
	/* It got its signal like any other. */
	assert_int_equal(run.seen->result.status, SIGTERM);
	forget(&run);
}

static void test_dying_dump_changes_nothing(void **state)
{
	(void)state;
	static const enum dump_behaviour ends[] = {DUMP_CRASHES, DUMP_EXITS};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct run run = new_run(ends[i]);
		begin(&run, long_sleep);
		end(&run);
		assert_int_equal(run.seen->notices[LAUNCH_DUMP_FAILED], 1);
		assert_int_equal(run.seen->reason_of_error, -1);
		assert_true(run.seen->result.timed_out);
		/* Not that of a command that would not listen. */
		assert_true(!WIFSIGNALED(run.seen->result.status) ||
			    WTERMSIG(run.seen->result.status) != SIGKILL);
		forget(&run);
	}
}

static void test_second_signal_hurries(void **state)
{
	(void)state;
	struct run run = new_run(DUMP_HANGS);
	run.options.timeout_ms = 0;
	run.options.signal_budget_ms = 10 * LIMIT_MS;
	begin(&run, long_sleep);
	wait_for_command(&run, "sleep");
	kill(run.pid, SIGTERM);
	wait_for_dump(&run);
	assert_int_equal(run.seen->reason, LAUNCH_SIGNALLED);
	assert_int_equal(run.seen->signal, SIGTERM);
	/* Later than what is taken for the first one's echo. */
	sleep_ms(600);
	kill(run.pid, SIGTERM);
	end(&run);
	assert_false(run.seen->result.timed_out);
	assert_int_equal(run.seen->result.status, SIGTERM);
	forget(&run);
}

static void test_signal_shortens_the_dump_of_a_limit(void **state)
{
	(void)state;
	struct run run = new_run(DUMP_HANGS);
	run.options.dump_budget_ms = 10 * LIMIT_MS;
	run.options.signal_budget_ms = 100;
	begin(&run, long_sleep);
	wait_for_dump(&run);
	kill(run.pid, SIGTERM);
	end(&run);
	assert_true(run.seen->result.timed_out);
	forget(&run);
}

static void test_killed_in_a_stuck_dump(void **state)
{
	(void)state;
	struct run run = new_run(DUMP_HANGS);
	run.options.dump_budget_ms = 10 * LIMIT_MS;
	begin(&run, long_sleep);
	wait_for_dump(&run);
	pid_t command = run.seen->command;
	kill(run.pid, SIGKILL);
	end(&run);
	/* We are the subreaper: what is left of it comes to us. */
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (kill(command, 0) == 0 && !deadline_passed(deadline)) {
		waitpid(-1, NULL, WNOHANG);
		nap();
	}
	assert_int_not_equal(kill(command, 0), 0);
	forget(&run);
}

static void test_a_dump_for_the_asking(void **state)
{
	(void)state;
	struct run run = new_run(DUMP_RETURNS);
	run.options.timeout_ms = 0;
	begin(&run, long_sleep);
	wait_for_command(&run, "sleep");
	kill(run.pid, SIGUSR1);
	wait_for_dump(&run);
	assert_int_equal(run.seen->reason, LAUNCH_ASKED);
	assert_int_equal(run.seen->first, run.seen->command);
	/* It is as well as before, and ends in its own way. */
	assert_int_equal(kill(run.seen->command, SIGHUP), 0);
	end(&run);
	assert_int_equal(run.seen->dumps, 1);
	assert_int_equal(run.seen->result.status, SIGHUP);
	assert_false(run.seen->result.timed_out);
	forget(&run);
}

static void test_idle_is_told(void **state)
{
	(void)state;
	struct run run = new_run(DUMP_RETURNS);
	run.options.timeout_ms = 0;
	run.options.idle_timeout_ms = 200;
	begin(&run, long_sleep);
	end(&run);
	assert_int_equal(run.seen->dumps, 1);
	assert_int_equal(run.seen->reason, LAUNCH_IDLE);
	assert_int_equal(run.seen->limit_ms, 200);
	assert_true(run.seen->result.timed_out);
	forget(&run);
}

static void test_what_cannot_be_run(void **state)
{
	(void)state;
	char name[] = "/nonexistent/program";
	char *command[] = {name, NULL};
	struct run run = new_run(DUMP_RETURNS);
	begin(&run, command);
	end(&run);
	assert_int_equal(run.seen->reason_of_error, ERROR_NOT_RUNNABLE);
	assert_int_equal(run.seen->dumps, 0);
	forget(&run);
}

static void test_names_of_signals(void **state)
{
	(void)state;
	assert_int_equal(launch_signal_parse("TERM"), SIGTERM);
	assert_int_equal(launch_signal_parse("SIGTERM"), SIGTERM);
	assert_int_equal(launch_signal_parse("term"), SIGTERM);
	assert_int_equal(launch_signal_parse("9"), SIGKILL);
	assert_int_equal(launch_signal_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(launch_signal_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(launch_signal_parse("RTMAX-1"), SIGRTMAX - 1);
	static const char *const wrong[] = {
		"",	    "SIG",    "0",	  "-1",	     "65",    "9x",
		"NONESUCH", "RTMIN+", "RTMIN+99", "RTMIN-1", "TERM ", "99999999999999999999"};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(launch_signal_parse(wrong[i]), 0);
	for (int i = 1; i < NSIG; i++) {
		if (i != 32 && i != 33)
			assert_int_equal(launch_signal_parse(launch_signal_name(i)), i);
	}
}

static void test_progress(void **state)
{
	(void)state;
	const long second = sysconf(_SC_CLK_TCK);
	struct idle_process before[] = {{10, 100, 50, 1000}, {11, 101, 0, 0}};
	struct idle_process after[] = {{10, 100, 50, 1000}, {11, 101, 0, 0}};
	assert_false(idle_is_progress(before, 2, after, 2, 1000));
	/* Somebody ended, somebody came, somebody has the pid of another. */
	assert_true(idle_is_progress(before, 2, after, 1, 1000));
	assert_true(idle_is_progress(before, 1, after, 2, 1000));
	after[1].start_time = 102;
	assert_true(idle_is_progress(before, 2, after, 2, 1000));
	after[1] = before[1];
	after[0].written++;
	assert_true(idle_is_progress(before, 2, after, 2, 1000));
	after[0] = before[0];
	/* One percent of the time is progress, and less is not. */
	after[0].ticks += (uint64_t)second / 2;
	after[1].ticks += (uint64_t)second / 2;
	assert_true(idle_is_progress(before, 2, after, 2, 100000));
	assert_false(idle_is_progress(before, 2, after, 2, 101000));
	assert_false(idle_is_progress(NULL, 0, NULL, 0, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump_is_told_all),
		cmocka_unit_test(test_stuck_dump_is_given_up),
		cmocka_unit_test(test_dying_dump_changes_nothing),
		cmocka_unit_test(test_second_signal_hurries),
		cmocka_unit_test(test_signal_shortens_the_dump_of_a_limit),
		cmocka_unit_test(test_killed_in_a_stuck_dump),
		cmocka_unit_test(test_a_dump_for_the_asking),
		cmocka_unit_test(test_idle_is_told),
		cmocka_unit_test(test_what_cannot_be_run),
		cmocka_unit_test(test_names_of_signals),
		cmocka_unit_test(test_progress),
	};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
