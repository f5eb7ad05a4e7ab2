/* What changed, as text and as JSON: every word in its place, nothing of a target unescaped. */
#include "diff/diff.h"

#include "lib/make_dump.h"
#include "render/render.h"
#include "store/store.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull

static struct process *begin(struct dump *dump, uint64_t seconds)
{
	dump_init(dump);
	dump->boot_id = "boot-1";
	dump->monotonic_ns = (1000 + seconds) * SECOND;
	dump->taken_at_ns = (int64_t)((1700000000 + seconds) * SECOND);
	struct process *process = make_process(dump, 100, "prog");
	process->start_time = 50000;
	process->running_ms = (int64_t)(500 + seconds) * 1000;
	return process;
}

static struct thread *add(struct dump *dump, struct process *process, pid_t tid, const char *name,
			  const char *function)
{
	struct thread *thread = make_thread(dump, process, tid, name, WAIT_MUTEX_LOCK);
	thread->start_time = tid >= 200 ? 50000 + 50500 : 50000;
	thread->cpu_total_ns = 0;
	thread->switches_voluntary = 1;
	make_frame(dump, thread, function, 0x30, "prog.c", 20);
	make_frame(dump, thread, "main", 0x40, "prog.c", 30);
	return thread;
}

/* A thread for each word; the numbers of those that have them are their places in the order. */
static void make_two(struct dump *old, struct dump *new)
{
	struct process *before = begin(old, 0), *after = begin(new, 10);
	add(new, after, 201, "born", "begin");
	add(old, before, 102, "holder", "hold");
	add(new, after, 102, "holder", "hold");
	add(old, before, 103, "hanging", "hang");
	make_owner(add(new, after, 103, "hanging", "hang"), 100, 102);
	add(old, before, 104, "polling", "look");
	add(new, after, 104, "polling", "look")->switches_voluntary += 5;
	add(old, before, 105, "burning", "burn")->wait.class = WAIT_RUNNING;
	struct thread *burning = add(new, after, 105, "burning", "burn");
	burning->wait.class = WAIT_RUNNING;
	burning->cpu_total_ns = 5 * SECOND;
	add(old, before, 106, "moving", "here");
	add(new, after, 106, "moving", "there");
	add(old, before, 107, "ended", "end");
	add(old, before, 108, "hidden", "hide");
	add(new, after, 108, "hidden", "hide")->stack.count = 0;
	add(old, before, 109, "resting\33[2J", "rest");
	add(new, after, 109, "resting\33[2J", "rest")->wait.idle = true;
	make_finding_thread(make_finding(old, FINDING_OWNER_EXITED), 100, 103);
	make_finding_thread(make_finding(new, FINDING_OWNER_EXITED), 100, 103);
	make_finding_thread(make_finding(new, FINDING_SELF_DEADLOCK), 100, 103);
	make_finding_thread(make_finding(old, FINDING_SPINNING), 100, 106);
}

static char *text_of(const struct diff *diff, const struct render_diff_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	render_diff(diff, options, to);
	fclose(to);
	return text;
}

static void assert_order(const char *text, const char *const *parts, size_t count)
{
	const char *at = text;
	for (size_t i = 0; i < count; i++) {
		const char *found = strstr(at, parts[i]);
		if (!found)
			fail_msg("'%s' is not after '%s' in:\n%s", parts[i], i ? parts[i - 1] : "",
				 text);
		at = found + strlen(parts[i]);
	}
}

static void the_text_goes_by_what_happened(void **state)
{
	(void)state;
	static const char *const parts[] = {
		"hangdump: two dumps of the same run, 10 s apart\n",
		"old: a.json, taken 2023-11-14 22:13:20 UTC: process 100 (prog), 8 threads",
		"new: live, taken 2023-11-14 22:13:30 UTC: process 100 (prog), 8 threads",
		"compared: each thread with itself",
		"threads: 1 new, 3 stuck, 1 cycling, 1 spinning, 1 moved, 1 gone, 1 unknown\n",
		"\nNEW SELF-DEADLOCK: ",
		"\nPERSISTING OWNER EXITED: ",
		"\nRESOLVED SPINNING: ",
		"\n0 -> 1 thread (+1) [mutex lock]:\n  1 new: 201 \"born\"\nbegin(...)\n",
		"\n1 thread [mutex lock]:\n  1 stuck: 102 \"holder\"\n  others wait for 102\n",
		"  1 stuck: 103 \"hanging\"\n",
		"held by thread 102 (holder)",
		"  1 cycling: 104 \"polling\"\n",
		"  1 spinning: 105 \"burning\"\n",
		"  1 moved: 106 \"moving\"\nthere(...)\n",
		"1 -> 0 threads (-1) [mutex lock]:\n  1 moved away: 106 \"moving\"\nhere(...)\n",
		"1 -> 0 threads (-1) [mutex lock]:\n  1 gone: 107 \"ended\"\nend(...)\n",
		"  1 unknown (where they are could be read in one dump only): 108 \"hidden\"\n",
		"[mutex lock, idle]:\n  1 stuck: 109 \"resting\\x1b[2J\"\n",
	};
	struct dump old, new;
	struct diff diff;
	make_two(&old, &new);
	diff_dumps(&old, &new, &diff);
	char *text = text_of(
		&diff, &(struct render_diff_options){.old_name = "a.json", .new_name = "live"});
	assert_order(text, parts, ARRAY_SIZE(parts));
	assert_null(strchr(text, 033));
	free(text);
	struct render_diff_options options = {.report = {.no_idle = true, .color = true}};
	text = text_of(&diff, &options);
	assert_non_null(strstr(text, "1 idle group left out."));
	assert_null(strstr(text, "resting"));
	assert_non_null(strstr(text, "\33["));
	free(text);
	text = text_of(&diff, &(struct render_diff_options){.stat = true});
	assert_non_null(strstr(text, "\n    0 ->     1     +1  [mutex lock] begin: 1 new\n"));
	assert_non_null(strstr(text, "\n    1 ->     0     -1  [mutex lock] here: 1 moved away\n"));
	assert_null(strstr(text, "begin(...)"));
	free(text);
	diff_deinit(&diff);
	dump_deinit(&old);
	dump_deinit(&new);
}

