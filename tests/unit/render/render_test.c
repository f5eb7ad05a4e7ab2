/* render: the text report, byte for byte where it is fixed. */
#include "base/deadline.h"
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

static char *report(struct dump *dump, struct render_options options)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	group_threads(dump);
	render_text(dump, &options, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void assert_report(struct dump *dump, struct render_options options, const char *expected)
{
	char *text = report(dump, options);
	assert_string_equal(text, expected);
	free(text);
	dump_deinit(dump);
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

static void assert_reports(struct dump *dump, const char *part)
{
	char *text = report(dump, (struct render_options){0});
	assert_has(text, part);
	free(text);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("no %s", path);
	char *text = NULL;
	size_t capacity = 0;
	assert_true(getdelim(&text, &capacity, '\0', file) > 0);
	fclose(file);
	return text;
}

static struct process *begin(struct dump *dump)
{
	dump_init(dump);
	return make_process(dump, 10, "p");
}

static void the_bank_of_the_manual_is_shown_as_there(void **state)
{
	(void)state;
	char *expected = read_file(SRCDIR "/tests/unit/render/bank.txt");
	struct dump dump;
	dump_init(&dump);
	make_bank(&dump);
	assert_report(&dump, (struct render_options){0}, expected);
	free(expected);
}

static void goroutines_are_shown_as_go_shows_them(void **state)
{
	(void)state;
	char *expected = read_file(SRCDIR "/tests/unit/render/tracee.txt");
	struct dump dump;
	dump_init(&dump);
	make_tracee(&dump);
	assert_report(&dump, (struct render_options){0}, expected);
	free(expected);
}

static void what_go_says_of_a_goroutine_is_kept(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	dump.occasion = "panic: test timed out after 1s\33";
	struct process *process = make_process(&dump, 0, NULL);
	struct thread *goroutine = make_goroutine(&dump, process, 1, "select (no cases)");
	goroutine->goroutine->locked_to_thread = true;
	goroutine->goroutine->bubble = "synctest bubble 4";
	make_go_frame(&dump, goroutine, "main.(*T[...]).f", 0, "/src/a.go", 3)->inlined = true;
	make_go_frame(&dump, goroutine, "main.main", 0x1c, "/src/a.go", 9);
	goroutine->stack.omitted = 7;
	goroutine->stack.omitted_outer = 1;
	goroutine = make_goroutine(&dump, process, INT64_MAX, "force gc (idle)");
	goroutine->goroutine->created_by.function = "runtime.init.7";
	goroutine->stack.complete = false;
	goroutine->stack.incomplete = "cut";
	assert_report(&dump, (struct render_options){0},
		      "hangdump: a process, 2 goroutines\n"
		      "occasion: panic: test timed out after 1s\\x1b\n"
		      "\n"
		      "1 goroutine [select (no cases), locked to thread, synctest bubble 4]: 1\n"
		      "main.(*T[...]).f(...)\n"
		      "\t/src/a.go:3\n"
		      "... +7 omitted\n"
		      "main.main()\n"
		      "\t/src/a.go:9 +0x1c\n"
		      "\n"
		      "1 goroutine [force gc (idle), idle]: 9223372036854775807\n"
		      "... no stack: cut\n"
		      "created by runtime.init.7\n");
}

static void threads_and_goroutines_stand_in_one_report(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	make_thread(&dump, process, 10, "p", WAIT_EPOLL)->wait.idle = true;
	make_goroutine(&dump, process, 10, "chan receive")->goroutine->labels = "{\"a\": \"b\"}";
	make_goroutine(&dump, process, 5, "finalizer wait");
	assert_reports(&dump, "hangdump: process 10 (p), 1 thread, not stopped, 2 goroutines\n"
			      "\n1 goroutine [chan receive]: 10\n"
			      "\n1 goroutine [finalizer wait, idle]: 5\n"
			      "\n1 thread [epoll wait, idle]: 10 \"p\"\n");
	char *text = report(&dump, (struct render_options){.no_idle = true, .verbose = true});
	assert_has(text, "\n  goroutine 10: status waiting, labels {\"a\": \"b\"}\n");
	assert_has(text, "\n1 idle thread in 1 group left out.\n"
			 "\n1 idle goroutine in 1 group left out.\n");
	free(text);
	size_t groups = dump.groups.count;
	dump.groups.count = 0;
	text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	render_text(&dump, &(struct render_options){0}, to);
	fclose(to);
	assert_has(text, "\n1 thread in no group.\n\n2 goroutines in no group.\n");
	free(text);
	dump.groups.count = groups;
	dump_deinit(&dump);
}

static void a_finding_without_a_summary_gets_one(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_bank(&dump);
	dump.findings.items[0].summary = NULL;
	char *expected = read_file(SRCDIR "/tests/unit/render/bank.txt");
	assert_report(&dump, (struct render_options){0}, expected);
	free(expected);
}

static void nothing_at_all_is_said_so(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	assert_report(&dump, (struct render_options){0}, "hangdump: no process\n");
	begin(&dump);
	assert_report(&dump, (struct render_options){0},
		      "hangdump: process 10 (p), 0 threads, not stopped\n");
}

static void a_partial_dump_says_what_is_missing(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	process->frozen_us = -1;
	struct thread *thread = make_thread(&dump, process, 10, "p", WAIT_UNKNOWN);
	thread->stack.complete = false;
	thread->stack.incomplete = "it did not stop in time";
	dump_add_error(&dump, 10, 10, "registers", "the deadline passed");
	for (pid_t tid = 200; tid < 500; tid++)
		dump_add_error(&dump, 10, tid, "kernel stack", "no permission");
	dump_add_error(&dump, 10, 600, "kernel stack", "no permission");
	dump_add_error(&dump, 0, 0, "/x\33[2J", "a dead mount");
	assert_report(&dump, (struct render_options){0},
		      "hangdump: process 10 (p), 1 thread, held for an unknown time, "
		      "partial: the end says what is missing\n"
		      "\n"
		      "1 thread [unknown]: 10 \"p\"\n"
		      "... no stack: it did not stop in time\n"
		      "\n"
		      "Could not be read:\n"
		      "  /x\\x1b[2J: a dead mount\n"
		      "  kernel stack of 301 threads (200-499, 600): no permission\n"
		      "  registers of thread 10: the deadline passed\n");
}

static void different_errors_are_counted_beyond_a_screenful(void **state)
{
	(void)state;
	struct dump dump;
	begin(&dump);
	for (int i = 0; i < 50; i++)
		dump_add_error(&dump, 10, 0, "memory", "0x%04x", i);
	char *text = report(&dump, (struct render_options){0});
	assert_has(text, "  memory: 0x0013\n  and 30 more (-v says which)\n");
	free(text);
	text = report(&dump, (struct render_options){.verbose = true});
	assert_has(text, "  memory: 0x0031\n");
	assert_has_not(text, "more");
	free(text);
	dump_deinit(&dump);
}

static void every_kind_of_frame_has_its_look(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	process->frozen_us = 40;
	struct thread *thread = make_thread(&dump, process, 10, "p", WAIT_COND);
	struct frame *frame = make_frame(&dump, thread, "futex_wait", 0x5e, NULL, 0);
	frame->kind = FRAME_KERNEL;
	make_frame(&dump, thread, "poll", 0x4f, NULL, 0);
	frame = make_frame(&dump, thread, NULL, 0, NULL, 0);
	frame->pc = 0x7f0012345678;
	frame->module_offset = 0x5678;
	frame = make_frame(&dump, thread, NULL, 0, NULL, 0);
	frame->pc = 0x7f0099999999;
	frame->module = NULL;
	make_frame(&dump, thread, NULL, 0, NULL, 0)->kind = FRAME_SIGNAL;
	make_frame(&dump, thread, "inner", 0x3f, "a.c", 3)->inlined = true;
	make_frame(&dump, thread, "bank::run(int) const", 0x3f, "a.cc", 9);
	make_frame(&dump, thread, "(anonymous namespace)::f", 0x1, "a.cc", 0);
	make_frame(&dump, thread, "<dyn Fn() as T>::g", 0x2, "a.rs", 7);
	make_frame(&dump, thread, "old", 0x3, "a.c", 2)->found_by = FOUND_BY_SCAN;
	frame = make_frame(&dump, thread, NULL, 0, NULL, 0);
	frame->doubtful = true;
	frame->module = NULL;
	frame->pc = 0x10;
	thread->stack.complete = false;
	thread->stack.incomplete = "no rule for 0x10";
	thread->stack.omitted = 12;
	assert_report(&dump, (struct render_options){0},
		      "hangdump: process 10 (p), 1 thread, held for 40 us\n"
		      "\n"
		      "1 thread [cond wait]: 10 \"p\"\n"
		      "poll(...)\n"
		      "\t/bin/prog +0x4f\n"
		      "0x00007f0012345678\n"
		      "\t/bin/prog +0x5678\n"
		      "?? (0x7f0099999999, in no file)\n"
		      "<signal handler called>\n"
		      "inner(...)\n"
		      "\ta.c:3\n"
		      "bank::run(int) const\n"
		      "\ta.cc:9 +0x3f\n"
		      "(anonymous namespace)::f(...)\n"
		      "\ta.cc +0x1\n"
		      "<dyn Fn() as T>::g(...)\n"
		      "\ta.rs:7 +0x2\n"
		      "? old(...)\n"
		      "\ta.c:2 +0x3\n"
		      "? ?? (0x10, in no file)\n"
		      "... +12 omitted\n"
		      "... incomplete: no rule for 0x10\n"
		      "\n"
		      "Frames marked ? are guesses, or stand behind one.\n");
}

static bool shows_kernel(enum wait_class class, char thread_state, bool user_frames,
			 struct render_options options)
{
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 10, "p", class);
	thread->state = thread_state;
	make_frame(&dump, thread, "io_schedule", 0x46, NULL, 0)->kind = FRAME_KERNEL;
	thread->stack.frames[0].module = strpool_add(&dump.strings, "nfs");
	if (user_frames)
		make_frame(&dump, thread, "read", 0x10, NULL, 0);
	char *text = report(&dump, options);
	bool shown = strstr(text, "io_schedule(...)\n\tkernel [nfs] +0x46\n") != NULL;
	assert_int_equal(shown, strstr(text, "io_schedule") != NULL);
	if (!shown && !user_frames)
		assert_has(text, "... only kernel frames, left out\n");
	free(text);
	dump_deinit(&dump);
	return shown;
}

static void kernel_frames_are_shown_where_they_tell_something(void **state)
{
	(void)state;
	static const enum wait_class wanted[] = {WAIT_DISK, WAIT_PAGE_FAULT, WAIT_MEMORY_MAP_LOCK,
						 WAIT_EXITING, WAIT_UNKNOWN};
	const struct render_options automatic = {0}, always = {.kernel_stacks_always = true},
				    never = {.kernel_stacks_never = true};
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_true(shows_kernel(wanted[i], 'S', true, automatic));
		assert_false(shows_kernel(wanted[i], 'S', true, never));
	}
	assert_false(shows_kernel(WAIT_COND, 'S', true, automatic));
	assert_true(shows_kernel(WAIT_COND, 'D', true, automatic));
	assert_true(shows_kernel(WAIT_COND, 'S', false, automatic));
	assert_true(shows_kernel(WAIT_COND, 'S', true, always));
	assert_false(shows_kernel(WAIT_COND, 'S', false, never));
}

