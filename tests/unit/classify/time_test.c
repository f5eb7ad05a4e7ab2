/* Time left: only where it can be told truthfully. */
#include "unit/classify/fake.h"

#include "classify/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include <cmocka.h>

#define NOW_MONOTONIC 5000000000000
#define NOW_REALTIME  1700000000000000000

static struct fake *timed(long number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
			  uint64_t a4, uint64_t a5)
{
	struct fake *fake = fake_new();
	fake_call(fake, number, a0, a1, a2, a3, a4, a5);
	fake->thread->slept_ms = 1000;
	fake->context.monotonic_ns = NOW_MONOTONIC;
	fake->context.realtime_ns = NOW_REALTIME;
	return fake;
}

static void put_time(struct fake *fake, uint64_t at, uint64_t seconds, uint64_t fraction)
{
	fake_write_u64(fake, at, seconds);
	fake_write_u64(fake, at + 8, fraction);
}

static void left(struct fake *fake, int64_t expected)
{
	const struct wait *wait = fake_classify(fake);
	assert_int_equal(wait->timeout_ms, expected);
	assert_int_equal(wait->since_ms, fake->thread->slept_ms);
	assert_int_equal(wait->limited, expected >= 0);
	fake_free(fake);
}

/* It ends, and nobody knows when. */
static void left_unknown(struct fake *fake)
{
	const struct wait *wait = fake_classify(fake);
	assert_int_equal(wait->timeout_ms, -1);
	assert_true(wait->limited);
	fake_free(fake);
}

static void relative_limits_count_from_when_it_fell_asleep(void **state)
{
	(void)state;
	struct fake *fake = timed(SYS_poll, DATA, 1, 3000, 0, 0, 0);
	left(fake, 2000);
	left(timed(SYS_poll, DATA, 1, -1ull, 0, 0, 0), -1);
	left(timed(SYS_epoll_wait, 3, 0, 1, 1500, 0, 0), 500);
	left(timed(SYS_epoll_wait, 3, 0, 1, 700, 0, 0), 0); /* overdue, never negative */
	fake = timed(SYS_nanosleep, DATA, 0, 0, 0, 0, 0);
	put_time(fake, DATA, 60, 500000000);
	left(fake, 59500);
	fake = timed(SYS_futex, DATA + 0x100, 0x80, 2, DATA, 0, 0);
	put_time(fake, DATA, 10, 0);
	left(fake, 9000);
	fake = timed(SYS_select, 5, DATA + 0x100, 0, 0, DATA, 0);
	put_time(fake, DATA, 2, 250000);
	left(fake, 1250);
	fake = timed(SYS_io_uring_enter, 3, 0, 1, 9, DATA + 0x200, 24);
	fake_write_u64(fake, DATA + 0x210, DATA);
	put_time(fake, DATA, 5, 0);
	left(fake, 4000);
}

static void absolute_limits_need_the_time(void **state)
{
	(void)state;
	struct fake *fake = timed(SYS_futex, DATA + 0x100, 0x89, 0, DATA, 0, 0);
	put_time(fake, DATA, 5007, 0);
	left(fake, 7000);
	fake = timed(SYS_futex, DATA + 0x100, 0x189, 0, DATA, 0, 0);
	put_time(fake, DATA, 1700000030, 0);
	left(fake, 30000);
	fake = timed(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, DATA, 0, 0, 0);
	put_time(fake, DATA, 5001, 1);
	left(fake, 1001);
	fake = timed(SYS_clock_nanosleep, CLOCK_TAI, TIMER_ABSTIME, DATA, 0, 0, 0);
	put_time(fake, DATA, 5001, 1);
	left_unknown(fake);
	fake = timed(SYS_mq_timedreceive, 3, 0, 0, 0, DATA, 0);
	put_time(fake, DATA, 1700000002, 0);
	left(fake, 2000);
	fake = timed(SYS_futex, DATA + 0x100, 0x89, 0, DATA, 0, 0);
	fake->context.monotonic_ns = 0;
	put_time(fake, DATA, 5007, 0);
	left_unknown(fake);
}

