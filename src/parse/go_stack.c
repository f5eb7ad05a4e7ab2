#include "parse/go_stack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct thread *go_stack_thread(const struct go_stack *stack)
{
	return &stack->draft->dump.processes.items[0].goroutines.items[stack->index];
}

static const char *status_of(struct piece words)
{
	static const char *const statuses[] = {"idle", "runnable",  "running",	"syscall",
					       "dead", "copystack", "preempted"};
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (piece_equals(words, statuses[i]))
			return statuses[i];
	}
	return piece_ends(words, " (leaked)") ? "leaked" : "waiting";
}

void go_stack_set_header(struct go_stack *stack, const struct go_header *header)
{
	struct draft *draft = stack->draft;
	struct thread *thread = go_stack_thread(stack);
	struct goroutine *goroutine = thread->goroutine;
	struct wait *wait = &thread->wait;
	wait->words = draft_string(draft, header->words);
	wait->class = go_wait_class(wait->words ? wait->words : "", &wait->idle);
	wait->since_ms = header->minutes < 0 ? -1 : header->minutes * 60000;
	goroutine->goid = header->goid;
	goroutine->status = strpool_add(&draft->dump.strings, status_of(header->words));
	goroutine->system = wait->idle || !header->goid;
	goroutine->locked_to_thread = header->locked_to_thread;
	goroutine->bubble = draft_string(draft, header->bubble);
	goroutine->labels = draft_string(draft, header->labels);
}

void go_stack_open(struct go_stack *stack, struct draft *draft, size_t index,
		   const struct go_header *header)
{
	*stack = (struct go_stack){.state = GO_STACK_CALLS, .draft = draft, .index = index};
	stack_deinit(&go_stack_thread(stack)->stack);
	draft->stack.count = 0;
	go_stack_set_header(stack, header);
}

static void set_incomplete(struct go_stack *stack, const char *why)
{
	struct stack *to = &go_stack_thread(stack)->stack;
	if (!to->incomplete)
		to->incomplete = strpool_add(&stack->draft->dump.strings, why);
}

static void finish(struct go_stack *stack)
{
	struct draft *draft = stack->draft;
	struct stack *to = &go_stack_thread(stack)->stack;
	if (!draft->stack.count)
		set_incomplete(stack, "the dump shows none");
	to->complete = !to->incomplete;
	if (to->omitted)
		to->omitted_outer = draft->stack.count - stack->inner;
	draft_set_stack(draft, go_stack_thread(stack));
	stack->state = GO_STACK_NONE;
}

static bool is_indented(struct piece line)
{
	return line.n && (line.s[0] == ' ' || line.s[0] == '\t');
}

static void take_elided(struct go_stack *stack, uint64_t frames)
{
	stack->inner = stack->draft->stack.count;
	if (frames)
		go_stack_thread(stack)->stack.omitted = (size_t)frames;
	else
		set_incomplete(stack, "Go left out frames, and does not say how many");
}

static void begin_frame(struct go_stack *stack, enum frame_kind kind, struct piece function)
{
	struct frame *frame = draft_frame(stack->draft);
	frame->kind = kind;
	frame->function = draft_string(stack->draft, function);
	stack->state = GO_STACK_PLACE;
}

/* Whatever may stand where a call does. */
static void take_call(struct go_stack *stack, struct piece line)
{
	struct thread *thread = go_stack_thread(stack);
	struct creator *creator = &thread->goroutine->created_by;
	struct piece function;
	uint64_t number;
	bool inlined;
	if (go_creator_parse(line, &function, &number)) {
		creator->function = draft_string(stack->draft, function);
		creator->goid = number;
		stack->state = GO_STACK_CREATION;
	} else if (go_elided_parse(line, &number)) {
		take_elided(stack, number);
	} else if (go_foreign_parse(line, &number)) {
		struct frame *frame = draft_frame(stack->draft);
		frame->pc = frame->lookup_pc = number;
	} else if (piece_ends(line, "goroutine running on other thread; stack unavailable")) {
		set_incomplete(stack, "it was running on another thread");
	} else if (go_is_register(line)) {
		finish(stack);
	} else if (is_indented(line) || piece_equals(line, "]")) {
		/* The end of goleak's list. */
		if (is_indented(line))
			draft_note_strange(stack->draft, stack->number);
	} else if (go_call_parse(line, &function, &inlined)) {
		begin_frame(stack, FRAME_GO, function);
		stack->draft->stack.items[stack->draft->stack.count - 1].inlined = inlined;
	} else {
		/* Of C: its name and nothing else; whether it is one, the next line tells. */
		bool is_named = !piece_equals(line, "non-Go function");
		begin_frame(stack, FRAME_NATIVE, is_named ? line : (struct piece){0});
	}
}

