#include "base/alloc.h"
#include "store/convert.h"
#include "store/frames.h"
#include "store/json.h"
#include "store/store.h"

#include <stdlib.h>

struct writer {
	const struct diff *diff;
	struct json_stream stream;
	struct frame_texts *frames;
};

static const char *const unknown_names[UNKNOWN_REASONS] = {
	[UNKNOWN_BOTH] = "unreadable",
	[UNKNOWN_ONE] = "unreadable in one dump",
	[UNKNOWN_LEFT_OUT] = "list of threads incomplete",
	[UNKNOWN_NOT_DUMPED] = "process in one dump only",
	[UNKNOWN_COUNTERS] = "counters not known",
	[UNKNOWN_NO_TIME] = "no time between the dumps",
};

/* What goes before an element of a list: a line of its own each. */
static void next_element(struct writer *writer, bool *is_first)
{
	json_write_word(&writer->stream, *is_first ? "\n" : ",\n");
	*is_first = false;
}

static json_t *convert_side(const struct dump *dump)
{
	json_t *object = json_object(), *processes = json_array();
	array_for_each (&dump->processes, process) {
		json_t *element = json_object();
		json_put(element, "pid", json_nonzero((uint64_t)process->pid));
		json_put_text(element, "name", process->name);
		json_put_text(element, "executable", process->executable);
		json_put(element, "start_time", json_nonzero(process->start_time));
		json_put(element, "threads", json_count(process->threads.count));
		json_put(element, "goroutines", json_count(process->goroutines.count));
		json_array_append_new(processes, element);
	}
	json_put(object, "taken_at", convert_moment(dump->taken_at_ns));
	json_put_text(object, "generator", dump->generator);
	json_put_text(object, "boot_id", dump->boot_id);
	json_put_text(object, "host", dump->host_name);
	json_put(object, "whole", json_boolean(dump_is_whole(dump)));
	json_put(object, "processes", processes);
	return object;
}

static json_t *convert_diff_head(const struct diff *diff)
{
	json_t *head = json_object(), *execed = json_array();
	array_for_each (&diff->processes, process) {
		if (process->execed)
			json_array_append_new(execed, json_integer(process->new->pid));
	}
	json_put(head, "format", json_string(STORE_DIFF_FORMAT));
	json_put(head, "version", json_integer(STORE_DIFF_VERSION));
	json_put(head, "generator", json_string(PACKAGE_STRING));
	json_put(head, "mode", json_string(diff->same_run ? "same run" : "other run"));
	json_put(head, "apart_ns",
		 json_known(!diff->apart_known	 ? -1
			    : diff->apart_ns < 0 ? -diff->apart_ns
						 : diff->apart_ns));
	json_put(head, "swapped",
		 diff->apart_known ? json_boolean(diff->apart_ns < 0) : json_null());
	json_put(head, "old", convert_side(diff->old));
	json_put(head, "new", convert_side(diff->new));
	json_put(head, "execed", execed);
	return head;
}

static void put_id(json_t *object, const struct thread *thread)
{
	if (thread->goroutine)
		json_put(object, "goid", json_count(thread->goroutine->goid));
	else
		json_put(object, "tid", json_nonzero((uint64_t)thread->tid));
}

static json_t *convert_thread_diff(const struct diff *diff, const struct thread_diff *thread)
{
	const struct process_diff *process = &diff->processes.items[thread->process];
	const struct thread *shown = thread->new ? thread->new : thread->old;
	json_t *object = json_object();
	json_put(object, "pid",
		 json_nonzero((uint64_t)(thread->new ? process->new : process->old)->pid));
	put_id(object, shown);
	json_put_text(object, "name", shown->name);
	json_put_text(object, "class", wait_name(&shown->wait));
	json_put(object, "idle", json_boolean(shown->wait.idle));
	json_put(object, "waited_for", json_boolean(thread->waited_for));
	json_put(object, "cpu_ns", json_known(thread->cpu_ns));
	json_put(object, "switches", json_known(thread->switches));
	json_put_text(object, "why", unknown_names[thread->why_unknown]);
	json_put(object, "group", json_count(thread->group));
	json_put(object, "old_group", thread->old ? json_count(thread->old_group) : json_null());
	return object;
}

static void write_threads(struct writer *writer)
{
	for (int i = PROGRESS_NONE + 1; i < PROGRESSES; i++) {
		bool is_first = true;
		json_write_word(&writer->stream, i > PROGRESS_NONE + 1 ? ",\n" : "\n");
		json_write(&writer->stream, json_string(progress_names[i]));
		json_write_word(&writer->stream, ":[");
		array_for_each (&writer->diff->threads, thread) {
			if (thread->progress != (enum progress)i)
				continue;
			next_element(writer, &is_first);
			json_write(&writer->stream, convert_thread_diff(writer->diff, thread));
		}
		json_write_word(&writer->stream, "]");
	}
}

