/* parse: our own reports, out of logs and cut short. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "group/group.h"
#include "lib/make_dump.h"
#include "parse/parse.h"
#include "render/render.h"
#include "unit/parse/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void read_text(const char *text, struct dump *dump)
{
	if (!parse_exactly(parse_report, text, strlen(text), dump))
		fail_msg("not read: %.200s", text);
}

static void assert_same(const char *text, const char *log)
{
	struct dump dump;
	read_text(log, &dump);
	_cleanup_free_ char *report = report_of(&dump);
	assert_string_equal(report, text);
	dump_deinit(&dump);
}

/* A bit of everything that a report without -v can say. */
static void make_zoo(struct dump *dump)
{
	dump_init(dump);
	dump->occasion = "time limit of 10 s passed";
	struct process *zoo = make_process(dump, 42, "zoo (a), b");
	*array_append(&zoo->command) = "./zoo";
	*array_append(&zoo->command) = "it's here";
	*array_append(&zoo->command) = "";
	*array_append(&zoo->command) = "-x";
	zoo->frozen_us = 999;
	struct thread *thread = make_thread(dump, zoo, 42, "zoo", WAIT_CHILD);
	make_resource(dump, thread, "child process", 0, NULL);
	make_owner(thread, 77, 0);
	thread->wait.since_ms = 60000;
	thread->wait.timeout_ms = 12000;
	make_frame(dump, thread, "wait4(int, (anonymous namespace)::T)", 0x57, "wait4.c", 30);
	make_frame(dump, thread, "ns::inlined<int (*)()>", 0, "zoo.cc", 7)->inlined = true;
	make_frame(dump, thread, "main", 0x1234, "zoo.cc", 9)->doubtful = true;
	make_frame(dump, thread, NULL, 0, NULL, 0);
	make_frame(dump, thread, "in_library", 0x3, NULL, 0)->module = "/lib/my lib.so";
	make_frame(dump, thread, "_start", 0x21, "start.S", 115);
	thread->stack.frames[3].function = NULL;
	thread = make_thread(dump, zoo, 43, "worker-7", WAIT_PIPE_READ);
	make_resource(dump, thread, "pipe", 0, NULL);
	thread->wait.resource.identity = "pipe:[1234]";
	thread->wait.resource.fd = 5;
	thread->wait.resource.detail = "3 bytes (of 65536) to read";
	make_owner(thread, 77, 78);
	make_owner(thread, 42, 42);
	thread->wait.owner_confidence = CONFIDENCE_LIKELY;
	thread->wait.confidence = CONFIDENCE_LIKELY;
	thread->wait.reach = REACH_OWNERS;
	make_frame(dump, thread, "read", 0x10, "read.c", 26);
	make_frame(dump, thread, NULL, 0, NULL, 0)->kind = FRAME_SIGNAL;
	make_frame(dump, thread, "start_thread", 0x10, "pthread_create.c", 442);
	thread->stack.omitted = 8;
	for (pid_t tid = 50; tid < 53; tid++) {
		char name[16];
		snprintf(name, sizeof(name), "idler-%d", tid);
		thread = make_thread(dump, zoo, tid, name, WAIT_EPOLL);
		thread->wait.idle = true;
		thread->wait.since_ms = 60000 * (tid - 49);
		make_frame(dump, thread, "epoll_wait", 0x57, "epoll_wait.c", 30);
		thread->stack.complete = false;
		thread->stack.incomplete = "no rule for 0x1234: not an ELF file";
	}
	thread = make_thread(dump, zoo, 60, "a \"quoted\" name", WAIT_SYSTEM_CALL);
	thread->wait.has_syscall = true;
	thread->wait.syscall.name = "fsync";
	thread->wait.syscall.number = 74;
	thread->stack.complete = false;
	thread->stack.incomplete = "no permission";
	thread = make_thread(dump, zoo, 61, "lost", WAIT_MUTEX_LOCK);
	make_resource(dump, thread, "mutex", 0xffff5581c0de40e8, NULL);
	thread->wait.owner_state = OWNER_EXITED;
	make_frame(dump, thread, "lock", 1, "lock.c", 2);
	make_frame(dump, thread, "clone3", 0x2c, "clone3.S", 81);
	thread = make_thread(dump, zoo, 62, "dio", WAIT_DISK);
	struct frame *frame = make_frame(dump, thread, "folio_wait", 0x99, NULL, 0);
	frame->kind = FRAME_KERNEL;
	frame->module = "ext4";
	frame->pc = 0;
	make_frame(dump, thread, "clone3", 0x2c, "clone3.S", 81);
	struct thread *goroutine = make_goroutine(dump, zoo, 7, "chan receive");
	goroutine->goroutine->locked_to_thread = true;
	make_go_frame(dump, goroutine, "main.(*T).f", 0, "/src/a.go", 3)->inlined = true;
	make_go_frame(dump, goroutine, "main.main", 0x1c, "/src/a.go", 9);
	goroutine->goroutine->created_by = (struct creator){"main.start", "/src/a.go", 30, 0x9c, 1};
	struct finding *finding = make_finding(dump, FINDING_BLOCKED_CHAIN);
	finding->confidence = CONFIDENCE_LIKELY;
	finding->doubts = FINDING_DOUBT_TIMEOUT | FINDING_DOUBT_OWNER;
	finding->behind = 1;
	make_finding_thread(finding, 77, 78);
	make_finding_thread(finding, 42, 43);
	finding = make_finding(dump, FINDING_OWNER_EXITED);
	make_finding_thread(finding, 42, 61);
	dump_add_error(dump, 42, 60, "stack", "no permission: a filter");
	dump_add_error(dump, 42, 0, "memory map", "it is gone");
	dump_add_error(dump, 0, 0, "host name", "odd");
	group_threads(dump);
	render_describe_findings(dump);
}

