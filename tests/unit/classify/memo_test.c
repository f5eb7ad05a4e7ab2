/* What the threads of a process share: each name is looked at once, each id is found. */
#include "classify/frames.h"
#include "unit/classify/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static void a_function_is_looked_at_once_for_each_file(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	struct classify_memo *memo = classify_memo_new(&fake->process);
	static const char name[] = "dlopen", libc[] = "/usr/lib/libc.so.6", mine[] = "/usr/bin/x";
	struct frame frame = {.function = name, .module = libc};
	const struct name_facts *facts = memo_name(memo, &frame);
	assert_true(facts->in_libc);
	assert_string_equal(facts->libc_lock, "loader lock");
	assert_ptr_equal(memo_name(memo, &frame), facts);
	frame.module = mine;
	assert_false(memo_name(memo, &frame)->in_libc);
	/* More names than it began with: the first is still the one. */
	char names[500][8];
	for (int i = 0; i < 500; i++) {
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		struct frame other = {.function = names[i], .module = mine};
		assert_string_equal(memo_name(memo, &other)->normal, names[i]);
	}
	frame.module = libc;
	assert_ptr_equal(memo_name(memo, &frame), facts);
	struct frame nameless = {0};
	assert_string_equal(memo_name(memo, &nameless)->normal, "");
	assert_int_equal(memo_name(memo, &nameless)->frame_rows[0], NO_ROW);
	classify_memo_free(memo);
	fake_free(fake);
}

static void one_memo_serves_all_threads(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake->context.memo = classify_memo_new(&fake->process);
	fake_call(fake, SYS_futex, DATA, 0x80, 77, 0, 0, 0);
	fake_frames(fake, "pthread_cond_wait", "|", "Pool::wait_for_work()", NULL);
	for (int i = 0; i < 3; i++) {
		assert_class(fake_classify(fake), "cond wait");
		assert_true(fake->wait.idle);
	}
	classify_memo_free(fake->context.memo);
	fake_free(fake);
}

static void threads_are_found_by_id_and_by_control_block(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	struct capture_thread *main = fake->thread;
	struct capture_thread *late = fake_thread(fake, 300, 3, "late", 0x9000);
	struct capture_thread *early = fake_thread(fake, 200, 2, "early", 0x5000);
	struct classify_memo *memo = classify_memo_new(&fake->process);
	assert_ptr_equal(memo_thread_by_ns_tid(memo, 100), main);
	assert_ptr_equal(memo_thread_by_ns_tid(memo, 2), early);
	assert_ptr_equal(memo_thread_by_ns_tid(memo, 3), late);
	static const uint32_t nobodys[] = {0, 1, 4, 200, 0xffffffff};
	for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++)
		assert_null(memo_thread_by_ns_tid(memo, nobodys[i]));
	assert_null(memo_thread_below(memo, 0x4fff));
	assert_ptr_equal(memo_thread_below(memo, 0x5000), early);
	assert_ptr_equal(memo_thread_below(memo, 0x8fff), early);
	assert_ptr_equal(memo_thread_below(memo, UINT64_MAX), late);
	assert_ptr_equal(memo_thread_above(memo, 0), early);
	assert_ptr_equal(memo_thread_above(memo, 0x5000), late);
	assert_null(memo_thread_above(memo, 0x9000));
	assert_false(memo_lacks_ids(memo));
	assert_true(memo_lacks_control_blocks(memo)); /* main's */
	classify_memo_free(memo);
	main->ns_tid = 0;
	memo = classify_memo_new(&fake->process);
	assert_true(memo_lacks_ids(memo));
	assert_null(memo_thread_by_ns_tid(memo, 0));
	classify_memo_free(memo);
	fake_free(fake);
}

static void only_threads_asleep_in_a_call_are_surely_not_at_work(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	struct capture_thread *other = fake_thread(fake, 101, 101, "other", 0);
	fake_call(fake, SYS_futex, DATA, 0x80, 2, 0, 0, 0);
	static const struct {
		char state;
		bool steady;
		enum syscall_state call;
		bool sleeps;
	} rows[] = {
		{'S', true, SYSCALL_INSIDE, true},   {'D', true, SYSCALL_INSIDE, true},
		{'S', false, SYSCALL_INSIDE, false}, {'R', false, SYSCALL_RUNNING, false},
		{'D', true, SYSCALL_NONE, false},    {'T', true, SYSCALL_INSIDE, false},
		{'t', true, SYSCALL_INSIDE, false},  {'Z', false, SYSCALL_NONE, true},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		other->state = rows[i].state;
		other->steady = rows[i].steady;
		other->syscall.state = rows[i].call;
		struct classify_memo *memo = classify_memo_new(&fake->process);
		assert_int_equal(memo_nobody_works_on(memo, DATA), rows[i].sleeps);
		classify_memo_free(memo);
	}
	fake_free(fake);
}

/* As it stands in the call that the survey saw. */
static void stop(struct capture_thread *thread)
{
	static const unsigned from[6] = {DWARF_RDI, DWARF_RSI, DWARF_RDX,
					 DWARF_R10, DWARF_R8,  DWARF_R9};
	thread->steady = false;
	thread->stop = STOP_DONE;
	thread->registers_from = REGISTERS_STOPPED;
	thread->in_syscall = true;
	thread->stopped_syscall = thread->syscall.number;
	thread->stopped_result = -512;
	for (int i = 0; i < 6; i++)
		thread->registers.value[from[i]] = thread->syscall.arguments[i];
	thread->registers.value[DWARF_RSP] = thread->syscall.sp;
}

static bool nobody_works(struct fake *fake, uint64_t futex)
{
	struct classify_memo *memo = classify_memo_new(&fake->process);
	bool nobody = memo_nobody_works_on(memo, futex);
	classify_memo_free(memo);
	return nobody;
}

static void who_was_stirred_by_our_stop_alone_was_asleep(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	struct capture_thread *other = fake_thread(fake, 101, 101, "other", 0);
	fake_call(fake, SYS_futex, DATA, 0x80, 2, 0, 0, 0);
	other->syscall = fake->thread->syscall;
	assert_false(slept_at_stop(fake->thread)); /* not stopped */
	stop(fake->thread);
	assert_true(slept_at_stop(fake->thread));
	assert_true(nobody_works(fake, DATA));
	assert_false(nobody_works(fake, DATA + 8));
	stop(other);
	assert_true(nobody_works(fake, DATA));
	/* Woken, or in another call, or one like it from another place. */
	other->stopped_result = 0;
	assert_false(nobody_works(fake, DATA));
	other->stopped_result = -512;
	other->stopped_syscall = SYS_read;
	assert_false(nobody_works(fake, DATA));
	other->stopped_syscall = SYS_futex;
	other->registers.value[DWARF_RSP] += 8;
	assert_false(nobody_works(fake, DATA));
	other->registers.value[DWARF_RSP] -= 8;
	assert_true(nobody_works(fake, DATA));
	other->registers.value[DWARF_RDI] += 8;
	assert_false(nobody_works(fake, DATA));
	/* Stirred from another futex: it may have done anything between survey and stop. */
	other->syscall.arguments[0] += 8;
	assert_true(slept_at_stop(other));
	assert_false(nobody_works(fake, DATA));
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_is_looked_at_once_for_each_file),
		cmocka_unit_test(one_memo_serves_all_threads),
		cmocka_unit_test(threads_are_found_by_id_and_by_control_block),
		cmocka_unit_test(only_threads_asleep_in_a_call_are_surely_not_at_work),
		cmocka_unit_test(who_was_stirred_by_our_stop_alone_was_asleep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
