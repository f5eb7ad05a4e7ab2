/* store: the dump as JSON, read back with jansson. */
#include "base/deadline.h"
#include "group/group.h"
#include "lib/make_dump.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

static char *write_text(const struct dump *dump)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	assert_null(store_write_json(dump, to));
	assert_int_equal(fclose(to), 0);
	return text;
}

static json_t *read_back(const struct dump *dump)
{
	char *text = write_text(dump);
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s at byte %d of:\n%s", error.text, error.position, text);
	free(text);
	return json;
}

/* By path: "processes.0.threads.1.wait". */
static json_t *at(json_t *json, const char *path)
{
	char *copy = strdup(path), *rest = copy, *key;
	while ((key = strsep(&rest, "."))) {
		json_t *next = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10))
						   : json_object_get(json, key);
		if (!next)
			fail_msg("no '%s' of '%s'", key, path);
		json = next;
	}
	free(copy);
	return json;
}

static void assert_json(json_t *json, const char *path, const char *expected)
{
	char *text = json_dumps(at(json, path), JSON_ENCODE_ANY | JSON_COMPACT);
	if (strcmp(text, expected) != 0)
		fail_msg("%s is %s, not %s", path, text, expected);
	free(text);
}

static void assert_keys(json_t *json, const char *path, const char *expected)
{
	char keys[512] = "";
	const char *key;
	json_t *value;
	json_object_foreach(at(json, path), key, value)
		snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "%s ", key);
	if (strcmp(keys, expected) != 0)
		fail_msg("the keys of '%s' are '%s', not '%s'", path, keys, expected);
}

static void every_key_is_there_in_its_order(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	json_t *json = read_back(&dump);
	json_t *outer = json_pack("{s:O}", "dump", json);
	assert_keys(outer, "dump",
		    "format version generator taken_at occasion clock watched_ms host tree "
		    "processes groups "
		    "findings neighbours "
		    "errors ");
	assert_keys(json, "clock", "boot_id monotonic_ns ");
	assert_keys(json, "host", "name kernel arch ");
	assert_keys(
		json, "processes.0",
		"pid ppid name executable command start_time pid_namespace running_ms frozen_us "
		"signals_caught timers threads modules runtimes goroutines ");
	assert_keys(json, "processes.0.threads.1",
		    "tid name start_time state cpu_ns switches own_stops steady second_look "
		    "progress wait "
		    "frames complete "
		    "incomplete_because omitted omitted_outer ");
	assert_keys(json, "processes.0.threads.1.cpu_ns", "user system ");
	assert_keys(json, "processes.0.threads.1.switches", "voluntary involuntary ");
	assert_keys(json, "processes.0.threads.1.wait",
		    "class since_ms timeout_ms idle confidence in_syscall syscall resource "
		    "owners "
		    "owner_state owner_confidence reach overdue rule ");
	assert_keys(json, "processes.0.threads.1.wait.syscall", "name number arguments ");
	assert_keys(json, "processes.0.threads.1.wait.resource",
		    "kind address name fd detail identity ");
	assert_keys(json, "processes.0.threads.1.wait.owners.0", "pid tid ");
	assert_keys(
		json, "processes.0.threads.1.frames.0",
		"kind pc function offset module module_offset build_id file line inlined found_by "
		"doubtful ");
	assert_keys(json, "processes.0.modules.0", "path build_id start end ");
	assert_keys(json, "groups.0", "pid process tids class since_ms idle progress created_by ");
	assert_keys(json, "findings.0",
		    "kind confidence doubts summary threads behind resources evidence ");
	assert_keys(json, "errors.0", "pid tid what why ");
	json_decref(outer);
	json_decref(json);
	dump_deinit(&dump);
}

static void make_full_goroutine(struct dump *dump)
{
	dump_init(dump);
	make_tracee(dump);
	dump->occasion = "SIGQUIT: quit";
	struct process *process = &dump->processes.items[0];
	process->runtimes.items[0].version = "go1.26";
	struct thread *sender = &process->goroutines.items[0];
	sender->tid = 4250;
	sender->goroutine->locked_to_thread = sender->goroutine->system = true;
	sender->goroutine->bubble = "synctest bubble 1";
	sender->goroutine->labels = "{\"k\": \"v\"}";
	sender->stack.omitted = 9;
	sender->stack.omitted_outer = 1;
	group_threads(dump);
}

