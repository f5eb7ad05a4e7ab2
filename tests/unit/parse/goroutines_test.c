/* parse: goroutine dumps, as Go prints them and as logs have them. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "group/group.h"
#include "parse/parse.h"
#include "unit/parse/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static const char *const files[] = {
	"data/go/ancestors-1.26.txt", "data/go/asleep-1.26.txt", "data/go/crash-1.26.txt",
	"data/go/goleak-1.1.txt",     "data/go/goleak-1.3.txt",	 "data/go/pprof-1.19.txt",
	"data/go/quit-1.19.txt",      "data/go/quit-1.26.txt",	 "data/go/stack-1.26.txt",
	"data/go/timeout-1.26.txt",   "data/go/variants.txt",
};

static void read_text(const char *text, struct dump *dump)
{
	if (!parse_exactly(parse_goroutines, text, strlen(text), dump))
		fail_msg("not read: %.200s", text);
	group_threads(dump);
}

static const struct thread *find(const struct dump *dump, uint64_t goid)
{
	array_for_each (&dump->processes.items[0].goroutines, goroutine) {
		if (goroutine->goroutine->goid == goid)
			return goroutine;
	}
	fail_msg("no goroutine %llu", (unsigned long long)goid);
	return NULL;
}

/* Another, simpler reader, which knows that the text is whole and in order. */
static void assert_same_as_text(const struct dump *dump, const char *text)
{
	size_t goroutines = 0, places = 0, frames = 0, creators = 0;
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	for (const char *line; (line = strsep(&rest, "\n"));) {
		unsigned long long goid;
		char words[64];
		const char *bracket = strstr(line, " [");
		places += line[0] == '\t' && strchr(line, ':') && !strstr(line, "stack unav");
		creators += strncmp(line, "created by ", 11) == 0;
		if (sscanf(line, "goroutine %llu ", &goid) != 1 || !bracket ||
		    sscanf(bracket, " [%63[^],]", words) != 1)
			continue;
		goroutines++;
		if (goid && !strstr(words, "scan") && !strstr(words, "syscall"))
			assert_string_equal(find(dump, goid)->wait.words, words);
	}
	array_for_each (&dump->processes.items[0].goroutines, goroutine) {
		frames += goroutine->stack.count;
		frames += goroutine->goroutine->created_by.file != NULL;
		creators -= goroutine->goroutine->created_by.function != NULL;
	}
	assert_int_equal(dump->processes.items[0].goroutines.count, goroutines);
	assert_int_equal(frames, places);
	assert_int_equal(creators, 0);
}

static void every_goroutine_frame_and_creator_is_read(void **state)
{
	(void)state;
	static const char *const plain[] = {"data/go/asleep-1.26.txt", "data/go/pprof-1.19.txt",
					    "data/go/quit-1.19.txt", "data/go/quit-1.26.txt",
					    "data/go/stack-1.26.txt"};
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		_cleanup_free_ char *text = text_of(plain[i]);
		struct dump dump;
		read_text(text, &dump);
		assert_same_as_text(&dump, text);
		assert_int_equal(dump_is_whole(&dump), !strstr(text, "additional frames elided"));
		dump_deinit(&dump);
	}
}

static void assert_line(const struct dump *dump, const char *line)
{
	_cleanup_free_ char *report = report_of(dump);
	if (!strstr(report, line))
		fail_msg("no '%s' in:\n%s", line, report);
}

