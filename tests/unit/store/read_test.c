/* store: reading dumps again: all of what was written, and nothing of what was not. */
#include "base/deadline.h"
#include "group/group.h"
#include "lib/make_dump.h"
#include "render/render.h"
#include "store/store.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <jansson.h>

static char *write_json(const struct dump *dump)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	assert_null(store_write_json(dump, to));
	assert_int_equal(fclose(to), 0);
	return text;
}

static char *write_report(const struct dump *dump, const struct render_options *options)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	render_text(dump, options, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static struct error *read_text(const char *text, struct dump *ret)
{
	return store_read_json(text, strlen(text), "x.json", ret);
}

static void must_read(const char *text, struct dump *ret)
{
	struct error *error = read_text(text, ret);
	if (error)
		fail_msg("%s of: %.2000s", error_why(error), text);
}

/* Frees the words; the dump must not have been touched. */
static char *must_refuse(const char *text, size_t size, enum error_reason reason)
{
	struct dump untouched, dump;
	memset(&dump, 0xa5, sizeof(dump));
	memset(&untouched, 0xa5, sizeof(untouched));
	struct error *error = store_read_json(text, size, "x.json", &dump);
	if (!error)
		fail_msg("not refused: %.2000s", text);
	assert_memory_equal(&dump, &untouched, sizeof(dump));
	assert_int_equal(error->reason, reason);
	assert_string_equal(error->subject, "x.json");
	char *why = error_why(error);
	assert_null(strchr(why, '\n'));
	assert_true(strlen(why) < 300);
	error_free(error);
	return why;
}

/* JSON and every kind of text, of the dump and of what is read of it. */
static void assert_comes_back(const struct dump *dump)
{
	static const struct render_options looks[] = {
		{0},
		{.verbose = true},
		{.color = true},
		{.no_idle = true},
		{.kernel_stacks_always = true},
		{.kernel_stacks_never = true, .verbose = true},
	};
	char *json = write_json(dump);
	struct dump again;
	must_read(json, &again);
	char *json_again = write_json(&again);
	assert_string_equal(json_again, json);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		char *live = write_report(dump, &looks[i]),
		     *shown = write_report(&again, &looks[i]);
		assert_string_equal(shown, live);
		free(live);
		free(shown);
	}
	assert_int_equal(dump_is_whole(&again), dump_is_whole(dump));
	free(json);
	free(json_again);
	dump_deinit(&again);
}

static void make_kernel_frame(struct dump *dump, struct thread *thread)
{
	struct frame *frame = make_frame(dump, thread, "io_schedule", 3, NULL, 0);
	frame->kind = FRAME_KERNEL;
	frame->found_by = FOUND_BY_KERNEL;
	frame->pc = frame->module_offset = 0;
	frame->module = "ext4";
}

static void a_dump_comes_back_whole(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	assert_comes_back(&dump);
	struct process *process = &dump.processes.items[0];
	process->threads.items[0].look_ns = 200000000;
	process->threads.items[0].look_cpu_ns = 200000000;
	process->threads.items[0].look_delay_ns = -1;
	process->threads.items[0].look_frame = 1;
	process->threads.items[1].look_ns = 1;
	process->threads.items[1].look_frame = process->threads.items[1].stack.count;
	for (unsigned i = 0; i < OWNER_STATES; i++)
		process->threads.items[i].wait.owner_state = (enum owner_state)i;
	for (unsigned i = 0; i < REACHES; i++)
		process->threads.items[i].wait.reach = (enum wait_reach)i;
	process->threads.items[3].wait.overdue = true;
	process->threads.items[3].wait.owner_confidence = CONFIDENCE_LIKELY;
	make_owner(&process->threads.items[3], 9, 0);
	struct neighbour *neighbour = array_append(&dump.neighbours);
	*neighbour = (struct neighbour){.id = {9, 0}, .name = "sh", .state = 'S', .start_time = 5};
	process = make_process(&dump, 4300, "other");
	process->frozen_us = -1;
	process->ppid = -1;
	make_kernel_frame(&dump, make_thread(&dump, process, 4300, NULL, WAIT_DISK));
	group_threads(&dump);
	assert_comes_back(&dump);
	dump_deinit(&dump);
}