static void a_report_that_is_read_and_shown_again_is_the_same(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_bank(&dump);
	make_frame(&dump, &dump.processes.items[0].threads.items[13], "start_thread", 0x2f2,
		   "pthread_create.c", 442);
	group_threads(&dump);
	_cleanup_free_ char *bank = report_of(&dump);
	dump_deinit(&dump);
	assert_same(bank, bank);
	make_zoo(&dump);
	_cleanup_free_ char *zoo = report_of(&dump);
	dump_deinit(&dump);
	read_text(zoo, &dump);
	_cleanup_free_ char *again = report_of(&dump);
	/* Numbers in names, and which member has waited how long, a text does not tell. */
	char *names = strstr(zoo, "\"idler-50\"..\"idler-52\"");
	assert_non_null(names);
	assert_non_null(strstr(again, "\"idler-*\""));
	const char *after = strstr(again, "\"idler-*\"") + strlen("\"idler-*\"");
	names[0] = '\0';
	again[strlen(zoo)] = '\0';
	assert_string_equal(again, zoo);
	const char *rest = names + strlen("\"idler-50\"..\"idler-52\"");
	assert_string_equal(after, rest);
	dump_deinit(&dump);
}

static const struct thread *find(const struct dump *dump, pid_t tid)
{
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread) {
			if (thread->tid == tid)
				return thread;
		}
	}
	fail_msg("no thread %d", tid);
	return NULL;
}