static void what_the_kernel_noted_at_our_stop_is_what_is_left(void **state)
{
	(void)state;
	struct fake *fake = timed(SYS_clock_nanosleep, CLOCK_REALTIME, 0, DATA, DATA + 0x10, 0, 0);
	put_time(fake, DATA, 60, 0);
	put_time(fake, DATA + 0x10, 12, 0);
	fake->thread->stop = STOP_DONE;
	fake->thread->in_syscall = true;
	fake->thread->stopped_result = -516;
	left(fake, 12000);
	fake = timed(SYS_ppoll, DATA + 0x100, 1, DATA, 0, 0, 0);
	put_time(fake, DATA, 8, 0);
	fake->thread->stop = STOP_DONE;
	fake->thread->in_syscall = true;
	fake->thread->stopped_result = -514;
	left(fake, 8000);
	/* Not stopped: the word is still the whole limit. */
	fake = timed(SYS_ppoll, DATA + 0x100, 1, DATA, 0, 0, 0);
	put_time(fake, DATA, 8, 0);
	left(fake, 7000);
}

static void a_restarted_call_began_nobody_knows_when(void **state)
{
	(void)state;
	const unsigned char poll_code[7] = {0xb8, 7, 0, 0, 0, 0x0f, 0x05};
	struct fake *fake = timed(SYS_restart_syscall, DATA, 1, 3000, 0, 0, 0);
	fake->thread->syscall.pc = DATA + 0x107;
	fake_write(fake, DATA + 0x100, poll_code, 7);
	left_unknown(fake);
	/* A sleep's remainder was noted when it was interrupted. */
	fake = timed(SYS_restart_syscall, DATA, DATA + 0x10, 0, 0, 0, 0);
	fake->thread->wait_channel = "hrtimer_nanosleep";
	put_time(fake, DATA, 60, 0);
	put_time(fake, DATA + 0x10, 30, 0);
	left(fake, 29000);
	fake = timed(SYS_restart_syscall, DATA, 0, 0, 0, 0, 0);
	fake->thread->wait_channel = "hrtimer_nanosleep";
	put_time(fake, DATA, 60, 0);
	left_unknown(fake);
}

static void unknown_sleep_and_bad_times_leave_the_rest_unknown(void **state)
{
	(void)state;
	struct fake *fake = timed(SYS_poll, DATA, 1, 3000, 0, 0, 0);
	fake->thread->slept_ms = -1;
	left_unknown(fake);
	fake = timed(SYS_nanosleep, DATA, 0, 0, 0, 0, 0);
	put_time(fake, DATA, 1, 1000000000);
	left_unknown(fake);
	fake = timed(SYS_nanosleep, DATA, 0, 0, 0, 0, 0);
	put_time(fake, DATA, (uint64_t)INT64_MAX, 0);
	left_unknown(fake);
	fake = timed(SYS_nanosleep, DATA, 0, 0, 0, 0, 0);
	put_time(fake, DATA, -1ull, 0);
	left_unknown(fake);
	left_unknown(timed(SYS_nanosleep, 0x10, 0, 0, 0, 0, 0));
}

static void a_timerfd_says_itself_what_is_left(void **state)
{
	(void)state;
	struct fake *fake = timed(SYS_read, 7, 0, 8, 0, 0, 0);
	fake_descriptor(fake, 7, "anon_inode:[timerfd]", 0, "ticks: 0\nit_value: (3, 1)\n");
	left(fake, 3001);
	fake = timed(SYS_read, 7, 0, 8, 0, 0, 0);
	fake_descriptor(fake, 7, "anon_inode:[timerfd]", 0,
			"it_value: (99999999999999999999, 0)\n");
	left(fake, -1);
}

static void sets_of_signals_are_told_briefly(void **state)
{
	(void)state;
	static const struct {
		uint64_t mask;
		const char *text;
	} rows[] = {
		{0, "none"},
		{1 << 1, "SIGINT"},
		{~0ull, "all"},
		{~(1ull << 10), "all but SIGSEGV"},
		{1ull << 33 | 1, "SIGHUP, 34"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = signal_set_text(rows[i].mask);
		assert_string_equal(text, rows[i].text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_limits_count_from_when_it_fell_asleep),
		cmocka_unit_test(absolute_limits_need_the_time),
		cmocka_unit_test(what_the_kernel_noted_at_our_stop_is_what_is_left),
		cmocka_unit_test(a_restarted_call_began_nobody_knows_when),
		cmocka_unit_test(unknown_sleep_and_bad_times_leave_the_rest_unknown),
		cmocka_unit_test(a_timerfd_says_itself_what_is_left),
		cmocka_unit_test(sets_of_signals_are_told_briefly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