static void every_word_comes_back(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, "p");
	for (int i = 0; i < WAIT_CLASSES; i++) {
		struct thread *thread =
			make_thread(&dump, process, 10 + i, "t", (enum wait_class)i);
		make_kernel_frame(&dump, thread);
		make_frame(&dump, thread, NULL, 0, NULL, 0)->kind = FRAME_SIGNAL;
		make_go_frame(&dump, thread, "main.main", 1, "main.go", 2);
		for (int way = 0; way < FOUND_BY_WAYS; way++)
			make_frame(&dump, thread, "f", 1, "f.c", 2)->found_by = (enum found_by)way;
	}
	for (int i = 0; i < FINDING_KINDS; i++) {
		struct finding *finding = make_finding(&dump, (enum finding_kind)i);
		finding->confidence = CONFIDENCE_LIKELY;
		finding->doubts = i < FINDING_DOUBTS ? 1u << i : 0;
		make_finding_thread(finding, 10, 10 + i);
		make_finding_thread(finding, 99, 0);
	}
	group_threads(&dump);
	assert_comes_back(&dump);
	dump_deinit(&dump);
}

static void what_is_not_known_stays_so(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	assert_comes_back(&dump);
	struct process *process = make_process(&dump, 10, NULL);
	process->frozen_us = -1;
	struct thread *thread = make_thread(&dump, process, 10, NULL, WAIT_UNKNOWN);
	thread->state = 0;
	thread->wait.has_syscall = true;
	thread->wait.syscall.number = -1;
	thread->stack.complete = false;
	make_frame(&dump, thread, NULL, 5, NULL, 0)->module = NULL;
	thread = make_thread(&dump, process, 11, NULL, WAIT_SYSTEM_CALL);
	thread->wait.has_syscall = true;
	thread->wait.syscall.number = 999;
	make_owner(thread, 20, 0);
	make_thread(&dump, process, 12, NULL, WAIT_SYSTEM_CALL);
	make_finding(&dump, FINDING_SPINNING);
	dump_add_error(&dump, 10, 0, "memory", "gone");
	dump.errors.items[0].why = NULL;
	group_threads(&dump);
	assert_comes_back(&dump);
	dump_deinit(&dump);
}

static void goroutines_come_back(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	make_tracee(&dump);
	dump.occasion = "SIGQUIT: quit";
	struct process *process = &dump.processes.items[0];
	make_thread(&dump, process, 4242, "tracee", WAIT_EPOLL);
	process->runtimes.items[0].version = "go1.26";
	struct thread *sender = &process->goroutines.items[0];
	sender->tid = 4250;
	sender->goroutine->locked_to_thread = sender->goroutine->system = true;
	sender->goroutine->bubble = "synctest bubble 1";
	sender->goroutine->labels = "{\"k\": \"v\"}";
	sender->stack.omitted = 9;
	sender->stack.omitted_outer = 1;
	/* Classes of both kinds of words, and words that are not known. */
	static const char *const words[] = {
		"sleep",   "select",	 "park",  "idle",
		"waiting", "epoll wait", "lunch", "chan send (nil chan)"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		make_goroutine(&dump, process, 1000 + i, words[i]);
	process->goroutines.items[process->goroutines.count - 3].wait.words = NULL;
	/* Schedulers' stacks: all have the number 0. */
	for (size_t i = 0; i < 4; i++)
		make_go_frame(&dump, make_goroutine(&dump, process, 0, "idle"),
			      i % 2 ? "runtime.mcall" : "runtime.systemstack", 1, "asm.s", 2);
	/* Two processes of which Go has not said who they are. */
	for (uint64_t i = 0; i < 2; i++) {
		process = make_process(&dump, 0, NULL);
		process->frozen_us = -1;
		make_goroutine(&dump, process, 1, i ? "chan send" : "chan receive");
		make_goroutine(&dump, process, i + 2, "semacquire");
	}
	group_threads(&dump);
	assert_comes_back(&dump);
	dump_deinit(&dump);
}

static void text_that_is_no_text_comes_back(void **state)
{
	(void)state;
	static const char evil[] =
		"a\33[2J\x7f\xff\n\"\\\xc2\x9b\xe2\x80\xae\x7f\xf0\x9f\x92\xa3\xc0";
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, evil);
	const char *pooled = strpool_add(&dump.strings, evil);
	process->executable = pooled;
	*array_append(&process->command) = "prog";
	*array_append(&process->command) = pooled;
	*array_append(&process->command) = "";
	struct thread *thread = make_thread(&dump, process, 10, evil, WAIT_MUTEX_LOCK);
	thread->state = '\xff';
	make_resource(&dump, thread, evil, 1, evil);
	thread->wait.resource.detail = thread->wait.resource.identity = pooled;
	make_frame(&dump, thread, evil, 0, evil, 1)->module = pooled;
	thread->stack.complete = false;
	thread->stack.incomplete = pooled;
	((struct module *)array_append(&process->modules))->path = pooled;
	dump_add_error(&dump, 10, 10, evil, "%s", evil);
	group_threads(&dump);
	assert_comes_back(&dump);
	dump_deinit(&dump);
}