static void facts_of_a_report_are_facts_again(void **state)
{
	(void)state;
	struct dump dump;
	make_zoo(&dump);
	_cleanup_free_ char *text = report_of(&dump);
	dump_deinit(&dump);
	read_text(text, &dump);
	const struct process *process = &dump.processes.items[0];
	assert_int_equal(process->pid, 42);
	assert_string_equal(process->name, "zoo (a), b");
	assert_int_equal(process->command.count, 4);
	assert_string_equal(process->command.items[1], "it's here");
	assert_string_equal(process->command.items[2], "");
	assert_int_equal(process->frozen_us, 999);
	assert_int_equal(process->threads.count, 8);
	assert_int_equal(process->goroutines.count, 1);
	assert_string_equal(dump.occasion, "time limit of 10 s passed");
	/* What a text does not have is not known. */
	assert_int_equal(process->start_time, 0);
	assert_int_equal(process->ppid, -1);
	assert_int_equal(process->running_ms, -1);
	const struct thread *thread = find(&dump, 42);
	assert_int_equal(thread->cpu_total_ns, -1);
	assert_int_equal(thread->switches_voluntary, -1);
	assert_int_equal(thread->state, 0);
	assert_int_equal(thread->wait.since_ms, 60000);
	assert_int_equal(thread->wait.timeout_ms, 12000);
	assert_int_equal(thread->wait.owners.items[0].pid, 77);
	assert_int_equal(thread->wait.owners.items[0].tid, 0);
	assert_string_equal(thread->wait.resource.kind, "child process");
	const struct frame *frames = thread->stack.frames;
	assert_int_equal(thread->stack.count, 6);
	assert_string_equal(frames[0].function, "wait4(int, (anonymous namespace)::T)");
	assert_int_equal(frames[0].offset, 0x57);
	assert_int_equal(frames[0].line, 30);
	assert_int_equal(frames[0].pc, 0);
	assert_int_equal(frames[0].found_by, FOUND_BY_UNKNOWN);
	assert_true(frames[1].inlined);
	assert_true(frames[2].doubtful);
	assert_null(frames[3].function);
	assert_true(frames[3].pc != 0);
	assert_string_equal(frames[4].module, "/lib/my lib.so");
	assert_null(frames[4].file);
	assert_true(thread->stack.complete);
	thread = find(&dump, 43);
	assert_string_equal(thread->name, "worker-7");
	assert_int_equal(thread->wait.confidence, CONFIDENCE_LIKELY);
	assert_int_equal(thread->wait.owner_confidence, CONFIDENCE_LIKELY);
	assert_int_equal(thread->wait.owners.count, 2);
	assert_int_equal(thread->wait.owners.items[1].tid, 42);
	assert_int_equal(thread->wait.resource.fd, 5);
	assert_string_equal(thread->wait.resource.kind, "pipe");
	assert_string_equal(thread->wait.resource.identity, "pipe:[1234]");
	assert_string_equal(thread->wait.resource.detail, "3 bytes (of 65536) to read");
	assert_int_equal(thread->stack.frames[1].kind, FRAME_SIGNAL);
	assert_int_equal(thread->stack.omitted, 8);
	assert_string_equal(find(&dump, 50)->stack.incomplete,
			    "no rule for 0x1234: not an ELF file");
	assert_true(find(&dump, 50)->wait.idle);
	assert_string_equal(find(&dump, 60)->name, "a \"quoted\" name");
	assert_int_equal(find(&dump, 60)->wait.syscall.number, 74);
	assert_true(find(&dump, 61)->wait.resource.address == 0xffff5581c0de40e8);
	assert_int_equal(find(&dump, 61)->wait.owner_state, OWNER_EXITED);
	assert_int_equal(find(&dump, 62)->stack.frames[0].kind, FRAME_KERNEL);
	assert_string_equal(find(&dump, 62)->stack.frames[0].module, "ext4");
	const struct thread *goroutine = &process->goroutines.items[0];
	assert_int_equal(goroutine->goroutine->goid, 7);
	assert_int_equal(goroutine->goroutine->created_by.goid, 1);
	assert_true(goroutine->goroutine->locked_to_thread);
	assert_int_equal(goroutine->stack.frames[1].kind, FRAME_GO);
	assert_int_equal(dump.findings.count, 2);
	const struct finding *finding = &dump.findings.items[0];
	assert_int_equal(finding->kind, FINDING_BLOCKED_CHAIN);
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->doubts, FINDING_DOUBT_TIMEOUT | FINDING_DOUBT_OWNER);
	assert_int_equal(finding->behind, 1);
	assert_int_equal(finding->threads.count, 2);
	assert_int_equal(finding->threads.items[0].pid, 77);
	assert_int_equal(finding->threads.items[0].tid, 78);
	assert_int_equal(finding->threads.items[1].pid, 42);
	assert_int_equal(dump.errors.count, 3);
	dump_deinit(&dump);
}

