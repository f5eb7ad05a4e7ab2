/* Which groups have grown, what is passed over, and what counts as a difference. */
#include "diff/diff.h"

#include "lib/make_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull

struct pair {
	struct dump old, new;
	struct process *before, *after;
	struct diff diff;
	bool compared;
};

static struct process *begin(struct dump *dump, uint64_t seconds)
{
	dump_init(dump);
	dump->boot_id = "boot-1";
	dump->monotonic_ns = (1000 + seconds) * SECOND;
	struct process *process = make_process(dump, 100, "prog");
	process->start_time = 50000;
	process->running_ms = (int64_t)(500 + seconds) * 1000;
	return process;
}

static int set_up(void **state)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));
	pair->before = begin(&pair->old, 0);
	pair->after = begin(&pair->new, 10);
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;
	if (pair->compared)
		diff_deinit(&pair->diff);
	dump_deinit(&pair->old);
	dump_deinit(&pair->new);
	free(pair);
	return 0;
}

/* In `function`, called from send_status; those with tids from 200 on began after the old dump. */
static struct thread *add(struct dump *dump, struct process *process, pid_t tid,
			  const char *function)
{
	struct thread *thread = make_thread(dump, process, tid, "sender", WAIT_SEMAPHORE);
	thread->start_time = tid >= 200 ? 50000 + 50500 : 50000;
	thread->cpu_total_ns = 0;
	thread->switches_voluntary = 1;
	make_frame(dump, thread, "sem_wait", 0x20, NULL, 0)->module = "/lib/libc.so.6";
	make_frame(dump, thread, function, 0x30, "prog.c", 20);
	make_frame(dump, thread, "send_status", 0x40, "prog.c", 30);
	return thread;
}

static void leave_behind(struct pair *pair)
{
	for (pid_t tid = 101; tid <= 103; tid++) {
		add(&pair->old, pair->before, tid, "work");
		add(&pair->new, pair->after, tid, "work");
	}
	for (pid_t tid = 201; tid <= 203; tid++)
		add(&pair->new, pair->after, tid, "send");
}

static const struct diff *find(struct pair *pair, size_t allow, struct ignore *ignores,
			       size_t count)
{
	if (pair->compared)
		diff_deinit(&pair->diff);
	diff_dumps(&pair->old, &pair->new, &pair->diff);
	diff_find_leaks(&pair->diff, allow, ignores, count);
	pair->compared = true;
	return &pair->diff;
}

static void new_threads_of_a_group_that_has_grown_are_leaks(void **state)
{
	struct pair *pair = *state;
	leave_behind(pair);
	const struct diff *diff = find(pair, 0, NULL, 0);
	assert_int_equal(diff->leaks.count, 1);
	const struct leak *leak = &diff->leaks.items[0];
	assert_int_equal(leak->grown, 3);
	assert_int_equal(leak->members.count, 3);
	array_for_each (&leak->members, member)
		assert_true(diff->threads.items[*member].new->tid >= 201);
	assert_int_equal(find(pair, 2, NULL, 0)->leaks.count, 1);
	assert_int_equal(find(pair, 3, NULL, 0)->leaks.count, 0);
}

static void who_moves_or_takes_a_place_is_no_leak(void **state)
{
	struct pair *pair = *state;
	add(&pair->old, pair->before, 101, "work");
	add(&pair->new, pair->after, 101, "rest"); /* a group has grown, by an old thread */
	add(&pair->old, pair->before, 102, "send");
	add(&pair->new, pair->after, 202, "send"); /* a new thread, instead of another */
	assert_int_equal(find(pair, 0, NULL, 0)->leaks.count, 0);
}

/* Whom a partial dump left out may have been there. */
static void who_is_not_surely_new_is_no_leak(void **state)
{
	struct pair *pair = *state;
	add(&pair->new, pair->after, 102, "work");
	const struct diff *diff = find(pair, 0, NULL, 0);
	assert_int_equal(diff->threads.items[0].why_unknown, UNKNOWN_LEFT_OUT);
	assert_int_equal(diff->leaks.count, 0);
}

static void in_another_run_numbers_count(void **state)
{
	struct pair *pair = *state;
	leave_behind(pair);
	pair->new.boot_id = "boot-2";
	const struct diff *diff = find(pair, 0, NULL, 0);
	assert_false(diff->same_run);
	assert_int_equal(diff->leaks.count, 1);
	assert_int_equal(diff->leaks.items[0].grown, 3);
}

static void patterns_pass_over_threads(void **state)
{
	struct pair *pair = *state;
	static const struct {
		const char *line;
		bool matches;
	} rows[] = {
		{"function:send", true},     {"function:send_st*", true},
		{"function:sem_wait", true}, {"function:sen", false},
		{"top:send", true},	     {"top:sem_wait", false},
		{"top:send_status", false},  {"module:prog", true},
		{"module:/bin/*", true},     {"module:bin/prog", false},
		{"module:libc.so.*", true},  {"name:s?nder", true},
		{"name:send", false},	     {"name:[a-s]ender", true},
	};
	leave_behind(pair);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ignore ignore;
		assert_true(ignore_parse(rows[i].line, &ignore));
		size_t leaks = find(pair, 0, &ignore, 1)->leaks.count;
		if (leaks == rows[i].matches || ignore.used != rows[i].matches)
			fail_msg("%s: %zu leaks, %s", rows[i].line, leaks,
				 ignore.used ? "used" : "not used");
	}
}