/* What looked like a call was none. */
static void drop_frame(struct go_stack *stack)
{
	stack->draft->stack.count--;
	draft_note_strange(stack->draft, stack->number - 1);
	stack->state = GO_STACK_CALLS;
}

static void take_place(struct go_stack *stack, struct piece line)
{
	struct draft *draft = stack->draft;
	struct frame *frame = &draft->stack.items[draft->stack.count - 1];
	struct go_place place;
	if (!go_place_parse(line, &place) || (frame->kind == FRAME_NATIVE && !place.pc)) {
		drop_frame(stack);
		take_call(stack, line);
		return;
	}
	frame->pc = frame->lookup_pc = place.pc;
	frame->file = draft_string(draft, place.file);
	frame->line = place.line;
	frame->offset = place.offset;
	frame->inlined = frame->inlined && !place.has_offset;
	stack->state = GO_STACK_CALLS;
}

static void take_creation(struct go_stack *stack, struct piece line)
{
	struct creator *creator = &go_stack_thread(stack)->goroutine->created_by;
	struct go_place place;
	if (go_place_parse(line, &place)) {
		creator->file = draft_string(stack->draft, place.file);
		creator->line = place.line;
		creator->offset = place.offset;
	} else {
		draft_note_strange(stack->draft, stack->number);
	}
	finish(stack);
}

void go_stack_take(struct go_stack *stack, struct piece line)
{
	if (stack->state == GO_STACK_PLACE)
		take_place(stack, line);
	else if (stack->state == GO_STACK_CREATION)
		take_creation(stack, line);
	else if (stack->state == GO_STACK_CALLS)
		take_call(stack, line);
}

/*
 * Where a stack ends that nobody is said to have created.  The runtime's frames are there in dumps
 * that tell addresses, and in no others.
 */
static bool is_outermost(const struct thread *thread, const struct frame *frame)
{
	static const char *const runtime[] = {"runtime.goexit", "runtime.mstart", "runtime.rt0_go"};
	const char *function = frame->function ? frame->function : "";
	for (size_t i = 0; i < ARRAY_SIZE(runtime); i++) {
		if (strcmp(function, runtime[i]) == 0)
			return true;
	}
	return !frame->pc && thread->goroutine->goid == 1 &&
	       (strcmp(function, "main.main") == 0 || strstr(function, ".init"));
}

static void close_cut(struct go_stack *stack)
{
	const struct draft *draft = stack->draft;
	struct thread *thread = go_stack_thread(stack);
	bool is_whole = stack->state == GO_STACK_CALLS && draft->stack.count &&
			is_outermost(thread, &draft->stack.items[draft->stack.count - 1]);
	if (stack->state == GO_STACK_CREATION || (is_whole && thread->goroutine->goid > 1))
		dump_add_error(&stack->draft->dump, 0, 0, "a creator",
			       "the text ends where that of goroutine %" PRIu64 " stands",
			       thread->goroutine->goid);
	else if (!is_whole)
		set_incomplete(stack, "the text ends here");
}

void go_stack_close(struct go_stack *stack, bool is_cut)
{
	struct draft *draft = stack->draft;
	if (stack->state == GO_STACK_NONE)
		return;
	stack->number++;
	if (stack->state == GO_STACK_PLACE) {
		bool is_go = draft->stack.items[draft->stack.count - 1].kind == FRAME_GO;
		if (is_go && is_cut)
			set_incomplete(stack, "the text ends here");
		else
			drop_frame(stack);
	}
	if (is_cut)
		close_cut(stack);
	finish(stack);
}