static void order_blanks_and_unknown_keys_do_not_matter(void **state)
{
	(void)state;
	struct dump dump, again;
	make_full(&dump);
	char *text = write_json(&dump);
	json_t *json = json_loads(text, 0, NULL), *process, *thread;
	process = json_array_get(json_object_get(json, "processes"), 0);
	thread = json_array_get(json_object_get(process, "threads"), 0);
	json_object_set_new(json, "later", json_pack("{s:[{s:n}, [], 1.5]}", "frames", "x"));
	json_object_set_new(json,
			    "\xc3\xa4 key that is longer than any that is known so far, by far",
			    json_true());
	json_object_set_new(thread, "later", json_pack("[{s:s}]", "tid", "}]\"\\"));
	json_object_set_new(json_object_get(thread, "wait"), "later", json_real(0.5));
	char *other = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(3));
	must_read(other, &again);
	char *text_again = write_json(&again);
	assert_string_equal(text_again, text);
	free(text);
	free(text_again);
	free(other);
	json_decref(json);
	dump_deinit(&dump);
	dump_deinit(&again);
}

/* Without all that the format did not have at first. */
static void what_came_later_may_be_missing(void **state)
{
	(void)state;
	struct dump dump;
	must_read("{\"format\":\"hangdump\",\"version\":1,\"processes\":[{\"pid\":5,\"threads\":["
		  "{\"tid\":5,\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\",\"syscall\":"
		  "null},\"frames\":[{\"kind\":\"native\",\"pc\":\"0x5\",\"found_by\":\"cfi\"}],"
		  "\"complete\":true}]}],\"groups\":[],\"findings\":[],\"errors\":[]}\n",
		  &dump);
	const struct process *process = &dump.processes.items[0];
	const struct thread *thread = &process->threads.items[0];
	assert_int_equal(process->pid, 5);
	assert_int_equal(process->ppid, -1);
	assert_int_equal(process->frozen_us, -1);
	assert_int_equal(thread->wait.class, WAIT_SLEEP);
	assert_int_equal(thread->wait.since_ms, -1);
	assert_int_equal(thread->wait.resource.fd, -1);
	assert_int_equal(thread->cpu_total_ns, -1);
	assert_false(thread->wait.has_syscall);
	assert_int_equal(thread->stack.frames[0].pc, 5);
	assert_true(dump_is_whole(&dump));
	dump_deinit(&dump);
}

static void later_words_are_named(void **state)
{
	(void)state;
	struct dump dump;
	must_read(
		"{\"format\":\"hangdump\",\"version\":1,\"processes\":[{\"pid\":5,\"threads\":["
		"{\"tid\":5,\"wait\":{\"class\":\"lunch\",\"confidence\":\"certain\"},\"frames\":["
		"{\"kind\":\"lua\",\"pc\":\"0x5\",\"found_by\":\"luck\",\"function\":\"f\"}],"
		"\"complete\":true}]}],\"groups\":[{\"pid\":5,\"tids\":[5],\"class\":\"lunch\"}],"
		"\"findings\":[{\"kind\":\"yawn\",\"confidence\":\"certain\"}],\"errors\":[]}",
		&dump);
	static const char *const what[] = {"kind of frame \"lua\"", "way to find a frame \"luck\"",
					   "kind of finding \"yawn\""};
	assert_int_equal(dump.errors.count, ARRAY_SIZE(what));
	for (size_t i = 0; i < ARRAY_SIZE(what); i++)
		assert_string_equal(dump.errors.items[i].what, what[i]);
	assert_int_equal(dump.groups.count, 1);
	assert_int_equal(dump.findings.count, 0);
	char *text = write_report(&dump, &(struct render_options){0});
	assert_non_null(strstr(text, "1 thread [lunch]: 5\n? f(...)\n"));
	assert_non_null(strstr(
		text, "kind of finding \"yawn\": this version of hangdump does not know it"));
	free(text);
	dump_deinit(&dump);
}

