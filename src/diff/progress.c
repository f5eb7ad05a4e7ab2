#include "diff/progress.h"

#include <string.h>
#include <sys/syscall.h>

/*
 * What a switch of ours may cost a thread of CPU time: waking up, stopping, going back to sleep.
 * Measured 3 to 8 us on an idle machine (Linux 6.18, x86-64); a busy or virtual one takes more.
 */
#define OWN_SWITCH_NS 500000

/* Of the time between the dumps, in hundredths: as much as a second look calls busy. */
#define BUSY_PERCENT 90

/* So few calls out of one function, a thread that runs is in one place: as for a second look. */
#define NEAR_FRAMES 3

enum answer { NO, YES, NOT_KNOWN };

static bool is_guess(const struct frame *frame)
{
	return frame->doubtful || frame->found_by == FOUND_BY_SCAN;
}

/* A place in memory that calls, or was interrupted: inlined frames are in one with others. */
static bool is_physical(const struct frame *frame)
{
	return frame->kind != FRAME_KERNEL && !frame->inlined;
}

/* Frames that come after others that were left out are not compared. */
static size_t reach(const struct stack *stack)
{
	return stack->omitted_outer < stack->count ? stack->count - stack->omitted_outer
						   : stack->count;
}

static size_t next_physical(const struct stack *stack, size_t at)
{
	size_t end = reach(stack);
	while (at < end && !is_physical(&stack->frames[at]))
		at++;
	return at < end ? at : end;
}

/* One address space: a pc is a place.  Texts have none. */
static bool same_place(const struct frame *a, const struct frame *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->pc && b->pc)
		return a->pc == b->pc;
	return a->function && b->function && strcmp(a->function, b->function) == 0 &&
	       a->offset == b->offset && a->line == b->line;
}

/* Guesses can speak for a stack, but not against it. */
static enum answer same_stack(const struct stack *a, const struct stack *b)
{
	size_t i = next_physical(a, 0), j = next_physical(b, 0), n = reach(a), m = reach(b);
	if (i == n || j == m)
		return NOT_KNOWN;
	bool guessed = false;
	for (; i < n && j < m; i = next_physical(a, i + 1), j = next_physical(b, j + 1)) {
		const struct frame *x = &a->frames[i], *y = &b->frames[j];
		guessed = guessed || is_guess(x) || is_guess(y);
		if (!same_place(x, y))
			return guessed ? NOT_KNOWN : NO;
	}
	if (i == n && j == m)
		return YES;
	const struct stack *shorter = i == n ? a : b;
	if (shorter->omitted)
		return YES;
	return shorter->complete && !guessed ? NO : NOT_KNOWN;
}

/* After a stop the kernel may show a call with a time limit by this number. */
static bool same_number(long a, long b)
{
	return a == b || a == SYS_restart_syscall || b == SYS_restart_syscall;
}

/* A dump that was stored has no more arguments than the call takes. */
static unsigned arguments_of(const struct syscall_fact *call)
{
	return call->name ? call->argument_count : ARRAY_SIZE(call->arguments);
}

/* In the same call with the same arguments: only who runs can make another. */
static enum answer same_call(const struct wait *a, const struct wait *b)
{
	const struct syscall_fact *x = &a->syscall, *y = &b->syscall;
	if (!a->has_syscall || !b->has_syscall || x->number < 0 || y->number < 0)
		return NOT_KNOWN;
	if (!same_number(x->number, y->number))
		return NO;
	unsigned n = arguments_of(x), m = arguments_of(y);
	for (unsigned i = 0; i < ARRAY_SIZE(x->arguments) && i < n && i < m; i++) {
		if (x->arguments[i] != y->arguments[i])
			return NO;
	}
	return YES;
}

static bool same_wait(const struct wait *a, const struct wait *b)
{
	return a->class == b->class && resource_is(&a->resource, &b->resource);
}

static int64_t cpu_of(const struct thread *thread, bool exact)
{
	if (exact)
		return thread->cpu_total_ns;
	return thread->cpu_user_ns < 0 || thread->cpu_system_ns < 0
		       ? -1
		       : thread->cpu_user_ns + thread->cpu_system_ns;
}

/* What of a counter's growth is not our doing; -1 when it is not known. */
static int64_t growth(int64_t before, int64_t after, int64_t own)
{
	if (before < 0 || after < before)
		return -1;
	return after - before > own ? after - before - own : 0;
}

static void measure(const struct thread *before, const struct thread *after,
		    struct thread_diff *ret)
{
	bool exact = before->cpu_total_ns >= 0 && after->cpu_total_ns >= 0;
	/* Clock ticks, otherwise, which may just have been due. */
	int64_t own = (int64_t)before->own_stops * OWN_SWITCH_NS + (exact ? 0 : 10000000);
	ret->cpu_ns = growth(cpu_of(before, exact), cpu_of(after, exact), own);
	ret->switches =
		growth(before->switches_voluntary, after->switches_voluntary, before->own_stops);
}