static void a_pattern_by_name_leaves_the_others(void **state)
{
	struct pair *pair = *state;
	leave_behind(pair);
	pair->after->threads.items[4].name = "gdbus";
	struct ignore ignore = {IGNORE_NAME, "gdbus", NULL, false};
	const struct diff *diff = find(pair, 0, &ignore, 1);
	assert_int_equal(diff->leaks.count, 1);
	assert_int_equal(diff->leaks.items[0].grown, 2);
	assert_int_equal(diff->leaks.items[0].members.count, 2);
}

static void lines_of_ignore_files(void **state)
{
	(void)state;
	struct ignore ignore;
	assert_true(ignore_parse("", &ignore));
	assert_null(ignore.glob);
	assert_true(ignore_parse("  # function:x", &ignore));
	assert_null(ignore.glob);
	assert_true(ignore_parse("\tname: a b#c", &ignore));
	assert_int_equal(ignore.kind, IGNORE_NAME);
	assert_string_equal(ignore.glob, "a b#c");
	assert_true(ignore_parse("function:ns::f(int)", &ignore));
	assert_string_equal(ignore.glob, "ns::f(int)");
	assert_false(ignore_parse("function", &ignore));
	assert_false(ignore_parse("function:", &ignore));
	assert_false(ignore_parse("name:  ", &ignore));
	assert_false(ignore_parse("functions:x", &ignore));
	assert_false(ignore_parse("x", &ignore));
}

static void built_in_patterns_are_complete(void **state)
{
	(void)state;
	assert_true(default_ignore_count > 3);
	for (size_t i = 0; i < default_ignore_count; i++) {
		assert_non_null(default_ignores[i].glob);
		assert_non_null(default_ignores[i].source);
	}
}

static unsigned differences(struct pair *pair)
{
	return diff_differences(find(pair, 0, NULL, 0));
}

static void what_counts_as_a_difference(void **state)
{
	struct pair *pair = *state;
	add(&pair->old, pair->before, 101, "work");
	struct thread *thread = add(&pair->new, pair->after, 101, "work");
	assert_int_equal(differences(pair), DIFFERS_BY(PROGRESS_STUCK));
	thread->wait.idle = true;
	assert_int_equal(differences(pair), 0);
	thread->switches_voluntary += 9;
	assert_int_equal(differences(pair), 0);
	thread->wait.idle = false;
	assert_int_equal(differences(pair), DIFFERS_BY(PROGRESS_CYCLING));
	thread->stack.count = 0;
	assert_int_equal(differences(pair), DIFFERS_BY(PROGRESS_UNKNOWN));
	pair->before->threads.items[0].stack.count = 0;
	assert_int_equal(differences(pair), 0);
	make_finding_thread(make_finding(&pair->new, FINDING_DEADLOCK), 100, 101);
	assert_int_equal(differences(pair), DIFFERS_FINDING);
	make_finding_thread(make_finding(&pair->old, FINDING_OWNER_EXITED), 100, 101);
	assert_int_equal(differences(pair), DIFFERS_FINDING | DIFFERS_RESOLVED);
	add(&pair->new, pair->after, 201, "send");
	assert_true(differences(pair) & DIFFERS_BY(PROGRESS_NEW));
	assert_true(differences(pair) & DIFFERS_LEAK);
}

static void in_another_run_sizes_differ(void **state)
{
	struct pair *pair = *state;
	pair->new.boot_id = "boot-2";
	add(&pair->old, pair->before, 101, "work");
	add(&pair->new, pair->after, 301, "work");
	assert_int_equal(differences(pair), 0);
	add(&pair->old, pair->before, 102, "work");
	assert_int_equal(differences(pair), DIFFERS_BY(PROGRESS_GONE));
	add(&pair->new, pair->after, 302, "send");
	assert_int_equal(differences(pair),
			 DIFFERS_BY(PROGRESS_GONE) | DIFFERS_BY(PROGRESS_NEW) | DIFFERS_LEAK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_threads_of_a_group_that_has_grown_are_leaks),
		TEST(who_moves_or_takes_a_place_is_no_leak),
		TEST(who_is_not_surely_new_is_no_leak),
		TEST(in_another_run_numbers_count),
		TEST(patterns_pass_over_threads),
		TEST(a_pattern_by_name_leaves_the_others),
		TEST(lines_of_ignore_files),
		TEST(built_in_patterns_are_complete),
		TEST(what_counts_as_a_difference),
		TEST(in_another_run_sizes_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