static void hostile_names_stay_text(void **state)
{
	(void)state;
	static const char evil[] = "\33]0;x\a\n\xff\xc2\x9b"
				   "31m\xe2\x80\xae\"'";
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, evil);
	const char *pooled = strpool_add(&dump.strings, evil);
	process->executable = pooled;
	*array_append(&process->command) = pooled;
	struct thread *thread = make_thread(&dump, process, 10, evil, WAIT_MUTEX_LOCK);
	make_resource(&dump, thread, evil, 0x10, evil);
	thread->wait.resource.detail = pooled;
	thread->wait.rule = pooled;
	thread->wait.has_syscall = true;
	thread->wait.syscall.name = pooled;
	thread->state = '\33';
	make_owner(thread, 10, 10);
	make_frame(&dump, thread, evil, 0x10, evil, 4);
	make_frame(&dump, thread, evil, 0x10, NULL, 4)->module = pooled;
	make_frame(&dump, thread, evil, 0x10, NULL, 4)->kind = FRAME_KERNEL;
	thread->stack.complete = false;
	thread->stack.incomplete = pooled;
	dump_add_error(&dump, 10, 10, evil, "%s", evil);
	struct finding *finding = make_finding(&dump, FINDING_DEADLOCK);
	finding->summary = pooled;
	make_finding_thread(finding, 10, 10);
	finding = make_finding(&dump, FINDING_NO_PROGRESS);
	*array_append(&finding->resources) = thread->wait.resource;
	struct module *module = array_append(&process->modules);
	module->path = module->build_id = pooled;
	dump.host_name = dump.kernel = dump.arch = dump.generator = pooled;
	for (int verbose = 0; verbose < 2; verbose++) {
		char *text = report(&dump, (struct render_options){.verbose = verbose,
								   .kernel_stacks_always = true});
		for (const char *at = text; *at; at++) {
			if ((unsigned char)*at >= 0x7f || (*at < ' ' && *at != '\n' && *at != '\t'))
				fail_msg("byte 0x%02x reached the stream", (unsigned char)*at);
		}
		/* Lines are ours, and a name cannot end its own quotes. */
		assert_has(text, "\n1 thread [mutex lock]: 10 \"\\x1b]0;x\\x07\\n\\xff\\x9b31m"
				 "\\u{202e}\\\"'\"\n");
		free(text);
	}
	dump_deinit(&dump);
}