#define HEAD "{\"format\":\"hangdump\",\"version\":1,"
#define TAIL ",\"groups\":[],\"findings\":[],\"errors\":[]}"
#define THREAD(tid)                                                                                \
	"{\"tid\":" tid ",\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\"},\"frames\":[]" \
	"}"
#define WITH_THREAD(members)                                                                       \
	HEAD "\"processes\":[\n{\"pid\":5,\"threads\":[\n{\"tid\":5,\"frames\":[]," members        \
	     "}]}]" TAIL
#define WITH_GROUPS(groups)                                                                        \
	HEAD "\"processes\":[{\"pid\":5,\"threads\":[" THREAD("5") "," THREAD(                     \
		"6") "]}],"                                                                        \
		     "\"findings\":[],\"errors\":[],\"groups\":[\n" groups "]}"

static void each_refusal_says_where_and_what(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "line 1: it ends where an object is expected"},
		{"[]", "line 1: an object is expected"},
		{"{}", "line 1: its \"format\" is not \"hangdump\""},
		{"{\"format\":\"hangdump-diff\",\"version\":1}", "its \"format\" is not"},
		{"{\"format\":\"hangdump\"}", "\"version\" is missing"},
		{"{\"format\":\"hangdump\",\"version\":0}", "\"version\" is missing"},
		{"{\"format\":\"hangdump\",\"version\":1.0}", "\"version\" must be a whole number"},
		{HEAD "\"processes\":[]}", "\"groups\" is missing"},
		{HEAD "\"processes\":{}" TAIL, "an array is expected"},
		{HEAD "\"processes\":[],\"processes\":[]" TAIL, "\"processes\" is there twice"},
		{HEAD "\"processes\":[]" TAIL "x", "something comes after the dump"},
		{HEAD "\"processes\":[],\"x\":[1" TAIL, "it ends where ',' or '}' is expected"},
		{HEAD "\"processes\":[],\n\n\"x\":\"abc", "line 3: what begins here does not end"},
		{HEAD "\"processes\":[{}]" TAIL, "\"pid\" is missing"},
		{HEAD "\"processes\":[{\"pid\":null,\"goroutines\":[{}]}]" TAIL,
		 "\"goid\" is missing"},
		{HEAD "\"processes\":[{\"pid\":0}]" TAIL, "from 1 to 2147483647"},
		{HEAD "\"processes\":[{\"pid\":4294967297}]" TAIL, "from 1 to 2147483647"},
		{HEAD "\"processes\":[{\"pid\":99999999999999999999}]" TAIL, "too big"},
		{HEAD "\"processes\":[{\"pid\":5},\n\n{\"pid\":5}]" TAIL,
		 "line 3: process 5 is there twice"},
		{HEAD
		 "\"processes\":[{\"pid\":5,\"threads\":[" THREAD("5") ",\n" THREAD("5") "]}]" TAIL,
		 "line 2: thread 5 is there twice"},
		{HEAD "\"processes\":[{\"pid\":5,\"command\":[1]}]" TAIL,
		 "\"command\" must be text"},
		{HEAD "\"processes\":[{\"pid\":5,\"signals_caught\":[65]}]" TAIL, "from 1 to 64"},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":\"x\",\"name_bytes\":\"610\"}]" TAIL,
		 "\"name_bytes\" must be pairs"},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":\"x\",\"name_bytes\":\"00\"}]" TAIL,
		 "\"name_bytes\" must be pairs"},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":\"a\\u0000b\"}]" TAIL, "\\u0000"},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":\"\xff\"}]" TAIL,
		 "unable to decode byte 0xff"},
		{HEAD "\"processes\":[{\"pid\":5 \"ppid\":1}]" TAIL, "',' or '}' is expected"},
		{HEAD "\"processes\":[{\"pid\":5,}]" TAIL, "a key is expected"},
		{HEAD "\"processes\":[{\"pid\":5},]" TAIL, "an object is expected"},
		{HEAD "\"taken_at\":\"yesterday\",\"processes\":[]" TAIL,
		 "\"taken_at\" must be like"},
		{HEAD "\"taken_at\":\"9999-01-01T00:00:00.000Z\",\"processes\":[]" TAIL,
		 "\"taken_at\" must be like"},
		{WITH_THREAD("\"x\":1"), "line 3: \"wait\" is missing"},
		{WITH_THREAD("\"wait\":[]"), "line 3: \"wait\" must be an object"},
		{WITH_THREAD("\"wait\":{\"class\":\"sleep\"}"), "\"confidence\" is missing"},
		{WITH_THREAD("\"wait\":{\"class\":\"sleep\",\"confidence\":\"x\"}"),
		 "\"confidence\" is none of its words"},
		{WITH_THREAD("\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\",\"since_"
			     "ms\":-1}"),
		 "\"since_ms\" must be a whole number from 0"},
		{WITH_THREAD(
			 "\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\",\"resource\":{"
			 "\"kind\":\"x\",\"address\":\"5\"}}"),
		 "\"address\" must be an address"},
		{WITH_THREAD(
			 "\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\",\"resource\":{"
			 "\"kind\":\"x\",\"address\":\"0x10000000000000000\"}}"),
		 "\"address\" must be an address"},
		{WITH_THREAD("\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\"},\"state\":"
			     "\"SS\""),
		 "\"state\" must be one letter"},
		{WITH_THREAD("\"wait\":{\"class\":\"sleep\",\"confidence\":\"certain\"},\"second_"
			     "look\":"
			     "{\"same_from_frame\":0}"),
		 "\"same_from_frame\" must be"},
		{WITH_THREAD("\"wait\":{\"class\":\"sleep\",\"class\":\"sleep\"}"), "duplicate"},
		{WITH_THREAD("\"wait\":{\"class\":\"x\",\"confidence\":\"certain\",\"syscall\":{"
			     "\"number\":1,"
			     "\"arguments\":[1,2,3,4,5,6,7]}}"),
		 "\"arguments\" of a system call"},
		{WITH_GROUPS("{\"pid\":6,\"class\":\"sleep\",\"tids\":[5]}"),
		 "line 2: a group of a process that is not there"},
		{WITH_GROUPS("{\"pid\":5,\"class\":\"sleep\",\"tids\":[5,7]}"),
		 "line 2: a group of a thread that is not there"},
		{WITH_GROUPS("{\"pid\":5,\"class\":\"sleep\",\"tids\":[5]},\n"
			     "{\"pid\":5,\"class\":\"sleep\",\"tids\":[6,5]}"),
		 "line 3: a group of a thread that is in another one too"},
		{WITH_GROUPS("{\"pid\":5,\"class\":\"sleep\",\"tids\":[]}"),
		 "a group of no threads"},
		{WITH_GROUPS("{\"pid\":5,\"class\":\"sleep\",\"tids\":[-5]}"), "not there"},
		{WITH_GROUPS("{\"pid\":5,\"process\":1,\"class\":\"sleep\",\"tids\":[5]}"),
		 "\"process\" must be a whole number from 0 to 0"},
		{WITH_GROUPS("{\"pid\":5,\"class\":\"sleep\",\"goids\":[5]}"), "not there"},
		{WITH_GROUPS("5"), "line 2: an object is expected in an array"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *why = must_refuse(rows[i].text, strlen(rows[i].text), ERROR_FORMAT);
		if (!strstr(why, rows[i].why))
			fail_msg("'%s' does not say '%s'", why, rows[i].why);
		free(why);
	}
}