static void what_logs_add_does_not_count(void **state)
{
	(void)state;
	struct dump dump;
	make_zoo(&dump);
	_cleanup_free_ char *text = report_of(&dump);
	dump_deinit(&dump);
	read_text(text, &dump);
	_cleanup_free_ char *expected = report_of(&dump);
	dump_deinit(&dump);
	for (int how = 0; how < LOGS; how++) {
		_cleanup_free_ char *log = text_in_log(text, how);
		read_text(log, &dump);
		_cleanup_free_ char *report = report_of(&dump);
		if (strcmp(report, expected) != 0)
			fail_msg("%s:\n%s", log_names[how], report);
		dump_deinit(&dump);
	}
}

static char *changed(const char *text, const char *first, const char *others, const char *end)
{
	struct text log = {0};
	for (const char *line = text; *line; line = strchrnul(line, '\n') + 1) {
		text_add(&log, line == text ? first : others);
		text_add_n(&log, line, strcspn(line, "\n"));
		text_add(&log, end);
	}
	return text_steal(&log);
}

/* An assertion's message begins behind words of its own. */
static void a_report_in_a_message_is_whole(void **state)
{
	static const char *const ways[][2] = {{"E       AssertionError: ", "E         "},
					      {"    a_test.go:4: ", "        "}};
	(void)state;
	struct dump dump;
	make_zoo(&dump);
	_cleanup_free_ char *text = report_of(&dump);
	dump_deinit(&dump);
	read_text(text, &dump);
	_cleanup_free_ char *expected = report_of(&dump);
	dump_deinit(&dump);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_free_ char *log = changed(text, ways[i][0], ways[i][1], "\n");
		read_text(log, &dump);
		_cleanup_free_ char *report = report_of(&dump);
		if (strcmp(report, expected) != 0)
			fail_msg("behind '%s':\n%s", ways[i][0], report);
		dump_deinit(&dump);
	}
}

/* The thread in this place of a text that has one process. */
static const struct thread *read_thread(const char *text, size_t i, struct dump *ret)
{
	read_text(text, ret);
	assert_true(ret->processes.count == 1 && i < ret->processes.items[0].threads.count);
	return &ret->processes.items[0].threads.items[i];
}

static void what_comes_after_the_last_frame_is_of_no_stack(void **state)
{
	static const char text[] = "hangdump: process 7 (x), 1 thread, not stopped\ncommand: x\n\n"
				   "1 thread [sleep]: 7 \"x\"\npause(...)\n\tpause.c:1 +0x2\n"
				   "_start(...)\n\t/bin/x +0x21\n"
				   "java.lang.IllegalStateException: hang\n\tat Bar.java:12\n";
	(void)state;
	struct dump dump;
	const struct thread *thread = read_thread(text, 0, &dump);
	assert_int_equal(thread->stack.count, 2);
	assert_true(thread->stack.complete);
	assert_int_equal(dump.errors.count, 0);
	dump_deinit(&dump);
}