static char *header_of(struct dump *dump, struct render_options options)
{
	char *text = report(dump, options);
	char *begin_of_line = strstr(text, "\n\n");
	assert_non_null(begin_of_line);
	char *line = strndup(begin_of_line + 2, strcspn(begin_of_line + 2, "\n"));
	free(text);
	return line;
}

static void assert_members(const char *const names[], const pid_t *tids, size_t count,
			   const char *expected)
{
	struct dump dump;
	struct process *process = begin(&dump);
	for (size_t i = 0; i < count; i++)
		make_thread(&dump, process, tids[i], names[i], WAIT_COND);
	char *line = header_of(&dump, (struct render_options){0});
	assert_string_equal(strchr(line, ']') + 3, expected);
	free(line);
	dump_deinit(&dump);
}

#define MEMBERS(expected, tids, ...)                                                               \
	assert_members((const char *const[]){__VA_ARGS__}, (const pid_t[]){TIDS tids},             \
		       sizeof((const pid_t[]){TIDS tids}) / sizeof(pid_t), expected)
#define TIDS(...) __VA_ARGS__

static void members_are_named_briefly_and_truly(void **state)
{
	(void)state;
	MEMBERS("11 \"io\"", (11), "io");
	MEMBERS("11, 12 \"io\"", (11, 12), "io", "io");
	MEMBERS("11-13, 15 \"io\"", (11, 12, 13, 15), "io", "io", "io", "io");
	MEMBERS("11-13 \"w-9\"..\"w-11\"", (11, 12, 13), "w-10", "w-11", "w-9");
	MEMBERS("11, 12 \"w01\"..\"w1\"", (11, 12), "w1", "w01");
	MEMBERS("11, 13 \"b\"; 12 \"a\"", (11, 12, 13), "b", "a", "b");
	MEMBERS("11, 12 \"1\"..\"2\"", (11, 12), "1", "2");
	MEMBERS("11; 12 \"x\"", (11, 12), NULL, "x");
	MEMBERS("11 \"\"", (11), "");
	MEMBERS("11, 12 \"n99999999999999999998\"..\"n99999999999999999999\"", (11, 12),
		"n99999999999999999998", "n99999999999999999999");
}