static void a_higher_version_is_refused(void **state)
{
	(void)state;
	static const char text[] = "{\"format\":\"hangdump\",\"version\":2,\"processes\":\"new\"}";
	char *why = must_refuse(text, strlen(text), ERROR_UNSUPPORTED);
	assert_non_null(strstr(why, "(version 2 of the format; this hangdump reads version 1)"));
	free(why);
}

static void a_dump_cut_short_is_refused(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	char *text = write_json(&dump);
	/* The last byte ends the line. */
	for (size_t size = 0; size + 1 < strlen(text); size += 1 + size % 7)
		free(must_refuse(text, size, ERROR_FORMAT));
	free(text);
	dump_deinit(&dump);
}

/* What is read, if anything, can be shown. */
static bool survives(const char *text, size_t size)
{
	struct dump dump;
	struct error *error = store_read_json(text, size, "x.json", &dump);
	error_free(error);
	if (error)
		return false;
	char *report = write_report(&dump, &(struct render_options){.verbose = true});
	free(report);
	dump_deinit(&dump);
	return true;
}

/* What may hold anything: this version does not look at it, or only at some of it. */
static bool is_free(const char *key)
{
	static const char *const keys[] = {"created_by"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i], key) == 0)
			return true;
	}
	return false;
}

static void try_value(json_t *root, json_t *object, const char *key, json_t *value, bool is_wrong)
{
	json_t *before = json_incref(json_object_get(object, key));
	json_object_set_new(object, key, value);
	char *text = json_dumps(root, 0);
	if (survives(text, strlen(text)) && is_wrong && !is_free(key))
		fail_msg("\"%s\" is accepted as %s", key, json_dumps(value, JSON_ENCODE_ANY));
	free(text);
	json_object_set_new(object, key, before);
}