/*
 * Whoever sleeps has counted its going to sleep, and can only run after waking up and before
 * going to sleep once more.  Being preempted in between is no sleep.
 */
static enum answer did_run(const struct thread *before, const struct thread *after,
			   int64_t apart_ns, const struct thread_diff *diff)
{
	enum answer same = same_call(&before->wait, &after->wait);
	if (diff->switches > 0)
		return YES;
	/* Seen to be asleep again after the stop, whose cost is known.  It may have cut a write short. */
	if (diff->switches == 0 && before->steady && same != NOT_KNOWN)
		return NO;
	if (diff->cpu_ns > 0 || same == NO)
		return YES;
	/* Goroutines have no counters, and are not woken by our stops. */
	if (after->goroutine && after->wait.since_ms > apart_ns / 1000000)
		return NO;
	return diff->cpu_ns == 0 && diff->switches == 0 ? NO : NOT_KNOWN;
}

static bool is_running(const struct thread *thread)
{
	return thread->wait.class == WAIT_RUNNING;
}

static bool burns(const struct thread *before, const struct thread *after, int64_t apart_ns,
		  const struct thread_diff *diff)
{
	if (diff->cpu_ns <= 0)
		return false;
	/* On a CPU that it shares it may have had little, but it never rested. */
	if (is_running(before) && is_running(after) && diff->switches == 0)
		return true;
	return diff->cpu_ns >= apart_ns / 100 * BUSY_PERCENT;
}

static uint64_t function_start(const struct frame *frame)
{
	return frame->function ? frame->pc - frame->offset : frame->pc;
}

/* The innermost frames, NULL after the last. */
static void innermost(const struct stack *stack, const struct frame *ret[NEAR_FRAMES + 2])
{
	size_t at = next_physical(stack, 0), end = reach(stack);
	for (unsigned i = 0; i < NEAR_FRAMES + 2; i++) {
		ret[i] = at < end ? &stack->frames[at] : NULL;
		at = next_physical(stack, at < end ? at + 1 : at);
	}
}

/* Is one function, called from one place, among the innermost of both? */
static bool is_near(const struct stack *a, const struct stack *b)
{
	const struct frame *x[NEAR_FRAMES + 2], *y[NEAR_FRAMES + 2];
	innermost(a, x);
	innermost(b, y);
	for (unsigned i = 0; i <= NEAR_FRAMES && x[i]; i++) {
		for (unsigned j = 0; j <= NEAR_FRAMES && y[j]; j++) {
			if (function_start(x[i]) != function_start(y[j]))
				continue;
			if (!x[i + 1] && !y[j + 1])
				return true;
			if (x[i + 1] && y[j + 1] && x[i + 1]->pc == y[j + 1]->pc)
				return true;
		}
	}
	return false;
}

static bool has_stack(const struct thread *thread)
{
	return next_physical(&thread->stack, 0) < reach(&thread->stack);
}

static void set_unknown(struct thread_diff *ret, enum unknown_reason why)
{
	ret->progress = PROGRESS_UNKNOWN;
	ret->why_unknown = why;
}

void compare_thread(const struct thread *before, const struct thread *after, int64_t apart_ns,
		    struct thread_diff *ret)
{
	measure(before, after, ret);
	enum answer ran = did_run(before, after, apart_ns, ret);
	enum answer same = same_stack(&before->stack, &after->stack);
	bool ended = before->wait.class == WAIT_EXITED && after->wait.class == WAIT_EXITED;
	/* What did not run is where it was, whatever could be read of that. */
	bool asleep = same_call(&before->wait, &after->wait) == YES;
	if (ran == NO && (asleep || ended) && same != NO)
		ret->progress = PROGRESS_STUCK;
	else if (same == NOT_KNOWN)
		set_unknown(ret,
			    has_stack(before) == has_stack(after) ? UNKNOWN_BOTH : UNKNOWN_ONE);
	else if (burns(before, after, apart_ns, ret) && is_near(&before->stack, &after->stack))
		ret->progress = PROGRESS_SPINNING;
	else if (same == NO || !same_wait(&before->wait, &after->wait))
		ret->progress = PROGRESS_MOVED;
	else if (ran == YES)
		ret->progress = PROGRESS_CYCLING;
	else if (ran == NO)
		ret->progress = PROGRESS_STUCK;
	else
		set_unknown(ret, UNKNOWN_COUNTERS);
}

enum progress progress_over(enum progress first, enum progress second)
{
	if (first == PROGRESS_NONE || first == PROGRESS_NEW || first == second)
		return second;
	if (first == PROGRESS_MOVED || second == PROGRESS_MOVED)
		return PROGRESS_MOVED;
	if (first == PROGRESS_UNKNOWN || second == PROGRESS_UNKNOWN)
		return PROGRESS_UNKNOWN;
	/* It stayed in its place, and ran for some of the time. */
	return PROGRESS_CYCLING;
}
