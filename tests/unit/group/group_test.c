/* group: what makes threads alike, and the order of the report. */
#include "base/deadline.h"
#include "group/group.h"
#include "lib/make_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Two threads that are alike in all that counts; `change` makes the second differ. */
typedef void change_fn(struct dump *dump, struct thread *thread);

static struct thread *make_alike(struct dump *dump, struct process *process, pid_t tid)
{
	struct thread *thread = make_thread(dump, process, tid, "t", WAIT_PIPE_READ);
	make_frame(dump, thread, "read", 0x10, "read.c", 26);
	make_frame(dump, thread, "inner", 0x20, "prog.c", 9)->inlined = true;
	make_frame(dump, thread, "main", 0x20, "prog.c", 10);
	make_resource(dump, thread, "pipe", 0, NULL);
	thread->wait.resource.fd = 5;
	make_owner(thread, 20, 21);
	return thread;
}

static size_t groups_after(change_fn *first, change_fn *second)
{
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, "p");
	struct thread *thread = make_alike(&dump, process, 10);
	if (first)
		first(&dump, thread);
	thread = make_alike(&dump, process, 11);
	if (second)
		second(&dump, thread);
	group_threads(&dump);
	size_t count = dump.groups.count, members = 0;
	array_for_each (&dump.groups, group)
		members += group->members.count;
	assert_int_equal(members, 2);
	dump_deinit(&dump);
	return count;
}

#define CHANGE(name, statement)                                                                    \
	static void name(struct dump *dump, struct thread *thread)                                 \
	{                                                                                          \
		(void)dump;                                                                        \
		statement;                                                                         \
	}

CHANGE(other_name, thread->name = "other")
CHANGE(other_since, thread->wait.since_ms = 99)
CHANGE(other_timeout, thread->wait.timeout_ms = 99)
CHANGE(other_rule, thread->wait.rule = "another row")
CHANGE(other_confidence, thread->wait.confidence = CONFIDENCE_LIKELY)
CHANGE(other_state, thread->state = 'R')
CHANGE(other_detail, thread->wait.resource.detail = "7 bytes")
CHANGE(other_cfa, thread->stack.frames[0].cfa = 0x7fff0000)
CHANGE(found_otherwise, thread->stack.frames[1].found_by = FOUND_BY_FRAME_POINTER)
CHANGE(other_call_but_class, (thread->wait.has_syscall = true, thread->wait.syscall.number = 17))

CHANGE(other_class, thread->wait.class = WAIT_FUTEX)
CHANGE(other_idle, thread->wait.idle = true)
CHANGE(other_call_site, (thread->stack.frames[2].pc++, thread->stack.frames[2].module_offset++))
CHANGE(other_function, thread->stack.frames[2].function = "other")
CHANGE(other_module, thread->stack.frames[2].module = "/lib/other.so")
CHANGE(other_kind, thread->stack.frames[2].kind = FRAME_SIGNAL)
CHANGE(other_inlined, thread->stack.frames[1].inlined = false)
CHANGE(other_inlined_line, thread->stack.frames[1].line = 8)
CHANGE(a_guess, thread->stack.frames[2].found_by = FOUND_BY_SCAN)
CHANGE(doubtful, thread->stack.frames[2].doubtful = true)
CHANGE(one_frame_less, thread->stack.count--)
CHANGE(one_frame_more, make_frame(dump, thread, "more", 0, NULL, 0))
CHANGE(incomplete, thread->stack.complete = false)
CHANGE(omitted, thread->stack.omitted = 3)
CHANGE(other_resource_kind, thread->wait.resource.kind = "fifo")
CHANGE(no_resource, thread->wait.resource.kind = NULL)
CHANGE(other_fd, thread->wait.resource.fd = 6)
CHANGE(other_resource_name, thread->wait.resource.name = "x")
CHANGE(with_address, thread->wait.resource.address = 0x10)
CHANGE(with_identity, thread->wait.resource.identity = "pipe:[1]")
CHANGE(other_owner, thread->wait.owners.items[0].tid = 22)
CHANGE(other_owner_process, thread->wait.owners.items[0].pid = 22)
CHANGE(no_owner, thread->wait.owners.count = 0)

#define ROW(name)                                                                                  \
	{                                                                                          \
		name, #name                                                                        \
	}

static void what_does_not_matter_does_not_separate(void **state)
{
	(void)state;
	static const struct {
		change_fn *change;
		const char *name;
	} rows[] = {ROW(NULL),
		    ROW(other_name),
		    ROW(other_since),
		    ROW(other_timeout),
		    ROW(other_rule),
		    ROW(other_confidence),
		    ROW(other_state),
		    ROW(other_detail),
		    ROW(other_cfa),
		    ROW(found_otherwise),
		    ROW(other_call_but_class)};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (groups_after(NULL, rows[i].change) != 1)
			fail_msg("%s separates", rows[i].name);
	}
}

