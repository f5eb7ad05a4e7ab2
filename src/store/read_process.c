#include "store/json.h"
#include "store/read.h"

#include <limits.h>
#include <string.h>

/* A process or a thread on its way: where the walk through its members puts what it reads. */
struct part {
	struct reader *reader;
	struct process *process;
	struct thread *thread;
};

enum wait_class read_class(struct reader *reader, const struct fields *fields)
{
	enum wait_class class = WAIT_UNKNOWN;
	const char *word = field_text(fields, "class");
	if (word && !wait_class_from_name(word, &class))
		reader_note_unknown(reader, "wait class", word);
	return class;
}

struct resource read_resource(const struct fields *fields)
{
	struct resource resource = {.fd = -1};
	if (!fields->object)
		return resource;
	field_require(fields, "kind");
	resource.kind = field_text(fields, "kind");
	resource.address = field_address(fields, "address");
	resource.name = field_text(fields, "name");
	resource.fd = (int)field_number(fields, "fd", INT_MAX, -1);
	resource.detail = field_text(fields, "detail");
	resource.identity = field_text(fields, "identity");
	return resource;
}

struct thread_id read_thread_id(const struct fields *fields)
{
	return (struct thread_id){field_pid(fields, "pid"), field_pid(fields, "tid")};
}

static void read_call(const struct fields *fields, struct wait *wait)
{
	struct fields call = fields_of(fields, "syscall");
	const json_t *arguments = field_array(&call, "arguments"), *argument;
	size_t i;
	/* Without that key, in dumps of hangdump 0.1, it is not known. */
	bool is_in_none = !field_flag(fields, "in_syscall") &&
			  json_is_false(json_object_get(fields->object, "in_syscall"));
	wait->has_syscall = call.object || is_in_none;
	wait->syscall.number = -1;
	if (!call.object)
		return;
	field_require(&call, "number");
	wait->syscall.number = (long)field_number(&call, "number", LONG_MAX, -1);
	wait->syscall.name = field_text(&call, "name");
	if (json_array_size(arguments) > ARRAY_SIZE(wait->syscall.arguments)) {
		cursor_fail(call.cursor, "\"arguments\" of a system call are at most %zu",
			    ARRAY_SIZE(wait->syscall.arguments));
		return;
	}
	wait->syscall.argument_count = (unsigned)json_array_size(arguments);
	json_array_foreach(arguments, i, argument)
	{
		wait->syscall.arguments[i] = element_address(&call, "arguments", argument);
	}
}

static void read_owners(const struct fields *fields, struct wait *wait)
{
	const json_t *owners = field_array(fields, "owners"), *owner;
	size_t i;
	json_array_foreach(owners, i, owner)
	{
		struct fields id = fields_of_element(fields, owner);
		*array_append(&wait->owners) = read_thread_id(&id);
	}
}

static void read_wait(struct reader *reader, const struct fields *fields, struct wait *wait)
{
	field_require(fields, "class");
	field_require(fields, "confidence");
	wait->class = read_class(reader, fields);
	wait->since_ms = field_number(fields, "since_ms", INT64_MAX, -1);
	wait->timeout_ms = field_number(fields, "timeout_ms", INT64_MAX, -1);
	wait->idle = field_flag(fields, "idle");
	wait->confidence = (enum confidence)field_choice(fields, "confidence", confidence_names,
							 ARRAY_SIZE(confidence_names), 0);
	read_call(fields, wait);
	struct fields resource = fields_of(fields, "resource");
	wait->resource = read_resource(&resource);
	read_owners(fields, wait);
	wait->owner_state = (enum owner_state)field_choice(fields, "owner_state", owner_state_names,
							   OWNER_STATES, OWNER_NOBODY);
	wait->owner_confidence =
		(enum confidence)field_choice(fields, "owner_confidence", confidence_names,
					      ARRAY_SIZE(confidence_names), CONFIDENCE_LIKELY);
	wait->reach = (enum wait_reach)field_choice(fields, "reach", wait_reach_names, REACHES,
						    REACH_ANYBODY);
	wait->overdue = field_flag(fields, "overdue");
	wait->rule = field_text(fields, "rule");
}

static void read_counters(const struct fields *fields, struct thread *thread)
{
	struct fields cpu = fields_of(fields, "cpu_ns"), switches = fields_of(fields, "switches");
	thread->cpu_user_ns = field_number(&cpu, "user", INT64_MAX, -1);
	thread->cpu_system_ns = field_number(&cpu, "system", INT64_MAX, -1);
	thread->cpu_total_ns = field_number(&cpu, "total", INT64_MAX, -1);
	thread->switches_voluntary = field_number(&switches, "voluntary", INT64_MAX, -1);
	thread->switches_involuntary = field_number(&switches, "involuntary", INT64_MAX, -1);
	thread->own_stops = (unsigned)field_number(fields, "own_stops", UINT_MAX, 0);
	thread->steady = field_flag(fields, "steady");
}

/* Comes after the frames. */
static void read_second_look(const struct fields *fields, struct thread *thread)
{
	struct fields look = fields_of(fields, "second_look");
	int64_t count = (int64_t)thread->stack.count;
	if (!look.object)
		return;
	thread->look_ns = field_number(&look, "after_ns", INT64_MAX, 0);
	thread->look_cpu_ns = field_number(&look, "cpu_ns", INT64_MAX, -1);
	thread->look_delay_ns = field_number(&look, "run_delay_ns", INT64_MAX, -1);
	thread->look_frame = (size_t)field_number(&look, "same_from_frame", count - 1, count);
}

