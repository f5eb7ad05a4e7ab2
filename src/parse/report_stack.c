#include "parse/report_stack.h"

#include "parse/go_lines.h"
#include "render/words.h"

#include <limits.h>
#include <string.h>

void report_stack_open(struct report_stack *stack, struct draft *draft, bool of_goroutine)
{
	*stack = (struct report_stack){.draft = draft,
				       .of_goroutine = of_goroutine,
				       .is_open = true,
				       .end.complete = true};
	draft->stack.count = 0;
}

static struct frame *last_frame(struct report_stack *stack)
{
	return &stack->draft->stack.items[stack->draft->stack.count - 1];
}

static bool take_end_hex(struct piece *piece, const char *key, uint64_t *ret)
{
	struct piece before = *piece, number;
	uint64_t value;
	if (!piece_split_end(&before, key, &number) || !piece_take_hex(&number, &value) || number.n)
		return false;
	*piece = before;
	*ret = value;
	return true;
}

/* What -v adds: " pc=0x1f in /lib/x.so+0x2 by cfi". */
static void take_verbose(struct report_stack *stack, struct piece *line)
{
	struct frame *frame = last_frame(stack);
	struct piece rest = *line, module;
	uint64_t offset;
	for (int i = 0; i < FOUND_BY_WAYS; i++) {
		struct piece before = *line;
		if (!piece_take_end(&before, found_by_words[i]) || !piece_take_end(&before, " "))
			continue;
		rest = before;
		frame->found_by = (enum found_by)i;
		break;
	}
	if (frame->found_by == FOUND_BY_UNKNOWN)
		return;
	struct piece before = rest;
	if (take_end_hex(&before, "+", &offset) && piece_split_end(&before, " in ", &module)) {
		frame->module = draft_string(stack->draft, module);
		frame->module_offset = offset;
		rest = before;
	}
	if (take_end_hex(&rest, " pc=", &frame->pc) || take_end_hex(&rest, "pc=", &frame->pc))
		frame->lookup_pc = frame->pc;
	*line = rest;
}

static void take_file(struct report_stack *stack, struct piece rest)
{
	struct frame *frame = last_frame(stack);
	struct piece file = rest, number;
	uint64_t line;
	if (piece_split_end(&file, ":", &number) && file.n &&
	    piece_number(number, UINT_MAX, &line)) {
		frame->file = draft_string(stack->draft, file);
		frame->line = (unsigned)line;
	} else {
		frame->module = draft_string(stack->draft, rest);
	}
}

static void take_place(struct report_stack *stack, struct piece rest)
{
	struct frame *frame = last_frame(stack);
	uint64_t offset = 0;
	take_verbose(stack, &rest);
	bool has_offset = take_end_hex(&rest, " +", &offset) && offset <= INT64_MAX;
	if (!has_offset)
		offset = 0;
	frame->inlined = frame->function && !has_offset;
	if (frame->function)
		frame->offset = offset;
	else
		frame->module_offset = offset;
	if (piece_equals(rest, "kernel") || piece_starts(rest, "kernel [")) {
		frame->kind = FRAME_KERNEL;
		frame->inlined = false;
		frame->found_by = FOUND_BY_KERNEL;
		if (piece_take(&rest, "kernel [") && piece_take_end(&rest, "]"))
			frame->module = draft_string(stack->draft, rest);
		return;
	}
	/* Goroutines stand on frames of C too: those have an offset, and arguments not known. */
	if (frame->kind == FRAME_NATIVE && stack->of_goroutine && frame->inlined)
		frame->kind = FRAME_GO;
	take_file(stack, rest);
}

static struct frame *add_frame(struct report_stack *stack, bool is_guess)
{
	struct frame *frame = draft_frame(stack->draft);
	frame->doubtful = is_guess;
	return frame;
}

/* "?? (0x7f12, in no file)", "0x00005581c0de40c0" */
static bool take_unnamed(struct report_stack *stack, struct piece line, bool is_guess)
{
	uint64_t pc;
	bool in_file = !piece_take(&line, "?? (");
	if (!piece_take_hex(&line, &pc) || !piece_equals(line, in_file ? "" : ", in no file)"))
		return false;
	struct frame *frame = add_frame(stack, is_guess);
	frame->pc = frame->lookup_pc = pc;
	stack->wants_place = in_file;
	return true;
}

static void take_function(struct report_stack *stack, struct piece line, bool is_guess)
{
	struct frame *frame = add_frame(stack, is_guess);
	if (stack->of_goroutine && piece_take_end(&line, "()"))
		frame->kind = FRAME_GO;
	else
		piece_take_end(&line, "(...)");
	frame->function = draft_string(stack->draft, line);
	stack->wants_place = true;
}