static void each_part_of_the_key_separates(void **state)
{
	(void)state;
	static const struct {
		change_fn *change;
		const char *name;
	} rows[] = {ROW(other_class),
		    ROW(other_idle),
		    ROW(other_call_site),
		    ROW(other_function),
		    ROW(other_module),
		    ROW(other_kind),
		    ROW(other_inlined),
		    ROW(other_inlined_line),
		    ROW(a_guess),
		    ROW(doubtful),
		    ROW(one_frame_less),
		    ROW(one_frame_more),
		    ROW(incomplete),
		    ROW(omitted),
		    ROW(other_resource_kind),
		    ROW(no_resource),
		    ROW(other_fd),
		    ROW(other_resource_name),
		    ROW(with_address),
		    ROW(with_identity),
		    ROW(other_owner),
		    ROW(other_owner_process),
		    ROW(no_owner)};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (groups_after(NULL, rows[i].change) != 2)
			fail_msg("%s does not separate", rows[i].name);
		if (groups_after(rows[i].change, rows[i].change) != 1)
			fail_msg("%s separates from itself", rows[i].name);
	}
}

CHANGE(identity_fd_5, thread->wait.resource.identity = "pipe:[1]")
CHANGE(identity_fd_6, (thread->wait.resource.identity = "pipe:[1]", thread->wait.resource.fd = 6))
CHANGE(address_fd_6, (thread->wait.resource.address = 0x10, thread->wait.resource.fd = 6))
CHANGE(system_call_16, (thread->wait.class = WAIT_SYSTEM_CALL, thread->wait.has_syscall = true,
			thread->wait.syscall.number = 16))
CHANGE(system_call_17, (thread->wait.class = WAIT_SYSTEM_CALL, thread->wait.has_syscall = true,
			thread->wait.syscall.number = 17))
CHANGE(only_detail_a, (thread->wait.resource.fd = -1, thread->wait.resource.detail = "a"))
CHANGE(only_detail_b, (thread->wait.resource.fd = -1, thread->wait.resource.detail = "b"))
CHANGE(ended_for_a, (thread->stack.complete = false, thread->stack.incomplete = "a"))
CHANGE(ended_for_b, (thread->stack.complete = false, thread->stack.incomplete = "b"))
CHANGE(no_file_pc_1, (thread->stack.frames[2].module = NULL, thread->stack.frames[2].pc = 1))
CHANGE(no_file_pc_2, (thread->stack.frames[2].module = NULL, thread->stack.frames[2].pc = 2))

static void the_strongest_identity_of_a_resource_decides(void **state)
{
	(void)state;
	assert_int_equal(groups_after(identity_fd_5, identity_fd_6), 1);
	assert_int_equal(groups_after(with_address, address_fd_6), 1);
	assert_int_equal(groups_after(only_detail_a, only_detail_b), 2);
	assert_int_equal(groups_after(only_detail_a, only_detail_a), 1);
}

static void calls_ends_and_bare_addresses_separate(void **state)
{
	(void)state;
	assert_int_equal(groups_after(system_call_16, system_call_17), 2);
	assert_int_equal(groups_after(system_call_16, system_call_16), 1);
	assert_int_equal(groups_after(ended_for_a, ended_for_b), 2);
	assert_int_equal(groups_after(no_file_pc_1, no_file_pc_2), 2);
	assert_int_equal(groups_after(no_file_pc_1, no_file_pc_1), 1);
}

static struct thread *make_alike_goroutine(struct dump *dump, struct process *process,
					   uint64_t goid)
{
	struct thread *thread = make_goroutine(dump, process, goid, "chan send");
	struct creator *creator = &thread->goroutine->created_by;
	make_go_frame(dump, thread, "main.send", 0x20, "main.go", 9);
	make_go_frame(dump, thread, "main.work", 0x40, "main.go", 19);
	*creator = (struct creator){"main.main", "main.go", 30, 0x50, goid + 100};
	return thread;
}

static size_t goroutine_groups_after(change_fn *change)
{
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, "p");
	make_alike_goroutine(&dump, process, 10);
	change(&dump, make_alike_goroutine(&dump, process, 11));
	group_threads(&dump);
	size_t count = dump.groups.count;
	array_for_each (&dump.groups, group)
		assert_true(group->of_goroutines);
	dump_deinit(&dump);
	return count;
}

