/* Which waits are rest by design. */
#include "unit/classify/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

static bool idle_in(long number, const char *f0, const char *f1, const char *f2, const char *f3)
{
	struct fake *fake = fake_new();
	fake_descriptor(fake, 7, "socket:[9]", S_IFSOCK, NULL);
	fake_call(fake, number, number == SYS_futex || number == SYS_poll ? DATA : 7, 1, 1, 0, 0,
		  0);
	fake_frames(fake, "|", f0, f1, f2, f3, NULL);
	bool idle = fake_classify(fake)->idle;
	fake_free(fake);
	return idle;
}

static void servers_and_signal_threads_rest_by_class(void **state)
{
	(void)state;
	assert_true(idle_in(SYS_accept, "accept", "main", NULL, NULL));
	assert_true(idle_in(SYS_epoll_wait, "epoll_wait", "main", NULL, NULL));
	assert_true(idle_in(SYS_rt_sigtimedwait, "sigwait", "main", NULL, NULL));
}

static void what_hung_programs_do_as_well_is_not_rest(void **state)
{
	(void)state;
	assert_false(idle_in(SYS_poll, "poll", "main", NULL, NULL));
	assert_false(idle_in(SYS_pause, "pause", "main", NULL, NULL));
	assert_false(idle_in(SYS_recvfrom, "recv", "main", NULL, NULL));
	assert_false(idle_in(SYS_nanosleep, "nanosleep", "main", NULL, NULL));
	assert_false(idle_in(SYS_futex, "pthread_cond_wait", "worker", NULL, NULL));
	assert_false(idle_in(SYS_futex, "sem_wait", "worker", NULL, NULL));
	assert_false(idle_in(SYS_wait4, "wait4", "main", NULL, NULL));
}

static void pools_and_loops_rest_by_their_frames(void **state)
{
	(void)state;
	assert_true(idle_in(SYS_poll, "poll", "g_main_context_iterate", "g_main_loop_run", NULL));
	assert_true(idle_in(SYS_futex, "runtime.futex", "runtime.futexsleep", "runtime.notesleep",
			    "runtime.stopm"));
	assert_true(idle_in(SYS_futex, "pthread_cond_wait", "CompileQueue::get()", NULL, NULL));
	assert_true(idle_in(SYS_futex, "pthread_cond_wait", "Pool::wait_for_work()", NULL, NULL));
	assert_true(idle_in(SYS_recvfrom, "recv", "secure_read", NULL, NULL));
}

static void a_lock_is_never_rest(void **state)
{
	(void)state;
	assert_false(idle_in(SYS_futex, "pthread_mutex_lock", "Pool::wait_for_work()", NULL, NULL));
	assert_false(idle_in(SYS_futex, "pthread_join", "g_main_loop_run", NULL, NULL));
	assert_false(idle_in(SYS_futex, "pthread_once", "runtime.stopm", NULL, NULL));
	assert_false(idle_in(SYS_sendto, "send", "g_main_loop_run", NULL, NULL));
}

static void a_queues_python_lock_is_a_wait_for_work(void **state)
{
	(void)state;
	assert_true(idle_in(SYS_futex, "sem_wait", "PyThread_acquire_lock_timed",
			    "_queue_SimpleQueue_get", NULL));
	assert_false(idle_in(SYS_futex, "sem_wait", "PyThread_acquire_lock_timed",
			     "lock_PyThread_acquire_lock", NULL));
}

static bool idle_pool(const char *library, const char *below, bool complete)
{
	struct fake *fake = fake_new();
	fake_call(fake, SYS_futex, DATA, 0x80, 76, 0, 0, 0);
	fake_frames(fake, "syscall", "|", "", "", below, NULL);
	fake_module(fake, 1, library);
	fake->stack.frames[3].module = "/usr/lib/libc.so.6";
	fake->stack.complete = complete;
	bool idle = fake_classify(fake)->idle;
	fake_free(fake);
	return idle;
}

