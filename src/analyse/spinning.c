/* Threads that burn CPU in one place. */
#include "analyse/analysis.h"
#include "base/cleanup.h"

/*
 * A thread that was on a CPU, or ready for one, for so much of the time between two looks, in
 * hundredths, and really ran for some of it.
 */
#define BUSY_PERCENT 90
#define RAN_PERCENT  5

/* So few calls out of the innermost function, the thread still is in one place. */
#define NEAR_FRAMES 3

struct spinner {
	const struct node *node;
	const struct frame *place;
};

/* The innermost physical frames have inlined ones before them, which are the same place. */
static size_t calls_out(const struct stack *stack, size_t frame)
{
	size_t calls = 0;
	for (size_t i = 0; i < frame; i++)
		calls += !stack->frames[i].inlined && stack->frames[i].kind == FRAME_NATIVE;
	return calls;
}

static bool is_spinning(const struct thread *thread)
{
	if (thread->look_ns <= 0 || thread->look_cpu_ns < 0 ||
	    thread->look_frame >= thread->stack.count)
		return false;
	int64_t delay = thread->look_delay_ns > 0 ? thread->look_delay_ns : 0;
	int64_t percent = thread->look_ns / 100;
	return thread->look_cpu_ns >= percent * RAN_PERCENT &&
	       thread->look_cpu_ns + delay >= percent * BUSY_PERCENT &&
	       calls_out(&thread->stack, thread->look_frame) <= NEAR_FRAMES;
}

/* Strings of the dump are the same when their addresses are. */
static int by_place(const void *a, const void *b)
{
	const struct spinner *x = a, *y = b;
	uintptr_t first = (uintptr_t)x->place->function, second = (uintptr_t)y->place->function;
	if (first != second)
		return first < second ? -1 : 1;
	if (!first && x->place->pc != y->place->pc)
		return x->place->pc < y->place->pc ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static bool same_place(const struct spinner *a, const struct spinner *b)
{
	return a->place->function == b->place->function &&
	       (a->place->function || a->place->pc == b->place->pc);
}

static void report(struct analysis *analysis, struct spinner *spinners, size_t count)
{
	struct finding *finding = NULL;
	qsort(spinners, count, sizeof(*spinners), by_place);
	for (size_t i = 0; i < count; i++) {
		const struct thread *thread = spinners[i].node->thread;
		if (!i || !same_place(&spinners[i - 1], &spinners[i]))
			finding = finding_add(analysis, FINDING_SPINNING);
		finding_add_thread(finding, spinners[i].node);
		if (calls_out(&thread->stack, thread->look_frame) == 0)
			continue;
		/* It was met in different functions. */
		finding->doubts |= FINDING_DOUBT_MOVED;
		finding->confidence = CONFIDENCE_LIKELY;
	}
}

void find_spinning(struct analysis *analysis)
{
	size_t first = 0;
	array_for_each (&analysis->dump->processes, process) {
		array(struct spinner) spinners = {0};
		for (size_t i = 0; i < process->threads.count; i++) {
			const struct thread *thread = &process->threads.items[i];
			if (is_spinning(thread))
				*array_append(&spinners) =
					(struct spinner){&analysis->graph.nodes[first + i],
							 &thread->stack.frames[thread->look_frame]};
		}
		if (spinners.count)
			report(analysis, spinners.items, spinners.count);
		array_deinit(&spinners);
		first += process->threads.count;
	}
}
