/* render: the report for a log, and the glance. */
#include "group/group.h"
#include "lib/make_dump.h"
#include "render/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *brief_of(struct dump *dump, size_t most, bool no_idle)
{
	struct render_options render = {.no_idle = no_idle};
	struct brief_options options = {
		.render = &render, .headline = "./x: timed out after 5 s", .most_bytes = most};
	struct text text = {0};
	group_threads(dump);
	render_brief(dump, &options, &text);
	return text_steal(&text);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static void make_bank_dump(struct dump *dump)
{
	dump_init(dump);
	make_bank(dump);
}

static void the_headline_comes_first_then_the_verdict(void **state)
{
	(void)state;
	struct dump dump;
	make_bank_dump(&dump);
	char *text = brief_of(&dump, 0, false);
	static const char begin[] = "hangdump: ./x: timed out after 5 s; 1 process, ";
	assert_memory_equal(text, begin, sizeof(begin) - 1);
	assert_has(text, "threads\n\nDEADLOCK: 2 threads wait for each other\n");
	assert_has_not(text, "Left out");
	free(text);
	dump_deinit(&dump);
}

/* The groups of the deadlock before the crowd that is behind it, whatever the report order is. */
static void suspects_come_before_the_crowd(void **state)
{
	(void)state;
	struct dump dump;
	make_bank_dump(&dump);
	char *text = brief_of(&dump, 0, false);
	const char *suspect = strstr(text, "]: 4243 \"transfer-1\""),
		   *crowd = strstr(text, "\n10 threads [");
	assert_non_null(suspect);
	assert_non_null(crowd);
	assert_true(suspect < crowd);
	free(text);
	dump_deinit(&dump);
}

/* Groups that are there: their first lines are "10 threads [mutex lock]: ...". */
static size_t groups_in(const char *text)
{
	size_t groups = 0, members;
	char word[16];
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		groups += sscanf(line, "%zu %15s [", &members, word) == 2 &&
			  strncmp(word, "thread", 6) == 0 && strstr(line, "[") != NULL &&
			  line[strcspn(line, "[\n")] == '[';
	}
	return groups;
}

/* Groups that are counted: "Left out: 1 finding, 10 threads in 1 group, 1 idle thread in 2 groups." */
static size_t groups_left_out(const char *text)
{
	size_t sum = 0;
	const char *line = strstr(text, "\nLeft out: ");
	for (const char *at = line; at && (at = strstr(at, " in ")); at++)
		sum += strtoul(at + 4, NULL, 10);
	return sum;
}

static void every_group_is_there_or_counted_within_any_bounds(void **state)
{
	(void)state;
	for (size_t most = 1; most < 4000; most += 13) {
		struct dump dump;
		make_bank_dump(&dump);
		char *text = brief_of(&dump, most, false);
		/* The first line and what is left out are there in any case. */
		if (strlen(text) > (most < 400 ? 400 : most))
			fail_msg("%zu bytes for %zu:\n%s", strlen(text), most, text);
		assert_int_equal(text[strlen(text) - 1], '\n');
		if (groups_in(text) + groups_left_out(text) != dump.groups.count)
			fail_msg("%zu and %zu groups of %zu:\n%s", groups_in(text),
				 groups_left_out(text), dump.groups.count, text);
		free(text);
		dump_deinit(&dump);
	}
}

static void idle_groups_can_be_left_out(void **state)
{
	(void)state;
	struct dump dump;
	make_bank_dump(&dump);
	char *text = brief_of(&dump, 0, true);
	assert_has_not(text, "acceptor");
	assert_has(text, "\nLeft out: 1 idle thread in 1 group.\n");
	free(text);
	dump_deinit(&dump);
}

static void a_long_stack_loses_its_outer_frames(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_crowd(&dump, 1, 200, 1);
	char *text = brief_of(&dump, 65536, false);
	assert_has(text, "function_0(...)");
	assert_has_not(text, "function_199(...)");
	assert_has(text, "\n... +");
	free(text);
	text = brief_of(&dump, 0, false);
	assert_has(text, "function_199(...)");
	free(text);
	dump_deinit(&dump);
}

static void what_could_not_be_read_is_never_passed_over(void **state)
{
	(void)state;
	for (size_t most = 100; most < 3000; most += 100) {
		struct dump dump;
		make_bank_dump(&dump);
		for (int i = 0; i < 15; i++)
			dump_add_error(&dump, 4242, 4243 + i, "registers", "reason %d", i);
		char *text = brief_of(&dump, most, false);
		if (!strstr(text, "reason 14"))
			assert_has(text, "15 things could not be read");
		free(text);
		dump_deinit(&dump);
	}
}

