#include "pipeline/second_look.h"

#include "capture/capture.h"

enum {
	/* Long enough to tell a loop from a job: several turns of a scheduler with much to do. */
	APART_MS = 200,
	/* What the look itself may take, and the report after it. */
	RESERVE_MS = 300,
};

bool second_look_wants(const struct capture_process *process)
{
	array_for_each (&process->threads, thread) {
		if (thread->use.at_ns)
			return true;
	}
	return false;
}

static int64_t within(int64_t value, int64_t most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

static void take_figures(const struct capture_thread *first, const struct capture_thread *second,
			 struct thread *to)
{
	const struct cpu_use *before = &first->use, *after = &second->use;
	/* A ptrace stop counts as a rest, too. */
	int64_t own_rests = second->stop == STOP_DONE;
	to->look_ns = (int64_t)(after->at_ns - before->at_ns);
	to->look_cpu_ns = within(after->ran_ns - before->ran_ns, to->look_ns);
	to->look_delay_ns = -1;
	/* The kernel counts a delay at its end, which may be long in coming. */
	if (before->rests >= 0 && after->rests >= 0 && after->rests - before->rests <= own_rests)
		to->look_delay_ns = to->look_ns - to->look_cpu_ns;
	else if (before->delay_ns >= 0 && after->delay_ns >= 0)
		to->look_delay_ns = within(after->delay_ns - before->delay_ns, to->look_ns);
}

static void look_at_threads(struct dump *dump, const struct pipeline_options *options,
			    const struct looked_at *process, struct capture_process *look)
{
	const struct unwind_options walks = {.which = options->unwinder,
					     .max_frames = options->max_frames,
					     .deadline = options->deadline};
	struct unwind *unwind = unwind_new(look, process->objects, &walks, &dump->strings);
	array_for_each (&process->to->threads, thread) {
		const struct capture_thread *first =
			capture_thread_by_tid(process->from, thread->tid);
		const struct capture_thread *second = capture_thread_by_tid(look, thread->tid);
		if (!first || !second)
			continue;
		thread->own_stops += second->own_stops;
		if (!second->use.at_ns)
			continue;
		take_figures(first, second, thread);
		struct stack stack = {0};
		unwind_thread(unwind, second, &stack);
		symbolize_stack(process->symbolize, &stack);
		thread->look_frame = stack_common_frame(&thread->stack, &stack);
		stack_deinit(&stack);
	}
	unwind_free(unwind);
}

/* The files behind the mappings are the same as before. */
static void share_files(const struct capture_process *from, struct capture_process *to)
{
	for (unsigned i = 0; i < from->memory.count; i++) {
		if (from->memory.sources[i].origin == MEMORY_FILE)
			memory_add_source(&to->memory, MEMORY_FILE, from->memory.sources[i].read,
					  from->memory.sources[i].context);
	}
}

static void look_at_process(struct dump *dump, const struct pipeline_options *options,
			    const struct looked_at *process, struct capture_process *look)
{
	share_files(process->from, look);
	capture_allow_live_reads(look, options->deadline);
	process->to->frozen_us += look->frozen_us;
	array_for_each (&look->errors, error)
		dump_add_error(dump, look->pid, error->tid, error->what, "%s", error->why);
	look_at_threads(dump, options, process, look);
}

static void say_there_was_none(struct dump *dump, const struct looked_at *processes, size_t count,
			       const char *why)
{
	for (size_t i = 0; i < count; i++)
		dump_add_error(dump, processes[i].to->pid, 0, "second look", "%s", why);
}

void second_look(struct dump *dump, const struct capture *capture,
		 const struct pipeline_options *options, const struct looked_at *processes,
		 size_t count)
{
	if (!count)
		return;
	uint64_t now = monotonic_ns(), due = capture_ran_until(capture) + APART_MS * 1000000ull;
	uint64_t end = (due > now ? due : now) + RESERVE_MS * 1000000ull;
	if (options->deadline.at_ns && end > options->deadline.at_ns)
		return say_there_was_none(dump, processes, count,
					  "the deadline left no time for it");
	sleep_until_ns(due);
	struct capture *look = capture_look_again(capture);
	if (!look)
		return say_there_was_none(dump, processes, count, "there is no memory for it");
	for (size_t i = 0; i < look->processes.count && i < count; i++)
		look_at_process(dump, options, &processes[i], &look->processes.items[i]);
	capture_free(look);
}