static void a_thread_of_a_librarys_own_waits_for_the_library_to_be_called(void **state)
{
	(void)state;
	assert_true(idle_pool("/usr/lib/libtbb.so.12", "start_thread", true));
	assert_true(idle_pool("/usr/lib/libgomp.so.1", "start_thread", true));
	/* Where the stack ends early, the caller may be beyond. */
	assert_false(idle_pool("/usr/lib/libtbb.so.12", "start_thread", false));
	assert_false(idle_pool("/usr/lib/libmine.so", "start_thread", true));
	/* Somebody called it, and waits for the outcome. */
	struct fake *fake = fake_new();
	fake_call(fake, SYS_futex, DATA, 0x80, 76, 0, 0, 0);
	fake_frames(fake, "syscall", "|", "", "", "main", NULL);
	fake->stack.frames[1].module = fake->stack.frames[2].module = "/usr/lib/libtbb.so.12";
	assert_false(fake_classify(fake)->idle);
	/* So does a thread of the library's in a function of the caller's. */
	fake_frames(fake, "pthread_mutex_lock", "|", "", NULL);
	fake_module(fake, 1, "/usr/lib/libtbb.so.12");
	assert_false(fake_classify(fake)->idle);
	fake_free(fake);
}

static void rows_for_helpers_need_their_kind_of_wait(void **state)
{
	(void)state;
	assert_true(idle_in(SYS_futex, "pthread_cond_wait", "blas_thread_server", NULL, NULL));
	assert_true(
		idle_in(SYS_futex, "pthread_cond_wait", "node::PlatformWorkerThread", NULL, NULL));
	assert_true(idle_in(SYS_poll, "poll", "pa_mainloop_run", NULL, NULL));
	assert_false(idle_in(SYS_futex, "pthread_cond_wait", "pa_mainloop_run", NULL, NULL));
	assert_false(idle_in(SYS_futex, "pthread_mutex_lock", "blas_thread_server", NULL, NULL));
	/* Java's own threads, by their names. */
	struct fake *fake = fake_new();
	fake_call(fake, SYS_futex, DATA, 0x80, 76, 0, 0, 0);
	fake_frames(fake, "pthread_cond_wait", "|", "ObjectMonitor::wait", NULL);
	fake_module(fake, 1, "/usr/lib/libjvm.so");
	assert_false(fake_classify(fake)->idle);
	fake->thread->name = "Finalizer";
	assert_true(fake_classify(fake)->idle);
	fake_frames(fake, "pthread_mutex_lock", "|", "finalize", NULL);
	assert_false(fake_classify(fake)->idle);
	fake_free(fake);
	/* Workers hang, and pools run dry. */
	assert_false(idle_in(SYS_futex, "pthread_cond_wait", "worker_thread", NULL, NULL));
	assert_false(idle_in(SYS_futex, "pthread_cond_wait", "ConnectionPool::get", NULL, NULL));
}

static void rest_needs_the_frame_near_the_wait(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_poll, DATA, 1, -1ull, 0, 0, 0);
	fake_frames(fake, "poll", "|", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8",
		    "g_main_loop_run", NULL);
	assert_false(fake_classify(fake)->idle);
	/* Nor is a handler's wait the loop's that it interrupted. */
	fake_frames(fake, "poll", "|", "handler", "", "g_main_loop_run", NULL);
	fake->stack.frames[2].kind = FRAME_SIGNAL;
	assert_false(fake_classify(fake)->idle);
	fake_free(fake);
}

/* A program that an event loop calls back, and that waits for an answer: a frozen window. */
static void a_callback_that_polls_is_no_loop_at_rest(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_call(fake, SYS_poll, DATA, 1, -1ull, 0, 0, 0);
	fake_frames(fake, "poll", "|", "query_server", "g_main_loop_run", NULL);
	assert_true(fake_classify(fake)->idle); /* in one file nothing tells */
	fake->stack.frames[2].module = "/usr/lib/libglib-2.0.so.0";
	assert_false(fake_classify(fake)->idle);
	fake->stack.frames[1].module = "/usr/lib/libglib-2.0.so.0";
	assert_true(fake_classify(fake)->idle);
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_and_signal_threads_rest_by_class),
		cmocka_unit_test(what_hung_programs_do_as_well_is_not_rest),
		cmocka_unit_test(pools_and_loops_rest_by_their_frames),
		cmocka_unit_test(a_lock_is_never_rest),
		cmocka_unit_test(a_queues_python_lock_is_a_wait_for_work),
		cmocka_unit_test(a_thread_of_a_librarys_own_waits_for_the_library_to_be_called),
		cmocka_unit_test(rows_for_helpers_need_their_kind_of_wait),
		cmocka_unit_test(rest_needs_the_frame_near_the_wait),
		cmocka_unit_test(a_callback_that_polls_is_no_loop_at_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