CHANGE(other_parent, thread->goroutine->created_by.goid = 1)
CHANGE(other_labels, thread->goroutine->labels = "{}")
CHANGE(on_a_thread, thread->tid = 77)
CHANGE(other_words, thread->wait.words = "chan send (nil chan)")
CHANGE(other_creator, thread->goroutine->created_by.function = "main.other")
CHANGE(other_creation, thread->goroutine->created_by.line = 31)
CHANGE(other_creator_file, thread->goroutine->created_by.file = "other.go")
CHANGE(other_creator_offset, thread->goroutine->created_by.offset = 0x51)
CHANGE(locked, thread->goroutine->locked_to_thread = true)
CHANGE(other_bubble, thread->goroutine->bubble = "synctest bubble 1")
CHANGE(other_go_function, thread->stack.frames[0].function = "main.other")
CHANGE(other_go_line, thread->stack.frames[0].line = 8)
CHANGE(other_go_file, thread->stack.frames[0].file = "other.go")
CHANGE(other_go_offset, thread->stack.frames[0].offset = 0x21)
CHANGE(other_gap, thread->stack.omitted_outer = 1)

static void goroutines_have_their_own_key(void **state)
{
	(void)state;
	static const struct {
		change_fn *change;
		const char *name;
		size_t groups;
	} rows[] = {
		{other_parent, "other_parent", 1},
		{other_labels, "other_labels", 1},
		{on_a_thread, "on_a_thread", 1},
		{other_since, "other_since", 1},
		{other_words, "other_words", 2},
		{other_creator, "other_creator", 2},
		{other_creation, "other_creation", 2},
		{other_creator_file, "other_creator_file", 2},
		{other_creator_offset, "other_creator_offset", 2},
		{locked, "locked", 2},
		{other_bubble, "other_bubble", 2},
		{other_go_function, "other_go_function", 2},
		{other_go_line, "other_go_line", 2},
		{other_go_file, "other_go_file", 2},
		{other_go_offset, "other_go_offset", 2},
		{other_gap, "other_gap", 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (goroutine_groups_after(rows[i].change) != rows[i].groups)
			fail_msg("%s: not %zu groups", rows[i].name, rows[i].groups);
	}
}

static void threads_and_goroutines_are_never_mixed(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, "p");
	make_thread(&dump, process, 11, "t", WAIT_SLEEP);
	make_goroutine(&dump, process, 11, "sleep");
	make_goroutine(&dump, process, 1, "sleep");
	make_goroutine(&dump, process, UINT64_MAX, "sleep");
	group_threads(&dump);
	assert_int_equal(dump.groups.count, 2);
	/* Goroutine 1 is the main one. */
	const struct group *first = &dump.groups.items[0];
	assert_true(first->of_goroutines);
	assert_int_equal(first->members.count, 3);
	static const uint64_t goids[] = {1, 11, UINT64_MAX};
	for (size_t i = 0; i < 3; i++)
		assert_true(thread_number(&group_threads_of(
				    &dump, first)[first->members.items[i]]) == goids[i]);
	assert_false(dump.groups.items[1].of_goroutines);
	dump_deinit(&dump);
}

static void processes_are_never_mixed(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_alike(&dump, make_process(&dump, 10, "p"), 10);
	make_alike(&dump, make_process(&dump, 20, "p"), 20);
	group_threads(&dump);
	assert_int_equal(dump.groups.count, 2);
	assert_int_equal(dump.groups.items[0].process, 0);
	assert_int_equal(dump.groups.items[1].process, 1);
	dump_deinit(&dump);
}

static void members_are_in_tid_order_and_durations_span_them(void **state)
{
	(void)state;
	static const struct {
		pid_t tid;
		int64_t since;
	} rows[] = {{15, 7000}, {12, -1}, {19, 2000}, {11, 9000}};
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, "p");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		make_alike(&dump, process, rows[i].tid)->wait.since_ms = rows[i].since;
	group_threads(&dump);
	group_threads(&dump); /* replaces, does not add */
	assert_int_equal(dump.groups.count, 1);
	const struct group *group = &dump.groups.items[0];
	static const pid_t sorted[] = {11, 12, 15, 19};
	assert_int_equal(group->members.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(process->threads.items[group->members.items[i]].tid, sorted[i]);
	assert_int_equal(group->since_min_ms, 2000);
	assert_int_equal(group->since_max_ms, 9000);
	dump_deinit(&dump);
}

/* A thread of a stack of its own. */
static void add(struct dump *dump, size_t process, pid_t tid, enum wait_class class,
		int64_t since_ms, bool idle, const char *function)
{
	struct thread *thread = make_thread(dump, &dump->processes.items[process], tid, "t", class);
	thread->wait.since_ms = since_ms;
	thread->wait.idle = idle;
	make_frame(dump, thread, function, 0, NULL, 0);
}

static void assert_order(struct dump *dump, const pid_t *tids, size_t count)
{
	group_threads(dump);
	assert_int_equal(dump->groups.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct group *group = &dump->groups.items[i];
		const struct process *process = &dump->processes.items[group->process];
		assert_int_equal(process->threads.items[group->members.items[0]].tid, tids[i]);
	}
	dump_deinit(dump);
}