static void long_lists_of_members_are_cut_aloud(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	for (pid_t tid = 11; tid < 111; tid += 2)
		make_thread(&dump, process, tid, "w", WAIT_COND);
	char *line = header_of(&dump, (struct render_options){0});
	assert_string_equal(line, "50 threads [cond wait]: 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, "
				  "31, 33 and 38 more \"w\"");
	free(line);
	line = header_of(&dump, (struct render_options){.verbose = true});
	assert_has(line, ", 107, 109 \"w\"");
	free(line);
	dump_deinit(&dump);

	process = begin(&dump);
	char name[] = "a.";
	for (pid_t tid = 11; tid < 31; tid++) {
		name[0] = (char)('a' + tid - 11);
		make_thread(&dump, process, tid, name, WAIT_COND);
	}
	line = header_of(&dump, (struct render_options){0});
	assert_string_equal(line,
			    "20 threads [cond wait]: 11 \"a.\"; 12 \"b.\"; 13 \"c.\"; "
			    "14 \"d.\"; 15 \"e.\"; 16 \"f.\"; 17 \"g.\"; 18 \"h.\" and 12 more");
	free(line);
	dump_deinit(&dump);
}

static void assert_bracket(int64_t since_a, int64_t since_b, int64_t timeout_a, int64_t timeout_b,
			   const char *expected)
{
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 11, "a", WAIT_SLEEP);
	thread->wait.since_ms = since_a;
	thread->wait.timeout_ms = timeout_a;
	thread = make_thread(&dump, process, 12, "a", WAIT_SLEEP);
	thread->wait.since_ms = since_b;
	thread->wait.timeout_ms = timeout_b;
	char *line = header_of(&dump, (struct render_options){0});
	strchr(line, ']')[1] = '\0';
	assert_string_equal(line, expected);
	free(line);
	dump_deinit(&dump);
}

static void times_are_written_as_go_writes_them(void **state)
{
	(void)state;
	assert_bracket(-1, -1, -1, -1, "2 threads [sleep]");
	assert_bracket(59999, 100, -1, -1, "2 threads [sleep]");
	assert_bracket(60000, 119999, -1, -1, "2 threads [sleep, 1 minute]");
	assert_bracket(540000, 300000, -1, -1, "2 threads [sleep, 5-9 minutes]");
	assert_bracket(540000, 10, -1, -1, "2 threads [sleep, up to 9 minutes]");
	assert_bracket(-1, 540000, -1, -1, "2 threads [sleep, 9 minutes]");
	assert_bracket(-1, -1, 12000, 12000, "2 threads [sleep, end in 12 s]");
	assert_bracket(-1, -1, 800, 12000, "2 threads [sleep, end in 800 ms to 12 s]");
	assert_bracket(-1, -1, -1, 0, "2 threads [sleep, 1 of them ends in 0 ms]");
	assert_bracket(120000, 120000, 5000, 5000, "2 threads [sleep, 2 minutes, end in 5000 ms]");
}

static void what_is_only_likely_says_so(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	make_thread(&dump, process, 11, "a", WAIT_COND);
	make_thread(&dump, process, 12, "a", WAIT_COND)->wait.confidence = CONFIDENCE_LIKELY;
	struct finding *finding = make_finding(&dump, FINDING_LOST_WAKEUP);
	finding->confidence = CONFIDENCE_LIKELY;
	make_finding_thread(finding, 10, 11);
	char *text = report(&dump, (struct render_options){0});
	assert_has(text, "\nLOST WAKE-UP (likely): 1 thread should have been woken");
	assert_has(text, "\n  thread 11 (a) waits on a condition\n");
	assert_has(text, "\n2 threads [cond wait (likely)]: 11, 12 \"a\"\n");
	free(text);
	dump_deinit(&dump);
}

static void no_verdict_is_given_without_a_finding(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	make_thread(&dump, process, 11, "a", WAIT_COND);
	assert_report(&dump, (struct render_options){0},
		      "hangdump: process 10 (p), 1 thread, not stopped\n"
		      "\n"
		      "1 thread [cond wait]: 11 \"a\"\n");
}