static void goroutines_are_where_the_contract_says(void **state)
{
	(void)state;
	struct dump dump;
	make_full_goroutine(&dump);
	json_t *json = read_back(&dump);
	static const char sender[] = "\"github.com/aquasecurity/tracee/tests/"
				     "testutils.ExecCmdBgWithSudoAndCtx.func1.1\"";
	static const struct {
		const char *path, *value;
	} rows[] = {
		{"occasion", "\"SIGQUIT: quit\""},
		{"processes.0.threads", "[]"},
		{"processes.0.runtimes", "[{\"name\":\"go\",\"version\":\"go1.26\"}]"},
		{"processes.0.goroutines.0.goid", "8"},
		{"processes.0.goroutines.0.status", "\"waiting\""},
		{"processes.0.goroutines.0.tid", "4250"},
		{"processes.0.goroutines.1.tid", "null"},
		{"processes.0.goroutines.0.locked_to_thread", "true"},
		{"processes.0.goroutines.0.system", "true"},
		{"processes.0.goroutines.0.bubble", "\"synctest bubble 1\""},
		{"processes.0.goroutines.0.labels", "\"{\\\"k\\\": \\\"v\\\"}\""},
		{"processes.0.goroutines.0.wait.class", "\"chan send\""},
		{"processes.0.goroutines.0.wait.since_ms", "300000"},
		{"processes.0.goroutines.0.wait.resource", "null"},
		{"processes.0.goroutines.0.created_by.line", "139"},
		{"processes.0.goroutines.0.created_by.offset", "216"},
		{"processes.0.goroutines.0.created_by.goid", "7"},
		{"processes.0.goroutines.0.omitted", "9"},
		{"processes.0.goroutines.0.omitted_outer", "1"},
		{"processes.0.goroutines.2.frames.0.kind", "\"go\""},
		{"processes.0.goroutines.2.frames.0.pc", "null"},
		{"processes.0.goroutines.2.frames.0.offset", "63"},
		{"processes.0.goroutines.2.frames.0.function", sender},
		{"groups.0.goids", "[128,278]"},
		{"groups.0.class", "\"chan send\""},
		{"groups.0.created_by.goids", "[127,277]"},
		{"groups.0.created_by.line", "139"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_json(json, rows[i].path, rows[i].value);
	assert_null(json_object_get(at(json, "groups.0"), "tids"));
	json_decref(json);
	/* Go prints no pid. */
	dump.processes.items[0].pid = 0;
	json = read_back(&dump);
	assert_json(json, "processes.0.pid", "null");
	assert_json(json, "groups.1.pid", "null");
	json_decref(json);
	dump_deinit(&dump);
}

static void every_fact_is_where_the_contract_says(void **state)
{
	(void)state;
	static const struct {
		const char *path, *value;
	} rows[] = {
		{"format", "\"hangdump\""},
		{"version", "1"},
		{"generator", "\"hangdump 0.1\""},
		{"taken_at", "\"2023-11-14T22:13:20.123Z\""},
		{"clock", "{\"boot_id\":\"3f1c\",\"monotonic_ns\":5000000000}"},
		{"host", "{\"name\":\"h\",\"kernel\":\"6.1\",\"arch\":\"x86_64\"}"},
		{"processes.0.pid", "4242"},
		{"processes.0.ppid", "1"},
		{"processes.0.name", "\"bank\""},
		{"processes.0.executable", "\"/src/bank/bank\""},
		{"processes.0.command", "[\"./bank\",\"--workers\",\"12\"]"},
		{"processes.0.start_time", "77"},
		{"processes.0.pid_namespace", "4026531836"},
		{"processes.0.running_ms", "400000"},
		{"processes.0.frozen_us", "1834"},
		{"processes.0.signals_caught", "[1,64]"},
		{"processes.0.timers", "true"},
		{"processes.0.modules",
		 "[{\"path\":\"/src/bank/bank\",\"build_id\":\"abcd\","
		 "\"start\":\"0x5581c0de0000\",\"end\":\"0x5581c0de5000\"}]"},
		{"processes.0.runtimes", "[]"},
		{"processes.0.goroutines", "[]"},
		{"processes.0.threads.1.tid", "4243"},
		{"processes.0.threads.1.name", "\"transfer-1\""},
		{"processes.0.threads.1.start_time", "78"},
		{"processes.0.threads.1.state", "\"S\""},
		{"processes.0.threads.1.cpu_ns", "{\"user\":12,\"system\":13}"},
		{"processes.0.threads.1.switches", "{\"voluntary\":4,\"involuntary\":5}"},
		{"processes.0.threads.1.own_stops", "1"},
		{"processes.0.threads.0.progress", "null"},
		{"processes.0.threads.1.progress", "\"stuck\""},
		{"watched_ms", "1500"},
		{"processes.0.threads.1.steady", "true"},
		{"processes.0.threads.1.wait.class", "\"mutex lock\""},
		{"processes.0.threads.1.wait.since_ms", "301000"},
		{"processes.0.threads.1.wait.timeout_ms", "9000"},
		{"processes.0.threads.1.wait.idle", "false"},
		{"processes.0.threads.1.wait.confidence", "\"likely\""},
		{"processes.0.threads.1.wait.in_syscall", "true"},
		{"processes.0.threads.1.wait.syscall",
		 "{\"name\":\"futex\",\"number\":202,"
		 "\"arguments\":[\"0x5581c0de40e8\",\"0xffffffffffffffff\"]}"},
		{"processes.0.threads.1.wait.resource",
		 "{\"kind\":\"mutex\",\"address\":\"0x5581c0de40e8\",\"name\":\"savings "
		 "(bank.c:12)\","
		 "\"fd\":0,\"detail\":\"owner 4244\",\"identity\":\"mutex:1\"}"},
		{"processes.0.threads.1.wait.owners", "[{\"pid\":4242,\"tid\":4244}]"},
		{"processes.0.threads.1.frames.0.kind", "\"native\""},
		{"processes.0.threads.1.frames.0.function", "\"__lll_lock_wait\""},
		{"processes.0.threads.1.frames.0.offset", "48"},
		{"processes.0.threads.1.frames.0.module", "\"/bin/prog\""},
		{"processes.0.threads.1.frames.0.build_id", "\"ef01\""},
		{"processes.0.threads.1.frames.0.file", "\"lowlevellock.c\""},
		{"processes.0.threads.1.frames.0.line", "49"},
		{"processes.0.threads.1.frames.0.inlined", "false"},
		{"processes.0.threads.1.frames.0.found_by", "\"registers\""},
		{"processes.0.threads.1.frames.1.inlined", "true"},
		{"processes.0.threads.1.frames.1.found_by", "\"inline\""},
		{"processes.0.threads.1.frames.2.doubtful", "true"},
		{"processes.0.threads.1.frames.3.found_by", "\"cfi\""},
		{"processes.0.threads.1.complete", "false"},
		{"processes.0.threads.1.incomplete_because", "\"no rule\""},
		{"processes.0.threads.1.omitted", "3"},
		{"processes.0.threads.13.wait.idle", "true"},
		{"groups.0.pid", "4242"},
		{"groups.0.tids", "[4245,4246,4247,4248,4249,4250,4251,4252,4253,4254]"},
		{"groups.0.class", "\"mutex lock\""},
		{"groups.0.since_ms", "{\"min\":301000,\"max\":301000}"},
		{"groups.0.idle", "false"},
		{"groups.0.created_by", "null"},
		{"groups.4.idle", "true"},
		{"findings.0.kind", "\"deadlock\""},
		{"findings.0.confidence", "\"certain\""},
		{"findings.0.doubts", "[\"moved\",\"others\"]"},
		{"findings.0.summary", "\"2 threads wait for each other\""},
		{"findings.0.threads", "[{\"pid\":4242,\"tid\":4243},{\"pid\":4242,\"tid\":4244}]"},
		{"findings.0.resources.0.kind", "\"mutex\""},
		{"errors.0", "{\"pid\":4242,\"tid\":4243,\"what\":\"memory\",\"why\":\"gone\"}"},
		{"errors.1", "{\"pid\":null,\"tid\":null,\"what\":\"host\",\"why\":\"odd\"}"},
	};
	struct dump dump;
	make_full(&dump);
	json_t *json = read_back(&dump);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_json(json, rows[i].path, rows[i].value);
	char pc[32];
	snprintf(pc, sizeof(pc), "\"0x%jx\"",
		 (uintmax_t)dump.processes.items[0].threads.items[1].stack.frames[0].pc);
	assert_json(json, "processes.0.threads.1.frames.0.pc", pc);
	json_decref(json);
	dump_deinit(&dump);
}

/* No number below 0, and none that is not whole, anywhere. */
static void assert_sane_numbers(json_t *json)
{
	const char *key;
	size_t i;
	json_t *value;
	assert_false(json_is_real(json));
	if (json_is_integer(json))
		assert_true(json_integer_value(json) >= 0);
	json_object_foreach(json, key, value) assert_sane_numbers(value);
	json_array_foreach(json, i, value) assert_sane_numbers(value);
}

static void what_is_not_known_is_null(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, NULL);
	process->ppid = -1;
	process->frozen_us = -1;
	struct thread *thread = make_thread(&dump, process, 10, NULL, WAIT_UNKNOWN);
	thread->state = 0;
	thread->wait.has_syscall = true;
	thread->wait.syscall.number = -1;
	make_frame(&dump, thread, NULL, 5, NULL, 0)->module = NULL;
	make_frame(&dump, thread, "k", 5, NULL, 0)->kind = FRAME_KERNEL;
	thread = make_thread(&dump, process, 11, NULL, WAIT_SYSTEM_CALL);
	thread->cpu_total_ns = 0;
	thread->switches_voluntary = 7;
	thread->wait.has_syscall = true;
	thread->wait.syscall.number = 999;
	make_owner(thread, 20, 0);
	make_resource(&dump, thread, "thing", 0, NULL);
	make_frame(&dump, thread, "f", UINT64_MAX, NULL, 0);
	make_finding(&dump, FINDING_SPINNING);
	group_threads(&dump);
	json_t *json = read_back(&dump);
	static const struct {
		const char *path, *value;
	} rows[] = {
		{"generator", "null"},
		{"taken_at", "null"},
		{"clock", "{\"boot_id\":null,\"monotonic_ns\":null}"},
		{"processes.0.ppid", "null"},
		{"processes.0.name", "null"},
		{"processes.0.command", "[]"},
		{"processes.0.start_time", "null"},
		{"processes.0.pid_namespace", "null"},
		{"processes.0.running_ms", "null"},
		{"processes.0.frozen_us", "null"},
		{"processes.0.threads.0.name", "null"},
		{"processes.0.threads.0.state", "null"},
		{"processes.0.threads.0.cpu_ns", "null"},
		{"processes.0.threads.0.switches", "null"},
		{"processes.0.threads.0.wait.since_ms", "null"},
		{"processes.0.threads.0.wait.timeout_ms", "null"},
		{"processes.0.threads.0.wait.in_syscall", "false"},
		{"processes.0.threads.0.wait.syscall", "null"},
		{"processes.0.threads.0.wait.resource", "null"},
		{"processes.0.threads.0.wait.owners", "[]"},
		{"processes.0.threads.0.incomplete_because", "null"},
		{"processes.0.threads.0.frames.0.function", "null"},
		{"processes.0.threads.0.frames.0.offset", "null"},
		{"processes.0.threads.0.frames.0.module", "null"},
		{"processes.0.threads.0.frames.0.module_offset", "null"},
		{"processes.0.threads.0.frames.0.line", "null"},
		{"processes.0.threads.0.frames.1.pc", "null"},
		{"processes.0.threads.0.frames.1.offset", "5"},
		{"processes.0.threads.1.cpu_ns", "{\"total\":0}"},
		{"processes.0.threads.1.switches", "{\"voluntary\":7,\"involuntary\":null}"},
		{"processes.0.threads.1.wait.owners", "[{\"pid\":20,\"tid\":null}]"},
		{"processes.0.threads.1.wait.resource.fd", "null"},
		{"processes.0.threads.1.wait.resource.address", "null"},
		{"processes.0.threads.1.wait.syscall",
		 "{\"name\":null,\"number\":999,"
		 "\"arguments\":[\"0x0\",\"0x0\",\"0x0\",\"0x0\",\"0x0\",\"0x0\"]}"},
		{"processes.0.threads.1.frames.0.offset", "null"},
		{"groups.0.since_ms", "{\"min\":null,\"max\":null}"},
		{"findings.0.summary", "null"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_json(json, rows[i].path, rows[i].value);
	assert_sane_numbers(json);
	json_decref(json);
	dump_deinit(&dump);
}

static void hostile_strings_become_safe_ascii(void **state)
{
	(void)state;
	static const char evil[] = "a\33[2J\x7f\xff\n\"\\\xc2\x9b\xe2\x80\xae\x7f\xf0\x9f\x92\xa3";
	struct dump dump;
	dump_init(&dump);
	struct process *process = make_process(&dump, 10, evil);
	const char *pooled = strpool_add(&dump.strings, evil);
	process->executable = pooled;
	*array_append(&process->command) = pooled;
	struct thread *thread = make_thread(&dump, process, 10, evil, WAIT_MUTEX_LOCK);
	thread->state = '\xff';
	make_resource(&dump, thread, evil, 1, evil);
	make_frame(&dump, thread, evil, 0, evil, 1)->module = pooled;
	thread->stack.complete = false;
	thread->stack.incomplete = pooled;
	struct module *module = array_append(&process->modules);
	module->path = pooled;
	dump_add_error(&dump, 10, 10, evil, "%s", evil);
	make_finding(&dump, FINDING_DEADLOCK)->summary = pooled;
	char *text = write_text(&dump);
	for (const char *c = text; *c; c++) {
		if ((*c < ' ' && *c != '\n') || (unsigned char)*c >= 0x7f)
			fail_msg("byte 0x%02x reached the stream", (unsigned char)*c);
	}
	free(text);
	json_t *json = read_back(&dump);
	static const char clean[] =
		"a\33[2J\x7f\xef\xbf\xbd\n\"\\\xc2\x9b\xe2\x80\xae\x7f\xf0\x9f\x92\xa3";
	static const char *const paths[] = {"processes.0.name",
					    "processes.0.executable",
					    "processes.0.command.0",
					    "processes.0.threads.0.name",
					    "processes.0.threads.0.wait.resource.kind",
					    "processes.0.threads.0.wait.resource.name",
					    "processes.0.threads.0.frames.0.function",
					    "processes.0.threads.0.frames.0.module",
					    "processes.0.threads.0.frames.0.file",
					    "processes.0.threads.0.incomplete_because",
					    "processes.0.modules.0.path",
					    "errors.0.what",
					    "errors.0.why",
					    "findings.0.summary"};
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_string_equal(json_string_value(at(json, paths[i])), clean);
	assert_string_equal(json_string_value(at(json, "processes.0.threads.0.state")),
			    "\xef\xbf\xbd");
	assert_json(json, "processes.0.threads.0.state_bytes", "\"ff\"");
	static const char bytes[] = "\"611b5b324a7fff0a225cc29be280ae7ff09f92a3\"";
	assert_json(json, "processes.0.threads.0.name_bytes", bytes);
	assert_json(json, "processes.0.command_bytes.0", bytes);
	json_decref(json);
	dump_deinit(&dump);
}

static void an_empty_dump_is_a_whole_document(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	json_t *json = read_back(&dump);
	assert_json(json, "processes", "[]");
	assert_json(json, "errors", "[]");
	json_decref(json);
	dump_deinit(&dump);
}

static void threads_and_frames_have_lines_of_their_own(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	char *text = write_text(&dump);
	size_t threads = 0, frames = 0;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		threads += strncmp(line, "{\"tid\":", 7) == 0;
		frames += strncmp(line, "{\"kind\":\"native\"", 16) == 0;
	}
	assert_int_equal(threads, 14);
	assert_int_equal(frames, 2 + 12 * 5 + 2);
	free(text);
	dump_deinit(&dump);
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	FILE *to = fopen("/dev/full", "w");
	if (!to)
		skip();
	setvbuf(to, NULL, _IONBF, 0);
	struct error *error = store_write_json(&dump, to);
	assert_non_null(error);
	assert_int_equal(error->reason, ERROR_UNWRITABLE);
	char *why = error_why(error);
	assert_string_equal(why, "could not be written: No space left on device");
	free(why);
	error_free(error);
	fclose(to);
	dump_deinit(&dump);
}

/* By the schema that is installed; through Python, where it has a validator. */
static int validate(const char *text)
{
	FILE *to = popen("python3 '" SRCDIR "/tests/unit/store/validate.py' '" SRCDIR
			 "/src/store/hangdump.schema.json'",
			 "w");
	assert_non_null(to);
	fputs(text, to);
	int status = pclose(to);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_schema_holds(void **state)
{
	(void)state;
	struct dump dump;
	make_full(&dump);
	char *text = write_text(&dump);
	int status = validate(text);
	free(text);
	dump_deinit(&dump);
	if (status == 77 || status == 127) {
		print_message("skipped: Python has no jsonschema with draft 2020-12\n");
		skip();
	}
	assert_int_equal(status, 0);
	make_full_goroutine(&dump);
	text = write_text(&dump);
	assert_int_equal(validate(text), 0);
	free(text);
	dump_deinit(&dump);
	dump_init(&dump);
	text = write_text(&dump);
	assert_int_equal(validate(text), 0);
	free(text);
	/* Unknown keys are allowed, known ones have a type. */
	json_t *json = read_back(&dump);
	json_object_set_new(json, "later", json_true());
	text = json_dumps(json, 0);
	assert_int_equal(validate(text), 0);
	free(text);
	json_object_set_new(json, "groups", json_string("x"));
	text = json_dumps(json, 0);
	assert_int_equal(validate(text), 1);
	free(text);
	json_decref(json);
	dump_deinit(&dump);
}

/* Also without a validator: the schema asks for exactly the keys that are written. */
static void assert_requires(json_t *schema, const char *definition, json_t *object)
{
	json_t *required = at(at(at(schema, "$defs"), definition), "required"), *name;
	size_t i;
	json_array_foreach(required, i, name)
	{
		if (!json_object_get(object, json_string_value(name)))
			fail_msg("%s has no %s", definition, json_string_value(name));
	}
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		if (!json_object_get(at(at(at(schema, "$defs"), definition), "properties"), key))
			fail_msg("the schema does not know %s of %s", key, definition);
	}
}

static void the_schema_knows_every_key(void **state)
{
	(void)state;
	json_error_t error;
	json_t *schema = json_load_file(SRCDIR "/src/store/hangdump.schema.json", 0, &error);
	if (!schema)
		fail_msg("line %d: %s", error.line, error.text);
	struct dump dump;
	make_full(&dump);
	json_t *json = read_back(&dump);
	static const struct {
		const char *definition, *path;
	} rows[] = {{"process", "processes.0"},
		    {"module", "processes.0.modules.0"},
		    {"thread", "processes.0.threads.1"},
		    {"wait", "processes.0.threads.1.wait"},
		    {"resource", "processes.0.threads.1.wait.resource"},
		    {"threadId", "processes.0.threads.1.wait.owners.0"},
		    {"frame", "processes.0.threads.1.frames.0"},
		    {"group", "groups.0"},
		    {"finding", "findings.0"},
		    {"error", "errors.0"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_requires(schema, rows[i].definition, at(json, rows[i].path));
	/* The words that the schema lists are those of the model. */
	const char *words = json_string_value(at(schema, "$defs.class.description"));
	for (int class = 0; class < WAIT_CLASSES; class ++) {
		if (!strstr(words, wait_classes[class].name))
			fail_msg("the schema does not list '%s'", wait_classes[class].name);
	}
	json_decref(json);
	dump_deinit(&dump);
	make_full_goroutine(&dump);
	json = read_back(&dump);
	assert_requires(schema, "goroutine", at(json, "processes.0.goroutines.0"));
	assert_requires(schema, "creator", at(json, "processes.0.goroutines.0.created_by"));
	json_decref(json);
	json_decref(schema);
	dump_deinit(&dump);
}

static void time_crowd(size_t threads, size_t kinds)
{
	struct dump dump;
	dump_init(&dump);
	make_crowd(&dump, threads, 30, kinds);
	group_threads(&dump);
	FILE *to = tmpfile();
	assert_non_null(to);
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	uint64_t begin = monotonic_ns();
	assert_null(store_write_json(&dump, to));
	uint64_t took = monotonic_ns() - begin;
	getrusage(RUSAGE_SELF, &after);
	print_message("%zu threads of 30 frames in %zu groups: %.0f ms, %.1f MB, peak memory +%ld "
		      "kB\n",
		      threads, kinds, (double)took / 1e6, (double)ftell(to) / 1e6,
		      after.ru_maxrss - before.ru_maxrss);
	/* A tree of all values would take some 2 GB. */
	assert_true(after.ru_maxrss - before.ru_maxrss < 300 * 1024);
	assert_true(took < 60000000000u);
	fclose(to);
	dump_deinit(&dump);
}

static void a_crowd_takes_little_memory(void **state)
{
	(void)state;
	time_crowd(10000, 1);
	time_crowd(10000, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_there_in_its_order),
		cmocka_unit_test(goroutines_are_where_the_contract_says),
		cmocka_unit_test(every_fact_is_where_the_contract_says),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(hostile_strings_become_safe_ascii),
		cmocka_unit_test(an_empty_dump_is_a_whole_document),
		cmocka_unit_test(threads_and_frames_have_lines_of_their_own),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(the_schema_holds),
		cmocka_unit_test(the_schema_knows_every_key),
		cmocka_unit_test(a_crowd_takes_little_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