/* One dump a file: how many goroutines, some lines of its report. */
static void each_kind_of_dump_is_known(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		size_t goroutines;
		const char *lines[4];
	} rows[] = {
		{"data/go/timeout-1.26.txt",
		 7,
		 {"occasion: panic: test timed out after 1s; running tests: TestHang (1s), "
		  "TestHang/inner (1s)\n",
		  "\n3 goroutines [chan send]: 19-21\nexample.com/leak.startAll.func1()\n",
		  "created by example.com/leak.startAll in goroutine 18\n"}},
		{"data/go/goleak-1.1.txt",
		 3,
		 {"occasion: found unexpected goroutines\n", "\n3 goroutines [chan send]: 6-8\n",
		  "\ncreated by example.com/leak.startAll in goroutine 5\n"
		  "\texample.com/leak/leak_test.go:12 +0x39\n"}},
		{"data/go/goleak-1.3.txt",
		 3,
		 {"occasion: found unexpected goroutines\n", "\n3 goroutines [chan send]: 22-24\n",
		  "\ncreated by example.com/leak.startAll in goroutine 21\n"
		  "\texample.com/leak/leak_test.go:12 +0x39\n"}},
		{"data/go/asleep-1.26.txt",
		 2,
		 {"occasion: fatal error: all goroutines are asleep - deadlock!\n",
		  "\nNO PROGRESS POSSIBLE: the Go runtime says that all goroutines are asleep\n"}},
		{"data/go/quit-1.26.txt",
		 27,
		 {"occasion: SIGQUIT: quit\n", "\n1 goroutine [force gc (idle), idle]: 2\n",
		  "\n1 goroutine [idle, idle]: 0\n",
		  "\n3 goroutines [select (no cases), locked to thread]: 7-9\n"}},
		{"data/go/crash-1.26.txt", 35, {"occasion: SIGQUIT: quit\n"}},
		{"data/go/ancestors-1.26.txt",
		 20,
		 {"stacks of the goroutines' ancestors: they are not read of a text\n"}},
		{"data/go/stack-1.26.txt", 20, {"\nmain.deep()\n", "\n... +51 omitted\nmain.deep"}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = text_of(rows[i].file);
		struct dump dump;
		read_text(text, &dump);
		assert_int_equal(dump.processes.items[0].goroutines.count, rows[i].goroutines);
		for (int j = 0; j < 4 && rows[i].lines[j]; j++)
			assert_line(&dump, rows[i].lines[j]);
		dump_deinit(&dump);
	}
}

static void the_leaked_senders_are_the_three(void **state)
{
	(void)state;
	static const char expected[] = "3 goroutines [chan send]: 25-27\n"
				       "main.exec.func1.1()\n"
				       "\texample.com/hang/main.go:18 +0x1e\n";
	_cleanup_free_ char *text = text_of("data/go/stack-1.26.txt");
	struct dump dump;
	read_text(text, &dump);
	/* Goroutines get other numbers in each run. */
	_cleanup_free_ char *report = report_of(&dump);
	const char *senders = strstr(report, "3 goroutines [chan send]: ");
	assert_non_null(senders);
	assert_non_null(strstr(senders, strchr(expected, '\n')));
	dump_deinit(&dump);
}

static void facts_of_every_version_are_told_apart(void **state)
{
	(void)state;
	_cleanup_free_ char *text = text_of("data/go/variants.txt");
	struct dump dump;
	read_text(text, &dump);
	assert_int_equal(dump.processes.items[0].goroutines.count, 7);
	assert_int_equal(dump.errors.count, 0);
	assert_int_equal(dump.processes.items[0].pid, 0);
	assert_int_equal(dump.processes.items[0].frozen_us, -1);

	const struct thread *thread = find(&dump, 9223372036854775806u);
	const struct goroutine *goroutine = thread->goroutine;
	assert_string_equal(thread->wait.words, "chan receive");
	assert_int_equal(thread->wait.class, WAIT_CHANNEL_RECEIVE);
	assert_int_equal(thread->wait.since_ms, 1234 * 60000);
	assert_string_equal(goroutine->status, "waiting");
	assert_string_equal(goroutine->bubble, "synctest bubble 3");
	assert_string_equal(goroutine->labels, "{\"a]:\": \"b, 5 minutes\"}");
	assert_true(goroutine->locked_to_thread);
	assert_true(goroutine->created_by.goid == INT64_MAX);
	assert_int_equal(goroutine->created_by.line, 20);
	assert_int_equal(goroutine->created_by.offset, 0x9c);
	assert_int_equal(thread->stack.count, 2);
	assert_true(thread->stack.frames[0].inlined);
	assert_string_equal(thread->stack.frames[0].file, "/src/a b/main.go");
	assert_string_equal(thread->stack.frames[1].function, "main.(*T[...]).m");
	assert_int_equal(thread->stack.frames[1].kind, FRAME_GO);
	assert_int_equal(thread->stack.frames[1].pc, 0x47fc28);
	assert_int_equal(thread->stack.frames[1].offset, 0x1f);
	assert_false(thread->stack.complete);

	thread = find(&dump, 5);
	assert_int_equal(thread->wait.class, WAIT_MUTEX_LOCK);
	assert_string_equal(thread->wait.words, "sync.Mutex.Lock (durable)");
	assert_int_equal(thread->wait.since_ms, -1);
	assert_int_equal(thread->stack.omitted, 23);
	assert_int_equal(thread->stack.omitted_outer, 1);
	assert_true(thread->stack.complete);
	assert_true(thread->goroutine->created_by.goid == 0);

	assert_string_equal(find(&dump, 6)->goroutine->status, "leaked");
	assert_int_equal(find(&dump, 6)->wait.class, WAIT_CHANNEL_SEND);
	assert_string_equal(find(&dump, 7)->stack.incomplete, "it was running on another thread");
	assert_string_equal(find(&dump, 7)->goroutine->created_by.file, "/src/main.go");

	thread = find(&dump, 8);
	assert_string_equal(thread->wait.words, "syscall, something that a later Go says");
	assert_int_equal(thread->wait.class, WAIT_SYSTEM_CALL);
	assert_int_equal(thread->wait.since_ms, 120000);
	assert_int_equal(thread->stack.count, 4);
	assert_int_equal(thread->stack.frames[0].pc, 0x7f0000001000);
	assert_int_equal(thread->stack.frames[0].kind, FRAME_NATIVE);
	assert_string_equal(thread->stack.frames[1].function, "my_c_function");
	assert_string_equal(thread->stack.frames[1].file, "/src/c.c");
	assert_null(thread->stack.frames[2].function);
	assert_string_equal(thread->stack.frames[3].function, "main._Cfunc_wait");

	assert_string_equal(find(&dump, 0)->wait.words, "runtime stack");
	assert_string_equal(find(&dump, 10)->goroutine->status, "runnable");
	assert_string_equal(find(&dump, 10)->stack.incomplete, "the dump shows none");
	dump_deinit(&dump);
}