static void what_is_waited_for_is_described(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 11, "a", WAIT_PIPE_READ);
	make_resource(&dump, thread, "pipe", 0, "pipe:[77]");
	thread->wait.resource.fd = 5;
	make_owner(thread, 20, 0);
	make_owner(thread, 20, 21);
	make_owner(thread, 10, 99);
	thread = make_thread(&dump, process, 12, "a", WAIT_SOCKET_READ);
	make_resource(&dump, thread, "tcp socket", 0, NULL);
	thread->wait.resource.fd = 7;
	thread->wait.resource.detail = strpool_add(&dump.strings, "1.2.3.4:5 to 6.7.8.9:10");
	thread = make_thread(&dump, process, 13, "a", WAIT_FUTEX);
	make_resource(&dump, thread, "futex", 0x7f00, NULL);
	thread = make_thread(&dump, process, 18, "a", WAIT_SOCKET_READ);
	make_resource(&dump, thread, "unix socket", 0, NULL);
	thread->wait.resource.fd = 9;
	thread->wait.resource.identity = "socket:[8]";
	thread = make_thread(&dump, process, 14, "a", WAIT_JOIN);
	make_owner(thread, 10, 13);
	thread = make_thread(&dump, process, 15, "a", WAIT_SYSTEM_CALL);
	thread->wait.has_syscall = true;
	thread->wait.syscall.number = 16;
	thread->wait.syscall.name = "ioctl";
	for (pid_t tid = 16; tid < 18; tid++) {
		thread = make_thread(&dump, process, tid, "a", WAIT_SEMAPHORE);
		make_resource(&dump, thread, "semaphore", 0x10, "s");
		thread->wait.resource.detail = tid == 16 ? "value 0" : "value 1";
		for (pid_t owner = 11; tid < 18 && owner < 18; owner++)
			make_owner(thread, 10, owner);
	}
	char *text = report(&dump, (struct render_options){0});
	assert_has(text, "\non pipe:[77] fd 5, written by process 20 (not in this dump), "
			 "thread 21 of process 20 (not in this dump) and "
			 "thread 99 (not in this dump), maybe others\n");
	assert_has(text, "\non tcp socket fd 7 (1.2.3.4:5 to 6.7.8.9:10)\n");
	assert_has(text, "\non futex 0x7f00\n");
	assert_has(text, "\non unix socket:[8] fd 9\n");
	assert_has(text, "\nuntil the end of thread 13 (a)\n");
	assert_has(text, "\n1 thread [system call ioctl]: 15");
	assert_has(text,
		   "\non semaphore s at 0x10 (details differ), to be posted by thread 11 (a), "
		   "thread 12 (a), thread 13 (a), thread 14 (a) and 3 more\n");
	free(text);
	dump_deinit(&dump);
}

static void idle_groups_can_be_left_out_but_are_counted(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_bank(&dump);
	char *text = report(&dump, (struct render_options){.no_idle = true});
	assert_has(text, "hangdump: process 4242 (bank), 14 threads,");
	assert_has_not(text, "acceptor");
	assert_has(text, "\n\n1 idle thread in 1 group left out.\n");
	free(text);
	dump_deinit(&dump);
}

static void a_tree_has_a_section_for_each_process(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	for (pid_t pid = 10; pid <= 30; pid += 10) {
		char name[8];
		snprintf(name, sizeof(name), "p%d", pid);
		struct process *process = make_process(&dump, pid, name);
		/* An empty word counts, but for those that a title leaves at the end. */
		*array_append(&process->command) = strpool_add(&dump.strings, "");
		*array_append(&process->command) = strpool_add(&dump.strings, "it's");
		*array_append(&process->command) = "";
		if (pid == 30)
			break; /* no thread of it could be read */
		struct thread *thread = make_thread(&dump, process, pid, name,
						    pid == 20 ? WAIT_PIPE_WRITE : WAIT_CHILD);
		make_owner(thread, 30 - pid, 0);
	}
	dump_add_error(&dump, 30, 0, "status", "it ended");
	struct finding *finding = make_finding(&dump, FINDING_DEADLOCK);
	make_finding_thread(finding, 10, 10);
	make_finding_thread(finding, 20, 20);
	assert_report(
		&dump, (struct render_options){0},
		"hangdump: 3 processes, 2 threads, partial: the end says what is missing\n"
		"\n"
		"DEADLOCK: 2 threads wait for each other\n"
		"  process 10 (p10) waits for a child process, until the end of "
		"process 20 (p20)\n"
		"  process 20 (p20) writes to a pipe, read by process 10 (p10), maybe others\n"
		"\n"
		"process 20 (p20), 1 thread, not stopped\n"
		"command: '' 'it'\\''s'\n"
		"\n"
		"1 thread [pipe write]: 20 \"p20\"\n"
		"read by process 10 (p10), maybe others\n"
		"\n"
		"process 10 (p10), 1 thread, not stopped\n"
		"command: '' 'it'\\''s'\n"
		"\n"
		"1 thread [child wait]: 10 \"p10\"\n"
		"until the end of process 20 (p20)\n"
		"\n"
		"process 30 (p30), 0 threads, not stopped, partial: the end says what is missing\n"
		"command: '' 'it'\\''s'\n"
		"\n"
		"Could not be read:\n"
		"  process 30: status: it ended\n");
}