static void a_log_with_every_other_line_empty_is_read(void **state)
{
	static const char text[] = "hangdump: process 7 (x), 2 threads, not stopped\ncommand: x\n"
				   "2 threads [mutex lock]: 7, 8 \"x\"\n"
				   "on mutex m (m.c:2) at 0x10, held by thread 9 (y)\n"
				   "lock(...)\n\tlock.c:1 +0x2\n? 0x1234\n\t/bin/x +0x20\n"
				   "_start(...)\n\t/bin/x +0x21\nall over(...)\n";
	(void)state;
	struct dump dump;
	_cleanup_free_ char *log = changed(text, "", "", "\n\n");
	const struct thread *thread = read_thread(log, 1, &dump);
	assert_int_equal(thread->stack.count, 3);
	assert_true(thread->stack.complete);
	assert_int_equal(thread->wait.owners.items[0].tid, 9);
	dump_deinit(&dump);
}

static void an_owner_whose_number_was_cut_is_nobody(void **state)
{
	static const char text[] = "hangdump: process 7 (x), 2 threads, not stopped\ncommand: x\n\n"
				   "1 thread [mutex lock]: 13640 \"a\"\n"
				   "on mutex m at 0x10, held by thread %s\n"
				   "lock(...)\n\tlock.c:1 +0x2\n\n"
				   "1 thread [mutex lock]: 13641 \"b\"\n"
				   "on mutex n at 0x20, held by thread 13640 (a)\n"
				   "lock(...)\n\tlock.c:1 +0x2\n";
	static const struct {
		const char *owner;
		pid_t tid;
		size_t errors;
	} rows[] = {{"13641 (b)", 13641, 0},
		    {"13641", 13641, 0},
		    {"136", 0, 1},
		    {"136 (c) (not in this dump)", 136, 0}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dump dump;
		_cleanup_free_ char *log = xasprintf(text, rows[i].owner);
		const struct wait *wait = &read_thread(log, 0, &dump)->wait;
		assert_int_equal(wait->owners.count, rows[i].tid != 0);
		if (rows[i].tid)
			assert_int_equal(wait->owners.items[0].tid, rows[i].tid);
		assert_int_equal(dump.errors.count, rows[i].errors);
		dump_deinit(&dump);
	}
}

/* What is lost of the head or of a finding is not passed over in silence. */
static void lines_amid_the_head_are_told(void **state)
{
	static const char text[] =
		"hangdump: process 7 (x), 1 thread, not stopped\nsomething else\n"
		"command: x\n\n1 thread [sleep]: 7 \"x\"\npause(...)\n"
		"\tpause.c:1 +0x2\n_start(...)\n\t/bin/x +0x21\n";
	(void)state;
	struct dump dump;
	read_text(text, &dump);
	assert_int_equal(dump.errors.count, 1);
	dump_deinit(&dump);
}

static void a_stack_that_ends_before_its_frames_is_not_whole(void **state)
{
	static const char text[] = "hangdump: process 7 (x), 1 thread, not stopped\ncommand: x\n\n"
				   "1 thread [sleep]: 7 \"x\"\n\nINFO: heartbeat\n";
	(void)state;
	struct dump dump;
	assert_false(read_thread(text, 0, &dump)->stack.complete);
	dump_deinit(&dump);
}

/* After any line, from the front and from the end: less than all is never taken for all. */
static void a_cut_anywhere_is_told(void **state)
{
	(void)state;
	struct dump dump;
	make_zoo(&dump);
	dump.errors.count = 0;
	_cleanup_free_ char *text = report_of(&dump);
	dump_deinit(&dump);
	const char *last = strstr(text, "\n\nFrames marked");
	assert_non_null(last);
	size_t read = 0;
	for (const char *end = text; (end = strchr(end, '\n')) && end < last; end++) {
		if (parse_exactly(parse_report, text, (size_t)(end - text) + 1, &dump)) {
			if (!dump.errors.count)
				fail_msg("cut after %zu:\n%.300s", (size_t)(end - text), end - 100);
			dump_deinit(&dump);
			read++;
		}
		if (parse_exactly(parse_report, end + 1, strlen(end + 1), &dump)) {
			if (!dump.errors.count)
				fail_msg("cut before:\n%s", end + 1);
			dump_deinit(&dump);
			read++;
		}
	}
	assert_true(read > 60);
}

