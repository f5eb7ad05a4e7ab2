/*
 * A stack, as Go writes them: "function(...)", and on the next line, after a tab, where that is.
 */
#include "base/cleanup.h"
#include "render/parts.h"
#include "render/words.h"

#include <inttypes.h>
#include <string.h>

/* Without -v. */
#define MOST_PARENTS 12

static bool is_guess(const struct frame *frame)
{
	return frame->doubtful || frame->found_by == FOUND_BY_SCAN;
}

/*
 * Demangled names can bring their parameters: "f(int) const", but not those of an enclosing scope
 * or of a template argument: "(anonymous namespace)::f", "<dyn Fn() as T>::f".
 */
static bool has_parameters(const char *function)
{
	const char *end = strrchr(function, ')');
	return end && !strchr(end, '>') && !strstr(end, "::");
}

static void print_function(struct printer *p, const struct frame *frame)
{
	print(p, is_guess(frame) ? "? " : "");
	if (frame->function && frame->kind == FRAME_GO) {
		/* Arguments are mostly stale words: none are kept. */
		print_foreign(p, frame->function);
		print(p, frame->inlined ? "(...)" : "()");
	} else if (frame->function) {
		print_foreign(p, frame->function);
		print(p, has_parameters(frame->function) ? "" : "(...)");
	} else if (frame->module) {
		print_format(p, "0x%016" PRIx64, frame->pc);
	} else {
		print_format(p, "?? (0x%" PRIx64 ", in no file)", frame->pc);
	}
}

static void print_location(struct printer *p, const struct frame *frame)
{
	if (frame->kind == FRAME_KERNEL) {
		print(p, "kernel");
		if (frame->module) {
			print(p, " [");
			print_foreign(p, frame->module);
			print(p, "]");
		}
	} else if (frame->file) {
		print_foreign(p, frame->file);
		if (frame->line)
			print_format(p, ":%u", frame->line);
	} else {
		print_foreign(p, frame->module);
	}
	/* Like Go, no offset for what has no code of its own. */
	bool has_offset = frame->offset || frame->found_by != FOUND_BY_UNKNOWN;
	if (frame->function && !frame->inlined && has_offset)
		print_format(p, " +0x%" PRIx64, frame->offset);
	else if (!frame->function && frame->module)
		print_format(p, " +0x%" PRIx64, frame->module_offset);
}

static void print_verbose(struct printer *p, const struct frame *frame)
{
	if (frame->pc)
		print_format(p, " pc=0x%" PRIx64, frame->pc);
	if (frame->function && frame->module && frame->kind != FRAME_KERNEL) {
		print(p, " in ");
		print_foreign(p, frame->module);
		print_format(p, "+0x%" PRIx64, frame->module_offset);
	}
	print_format(p, " %s", found_by_words[frame->found_by]);
}

static void print_frame(struct printer *p, const struct frame *frame)
{
	if (is_guess(frame))
		p->saw_guess = true;
	if (frame->kind == FRAME_SIGNAL)
		print(p, is_guess(frame) ? "? <signal handler called>" : "<signal handler called>");
	else
		print_function(p, frame);
	print_end(p);
	bool verbose = p->options->verbose;
	bool has_place = frame->kind != FRAME_SIGNAL &&
			 (frame->function || frame->module || frame->kind == FRAME_KERNEL);
	if (!has_place && !verbose)
		return;
	print(p, "\t");
	style_on(p, STYLE_DIM);
	if (has_place)
		print_location(p, frame);
	if (verbose)
		print_verbose(p, frame);
	style_off(p);
	print_end(p);
}

static bool wants_kernel_frames(const struct printer *p, const struct thread *thread)
{
	if (p->options->kernel_stacks_never)
		return false;
	return p->options->kernel_stacks_always || thread_wants_kernel_frames(thread);
}

static void print_omitted(struct printer *p, size_t omitted)
{
	if (!omitted)
		return;
	print_format(p, "... +%zu omitted", omitted);
	print_end(p);
}

void print_stack(struct printer *p, const struct thread *thread)
{
	const struct stack *stack = &thread->stack;
	bool kernel = wants_kernel_frames(p, thread);
	size_t left_out = 0, inner = stack->count - stack->omitted_outer;
	for (size_t i = 0; i <= stack->count; i++) {
		if (i == inner)
			print_omitted(p, stack->omitted);
		if (i == stack->count)
			break;
		if (stack->frames[i].kind == FRAME_KERNEL && !kernel)
			left_out++;
		else
			print_frame(p, &stack->frames[i]);
	}
	if (left_out && left_out == stack->count) {
		print(p, "... only kernel frames, left out");
		print_end(p);
	}
	if (!stack->complete) {
		print(p, stack->count ? "... incomplete: " : "... no stack: ");
		print_foreign(p, stack->incomplete ? stack->incomplete : "no reason is known");
		print_end(p);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* " in goroutines 7, 127, 277": the parents of a group's members, where Go has recorded them. */
static void print_parents(struct printer *p, const struct group *group)
{
	const struct thread *threads = group_threads_of(p->dump, group);
	size_t count = 0, distinct = 0;
	_cleanup_free_ uint64_t *ids = xcalloc(group->members.count, sizeof(*ids));
	array_for_each (&group->members, member) {
		uint64_t goid = threads[*member].goroutine->created_by.goid;
		if (goid)
			ids[count++] = goid;
	}
	if (!count)
		return;
	qsort(ids, count, sizeof(*ids), compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || ids[i] != ids[distinct - 1])
			ids[distinct++] = ids[i];
	}
	print_format(p, " in goroutine%s ", distinct == 1 ? "" : "s");
	print_ids(p, ids, distinct, p->options->verbose ? SIZE_MAX : MOST_PARENTS);
}

void print_creator(struct printer *p, const struct group *group)
{
	const struct thread *first = &group_threads_of(p->dump, group)[group->members.items[0]];
	if (!first->goroutine || !first->goroutine->created_by.function)
		return;
	const struct creator *creator = &first->goroutine->created_by;
	print(p, "created by ");
	print_foreign(p, creator->function);
	print_parents(p, group);
	print_end(p);
	if (!creator->file)
		return;
	print(p, "\t");
	style_on(p, STYLE_DIM);
	print_foreign(p, creator->file);
	if (creator->line)
		print_format(p, ":%u", creator->line);
	if (creator->offset)
		print_format(p, " +0x%" PRIx64, creator->offset);
	style_off(p);
	print_end(p);
}