static void those_behind_and_the_doubts_are_told(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 11, "a", WAIT_MUTEX_LOCK);
	make_owner(thread, 10, 11);
	struct finding *finding = make_finding(&dump, FINDING_SELF_DEADLOCK);
	make_finding_thread(finding, 10, 11);
	finding->behind = 3;
	finding->doubts = FINDING_DOUBT_TIMEOUT | FINDING_DOUBT_SIGNAL;
	assert_reports(&dump, "SELF-DEADLOCK: 1 thread waits for what it holds itself\n"
			      "  thread 11 (a) waits for a mutex, held by thread 11\n"
			      "  3 more threads wait behind it.\n\n");
	dump.findings.items[0].confidence = CONFIDENCE_LIKELY;
	dump.findings.items[0].behind = 1;
	assert_reports(&dump, "SELF-DEADLOCK (likely): 1 thread waits for what it holds itself\n"
			      "  thread 11 (a) waits for a mutex, held by thread 11\n"
			      "  1 more thread waits behind it.\n"
			      "  Not certain: a wait ends by itself; a signal handler may end a "
			      "wait.\n\n");
	dump_deinit(&dump);
}

static void owners_are_told_as_far_as_they_are_known(void **state)
{
	(void)state;
	static const struct {
		enum owner_state state;
		pid_t owner;
		enum confidence confidence;
		const char *line;
	} rows[] = {
		{OWNER_NOBODY, 0, CONFIDENCE_CERTAIN, "on mutex m at 0x10\n"},
		{OWNER_ALIVE, 12, CONFIDENCE_CERTAIN,
		 "on mutex m at 0x10, held by thread 12 (b)\n"},
		{OWNER_ALIVE, 12, CONFIDENCE_LIKELY,
		 "on mutex m at 0x10, likely held by thread 12 (b)\n"},
		{OWNER_EXITED, 99, CONFIDENCE_CERTAIN,
		 "on mutex m at 0x10, held by thread 99, which has exited\n"},
		{OWNER_LEFT_BY_FORK, 12, CONFIDENCE_CERTAIN,
		 "on mutex m at 0x10, held by thread 12 (b), whose lock this is a copy of, made by "
		 "fork\n"},
		{OWNER_NOT_RECORDED, 0, CONFIDENCE_CERTAIN,
		 "on mutex m at 0x10, owner not recorded\n"},
		{OWNER_READERS, 0, CONFIDENCE_CERTAIN,
		 "on mutex m at 0x10, held by readers, who are not recorded\n"},
		{OWNER_UNREADABLE, 0, CONFIDENCE_CERTAIN,
		 "on mutex m at 0x10, owner not readable\n"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dump dump;
		struct process *process = begin(&dump);
		struct thread *thread = make_thread(&dump, process, 11, "a", WAIT_MUTEX_LOCK);
		make_resource(&dump, thread, "mutex", 0x10, "m");
		if (rows[i].owner)
			make_owner(thread, 10, rows[i].owner);
		thread->wait.owner_state = rows[i].state;
		thread->wait.owner_confidence = rows[i].confidence;
		make_thread(&dump, process, 12, "b", WAIT_SLEEP);
		assert_reports(&dump, rows[i].line);
		dump_deinit(&dump);
	}
}

static void an_owner_that_was_not_dumped_is_named(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 11, "a", WAIT_CHILD);
	make_owner(thread, 77, 0);
	struct neighbour *neighbour = array_append(&dump.neighbours);
	neighbour->id = (struct thread_id){77, 0};
	neighbour->name = strpool_add(&dump.strings, "cc1\n");
	neighbour->state = 'S';
	struct finding *finding = make_finding(&dump, FINDING_BLOCKED_CHAIN);
	make_finding_thread(finding, 77, 0);
	make_finding_thread(finding, 10, 11);
	render_describe_findings(&dump);
	assert_reports(&dump,
		       "BLOCKED CHAIN: 1 thread waits, directly or through others, for process 77 "
		       "(cc1\\n), which sleeps, and was not dumped\n"
		       "  process 77 (cc1\\n) sleeps, and was not dumped\n"
		       "  thread 11 (a) waits for a child process, until the end of process 77\n");
	dump_deinit(&dump);
}

static void evidence_says_what_a_finding_rests_on(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 11, "a", WAIT_MUTEX_LOCK);
	thread->steady = true;
	thread->wait.since_ms = 61234;
	thread->wait.has_syscall = true;
	thread->wait.syscall = (struct syscall_fact){.number = 202, .name = "futex"};
	make_resource(&dump, thread, "mutex", 0x10, "m");
	make_owner(thread, 10, 11);
	thread = make_thread(&dump, process, 12, "b", WAIT_RUNNING);
	make_frame(&dump, thread, "spin", 1, NULL, 0);
	thread->look_ns = 200000000;
	thread->look_cpu_ns = 150000000;
	thread->look_delay_ns = 40000000;
	struct finding *finding = make_finding(&dump, FINDING_SELF_DEADLOCK);
	make_finding_thread(finding, 10, 11);
	finding = make_finding(&dump, FINDING_SPINNING);
	make_finding_thread(finding, 10, 12);
	render_describe_findings(&dump);
	assert_string_equal(
		dump.findings.items[0].evidence.items[0],
		"thread 11 (a) of process 10 (p): mutex lock in futex, asleep from the "
		"first look to the last, since 61.2 s; mutex m at 0x10, held by thread 11 "
		"(a) of process 10 (p), as memory says");
	assert_string_equal(
		dump.findings.items[1].evidence.items[0],
		"thread 12 (b) of process 10 (p): ran for 0.1 s and waited for a CPU for "
		"0.0 s of the 0.2 s between two looks, which both met it in spin");
	dump_deinit(&dump);
}