static void leaks_are_shown_alone(void **state)
{
	(void)state;
	struct dump old, new;
	struct diff diff;
	make_two(&old, &new);
	diff_dumps(&old, &new, &diff);
	diff_find_leaks(&diff, 0, NULL, 0);
	char *text = text_of(&diff, &(struct render_diff_options){0});
	assert_non_null(strstr(text, "\nLEAKED: 1 thread in 1 group\n"));
	assert_non_null(strstr(text, "begin(...)"));
	assert_null(strstr(text, "hang(...)"));
	free(text);
	diff_deinit(&diff);
	diff_dumps(&old, &new, &diff);
	diff_find_leaks(&diff, 1, NULL, 0);
	text = text_of(&diff, &(struct render_diff_options){0});
	assert_non_null(strstr(text, "\nNo group has grown beyond what is allowed or ignored.\n"));
	free(text);
	diff_deinit(&diff);
	dump_deinit(&old);
	dump_deinit(&new);
}

static json_t *json_of(const struct diff *diff, char **ret_text)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	assert_null(store_write_diff_json(diff, to));
	fclose(to);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	*ret_text = text;
	return json;
}

/* By the schema that is installed; through Python, where it has a validator. */
static void validate(const char *text)
{
	FILE *to = popen("python3 '" SRCDIR "/tests/unit/store/validate.py' '" SRCDIR
			 "/src/store/hangdump-diff.schema.json'",
			 "w");
	assert_non_null(to);
	fputs(text, to);
	int status = pclose(to);
	if (status == 77 << 8)
		print_message("skipped: Python has no jsonschema with draft 2020-12\n");
	else
		assert_int_equal(status, 0);
}

static void the_json_has_every_word(void **state)
{
	(void)state;
	struct dump old, new;
	struct diff diff;
	char *text;
	make_two(&old, &new);
	diff_dumps(&old, &new, &diff);
	json_t *json = json_of(&diff, &text), *threads = json_object_get(json, "threads");
	static const size_t counts[PROGRESSES] = {
		[PROGRESS_STUCK] = 3,  [PROGRESS_CYCLING] = 1, [PROGRESS_SPINNING] = 1,
		[PROGRESS_MOVED] = 1,  [PROGRESS_NEW] = 1,     [PROGRESS_GONE] = 1,
		[PROGRESS_UNKNOWN] = 1};
	for (int i = PROGRESS_NONE + 1; i < PROGRESSES; i++)
		assert_int_equal(json_array_size(json_object_get(threads, progress_names[i])),
				 counts[i]);
	json_t *findings = json_object_get(json, "findings");
	assert_int_equal(json_array_size(json_object_get(findings, "new")), 1);
	assert_int_equal(json_array_size(json_object_get(findings, "persisting")), 1);
	assert_int_equal(json_array_size(json_object_get(findings, "resolved")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "groups")), diff.groups.count);
	assert_true(json_is_null(json_object_get(json, "leaks")));
	validate(text);
	json_decref(json);
	free(text);
	diff_find_leaks(&diff, 0, NULL, 0);
	json = json_of(&diff, &text);
	assert_int_equal(json_array_size(json_object_get(json, "leaks")), 1);
	validate(text);
	json_decref(json);
	free(text);
	diff_deinit(&diff);
	dump_deinit(&old);
	dump_deinit(&new);
}

/* No pids to go by, several processes, nothing at all. */
static void other_runs_and_empty_dumps_have_reports_too(void **state)
{
	(void)state;
	struct dump old, new, none;
	struct diff diff;
	char *text;
	make_two(&old, &new);
	dump_init(&none);
	new.boot_id = NULL;
	struct process *second = make_process(&new, 300, "second");
	add(&new, second, 301, "holder", "hold");
	diff_dumps(&old, &new, &diff);
	assert_false(diff.same_run);
	char *report = text_of(&diff, &(struct render_diff_options){.report.verbose = true});
	assert_non_null(strstr(report, "hangdump: dumps of two runs"));
	assert_non_null(strstr(
		report, "1 -> 2 threads (+1) [mutex lock]: 102 \"holder\" of process 100; 301 "
			"\"holder\" of process 300\n"));
	free(report);
	json_decref(json_of(&diff, &text));
	validate(text);
	free(text);
	diff_deinit(&diff);
	diff_dumps(&none, &none, &diff);
	free(text_of(&diff, &(struct render_diff_options){0}));
	json_decref(json_of(&diff, &text));
	validate(text);
	free(text);
	diff_deinit(&diff);
	diff_dumps(&none, &new, &diff);
	free(text_of(&diff, &(struct render_diff_options){.stat = true}));
	diff_deinit(&diff);
	dump_deinit(&old);
	dump_deinit(&new);
	dump_deinit(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_goes_by_what_happened),
		cmocka_unit_test(leaks_are_shown_alone),
		cmocka_unit_test(the_json_has_every_word),
		cmocka_unit_test(other_runs_and_empty_dumps_have_reports_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
