#include "unwind/unwind.h"

#include "base/array.h"
#include "unwind/walk.h"
#include "unwind/words.h"

#include <stdlib.h>

/*
 * No report needs more, and a stack of 8 MB has at most half a million.  Beyond the first 1000
 * frames of each thread all threads draw on one account, so that a process full of endless stacks
 * ends too.
 */
enum { FRAMES_MAX = 1 << 16, FRAMES_FREE = 1000, FRAMES_SHARED = 1 << 20, FRAMES_KEPT = 1 << 13 };

const char *const unwinder_names[UNWINDERS] = {
	[UNWINDER_AUTO] = "auto",	    [UNWINDER_LIBDW] = "libdw",
	[UNWINDER_LIBUNWIND] = "libunwind", [UNWINDER_FRAME_POINTER] = "frame-pointer",
	[UNWINDER_PTRACE] = "ptrace",
};

struct unwind {
	struct capture_process *process;
	struct objects *objects;
	struct strpool *strings;
	size_t frames_kept;
	size_t shared; /* what is left of FRAMES_SHARED */
	struct walker walker;
};

struct unwind *unwind_new(struct capture_process *process, struct objects *objects,
			  const struct unwind_options *options, struct strpool *strings)
{
	struct unwind *unwind = xcalloc(1, sizeof(*unwind));
	unwind->process = process;
	unwind->objects = objects;
	unwind->strings = strings;
	unwind->frames_kept = FRAMES_KEPT;
	if (options->max_frames && options->max_frames < FRAMES_KEPT)
		unwind->frames_kept = options->max_frames;
	unwind->shared = FRAMES_SHARED;
	walker_init(&unwind->walker, process, objects, options->which);
	unwind->walker.deadline = options->deadline;
	return unwind;
}

void unwind_free(struct unwind *unwind)
{
	if (!unwind)
		return;
	walker_deinit(&unwind->walker);
	free(unwind);
}

struct collector {
	size_t kept_max;
	array(struct frame) frames;
	size_t omitted;
};

static void collect(void *context, const struct walk_frame *frame)
{
	struct collector *collector = context;
	if (collector->frames.count == collector->kept_max) {
		collector->omitted++;
		return;
	}
	*array_append(&collector->frames) = (struct frame){
		.kind = frame->kind,
		.found_by = frame->found_by,
		.doubtful = frame->doubtful,
		.pc = frame->pc,
		.lookup_pc = frame->lookup_pc,
		.cfa = frame->cfa,
	};
}

/* The walk that was made while the thread was held, as if made now. */
static void take_held(const struct held_walk *held, struct collector *collector,
		      struct walk_result *ret)
{
	size_t count = held->count < HELD_FRAMES ? held->count : HELD_FRAMES;
	for (size_t i = 0; i < count; i++)
		collect(collector, &held->frames[i]);
	collector->omitted += held->omitted;
	*ret = (struct walk_result){held->end, held->end_address, count + held->omitted};
}

static void walk_now(struct unwind *unwind, const struct registers *registers,
		     struct collector *collector, struct walk_result *ret)
{
	size_t more = unwind->shared < FRAMES_MAX ? unwind->shared : FRAMES_MAX;
	unwind->walker.frames_max = FRAMES_FREE + more;
	walk(&unwind->walker, registers, collect, collector, ret);
	if (ret->count > FRAMES_FREE)
		unwind->shared -= ret->count - FRAMES_FREE;
}

/* Its stack was copied later than its registers were read, and it ran in between. */
static bool stack_is_of_another_moment(const struct capture_thread *thread)
{
	return thread->registers_from == REGISTERS_SYSCALL_FILE && !thread->steady;
}

void unwind_thread(struct unwind *unwind, const struct capture_thread *thread, struct stack *ret)
{
	struct walk_result result;
	struct collector collector = {.kept_max = unwind->frames_kept};
	if (thread->held && thread->held->end != WALK_NOT_MADE) {
		take_held(thread->held, &collector, &result);
	} else if (thread->registers_from == REGISTERS_NONE) {
		ret->incomplete = words_for_no_registers(unwind->strings, thread);
		return;
	} else {
		walk_now(unwind, &thread->registers, &collector, &result);
	}
	for (size_t i = 1; stack_is_of_another_moment(thread) && i < collector.frames.count; i++)
		collector.frames.items[i].doubtful = true;
	/* There may be many thousands of threads. */
	ret->count = collector.frames.count;
	ret->frames = xreallocarray(collector.frames.items, ret->count + 1, sizeof(*ret->frames));
	ret->omitted = collector.omitted;
	ret->complete = result.end == WALK_FIRST_FRAME;
	ret->incomplete = result.end == WALK_NO_REGISTERS
				  ? words_for_no_registers(unwind->strings, thread)
				  : words_for_end(unwind->strings, unwind->process, unwind->objects,
						  result.end, result.address, result.count);
}