static void colours_only_when_asked_and_always_reset(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_bank(&dump);
	char *plain = report(&dump, (struct render_options){0});
	char *colored = report(&dump, (struct render_options){.color = true});
	assert_null(strchr(plain, '\33'));
	assert_has(colored, "\33[1mhangdump: process 4242 (bank)");
	assert_has(colored, "10 threads [\33[31mmutex lock\33[0m, 5 minutes]");
	assert_has(colored, "\t\33[2mlowlevellock.c:49 +0x30\33[0m\n");
	/* Without its sequences it is the plain report; each line resets what it set. */
	char *to = colored;
	bool on = false;
	for (const char *at = colored; *at; at++) {
		if (*at == '\33') {
			on = strncmp(at, "\33[0m", 4) != 0;
			at = strchr(at, 'm');
			continue;
		}
		if (*at == '\n')
			assert_false(on);
		*to++ = *at;
	}
	*to = '\0';
	assert_string_equal(colored, plain);
	free(plain);
	free(colored);
	dump_deinit(&dump);
}

static void verbose_adds_facts_and_changes_none(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_bank(&dump);
	struct process *process = &dump.processes.items[0];
	struct thread *thread = &process->threads.items[1];
	thread->cpu_user_ns = 12000000;
	thread->cpu_system_ns = 3000000;
	thread->switches_voluntary = 4;
	thread->switches_involuntary = 5;
	thread->own_stops = 1;
	thread->steady = true;
	thread->wait.rule = "pthread_mutex_lock";
	thread->wait.has_syscall = true;
	thread->wait.syscall =
		(struct syscall_fact){.number = 202, .name = "futex", .argument_count = 2};
	thread->wait.syscall.arguments[0] = 0x5581c0de40e8;
	struct module *module = array_append(&process->modules);
	module->path = "/bin/bank";
	module->build_id = "abcd";
	module->start = 0x1000;
	module->end = 0x2000;
	dump.taken_at_ns = 1700000000123456789;
	dump.host_name = "h";
	dump.kernel = "6.1";
	dump.arch = "x86_64";
	char *text = report(&dump, (struct render_options){.verbose = true});
	assert_has(text, "\ntaken: 2023-11-14 22:13:20 UTC\nhost: h, 6.1 x86_64\n\nDEADLOCK");
	assert_has(text, "\n  thread 4243: state S, for 301000 ms, cpu 12 ms user 3 ms system, "
			 "switches 4 voluntary 5 involuntary (1 by hangdump), "
			 "futex(0x5581c0de40e8, 0x0), did not move, rule pthread_mutex_lock\n");
	assert_has(text, "\n\tlowlevellock.c:49 +0x30 pc=0x");
	assert_has(text, " by registers\n");
	assert_has(text, " by cfi\n");
	assert_has(text, "\nModules of process 4242:\n  0x1000-0x2000 /bin/bank build id abcd\n");
	free(text);
	dump_deinit(&dump);
}

static void a_long_command_line_is_cut_aloud(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	for (int i = 0; i < 1000; i++)
		*array_append(&process->command) = "argument";
	char *text = report(&dump, (struct render_options){0});
	assert_has(text, " argument ... and 6000 more bytes\n");
	free(text);
	text = report(&dump, (struct render_options){.verbose = true});
	assert_has_not(text, "more bytes");
	free(text);
	dump_deinit(&dump);

	process = begin(&dump);
	char *script = malloc(100001);
	memset(script, ';', 100000);
	script[100000] = '\0';
	*array_append(&process->command) = script;
	text = report(&dump, (struct render_options){0});
	assert_has(text, "\ncommand: ';;;");
	assert_has(text, ";;;' ... and 98000 more bytes\n");
	free(text);
	free(script);
	dump_deinit(&dump);
}