/* The ids of those that are there now. */
static json_t *convert_members(const struct diff *diff, size_t index)
{
	json_t *ids = json_array();
	array_for_each (&diff->groups.items[index].members, member) {
		const struct thread_diff *thread = &diff->threads.items[*member];
		if (!thread->new || thread->group != index)
			continue;
		json_t *id = json_object();
		json_put(id, "pid",
			 json_nonzero((uint64_t)diff->processes.items[thread->process].new->pid));
		put_id(id, thread->new);
		json_array_append_new(ids, id);
	}
	return ids;
}

static void write_group(struct writer *writer, size_t index)
{
	const struct group_diff *group = &writer->diff->groups.items[index];
	const struct frame *place = stack_place(&group->thread->stack);
	json_t *object = json_object();
	json_put(object, "before", json_count(group->before));
	json_put(object, "after", json_count(group->after));
	json_put(object, "pid",
		 writer->diff->same_run ? json_nonzero((uint64_t)group->process->pid)
					: json_null());
	json_put_text(object, "class", wait_name(&group->thread->wait));
	json_put_text(object, "place", place ? place->function : NULL);
	json_put(object, "idle", json_boolean(group->idle));
	json_put(object, "waited_for", json_boolean(group->waited_for));
	json_put(object, "progress",
		 writer->diff->same_run ? convert_progress(group->count) : json_null());
	json_put(object, "left", json_count(group->left));
	json_put(object, "members", convert_members(writer->diff, index));
	json_write_word(&writer->stream, "{");
	json_write_members(&writer->stream, object);
	json_write_word(&writer->stream, ",\"frames\":[");
	for (size_t i = 0; i < group->thread->stack.count; i++) {
		json_write_word(&writer->stream, i ? ",\n" : "\n");
		frame_texts_write(writer->frames, &group->thread->stack.frames[i], &writer->stream);
	}
	json_write_word(&writer->stream, "]}");
}

static void write_groups(struct writer *writer)
{
	bool is_first = true;
	for (size_t i = 0; i < writer->diff->groups.count; i++) {
		next_element(writer, &is_first);
		write_group(writer, i);
	}
}

static void write_findings(struct writer *writer)
{
	static const char *const names[FINDING_CHANGES] = {[FINDING_PERSISTS] = "\"persisting\":[",
							   [FINDING_IS_NEW] = "\"new\":[",
							   [FINDING_RESOLVED] = "\"resolved\":["};
	for (int i = 0; i < FINDING_CHANGES; i++) {
		bool is_first = true;
		json_write_word(&writer->stream, i ? ",\n" : "\n");
		json_write_word(&writer->stream, names[i]);
		array_for_each (&writer->diff->findings, finding) {
			if (finding->change != (enum finding_change)i)
				continue;
			next_element(writer, &is_first);
			json_write(&writer->stream,
				   convert_finding(finding->new ? finding->new : finding->old));
		}
		json_write_word(&writer->stream, "]");
	}
}

static json_t *convert_leak(const struct diff *diff, const struct leak *leak)
{
	json_t *object = json_object(), *members = json_array();
	array_for_each (&leak->members, member) {
		const struct thread_diff *thread = &diff->threads.items[*member];
		json_t *id = json_object();
		json_put(id, "pid",
			 json_nonzero((uint64_t)diff->processes.items[thread->process].new->pid));
		put_id(id, thread->new);
		json_put_text(id, "name", thread->new->name);
		json_array_append_new(members, id);
	}
	json_put(object, "group", json_count(leak->group));
	json_put(object, "grown", json_count(leak->grown));
	json_put(object, "threads", members);
	return object;
}

static void write_leaks(struct writer *writer)
{
	bool is_first = true;
	if (!writer->diff->leaks_sought) {
		json_write_word(&writer->stream, ",\n\"leaks\":null}\n");
		return;
	}
	json_write_word(&writer->stream, ",\n\"leaks\":[");
	array_for_each (&writer->diff->leaks, leak) {
		next_element(writer, &is_first);
		json_write(&writer->stream, convert_leak(writer->diff, leak));
	}
	json_write_word(&writer->stream, "]}\n");
}

struct error *store_write_diff_json(const struct diff *diff, FILE *to)
{
	struct writer writer = {.diff = diff, .stream.to = to, .frames = frame_texts_new()};
	json_set_alloc_funcs(xmalloc, free);
	json_write_word(&writer.stream, "{");
	json_write_members(&writer.stream, convert_diff_head(diff));
	json_write_word(&writer.stream, ",\n\"threads\":{");
	write_threads(&writer);
	json_write_word(&writer.stream, "},\n\"groups\":[");
	write_groups(&writer);
	json_write_word(&writer.stream, "],\n\"findings\":{");
	write_findings(&writer);
	json_write_word(&writer.stream, "}");
	write_leaks(&writer);
	json_stream_finish(&writer.stream);
	frame_texts_free(writer.frames);
	if (ferror(to))
		return error_new(ERROR_UNWRITABLE, writer.stream.os_errno, "JSON", NULL);
	if (writer.stream.failed)
		return error_new(ERROR_INTERNAL, 0, "JSON", ": it could not be made");
	return NULL;
}