static bool take_end(struct report_stack *stack, struct piece line)
{
	uint64_t count;
	struct piece why = line;
	if (piece_take(&line, "... +") && piece_take_number(&line, INT32_MAX, &count)) {
		if (piece_equals(line, " omitted")) {
			stack->end.omitted = (size_t)count;
			/* Turned round when it is known how many come after. */
			stack->end.omitted_outer = stack->draft->stack.count;
			return true;
		}
		/* A brief report; what comes after it is gone. */
		if (!piece_equals(line, " lines"))
			return false;
		stack->end.complete = false;
		stack->end.incomplete =
			strpool_printf(&stack->draft->dump.strings,
				       "the report was cut by %u lines", (unsigned)count);
		return true;
	}
	if (!piece_take(&why, "... incomplete: ") && !piece_take(&why, "... no stack: ")) {
		if (!piece_take(&why, "... only kernel frames"))
			return false;
		why = (struct piece){why.s - 18, 18};
	}
	stack->end.complete = false;
	stack->end.incomplete = draft_string(stack->draft, why);
	return true;
}

static bool take_creator(struct report_stack *stack, struct piece line)
{
	struct piece function, list;
	uint64_t goid;
	if (!stack->of_goroutine || !go_creator_parse(line, &function, &goid))
		return false;
	list = function;
	/* Of several, who created whom is not said. */
	struct piece before = function;
	if (piece_split_end(&before, " in goroutines ", &list))
		function = before;
	stack->creator.function = draft_string(stack->draft, function);
	stack->creator.goid = goid;
	stack->wants_creation = true;
	return true;
}

static void take_creation(struct report_stack *stack, struct piece line)
{
	struct go_place place;
	stack->wants_creation = stack->is_open = false;
	if (!go_place_parse(line, &place))
		return;
	stack->creator.file = draft_string(stack->draft, place.file);
	stack->creator.line = place.line;
	stack->creator.offset = place.offset;
}

static bool take_indent(struct piece *line)
{
	/* Terminals make blanks of the tab. */
	if (piece_take(line, "\t"))
		return true;
	if (!piece_take(line, "    "))
		return false;
	while (line->n > 1 && line->s[0] == ' ' && line->s[1] == ' ')
		piece_take(line, " ");
	if (line->n && line->s[0] == ' ' && (line->n < 2 || line->s[1] != '+'))
		piece_take(line, " ");
	return true;
}

bool report_stack_take(struct report_stack *stack, struct piece line, bool *ret_dropped)
{
	struct piece place = line;
	*ret_dropped = false;
	if (stack->wants_creation) {
		take_creation(stack, line);
		return true;
	}
	if (take_indent(&place)) {
		if (!stack->wants_place)
			return false;
		take_place(stack, place);
		stack->wants_place = false;
		return true;
	}
	*ret_dropped = stack->wants_place;
	if (stack->wants_place)
		stack->draft->stack.count--;
	stack->wants_place = false;
	if (!stack->end.complete && !piece_starts(line, "created by "))
		return false;
	bool is_guess = piece_take(&line, "? ");
	if (take_creator(stack, line) || take_end(stack, line))
		return true;
	if (piece_equals(line, "<signal handler called>"))
		add_frame(stack, is_guess)->kind = FRAME_SIGNAL;
	else if (!take_unnamed(stack, line, is_guess))
		take_function(stack, line, is_guess);
	return true;
}

static bool is_indented(struct piece line)
{
	return take_indent(&line);
}

static bool is_end(const struct report_stack *stack, struct piece line)
{
	return piece_starts(line, "... +") || piece_starts(line, "... incomplete: ") ||
	       piece_starts(line, "... no stack: ") || piece_starts(line, "... only kernel ") ||
	       (stack->of_goroutine && piece_starts(line, "created by "));
}

bool report_stack_is_whole(const struct report_stack *stack, struct piece line)
{
	static const char *const outermost[] = {"_start", "clone3", "__clone3", "clone", "__clone"};
	const struct draft *draft = stack->draft;
	const char *function = NULL;
	if (draft->stack.count && !stack->wants_place && !is_indented(line) && !is_end(stack, line))
		function = draft->stack.items[draft->stack.count - 1].function;
	for (size_t i = 0; function && i < ARRAY_SIZE(outermost); i++) {
		if (strcmp(function, outermost[i]) == 0)
			return true;
	}
	return false;
}

bool report_stack_goes_on(const struct report_stack *stack, struct piece line)
{
	uint64_t pc;
	if (is_indented(line))
		return stack->wants_place || stack->wants_creation;
	if (stack->wants_place || stack->wants_creation || report_stack_is_whole(stack, line))
		return false;
	if (is_end(stack, line))
		return true;
	piece_take(&line, "? ");
	return piece_ends(line, "(...)") || (stack->of_goroutine && piece_ends(line, "()")) ||
	       piece_starts(line, "?? (0x") || piece_equals(line, "<signal handler called>") ||
	       (piece_take_hex(&line, &pc) && !line.n);
}

bool report_stack_close(struct report_stack *stack)
{
	bool dropped = stack->wants_place;
	struct stack *end = &stack->end;
	if (dropped)
		stack->draft->stack.count--;
	stack->is_open = stack->wants_place = false;
	if (end->omitted)
		end->omitted_outer = stack->draft->stack.count - end->omitted_outer;
	return dropped;
}
