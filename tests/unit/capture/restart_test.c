/* capture/restart: which results of an interrupted call are hidden, and how. */
#include "capture/raw.h"

#include <errno.h>
#include <sys/syscall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_call_that_would_return_eintr_is_restarted_unless_a_handler_runs(void **state)
{
	(void)state;
	static const long calls[] = {SYS_epoll_wait, SYS_epoll_pwait,	  SYS_semop,
				     SYS_semtimedop, SYS_rt_sigtimedwait, SYS_accept,
				     SYS_recvfrom,   SYS_connect,	  SYS_io_getevents,
				     SYS_sendmmsg,   SYS_preadv2,	  SYS_splice};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int64_t result = 0;
		assert_true(restart_hides(calls[i], -EINTR, 0, &result));
		assert_int_equal(result, -514);
	}
}

static void what_restarts_by_itself_is_left_alone(void **state)
{
	(void)state;
	int64_t result = 7;
	assert_false(restart_hides(SYS_futex, -512, 0, &result));
	assert_false(restart_hides(SYS_poll, -516, 0, &result));
	assert_false(restart_hides(SYS_ppoll, -514, 0, &result));
	assert_false(restart_hides(SYS_write, 65536, 0, &result)); /* a short count stays */
	assert_int_equal(result, 7);
}

static void close_is_never_restarted(void **state)
{
	(void)state;
	int64_t result = 7;
	assert_false(restart_hides(SYS_close, -EINTR, 0, &result));
	assert_false(restart_hides(-1, -EINTR, 0, &result));
	assert_false(restart_hides(100000, -EINTR, 0, &result));
	assert_int_equal(result, 7);
}

static void a_sandbox_never_sees_restart_syscall(void **state)
{
	(void)state;
	int64_t result = 0;
	assert_true(restart_hides(SYS_poll, -516, 2, &result));
	assert_int_equal(result, -514);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_would_return_eintr_is_restarted_unless_a_handler_runs),
		cmocka_unit_test(what_restarts_by_itself_is_left_alone),
		cmocka_unit_test(close_is_never_restarted),
		cmocka_unit_test(a_sandbox_never_sees_restart_syscall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
