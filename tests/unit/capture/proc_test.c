/* capture/proc: the text of /proc, some of which the target writes. */
#include "capture/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_name_with_blanks_and_parentheses_does_not_shift_the_fields(void **state)
{
	(void)state;
	struct proc_stat stat;
	const char *text =
		"4242 (a) S 1 (b) D 1 4242 4242 0 -1 4194560 1 2 3 4 17 5 0 0 20 0 3 0 9876 "
		"1 2 3 4 5 6 7 8 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0";
	assert_true(parse_stat(text, &stat));
	assert_string_equal(stat.name, "a) S 1 (b");
	assert_int_equal(stat.state, 'D');
	assert_int_equal(stat.ppid, 1);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.utime, 17);
	assert_int_equal(stat.stime, 5);
	assert_int_equal(stat.start_time, 9876);
	assert_int_equal(stat.processor, 1);
}

static void a_stat_cut_short_is_refused(void **state)
{
	(void)state;
	struct proc_stat stat;
	static const char *const bad[] = {"",
					  "1",
					  "1 (x",
					  "1 x) S",
					  "1 (x)",
					  "1 (x) S",
					  "1 (x) S 1 2 3",
					  ")(",
					  "1 (x) S a b c"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse_stat(bad[i], &stat));
}

static void the_innermost_namespace_gives_the_tid(void **state)
{
	(void)state;
	struct proc_status status;
	parse_status("Name:\tx\nTgid:\t99\nTracerPid:\t7\nUid:\t1\t2\t3\t4\nNSpid:\t99\t12\t3\n"
		     "SigPnd:\t0000000000000100\nShdPnd:\t0000000000000001\nSeccomp:\t2\n"
		     "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t6\n",
		     &status);
	assert_int_equal(status.tgid, 99);
	assert_int_equal(status.ns_tid, 3);
	assert_int_equal(status.tracer, 7);
	assert_int_equal(status.uid[3], 4);
	assert_int_equal(status.signals_pending, 0x101);
	assert_int_equal(status.seccomp, 2);
	assert_int_equal(status.switches_voluntary, 5);
	assert_int_equal(status.switches_involuntary, 6);
	parse_status("", &status);
	assert_int_equal(status.switches_voluntary, -1);
}

static void a_name_cannot_forge_a_status_field(void **state)
{
	(void)state;
	struct proc_status status;
	parse_status("Name:\tTracerPid:\t7\nTgid:\t99\nTracerPid:\t0\n", &status);
	assert_int_equal(status.tracer, 0);
}

static void each_form_of_the_syscall_file_is_told_apart(void **state)
{
	(void)state;
	struct raw_syscall call;
	parse_syscall("running\n", &call);
	assert_int_equal(call.state, SYSCALL_RUNNING);
	parse_syscall("-1 0x7ffc0000 0x401000\n", &call);
	assert_int_equal(call.state, SYSCALL_NONE);
	assert_int_equal(call.sp, 0x7ffc0000);
	assert_int_equal(call.pc, 0x401000);
	parse_syscall("202 0x1 0x80 0xffffffff80006ed4 0x0 0x5 0x6 0x7ffc 0x7f00\n", &call);
	assert_int_equal(call.state, SYSCALL_INSIDE);
	assert_int_equal(call.number, 202);
	assert_true(call.arguments[2] == 0xffffffff80006ed4);
	assert_int_equal(call.arguments[5], 6);
	assert_int_equal(call.sp, 0x7ffc);
	assert_int_equal(call.pc, 0x7f00);
	static const char *const bad[] = {"", "202", "202 0x1 0x2", "x", "-2 0x1 0x2"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse_syscall(bad[i], &call);
		assert_int_equal(call.state, SYSCALL_UNREADABLE);
	}
}

static void times_are_read_to_the_nanosecond(void **state)
{
	(void)state;
	const char *text = "cat (1, #threads: 1)\n---\nse.exec_start      :       1091911.983090\n"
			   "se.sum_exec_runtime  :  10.000230\nse.sum : 1\n";
	assert_int_equal(parse_sched_ns(text, "se.exec_start"), 1091911983090);
	assert_int_equal(parse_sched_ns(text, "se.sum_exec_runtime"), 10000230);
	assert_int_equal(parse_sched_ns(text, "se.sum"), -1); /* no fraction */
	assert_int_equal(parse_sched_ns(text, "se.other"), -1);
	assert_int_equal(parse_sched_ns("", "se.exec_start"), -1);
	assert_int_equal(parse_sched_ns("se.exec_start : 1.000000", "se.exec_start"), -1);
	/* The first line holds the thread's name. */
	assert_int_equal(parse_sched_ns("se.exec_start : 9.000000 (1, #threads: 1)\n"
					"se.exec_start : 1.000000\n",
					"se.exec_start"),
			 1000000);
}

static void maps_lines_are_taken_apart(void **state)
{
	(void)state;
	struct proc_map map;
	bool ok;
	const char *text = "7f00-8000 r-xp 00001000 fd:01 77   /lib/a b.so (deleted)\n"
			   "9000-a000 rw-s 00000000 00:00 0 \nnonsense\n"
			   "b000-a000 r--p 00000000 00:00 0 [heap]\n";
	const char *at = parse_maps_line(text, &map, &ok);
	assert_true(ok);
	assert_int_equal(map.mapping.start, 0x7f00);
	assert_true(map.mapping.executable && map.mapping.readable && !map.mapping.writable);
	assert_true(map.mapping.deleted);
	assert_int_equal(map.path_length, strlen("/lib/a b.so"));
	assert_memory_equal(map.path, "/lib/a b.so", map.path_length);
	assert_int_equal(map.mapping.device_major, 0xfd);
	assert_int_equal(map.mapping.inode, 77);
	at = parse_maps_line(at, &map, &ok);
	assert_true(ok && map.mapping.shared && map.mapping.writable);
	assert_int_equal(map.path_length, 0);
	at = parse_maps_line(at, &map, &ok);
	assert_false(ok);
	at = parse_maps_line(at, &map, &ok);
	assert_false(ok); /* it ends before it starts */
	assert_null(parse_maps_line(at, &map, &ok));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_with_blanks_and_parentheses_does_not_shift_the_fields),
		cmocka_unit_test(a_stat_cut_short_is_refused),
		cmocka_unit_test(the_innermost_namespace_gives_the_tid),
		cmocka_unit_test(a_name_cannot_forge_a_status_field),
		cmocka_unit_test(each_form_of_the_syscall_file_is_told_apart),
		cmocka_unit_test(times_are_read_to_the_nanosecond),
		cmocka_unit_test(maps_lines_are_taken_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