static bool walk_thread(void *context, const char *key)
{
	struct part *part = context;
	if (strcmp(key, "frames") != 0)
		return false;
	read_frames(part->reader, &part->thread->stack);
	return true;
}

static void read_thread(struct reader *reader, struct process *process)
{
	static const char *const keys[] = {
		"tid",	     "name",   "start_time",  "state", "cpu_ns",   "switches",
		"own_stops", "steady", "second_look", "wait",  "complete", "incomplete_because",
		"omitted",   NULL};
	struct thread *thread = array_append(&process->threads);
	struct part part = {.reader = reader, .thread = thread};
	struct place *place = array_append(&reader->places);
	place->thread = process->threads.count - 1;
	place->text = reader->cursor.at;
	wait_init(&thread->wait);
	json_t *members = cursor_members(&reader->cursor, keys, walk_thread, &part);
	struct fields fields = reader_fields(reader, members), wait = fields_of(&fields, "wait");
	reader->cursor.value = place->text;
	field_require(&fields, "tid");
	field_require(&fields, "wait");
	thread->tid = place->tid = field_pid(&fields, "tid");
	thread->name = field_text(&fields, "name");
	thread->start_time = (uint64_t)field_number(&fields, "start_time", INT64_MAX, 0);
	thread->state = field_letter(&fields, "state");
	read_counters(&fields, thread);
	read_second_look(&fields, thread);
	read_wait(reader, &wait, &thread->wait);
	thread->stack.complete = field_flag(&fields, "complete");
	thread->stack.incomplete = field_text(&fields, "incomplete_because");
	thread->stack.omitted = (size_t)field_number(&fields, "omitted", INT64_MAX, 0);
	json_decref(members);
}

static void read_module(struct reader *reader, struct process *process)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object);
	struct module *module = array_append(&process->modules);
	module->path = field_text(&fields, "path");
	module->build_id = field_text(&fields, "build_id");
	module->start = field_address(&fields, "start");
	module->end = field_address(&fields, "end");
	json_decref(object);
}

static bool walk_process(void *context, const char *key)
{
	struct part *part = context;
	struct cursor *cursor = &part->reader->cursor;
	bool threads = strcmp(key, "threads") == 0, modules = strcmp(key, "modules") == 0;
	bool goroutines = strcmp(key, "goroutines") == 0;
	if (!threads && !modules && !goroutines)
		return false;
	for (bool more = cursor_open(cursor, "[]"); more; more = cursor_more(cursor, "[]")) {
		size_t length;
		if (threads)
			read_thread(part->reader, part->process);
		else if (modules)
			read_module(part->reader, part->process);
		else
			cursor_text(cursor, &length);
		if (goroutines)
			reader_note_unknown(part->reader, "part of the dump", key);
	}
	return true;
}

static void read_command(const struct fields *fields, struct process *process)
{
	const json_t *command = field_array(fields, "command"), *argument;
	const json_t *bytes = field_array(fields, "command" JSON_BYTES);
	size_t i;
	json_array_foreach(command, i, argument)
	{
		*array_append(&process->command) =
			element_text(fields, "command", argument, json_array_get(bytes, i));
	}
}

static void read_signals(const struct fields *fields, struct process *process)
{
	const json_t *signals = field_array(fields, "signals_caught"), *number;
	size_t i;
	json_array_foreach(signals, i, number)
	{
		int64_t signal = json_integer_value(number);
		if (json_is_integer(number) && signal >= 1 && signal <= 64)
			process->signals_caught |= UINT64_C(1) << (signal - 1);
		else
			cursor_fail(fields->cursor, "\"signals_caught\" must be from 1 to 64");
	}
}

/* Its places were made before its pid was known. */
static void finish_places(struct reader *reader, size_t first, pid_t pid)
{
	for (size_t i = first; i < reader->places.count; i++) {
		reader->places.items[i].pid = pid;
		reader->places.items[i].process = reader->dump->processes.count - 1;
	}
}

void read_process(struct reader *reader)
{
	static const char *const keys[] = {
		"pid",	     "ppid",	       "name",		"executable",
		"command",   "start_time",     "pid_namespace", "running_ms",
		"frozen_us", "signals_caught", "timers",	NULL};
	size_t first = reader->places.count;
	const char *text = reader->cursor.at;
	array_append(&reader->places)->text = text;
	struct process *process = array_append(&reader->dump->processes);
	struct part part = {.reader = reader, .process = process};
	json_t *members = cursor_members(&reader->cursor, keys, walk_process, &part);
	struct fields fields = reader_fields(reader, members);
	reader->cursor.value = text;
	field_require(&fields, "pid");
	process->pid = field_pid(&fields, "pid");
	process->ppid = (pid_t)field_number(&fields, "ppid", INT_MAX, -1);
	process->name = field_text(&fields, "name");
	process->executable = field_text(&fields, "executable");
	read_command(&fields, process);
	process->start_time = (uint64_t)field_number(&fields, "start_time", INT64_MAX, 0);
	process->pid_namespace = (uint64_t)field_number(&fields, "pid_namespace", INT64_MAX, 0);
	process->running_ms = field_number(&fields, "running_ms", INT64_MAX, -1);
	process->frozen_us = field_number(&fields, "frozen_us", INT64_MAX, -1);
	read_signals(&fields, process);
	process->timers = field_flag(&fields, "timers");
	finish_places(reader, first, process->pid);
	json_decref(members);
}