static void what_logs_add_does_not_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = text_of(files[i]);
		struct dump dump;
		read_text(text, &dump);
		_cleanup_free_ char *expected = report_of(&dump);
		dump_deinit(&dump);
		for (int how = 0; how < LOGS; how++) {
			_cleanup_free_ char *log = text_in_log(text, how);
			read_text(log, &dump);
			_cleanup_free_ char *report = report_of(&dump);
			if (strcmp(report, expected) != 0)
				fail_msg("%s, %s:\n%s", files[i], log_names[how], report);
			dump_deinit(&dump);
		}
	}
}

/* After any line: what is there is right, and a stack that was cut says so. */
static void assert_cut_is_told(const char *text, size_t size, const struct dump *whole)
{
	struct dump dump;
	if (!parse_exactly(parse_goroutines, text, size, &dump))
		return;
	array_for_each (&dump.processes.items[0].goroutines, goroutine) {
		if (!goroutine->goroutine->goid)
			continue;
		const struct thread *original = find(whole, goroutine->goroutine->goid);
		const struct stack *stack = &goroutine->stack;
		bool all = stack->count == original->stack.count &&
			   stack->omitted == original->stack.omitted;
		if (!all && stack->complete)
			fail_msg("%zu bytes: the stack of %llu has lost frames without a word",
				 size, (unsigned long long)goroutine->goroutine->goid);
		for (size_t i = 0; i < stack->count && i < original->stack.count; i++)
			assert_string_equal(stack->frames[i].function,
					    original->stack.frames[i].function);
		if (original->goroutine->created_by.file && !goroutine->goroutine->created_by.file)
			assert_false(dump_is_whole(&dump));
	}
	dump_deinit(&dump);
}

static void a_cut_after_any_line_is_told(void **state)
{
	(void)state;
	static const char *const cut[] = {"data/go/quit-1.26.txt", "data/go/timeout-1.26.txt",
					  "data/go/goleak-1.1.txt", "data/go/goleak-1.3.txt"};
	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		_cleanup_free_ char *text = text_of(cut[i]);
		struct dump whole;
		read_text(text, &whole);
		for (const char *end = text; (end = strchr(end, '\n')); end++)
			assert_cut_is_told(text, (size_t)(end - text) + 1, &whole);
		dump_deinit(&whole);
	}
}

/* A log shows the last so many lines. */
static void a_beginning_that_is_missing_is_told(void **state)
{
	(void)state;
	_cleanup_free_ char *text = text_of("data/go/stack-1.26.txt");
	size_t lines = 0, blank = 0;
	for (const char *line = text; line; line = strchr(line, '\n'), lines++) {
		struct dump dump;
		line += *line == '\n';
		blank += *line == '\n';
		if (lines == 0 || !parse_exactly(parse_goroutines, line, strlen(line), &dump))
			continue;
		bool between = strncmp(line, "\ngoroutine ", 11) == 0 ||
			       strncmp(line, "goroutine ", 10) == 0;
		if (between != (dump.errors.count == 0))
			fail_msg("from line %zu: %zu errors", lines + 1, dump.errors.count);
		dump_deinit(&dump);
	}
	assert_true(blank > 10);
}