static void a_chain_says_what_its_root_waits_for(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	struct thread *thread = make_thread(&dump, process, 11, "io\33", WAIT_SOCKET_READ);
	make_resource(&dump, thread, "tcp socket", 0, NULL);
	thread->wait.resource.fd = 7;
	thread->wait.resource.identity = "socket:[99]";
	thread->wait.resource.detail = "to 1.2.3.4:5";
	for (pid_t tid = 12; tid < 14; tid++)
		make_owner(make_thread(&dump, process, tid, "w", WAIT_MUTEX_LOCK), 10, tid - 1);
	struct finding *finding = make_finding(&dump, FINDING_BLOCKED_CHAIN);
	for (pid_t tid = 11; tid < 14; tid++)
		make_finding_thread(finding, 10, tid);
	render_describe_findings(&dump);
	const char *summary = finding->summary;
	assert_string_equal(summary, "2 threads wait, directly or through others, for thread 11 "
				     "(io\\x1b), which reads from tcp socket:[99] fd 7 "
				     "(to 1.2.3.4:5)");
	char *text = report(&dump, (struct render_options){0});
	assert_has(text,
		   "BLOCKED CHAIN: 2 threads wait, directly or through others, for thread 11 ");
	assert_has(text, "\n  thread 13 (w) waits for a mutex, held by thread 12\n");
	free(text);
	dump_deinit(&dump);
}

static void threads_in_no_group_are_counted(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	make_thread(&dump, process, 11, "a", WAIT_COND);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	render_text(&dump, &(struct render_options){0}, to);
	fclose(to);
	assert_has(text, "\n\n1 thread in no group.\n");
	free(text);
	dump_deinit(&dump);
}

static void every_finding_and_class_has_words(void **state)
{
	(void)state;
	struct dump dump;
	struct process *process = begin(&dump);
	for (int class = 0; class < WAIT_CLASSES; class ++) {
		struct thread *thread =
			make_thread(&dump, process, 100 + class, "a", (enum wait_class) class);
		make_owner(thread, 10, 100 + class);
		if (class % 2)
			make_resource(&dump, thread, "thing", 0x10, NULL);
	}
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		struct finding *finding = make_finding(&dump, (enum finding_kind)kind);
		for (int class = 0; kind == 0 && class < WAIT_CLASSES; class ++)
			make_finding_thread(finding, 10, 100 + class);
	}
	render_describe_findings(&dump);
	array_for_each (&dump.findings, finding)
		assert_true(strlen(finding->summary) > 10);
	char *text = report(&dump, (struct render_options){.verbose = true});
	assert_has_not(text, "(null)");
	free(text);
	dump_deinit(&dump);
}

static uint64_t time_crowd(size_t threads, size_t kinds)
{
	struct dump dump;
	dump_init(&dump);
	make_crowd(&dump, threads, 30, kinds);
	uint64_t begin_ns = monotonic_ns();
	char *text = report(&dump, (struct render_options){0});
	uint64_t took = monotonic_ns() - begin_ns;
	print_message("%zu threads of 30 frames in %zu groups: %.2f ms, %zu bytes\n", threads,
		      kinds, (double)took / 1e6, strlen(text));
	if (kinds == 1)
		assert_has(text, "\n10000 threads [mutex lock]: 1000-10999 \"crowd\"\n");
	free(text);
	dump_deinit(&dump);
	return took;
}

static void a_crowd_takes_no_longer_than_its_size(void **state)
{
	(void)state;
	assert_true(time_crowd(10000, 1) < 10000000000u);
	assert_true(time_crowd(10000, 10000) < 10000000000u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bank_of_the_manual_is_shown_as_there),
		cmocka_unit_test(goroutines_are_shown_as_go_shows_them),
		cmocka_unit_test(what_go_says_of_a_goroutine_is_kept),
		cmocka_unit_test(threads_and_goroutines_stand_in_one_report),
		cmocka_unit_test(a_finding_without_a_summary_gets_one),
		cmocka_unit_test(nothing_at_all_is_said_so),
		cmocka_unit_test(a_partial_dump_says_what_is_missing),
		cmocka_unit_test(different_errors_are_counted_beyond_a_screenful),
		cmocka_unit_test(every_kind_of_frame_has_its_look),
		cmocka_unit_test(kernel_frames_are_shown_where_they_tell_something),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(members_are_named_briefly_and_truly),
		cmocka_unit_test(long_lists_of_members_are_cut_aloud),
		cmocka_unit_test(times_are_written_as_go_writes_them),
		cmocka_unit_test(what_is_only_likely_says_so),
		cmocka_unit_test(no_verdict_is_given_without_a_finding),
		cmocka_unit_test(what_is_waited_for_is_described),
		cmocka_unit_test(idle_groups_can_be_left_out_but_are_counted),
		cmocka_unit_test(a_tree_has_a_section_for_each_process),
		cmocka_unit_test(those_behind_and_the_doubts_are_told),
		cmocka_unit_test(owners_are_told_as_far_as_they_are_known),
		cmocka_unit_test(an_owner_that_was_not_dumped_is_named),
		cmocka_unit_test(evidence_says_what_a_finding_rests_on),
		cmocka_unit_test(colours_only_when_asked_and_always_reset),
		cmocka_unit_test(verbose_adds_facts_and_changes_none),
		cmocka_unit_test(a_long_command_line_is_cut_aloud),
		cmocka_unit_test(a_chain_says_what_its_root_waits_for),
		cmocka_unit_test(threads_in_no_group_are_counted),
		cmocka_unit_test(every_finding_and_class_has_words),
		cmocka_unit_test(a_crowd_takes_no_longer_than_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
