#include "parse/draft.h"

#include <string.h>

void draft_init(struct draft *draft)
{
	*draft = (struct draft){0};
	dump_init(&draft->dump);
}

void draft_finish(struct draft *draft, struct dump *ret)
{
	struct dump *dump = &draft->dump;
	if (draft->strange_lines)
		dump_add_error(
			dump, 0, 0, "lines of the text",
			"%zu are not of a report, and were passed over (the first: line %zu)",
			draft->strange_lines, draft->first_strange);
	if (draft->threads_over)
		dump_add_error(dump, 0, 0, "threads", "%zu are beyond the limit of %zu",
			       draft->threads_over, draft->threads);
	if (draft->frames_over)
		dump_add_error(dump, 0, 0, "frames", "%zu are beyond the limit of %d",
			       draft->frames_over, DRAFT_MOST_FRAMES);
	array_deinit(&draft->stack);
	array_deinit(&draft->unfinished);
	*ret = *dump;
}

void draft_forget(struct draft *draft)
{
	/* Not its strings: they are no longer than the text. */
	struct strpool strings = draft->dump.strings;
	strpool_init(&draft->dump.strings);
	dump_deinit(&draft->dump);
	draft->dump = (struct dump){.strings = strings};
	draft->threads = draft->frames = draft->threads_over = draft->frames_over = 0;
	draft->strange_lines = draft->first_strange = 0;
	draft->unfinished.count = 0;
}

const char *draft_string(struct draft *draft, struct piece piece)
{
	return piece.n ? strpool_add_n(&draft->dump.strings, piece.s, piece.n) : NULL;
}

static void make_unknown(struct thread *thread)
{
	thread->cpu_user_ns = thread->cpu_system_ns = thread->cpu_total_ns = -1;
	thread->switches_voluntary = thread->switches_involuntary = -1;
	wait_init(&thread->wait);
}

static bool has_room(struct draft *draft)
{
	bool room = draft->threads < DRAFT_MOST_GOROUTINES;
	draft->threads += room;
	draft->threads_over += !room;
	return room;
}

struct thread *draft_thread(struct draft *draft, struct process *process)
{
	if (!has_room(draft))
		return NULL;
	struct thread *thread = array_append(&process->threads);
	make_unknown(thread);
	return thread;
}

struct thread *draft_goroutine(struct draft *draft, struct process *process)
{
	if (!has_room(draft))
		return NULL;
	struct thread *thread = array_append(&process->goroutines);
	make_unknown(thread);
	thread->goroutine = xcalloc(1, sizeof(*thread->goroutine));
	return thread;
}

struct process *draft_process(struct draft *draft)
{
	struct process *process = array_append(&draft->dump.processes);
	process->ppid = -1;
	process->running_ms = process->frozen_us = -1;
	return process;
}

struct frame *draft_frame(struct draft *draft)
{
	struct frame *frame = array_append(&draft->stack);
	frame->found_by = FOUND_BY_UNKNOWN;
	return frame;
}

void draft_set_stack(struct draft *draft, struct thread *thread)
{
	struct stack *stack = &thread->stack;
	size_t count = draft->stack.count, room = DRAFT_MOST_FRAMES - draft->frames;
	if (count > room) {
		draft->frames_over += count - room;
		count = room;
		stack->complete = false;
		stack->omitted_outer = 0;
		stack->incomplete =
			strpool_add(&draft->dump.strings, "more frames than are read of a text");
	}
	draft->frames += count;
	stack->count = count;
	if (!count)
		return;
	stack->frames = xreallocarray(NULL, count, sizeof(*stack->frames));
	memcpy(stack->frames, draft->stack.items, count * sizeof(*stack->frames));
}

void draft_note_strange(struct draft *draft, size_t number)
{
	if (!draft->strange_lines++)
		draft->first_strange = number;
}
