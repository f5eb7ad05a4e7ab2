#include "store/json.h"
#include "store/read.h"

#include <limits.h>
#include <string.h>

/* A process on its way: where the walk through its members puts what it reads. */
struct part {
	struct reader *reader;
	struct process *process;
};

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

static void read_runtime(struct reader *reader, struct process *process)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object);
	struct runtime *runtime = array_append(&process->runtimes);
	runtime->name = field_text(&fields, "name");
	runtime->version = field_text(&fields, "version");
	json_decref(object);
}

static const struct {
	const char *key;
	void (*read_element)(struct reader *reader, struct process *process);
} lists[] = {
	{"threads", read_thread},
	{"modules", read_module},
	{"runtimes", read_runtime},
	{"goroutines", read_goroutine},
};

static bool walk_lists(void *context, const char *key)
{
	struct part *part = context;
	struct cursor *cursor = &part->reader->cursor;
	size_t i = 0;
	while (i < ARRAY_SIZE(lists) && strcmp(lists[i].key, key) != 0)
		i++;
	if (i == ARRAY_SIZE(lists))
		return false;
	for (bool more = cursor_open(cursor, "[]"); more; more = cursor_more(cursor, "[]"))
		lists[i].read_element(part->reader, part->process);
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

void read_process(struct reader *reader)
{
	static const char *const keys[] = {
		"pid",	     "ppid",	       "name",		"executable",
		"command",   "start_time",     "pid_namespace", "running_ms",
		"frozen_us", "signals_caught", "timers",	NULL};
	size_t first = reader->places.count, index = reader->dump->processes.count;
	const char *text = reader->cursor.at;
	struct process *process = array_append(&reader->dump->processes);
	struct part part = {reader, process};
	json_t *members = cursor_members(&reader->cursor, keys, walk_lists, &part);
	struct fields fields = reader_fields(reader, members);
	reader->cursor.value = text;
	if (!json_object_get(members, "pid"))
		cursor_fail(&reader->cursor, "\"pid\" is missing");
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
	*array_append(&reader->processes) = (struct process_place){process->pid, index, text};
	for (size_t i = first; i < reader->places.count; i++)
		reader->places.items[i].process = index;
	json_decref(members);
}