static void of_several_dumps_the_last_is_shown(void **state)
{
	(void)state;
	static const char two[] = "goroutine 1 [chan send]:\nmain.old()\n\t/a.go:1 +0x1\n\n"
				  "goroutine 2 [chan send]:\nmain.old()\n\t/a.go:1 +0x1\n\n"
				  "ok for now\n\n"
				  "goroutine 1 [chan receive]:\nmain.main()\n\t/a.go:2 +0x1\n";
	static const char three[] =
		"goroutine 2 [running]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
		"panic: one\n\tpanic: two\n\ngoroutine 3 [running]:\nmain.g()\n\t/a.go:1 +0x1\n\n"
		"SIGQUIT: quit\n\ngoroutine 4 [running]:\nmain.main()\n\t/a.go:1 +0x1\n";
	struct dump dump;
	read_text(two, &dump);
	assert_int_equal(dump.processes.items[0].goroutines.count, 1);
	assert_string_equal(find(&dump, 1)->wait.words, "chan receive");
	assert_int_equal(dump.errors.count, 1);
	assert_string_equal(dump.errors.items[0].why,
			    "the text has 1 more before the one that is shown: the first begins "
			    "in line 1, this one in line 11");
	dump_deinit(&dump);
	read_text(three, &dump);
	assert_int_equal(dump.processes.items[0].goroutines.count, 1);
	assert_string_equal(find(&dump, 4)->wait.words, "running");
	assert_string_equal(dump.occasion, "SIGQUIT: quit");
	assert_non_null(strstr(dump.errors.items[0].why, "2 more before"));
	dump_deinit(&dump);
}

static void lines_of_others_between_frames_are_passed_over_aloud(void **state)
{
	(void)state;
	static const char text[] = "goroutine 1 [chan send]:\nmain.f()\nhello (world)\n"
				   "\t/a.go:1 +0x1\nI am a log line\n2024 also\n"
				   "main.main()\n\t/a.go:2 +0x1\n";
	struct dump dump;
	read_text(text, &dump);
	const struct thread *thread = find(&dump, 1);
	assert_string_equal(thread->stack.frames[thread->stack.count - 1].function, "main.main");
	assert_int_equal(dump.errors.count, 1);
	assert_string_equal(dump.errors.items[0].what, "lines of the text");
	dump_deinit(&dump);
}

static void what_is_no_dump_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"\n",
		"hello",
		"goroutine",
		"goroutine 1",
		"goroutine 1 []:",
		"goroutine 1 [running]",
		"goroutine x [running]:",
		"goroutine -1 [running]:",
		"goroutine 99999999999999999999 [running]:",
		"created by main.main in goroutine 1\n\t/a.go:1 +0x1\n",
		"runtime stack",
		"Goroutine 1 in state , with f on top of the stack:",
		"\33[",
		"\33",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct dump dump;
		if (parse_exactly(parse_goroutines, texts[i], strlen(texts[i]), &dump))
			fail_msg("'%s' was read", texts[i]);
		assert_false(parse_looks_like_goroutines(texts[i], strlen(texts[i])));
	}
	struct error *error = parse_goroutines("hello", 5, "the log", &(struct dump){0});
	assert_int_equal(error->reason, ERROR_FORMAT);
	assert_string_equal(error->subject, "the log");
	error_free(error);
}

/* --- bad input -------------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* Whatever it holds, it comes to an end, and can be shown. */
static void survive(const char *text, size_t size)
{
	struct dump dump;
	if (!parse_exactly(parse_goroutines, text, size, &dump))
		return;
	group_threads(&dump);
	_cleanup_free_ char *report = report_of(&dump);
	for (const char *c = report; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t');
	dump_deinit(&dump);
}

static void spoilt_texts_are_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = text_of(files[i]);
		size_t size = strlen(text);
		for (int round = 0; round < 60; round++) {
			_cleanup_free_ char *spoilt = xstrdup(text);
			for (unsigned j = 0; j < 1u << round % 8; j++)
				spoilt[next() % size] = (char)(next() % 3 ? next() : '\n');
			survive(spoilt, size - next() % 100);
		}
	}
	char noise[4096];
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (char)next();
		memcpy(noise + 7, "\ngoroutine 1 [running]:\n", 24);
		survive(noise, sizeof(noise));
	}
}