static void the_most_suspicious_come_first_and_the_idle_last(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_process(&dump, 10, "p");
	add(&dump, 0, 11, WAIT_MUTEX_LOCK, 900000, true, "idle but high");
	add(&dump, 0, 12, WAIT_EPOLL, 900000, false, "low");
	add(&dump, 0, 13, WAIT_COND, 900000, false, "medium");
	add(&dump, 0, 14, WAIT_MUTEX_LOCK, -1, false, "high, unknown time");
	add(&dump, 0, 15, WAIT_MUTEX_LOCK, 70000, false, "high, a minute");
	add(&dump, 0, 20, WAIT_MUTEX_LOCK, 50000, false, "high, under a minute");
	add(&dump, 0, 16, WAIT_MUTEX_LOCK, 400, false, "high, two of them");
	add(&dump, 0, 17, WAIT_MUTEX_LOCK, 500, false, "high, two of them");
	add(&dump, 0, 19, WAIT_MUTEX_LOCK, 200, false, "high, later tid");
	add(&dump, 0, 18, WAIT_MUTEX_LOCK, 200, false, "high, earlier tid");
	add(&dump, 0, 10, WAIT_ONCE, 100, false, "main");
	static const pid_t order[] = {10, 15, 16, 20, 18, 19, 14, 13, 12, 11};
	assert_order(&dump, order, ARRAY_SIZE(order));
}

static void processes_go_by_their_most_suspicious_group(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	for (pid_t pid = 10; pid <= 50; pid += 10)
		make_process(&dump, pid, "p");
	add(&dump, 0, 10, WAIT_CHILD, 90000, false, "wait");
	add(&dump, 1, 20, WAIT_CHILD, 90000, false, "wait");
	add(&dump, 2, 31, WAIT_COND, 900, false, "work");
	add(&dump, 2, 30, WAIT_PIPE_WRITE, 900, false, "write");
	add(&dump, 4, 50, WAIT_MUTEX_LOCK, 900000, true, "idle");
	static const pid_t order[] = {30, 31, 10, 20, 50};
	assert_order(&dump, order, ARRAY_SIZE(order));
}

static void the_order_does_not_depend_on_that_of_the_threads(void **state)
{
	(void)state;
	static const pid_t order[] = {11, 12, 13, 14};
	for (int turn = 0; turn < 4; turn++) {
		struct dump dump;
		dump_init(&dump);
		make_process(&dump, 10, "p");
		for (int i = 0; i < 4; i++) {
			pid_t tid = order[(i + turn) % 4];
			char function[16];
			snprintf(function, sizeof(function), "f%d", tid);
			add(&dump, 0, tid, WAIT_COND, -1, false, function);
		}
		assert_order(&dump, order, ARRAY_SIZE(order));
	}
}

static void nothing_makes_no_groups(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	group_threads(&dump);
	assert_int_equal(dump.groups.count, 0);
	make_process(&dump, 1, "p");
	group_threads(&dump);
	assert_int_equal(dump.groups.count, 0);
	dump_deinit(&dump);
}

static uint64_t time_crowd(size_t threads, size_t kinds)
{
	struct dump dump;
	dump_init(&dump);
	make_crowd(&dump, threads, 30, kinds);
	uint64_t begin = monotonic_ns();
	group_threads(&dump);
	uint64_t took = monotonic_ns() - begin;
	assert_int_equal(dump.groups.count, kinds);
	dump_deinit(&dump);
	print_message("%zu threads of 30 frames in %zu groups: %.2f ms\n", threads, kinds,
		      (double)took / 1e6);
	return took;
}

static void a_crowd_takes_no_longer_than_its_size(void **state)
{
	(void)state;
	/* Pairwise, the last would be 50 million comparisons of 30 frames: a minute. */
	assert_true(time_crowd(10000, 1) < 5000000000u);
	assert_true(time_crowd(10000, 100) < 5000000000u);
	assert_true(time_crowd(10000, 10000) < 5000000000u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_matter_does_not_separate),
		cmocka_unit_test(each_part_of_the_key_separates),
		cmocka_unit_test(the_strongest_identity_of_a_resource_decides),
		cmocka_unit_test(calls_ends_and_bare_addresses_separate),
		cmocka_unit_test(goroutines_have_their_own_key),
		cmocka_unit_test(threads_and_goroutines_are_never_mixed),
		cmocka_unit_test(processes_are_never_mixed),
		cmocka_unit_test(members_are_in_tid_order_and_durations_span_them),
		cmocka_unit_test(the_most_suspicious_come_first_and_the_idle_last),
		cmocka_unit_test(processes_go_by_their_most_suspicious_group),
		cmocka_unit_test(the_order_does_not_depend_on_that_of_the_threads),
		cmocka_unit_test(nothing_makes_no_groups),
		cmocka_unit_test(a_crowd_takes_no_longer_than_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