static void ids_and_threads_that_are_left_out_are_told(void **state)
{
	(void)state;
	struct dump dump;
	static const char text[] = "hangdump: process 5 (a), 9 threads, not stopped\n"
				   "\n6 threads [sleep]: 5, 7-8 and 2 more \"x\" and 1 more\n"
				   "nanosleep(...)\n\ta.c:1 +0x1\nclone3(...)\n\ta.c:1 +0x1\n"
				   "\n2 idle threads in 1 group left out.\n"
				   "\n1 thread in no group.\n";
	read_text(text, &dump);
	const struct process *process = &dump.processes.items[0];
	assert_int_equal(process->threads.count, 6);
	assert_string_equal(process->threads.items[4].name, "x");
	assert_int_equal(process->threads.items[4].tid, 0);
	assert_null(process->threads.items[5].name);
	assert_int_equal(dump.errors.count, 3);
	_cleanup_free_ char *report = report_of(&dump);
	assert_non_null(
		strstr(report, "\n6 threads [sleep]: 5, 7, 8 and 2 more \"x\" and 1 more\n"));
	dump_deinit(&dump);
}

static void the_brief_report_of_a_log_is_read(void **state)
{
	(void)state;
	struct dump dump, again;
	struct text text = {0};
	make_zoo(&dump);
	text_add(&text, "Starting test\n");
	render_brief(&dump,
		     &(struct brief_options){.headline = "the time limit of 10 s has passed",
					     .render = &(struct render_options){0},
					     .most_bytes = 1800},
		     &text);
	dump_deinit(&dump);
	read_text(text.bytes, &again);
	assert_string_equal(again.occasion, "the time limit of 10 s has passed");
	assert_int_equal(again.processes.items[0].pid, 42);
	assert_int_equal(again.findings.count, 2);
	assert_true(again.groups.count > 0);
	assert_true(again.errors.count > 0);
	dump_deinit(&again);
	text_deinit(&text);
}

static void of_several_reports_the_last_is_shown(void **state)
{
	(void)state;
	struct dump dump;
	static const char text[] =
		"hangdump: process 5 (a), 1 thread, not stopped\n\nDEADLOCK: 1 thread\n"
		"  thread 5 (a) waits\n\n1 thread [sleep]: 5 \"a\"\n_start(...)\n\ta.c:1 +0x1\n\n"
		"hangdump: process 6 (b), 1 thread, not stopped\n"
		"\n1 thread [sleep]: 6 \"b\"\n_start(...)\n\ta.c:1 +0x1\n";
	read_text(text, &dump);
	assert_int_equal(dump.processes.count, 1);
	assert_int_equal(dump.processes.items[0].pid, 6);
	assert_int_equal(dump.findings.count, 0);
	assert_int_equal(dump.groups.count, 1);
	assert_int_equal(dump.errors.count, 1);
	assert_string_equal(dump.errors.items[0].why,
			    "the text has 1 more before the one that is shown: the first begins "
			    "in line 1, this one in line 10");
	dump_deinit(&dump);
}

static void what_is_no_report_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"hello",
		"hangdump: 4242: no such process\n",
		"hangdump: process 4242\n",
		"hangdump: process 99999999999, 1 thread, not stopped\n",
		"hangdump: x, 1 thread, held for 3 ls\n",
		"1 thread [sleep]:",
		"0 threads [sleep]: 1",
		"99999999999 threads [sleep]: 1",
		"goroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct dump dump;
		if (parse_exactly(parse_report, texts[i], strlen(texts[i]), &dump))
			fail_msg("'%s' was read", texts[i]);
		assert_false(parse_looks_like_report(texts[i], strlen(texts[i])));
	}
}

static uint32_t seed = 1;