static void try_values(json_t *root, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	bool may_be_text = json_is_string(value) || json_is_null(value);
	try_value(root, object, key, json_pack("{s:[]}", "a"),
		  !json_is_object(value) && !json_is_null(value));
	try_value(root, object, key, json_pack("[{}]"),
		  !json_is_array(value) ||
			  (json_array_size(value) && !json_is_object(json_array_get(value, 0))));
	try_value(root, object, key, json_real(0.5), true);
	try_value(root, object, key, json_integer(-1), true);
	try_value(root, object, key, json_integer(INT64_MAX), false);
	try_value(root, object, key, json_string("zzz"), !may_be_text);
	try_value(root, object, key, json_true(), !json_is_boolean(value) && !json_is_null(value));
	try_value(root, object, key, json_null(), false);
}

static void try_members(json_t *root, json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	void *next;
	json_object_foreach_safe(value, next, key, member)
	{
		char *copy = strdup(key);
		try_values(root, value, copy);
		if (!is_free(copy))
			try_members(root, json_object_get(value, copy));
		free(copy);
	}
	json_array_foreach(value, i, member)
	{
		if (i < 2)
			try_members(root, member);
	}
}

static void every_type_is_checked(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	/* As little of it as has every key: it is read some thousand times. */
	dump.groups.count = 2;
	struct process *process = &dump.processes.items[0];
	for (size_t i = 2; i < process->threads.count; i++) {
		process->threads.items[i].stack.count = 0;
	}
	char *text = write_json(&dump);
	json_t *root = json_loads(text, 0, NULL);
	try_members(root, root);
	json_decref(root);
	free(text);
	dump.groups.count = 5;
	dump_deinit(&dump);
}