static void progress_is_told_of_groups_and_findings(void **state)
{
	(void)state;
	struct dump dump;
	make_bank_dump(&dump);
	dump.watched_ms = 1040;
	struct process *process = &dump.processes.items[0];
	array_for_each (&process->threads, thread)
		thread->progress = PROGRESS_STUCK;
	process->threads.items[process->threads.count - 1].progress = PROGRESS_CYCLING;
	process->threads.items[4].progress = PROGRESS_MOVED;
	process->threads.items[5].progress = PROGRESS_UNKNOWN;
	char *text = brief_of(&dump, 0, false);
	assert_has(text, "\n  Over 1.0 s: 2 stuck.\n");
	assert_has(text, ", 8 stuck, 1 moved]");
	assert_has_not(text, "unknown");
	assert_has(text, "[epoll wait, idle]");
	free(text);
	dump_deinit(&dump);
}

static void a_verdict_is_one_line(void **state)
{
	(void)state;
	struct dump dump;
	struct text text = {0};
	make_bank_dump(&dump);
	render_verdict(&dump, &text);
	assert_string_equal(text.bytes, "DEADLOCK: 2 threads wait for each other");
	text_deinit(&text);
	make_finding(&dump, FINDING_SPINNING);
	render_verdict(&dump, &text);
	assert_string_equal(text.bytes,
			    "DEADLOCK: 2 threads wait for each other, and 1 more finding");
	text_deinit(&text);
	dump_deinit(&dump);
	dump_init(&dump);
	render_verdict(&dump, &text);
	assert_string_equal(text.bytes, "nothing could be dumped");
	text_deinit(&text);
	make_process(&dump, 10, "p");
	render_verdict(&dump, &text);
	assert_string_equal(text.bytes, "no finding");
	text_deinit(&text);
	dump_deinit(&dump);
}

static void add_glance(struct glance *glance, pid_t tid, const char *name, char state,
		       const char *call, const char *channel)
{
	struct glance_process *process = &glance->processes.items[glance->processes.count - 1];
	*array_append(&process->threads) = (struct glance_thread){
		.tid = tid,
		.name = strpool_add(&glance->strings, name),
		.state = state,
		.syscall = call ? 1 : -1,
		.syscall_name = strpool_add(&glance->strings, call),
		.wait_channel = strpool_add(&glance->strings, channel),
	};
}

static void a_glance_has_a_line_for_all_that_show_the_same(void **state)
{
	(void)state;
	struct glance glance;
	struct text text = {0};
	glance_init(&glance);
	render_glance(&glance, &text);
	assert_null(text.bytes);
	struct glance_process *process = array_append(&glance.processes);
	process->pid = 10;
	process->name = "p\n";
	add_glance(&glance, 13, "w", 'S', "futex", "futex_do_wait");
	add_glance(&glance, 10, "p", 'R', NULL, NULL);
	add_glance(&glance, 12, "w", 'S', "futex", "futex_do_wait");
	add_glance(&glance, 14, "w", 'S', "futex", "futex_do_wait");
	add_glance(&glance, 15, "\33[2J", 'D', "read", NULL);
	add_glance(&glance, 16, NULL, '?', NULL, NULL);
	glance.cut = true;
	render_glance(&glance, &text);
	assert_has(text.bytes, "process 10 (p\\n), 6 threads:\n");
	assert_has(text.bytes, "\n  3 asleep in futex (futex_do_wait): 12-14 \"w\"\n");
	assert_has(text.bytes, "\n  1 running: 10 \"p\"\n");
	assert_has(text.bytes, "\n  1 asleep, uninterruptible in read: 15 \"\\x1b[2J\"\n");
	assert_has(text.bytes, "\n  1 in an unknown state: 16\n");
	assert_has(text.bytes, "\nThere was no time to look at more.\n");
	text_deinit(&text);
	glance_deinit(&glance);
}

static void processes_that_show_the_same_are_one_line(void **state)
{
	(void)state;
	struct glance glance;
	struct text text = {0};
	glance_init(&glance);
	for (pid_t pid = 20; pid < 320; pid++) {
		struct glance_process *process = array_append(&glance.processes);
		process->pid = pid;
		add_glance(&glance, pid, pid == 20 ? "sh" : "sleep", 'S', "nanosleep", NULL);
	}
	render_glance(&glance, &text);
	assert_has(text.bytes, "process 20 (sh), 1 thread: asleep in nanosleep\n");
	assert_has(text.bytes,
		   "299 processes (sleep), 1 thread each: asleep in nanosleep: 21-319\n");
	text_deinit(&text);
	glance_deinit(&glance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_headline_comes_first_then_the_verdict),
		cmocka_unit_test(suspects_come_before_the_crowd),
		cmocka_unit_test(every_group_is_there_or_counted_within_any_bounds),
		cmocka_unit_test(idle_groups_can_be_left_out),
		cmocka_unit_test(a_long_stack_loses_its_outer_frames),
		cmocka_unit_test(what_could_not_be_read_is_never_passed_over),
		cmocka_unit_test(progress_is_told_of_groups_and_findings),
		cmocka_unit_test(a_verdict_is_one_line),
		cmocka_unit_test(a_glance_has_a_line_for_all_that_show_the_same),
		cmocka_unit_test(processes_that_show_the_same_are_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