static uint32_t next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void survive(const char *text, size_t size)
{
	struct dump dump;
	if (!parse_exactly(parse_report, text, size, &dump))
		return;
	_cleanup_free_ char *report = report_of(&dump);
	for (const char *c = report; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t');
	dump_deinit(&dump);
}

static void spoilt_texts_are_survived(void **state)
{
	(void)state;
	struct dump dump;
	make_zoo(&dump);
	_cleanup_free_ char *text = report_of(&dump);
	dump_deinit(&dump);
	size_t size = strlen(text);
	for (int round = 0; round < 2000; round++) {
		_cleanup_free_ char *spoilt = xstrdup(text);
		for (unsigned j = 0; j < 1u << round % 8; j++)
			spoilt[next() % size] = (char)(next() % 3 ? next() : '\n');
		survive(spoilt, size - next() % 100);
	}
}

static void absurd_counts_are_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *begin, *again, *end;
		size_t times;
	} rows[] = {
		{"", "2000000000 threads [sleep]: 1-2000000000\nf(...)\n\ta:1\n\n", "", 20000},
		{"1 thread [x]: 1\n", "f(...)\n\ta:1\n", "", 500000},
		{"500000 threads [x]: 1-500000\n", "f(...)\n\ta:1\n", "", 1000},
		{"9 threads [x]: ", "1, ", "\n", 2000000},
		{"9 threads [x]: 1 \"a\"; ", "\377; ", "\n", 1000},
		{"9 threads [mutex lock]: 1-9\non mutex x, held by ", "thread 1, ", "\n", 1000000},
		/* A checker of memory looks at all that is left of the line for each. */
		{"9 threads [mutex lock", ", 1 minute", "]: 1-9\n", 100000},
		{"hangdump: 1 process, 1 thread\n", "process 1 (x), 1 thread, not stopped\n", "",
		 200000},
		{"hangdump: 1 process, 1 thread\n\nDEADLOCK: x\n", "  thread 1 (x) waits\n", "",
		 300000},
		{"hangdump: ", "hangdump: process ", "1, 1 thread, not stopped\n", 500000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text text = {0};
		struct dump dump;
		text_add(&text, rows[i].begin);
		for (size_t j = 0; j < rows[i].times; j++)
			text_add(&text, rows[i].again);
		text_add(&text, rows[i].end);
		uint64_t begin = monotonic_ns();
		size_t threads = 0;
		if (parse_exactly(parse_report, text.bytes, text.length, &dump)) {
			array_for_each (&dump.processes, process)
				threads += process->threads.count;
			dump_deinit(&dump);
		}
		uint64_t took = monotonic_ns() - begin;
		print_message("row %zu: %.1f MB in %.0f ms\n", i, (double)text.length / 1e6,
			      (double)took / 1e6);
		assert_true(threads <= 1 << 17);
		text_deinit(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_that_is_read_and_shown_again_is_the_same),
		cmocka_unit_test(facts_of_a_report_are_facts_again),
		cmocka_unit_test(what_logs_add_does_not_count),
		cmocka_unit_test(a_report_in_a_message_is_whole),
		cmocka_unit_test(what_comes_after_the_last_frame_is_of_no_stack),
		cmocka_unit_test(a_log_with_every_other_line_empty_is_read),
		cmocka_unit_test(an_owner_whose_number_was_cut_is_nobody),
		cmocka_unit_test(lines_amid_the_head_are_told),
		cmocka_unit_test(a_stack_that_ends_before_its_frames_is_not_whole),
		cmocka_unit_test(a_cut_anywhere_is_told),
		cmocka_unit_test(ids_and_threads_that_are_left_out_are_told),
		cmocka_unit_test(the_brief_report_of_a_log_is_read),
		cmocka_unit_test(of_several_reports_the_last_is_shown),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(spoilt_texts_are_survived),
		cmocka_unit_test(absurd_counts_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