/* A cheap one, and the same everywhere. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void damaged_dumps_do_no_harm(void **state)
{
	(void)state;
	static const char bytes[] = "\"\\{}[]:,0-9e.\xff\x01 tfn";
	struct dump dump;
	uint32_t seed = 1;
	make_full(&dump);
	char *text = write_json(&dump);
	size_t size = strlen(text);
	for (unsigned round = 0; round < 3000; round++) {
		char *copy = strdup(text);
		for (unsigned n = next_random(&seed) % 4 + 1; n > 0; n--)
			copy[next_random(&seed) % size] = bytes[next_random(&seed) % sizeof(bytes)];
		survives(copy, size);
		free(copy);
	}
	free(text);
	dump_deinit(&dump);
}

static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
	size_t length = strlen(part), at = strlen(head);
	char *text = malloc(at + count * length + strlen(tail) + 1);
	assert_non_null(text);
	memcpy(text, head, at);
	for (size_t i = 0; i < count; i++, at += length)
		memcpy(text + at, part, length);
	strcpy(text + at, tail);
	return text;
}

/* Seventeen megabytes each. */
static void nonsense_costs_little(void **state)
{
	(void)state;
	static const struct {
		const char *head, *part, *tail;
	} rows[] = {
		{"", "[", ""},
		{"", "{\"a\":", ""},
		{"", "\n", ""},
		{"{\"a\":\"", "\\\"", ""},
		{"{\"a\":\"", "\\\"", "\"}"},
		{HEAD "\"processes\":[", "{},", "{}]" TAIL},
		{HEAD "\"processes\":[{\"pid\":5,\"command\":[", "[],", "1]}]" TAIL},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":", "[{},", "]}]" TAIL},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":\"", "\\u0001", "\"}]" TAIL},
		{HEAD "\"processes\":[{\"pid\":5,\"name\":\"", "a", "\xff\"}]" TAIL},
		{HEAD "\"processes\":[{\"pid\":5,\"later\":", "[", "]}]" TAIL},
		{HEAD "\"version\":", "1", "," TAIL},
		{HEAD "\"processes\":[{\"pid\":5,\"threads\":[{\"frames\":[",
		 "{\"kind\":\"native\",\"found_by\":\"cfi\"},", "0]}]}]" TAIL},
		{HEAD "\"later\":[", "{\"a\":[[],[],[]]},", "0],\"processes\":[{\"pid\":5,}]" TAIL},
	};
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = repeat(rows[i].head, rows[i].part, (17 << 20) / strlen(rows[i].part),
				    rows[i].tail);
		uint64_t begin = monotonic_ns();
		char *why = must_refuse(text, strlen(text), ERROR_FORMAT);
		print_message("%s%.20s...: %s: %.0f ms\n", rows[i].head, rows[i].part, why,
			      (double)(monotonic_ns() - begin) / 1e6);
		free(why);
		free(text);
	}
	getrusage(RUSAGE_SELF, &after);
	print_message("peak memory +%ld MB\n", (after.ru_maxrss - before.ru_maxrss) / 1024);
	assert_true(after.ru_maxrss - before.ru_maxrss < 1 << 20);
}

/* What is on the heap; nothing, by a sanitizer's allocator. */
static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void a_crowd_is_read_quickly(void **state)
{
	(void)state;
	struct dump dump, again;
	dump_init(&dump);
	make_crowd(&dump, 10000, 30, 10000);
	group_threads(&dump);
	char *text = write_json(&dump);
	size_t before = heap_bytes();
	uint64_t begin = monotonic_ns();
	must_read(text, &again);
	uint64_t took = monotonic_ns() - begin;
	size_t used = heap_bytes() - before;
	print_message("10000 threads of 30 frames: %.1f MB in %.0f ms, a dump of %.1f MB\n",
		      (double)strlen(text) / 1e6, (double)took / 1e6, (double)used / 1e6);
	/* A tree of all values would take some 2 GB. */
	assert_true(used < strlen(text));
	char *text_again = write_json(&again);
	assert_true(strcmp(text, text_again) == 0);
	free(text);
	free(text_again);
	dump_deinit(&dump);
	dump_deinit(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_comes_back_whole),
		cmocka_unit_test(every_word_comes_back),
		cmocka_unit_test(what_is_not_known_stays_so),
		cmocka_unit_test(goroutines_come_back),
		cmocka_unit_test(text_that_is_no_text_comes_back),
		cmocka_unit_test(order_blanks_and_unknown_keys_do_not_matter),
		cmocka_unit_test(what_came_later_may_be_missing),
		cmocka_unit_test(later_words_are_named),
		cmocka_unit_test(each_refusal_says_where_and_what),
		cmocka_unit_test(a_higher_version_is_refused),
		cmocka_unit_test(a_dump_cut_short_is_refused),
		cmocka_unit_test(every_type_is_checked),
		cmocka_unit_test(damaged_dumps_do_no_harm),
		cmocka_unit_test(nonsense_costs_little),
		cmocka_unit_test(a_crowd_is_read_quickly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
