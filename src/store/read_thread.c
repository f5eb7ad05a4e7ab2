#include "store/read.h"
#include "base/alloc.h"

#include <limits.h>
#include <string.h>

/* A thread on its way: where the walk through its members puts the frames. */
struct part {
	struct reader *reader;
	struct thread *thread;
};

static bool walk_frames(void *context, const char *key)
{
	struct part *part = context;
	if (strcmp(key, "frames") != 0)
		return false;
	read_frames(part->reader, &part->thread->stack);
	return true;
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

static enum progress read_progress(const struct fields *fields)
{
	return (enum progress)field_choice(fields, "progress", progress_names, PROGRESSES,
					   PROGRESS_NONE);
}

static void read_stack_end(const struct fields *fields, struct stack *stack)
{
	stack->complete = field_flag(fields, "complete");
	stack->incomplete = field_text(fields, "incomplete_because");
	stack->omitted = (size_t)field_number(fields, "omitted", INT64_MAX, 0);
	stack->omitted_outer =
		(size_t)field_number(fields, "omitted_outer", (int64_t)stack->count, 0);
}

void read_thread(struct reader *reader, struct process *process)
{
	static const char *const keys[] = {"tid",
					   "name",
					   "start_time",
					   "state",
					   "cpu_ns",
					   "switches",
					   "own_stops",
					   "steady",
					   "second_look",
					   "progress",
					   "wait",
					   "complete",
					   "incomplete_because",
					   "omitted",
					   "omitted_outer",
					   NULL};
	struct thread *thread = array_append(&process->threads);
	struct part part = {reader, thread};
	struct place *place = array_append(&reader->places);
	place->index = process->threads.count - 1;
	place->text = reader->cursor.at;
	wait_init(&thread->wait);
	json_t *members = cursor_members(&reader->cursor, keys, walk_frames, &part);
	struct fields fields = reader_fields(reader, members), wait = fields_of(&fields, "wait");
	reader->cursor.value = place->text;
	field_require(&fields, "tid");
	field_require(&fields, "wait");
	/* 0: a text has counted it, but not told its id. */
	thread->tid = (pid_t)field_number(&fields, "tid", INT_MAX, 0);
	place->number = (uint64_t)thread->tid;
	thread->name = field_text(&fields, "name");
	thread->start_time = (uint64_t)field_number(&fields, "start_time", INT64_MAX, 0);
	thread->state = field_letter(&fields, "state");
	read_counters(&fields, thread);
	read_second_look(&fields, thread);
	thread->progress = read_progress(&fields);
	read_wait(&wait, &thread->wait);
	read_stack_end(&fields, &thread->stack);
	json_decref(members);
}

static struct creator read_creator(const struct fields *fields)
{
	struct creator creator = {0};
	if (!fields->object)
		return creator;
	field_require(fields, "function");
	creator.function = field_text(fields, "function");
	creator.file = field_text(fields, "file");
	creator.line = (unsigned)field_number(fields, "line", UINT_MAX, 0);
	creator.offset = (uint64_t)field_number(fields, "offset", INT64_MAX, 0);
	creator.goid = (uint64_t)field_number(fields, "goid", INT64_MAX, 0);
	return creator;
}

void read_goroutine(struct reader *reader, struct process *process)
{
	static const char *const keys[] = {"goid",    "status",		  "progress",
					   "tid",     "locked_to_thread", "system",
					   "bubble",  "labels",		  "created_by",
					   "wait",    "complete",	  "incomplete_because",
					   "omitted", "omitted_outer",	  NULL};
	struct thread *thread = array_append(&process->goroutines);
	struct goroutine *goroutine = xcalloc(1, sizeof(*goroutine));
	struct part part = {reader, thread};
	struct place *place = array_append(&reader->places);
	place->of_goroutines = true;
	place->index = process->goroutines.count - 1;
	place->text = reader->cursor.at;
	thread->goroutine = goroutine;
	thread->cpu_user_ns = thread->cpu_system_ns = thread->cpu_total_ns = -1;
	thread->switches_voluntary = thread->switches_involuntary = -1;
	wait_init(&thread->wait);
	json_t *members = cursor_members(&reader->cursor, keys, walk_frames, &part);
	struct fields fields = reader_fields(reader, members), wait = fields_of(&fields, "wait");
	struct fields creator = fields_of(&fields, "created_by");
	reader->cursor.value = place->text;
	field_require(&fields, "goid");
	field_require(&fields, "wait");
	goroutine->goid = place->number = (uint64_t)field_number(&fields, "goid", INT64_MAX, 0);
	goroutine->status = field_text(&fields, "status");
	thread->progress = read_progress(&fields);
	thread->tid = field_pid(&fields, "tid");
	goroutine->locked_to_thread = field_flag(&fields, "locked_to_thread");
	goroutine->system = field_flag(&fields, "system");
	goroutine->bubble = field_text(&fields, "bubble");
	goroutine->labels = field_text(&fields, "labels");
	goroutine->created_by = read_creator(&creator);
	read_go_wait(&wait, &thread->wait);
	read_stack_end(&fields, &thread->stack);
	json_decref(members);
}