static char *repeat(const char *text, size_t times, size_t *ret_size)
{
	size_t n = strlen(text);
	char *all = xmalloc(n * times + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * n, text, n);
	all[n * times] = '\0';
	*ret_size = n * times;
	return all;
}

static void long_lines_and_much_of_the_same_take_linear_time(void **state)
{
	(void)state;
	static const struct {
		const char *begin, *again, *end;
		size_t times;
	} rows[] = {
		{"", "a", "", 50000000},
		{"", "goroutine 1 [", "]:", 1000000},
		{"", "Goroutine 1 in state x", " on top of the stack:", 1000000},
		{"goroutine 1 [", ", 5 minutes", "]:\n", 30000},
		{"goroutine 1 [x]:\n", "(", ")\n\t/a:1 +0x1\n", 10000000},
		{"goroutine 1 [x]:\nf()\n\t", ":1 +0x1", "\n", 2000000},
		{"goroutine 1 [x]:\n", "created by in goroutine ", "\n", 1000000},
		{"goroutine 1 [x]:\n", "\33[", "m\n", 5000000},
		{"panic: ", "running tests:\n\tpanic: ", "\ngoroutine 1 [x]:\n", 200000},
		{"", "goroutine 1 [x]:\nmain.f()\n\t/a:1\n\n", "", 300000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size;
		_cleanup_free_ char *middle = repeat(rows[i].again, rows[i].times, &size);
		struct text text = {0};
		text_add(&text, rows[i].begin);
		text_add_n(&text, middle, size);
		text_add(&text, rows[i].end);
		uint64_t begin = monotonic_ns();
		survive(text.bytes, text.length);
		uint64_t took = monotonic_ns() - begin;
		print_message("row %zu: %.1f MB in %.0f ms\n", i, (double)text.length / 1e6,
			      (double)took / 1e6);
		assert_true(took < 60000000000u);
		text_deinit(&text);
	}
}

#ifdef __SANITIZE_ADDRESS__
#define CROWD 1000000
#else
#define CROWD 10000000
#endif

static void ten_million_goroutines_are_counted_within_bounds(void **state)
{
	(void)state;
	struct text text = {0};
	char header[64];
	for (int i = 1; i <= CROWD; i++) {
		int n = snprintf(header, sizeof(header), "goroutine %d [select]:\n", i);
		text_add_n(&text, header, (size_t)n);
	}
	struct rusage before, after;
	struct dump dump;
	getrusage(RUSAGE_SELF, &before);
	uint64_t begin = monotonic_ns();
	struct error *error = parse_goroutines(text.bytes, text.length, "text", &dump);
	assert_null(error);
	getrusage(RUSAGE_SELF, &after);
	print_message("%.0f MB in %.0f ms, %zu goroutines, peak memory +%ld kB\n",
		      (double)text.length / 1e6, (double)(monotonic_ns() - begin) / 1e6,
		      dump.processes.items[0].goroutines.count, after.ru_maxrss - before.ru_maxrss);
	text_deinit(&text);
	assert_true(after.ru_maxrss - before.ru_maxrss < 1024 * 1024);
	assert_int_equal(dump.processes.items[0].goroutines.count, 1 << 19);
	_cleanup_free_ char *expected =
		xasprintf("%d are beyond the limit of 524288", CROWD - (1 << 19));
	bool told = false;
	array_for_each (&dump.errors, missing)
		told |= strcmp(missing->why, expected) == 0;
	assert_true(told);
	dump_deinit(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_goroutine_frame_and_creator_is_read),
		cmocka_unit_test(each_kind_of_dump_is_known),
		cmocka_unit_test(the_leaked_senders_are_the_three),
		cmocka_unit_test(facts_of_every_version_are_told_apart),
		cmocka_unit_test(what_logs_add_does_not_count),
		cmocka_unit_test(a_cut_after_any_line_is_told),
		cmocka_unit_test(a_beginning_that_is_missing_is_told),
		cmocka_unit_test(of_several_dumps_the_last_is_shown),
		cmocka_unit_test(lines_of_others_between_frames_are_passed_over_aloud),
		cmocka_unit_test(what_is_no_dump_is_refused),
		cmocka_unit_test(spoilt_texts_are_survived),
		cmocka_unit_test(long_lines_and_much_of_the_same_take_linear_time),
		cmocka_unit_test(ten_million_goroutines_are_counted_within_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
