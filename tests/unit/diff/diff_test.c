/* What two dumps say of each other: the words for threads, groups, findings. */
#include "diff/diff.h"

#include "base/deadline.h"
#include "lib/make_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define SECOND 1000000000

/* Two dumps of one process, ten seconds apart, and what is compared of them. */
struct pair {
	struct dump old, new;
	struct process *before, *after;
	struct diff diff;
	bool compared;
};

static struct process *begin(struct dump *dump, uint64_t seconds)
{
	dump_init(dump);
	dump->boot_id = "boot-1";
	dump->monotonic_ns = (1000 + seconds) * SECOND;
	dump->taken_at_ns = (int64_t)(1700000000 + seconds) * SECOND;
	struct process *process = make_process(dump, 100, "prog");
	process->start_time = 50000;
	process->pid_namespace = 7;
	process->running_ms = (int64_t)(500 + seconds) * 1000;
	process->executable = "/bin/prog";
	return process;
}

static int set_up(void **state)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));
	pair->before = begin(&pair->old, 0);
	pair->after = begin(&pair->new, 10);
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;
	if (pair->compared)
		diff_deinit(&pair->diff);
	dump_deinit(&pair->old);
	dump_deinit(&pair->new);
	free(pair);
	return 0;
}

static const struct diff *compare(struct pair *pair)
{
	if (pair->compared)
		diff_deinit(&pair->diff);
	diff_dumps(&pair->old, &pair->new, &pair->diff);
	pair->compared = true;
	return &pair->diff;
}

/* Asleep in futex(0x5000, ...), called from wait_for_work, with all counters known. */
static struct thread *sleeper(struct dump *dump, struct process *process, pid_t tid)
{
	struct thread *thread = make_thread(dump, process, tid, "worker", WAIT_MUTEX_LOCK);
	thread->start_time = 50000 + (uint64_t)tid;
	thread->cpu_total_ns = 5000000;
	thread->switches_voluntary = 40;
	thread->switches_involuntary = 3;
	thread->own_stops = 2;
	thread->wait.has_syscall = true;
	thread->wait.syscall = (struct syscall_fact){
		.number = SYS_futex, .name = "futex", .argument_count = 6, .arguments = {0x5000}};
	make_frame(dump, thread, "futex_wait", 0x20, "futex.c", 9);
	make_frame(dump, thread, "wait_for_work", 0x30, "prog.c", 20);
	make_frame(dump, thread, "start_thread", 0x40, "thread.c", 30);
	return thread;
}

static struct thread *runner(struct dump *dump, struct process *process, pid_t tid,
			     const char *innermost)
{
	struct thread *thread = make_thread(dump, process, tid, "runner", WAIT_RUNNING);
	thread->start_time = 50000 + (uint64_t)tid;
	thread->state = 'R';
	thread->cpu_total_ns = 5000000;
	thread->switches_voluntary = 40;
	thread->switches_involuntary = 3;
	thread->own_stops = 1;
	thread->wait.has_syscall = true;
	thread->wait.syscall.number = -1;
	make_frame(dump, thread, innermost, 0x20, "prog.c", 5);
	make_frame(dump, thread, "loop", 0x30, "prog.c", 20);
	make_frame(dump, thread, "main", 0x40, "prog.c", 30);
	return thread;
}

static const struct thread_diff *only_thread(const struct diff *diff)
{
	assert_int_equal(diff->threads.count, 1);
	return &diff->threads.items[0];
}

static void assert_word(struct pair *pair, enum progress progress)
{
	const struct thread_diff *thread = only_thread(compare(pair));
	if (thread->progress != progress)
		fail_msg("%s instead of %s (reason %d)", progress_names[thread->progress],
			 progress_names[progress], thread->why_unknown);
}

static void assert_unknown(struct pair *pair, enum unknown_reason why)
{
	assert_word(pair, PROGRESS_UNKNOWN);
	assert_int_equal(only_thread(&pair->diff)->why_unknown, why);
}

static void who_did_not_run_is_stuck(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	assert_word(pair, PROGRESS_STUCK);
	assert_true(pair->diff.same_run);
	/* The stop of the old dump shows in the counters of the new one. */
	after->switches_voluntary += 2;
	after->cpu_total_ns += 30000;
	assert_word(pair, PROGRESS_STUCK);
	assert_int_equal(only_thread(&pair->diff)->switches, 0);
	assert_int_equal(only_thread(&pair->diff)->cpu_ns, 0);
	/* So do preemptions on the way back from it, and what the new dump's own stop will cost. */
	after->switches_involuntary += 2;
	after->own_stops = 4;
	assert_word(pair, PROGRESS_STUCK);
}

static void one_sleep_more_is_cycling(void **state)
{
	struct pair *pair = *state;
	struct thread *before = sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->switches_voluntary += 3;
	assert_word(pair, PROGRESS_CYCLING);
	assert_int_equal(only_thread(&pair->diff)->switches, 1);
	/* A dump that stopped nobody has left no traces. */
	after->switches_voluntary = before->switches_voluntary + 1;
	before->own_stops = 0;
	assert_word(pair, PROGRESS_CYCLING);
}

static void cpu_time_beyond_our_own_is_cycling(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->cpu_total_ns += 20000000;
	assert_word(pair, PROGRESS_CYCLING);
}

static void other_arguments_of_the_same_call_are_cycling(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->wait.syscall.arguments[3] = 500;
	assert_word(pair, PROGRESS_CYCLING);
	/* Only those that the call takes: a stored dump has no others. */
	after->wait.syscall.argument_count = 3;
	assert_word(pair, PROGRESS_STUCK);
	/* Our stop may have made another number of it. */
	after->wait.syscall.number = SYS_restart_syscall;
	assert_word(pair, PROGRESS_STUCK);
}

/* Of a thread that was seen asleep again after the stop, the switches alone are proof. */
static void what_our_stop_made_it_do_does_not_count(void **state)
{
	struct pair *pair = *state;
	struct thread *before = sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	before->steady = true;
	after->switches_voluntary += 2;
	after->cpu_total_ns += 50000000;       /* a busy machine */
	after->wait.syscall.arguments[2] = 77; /* the rest of a write that was cut short */
	assert_word(pair, PROGRESS_STUCK);
	after->switches_voluntary += 1;
	assert_word(pair, PROGRESS_CYCLING);
	after->switches_voluntary -= 1;
	after->wait.has_syscall = false; /* it runs now */
	assert_word(pair, PROGRESS_CYCLING);
}

static void another_stack_or_wait_is_moved(void **state)
{
	struct pair *pair = *state;
	struct thread *before = sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->stack.frames[1].pc += 8;
	after->switches_voluntary += 3;
	assert_word(pair, PROGRESS_MOVED);
	after->stack.frames[1].pc -= 8;
	after->wait.class = WAIT_COND;
	assert_word(pair, PROGRESS_MOVED);
	after->wait.class = WAIT_MUTEX_LOCK;
	make_resource(&pair->old, before, "mutex", 0x5000, "a");
	make_resource(&pair->new, after, "mutex", 0x6000, "b");
	assert_word(pair, PROGRESS_MOVED);
}

/* Names may be missing in one dump; who did not run waits for what it waited for. */
static void proof_of_rest_beats_words(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->wait.class = WAIT_FUTEX;
	for (size_t i = 0; i < after->stack.count; i++)
		after->stack.frames[i].function = NULL;
	assert_word(pair, PROGRESS_STUCK);
}

static void inlined_and_kernel_frames_do_not_count(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = make_thread(&pair->new, pair->after, 101, "worker", WAIT_MUTEX_LOCK);
	*make_frame(&pair->new, after, "do_futex", 0x7, NULL, 0) =
		(struct frame){.kind = FRAME_KERNEL, .function = "do_futex"};
	make_frame(&pair->new, after, "inlined_wait", 0x20, "futex.c", 3)->inlined = true;
	make_frame(&pair->new, after, "futex_wait", 0x20, "futex.c", 9);
	make_frame(&pair->new, after, "wait_for_work", 0x30, "prog.c", 20);
	make_frame(&pair->new, after, "start_thread", 0x40, "thread.c", 30);
	after->start_time = 50101;
	after->cpu_total_ns = 9000000;
	after->switches_voluntary = 90;
	assert_word(pair, PROGRESS_CYCLING);
}

static void guesses_do_not_prove_a_move(void **state)
{
	struct pair *pair = *state;
	struct thread *before = sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	before->stack.frames[1].found_by = FOUND_BY_SCAN;
	after->stack.frames[1].pc += 64;
	assert_word(pair, PROGRESS_STUCK);
	after->switches_voluntary += 3;
	assert_unknown(pair, UNKNOWN_BOTH);
}

static void a_stack_that_was_cut_is_compared_as_far_as_it_goes(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->switches_voluntary += 3;
	after->stack.count = 2;
	assert_word(pair, PROGRESS_MOVED);
	after->stack.omitted = 1; /* --max-frames */
	assert_word(pair, PROGRESS_CYCLING);
	after->stack.omitted = 0;
	after->stack.complete = false;
	assert_unknown(pair, UNKNOWN_BOTH);
}

static void who_never_rests_in_one_place_is_spinning(void **state)
{
	struct pair *pair = *state;
	runner(&pair->old, pair->before, 101, "check");
	struct thread *after = runner(&pair->new, pair->after, 101, "look");
	after->switches_voluntary += 1; /* our stop */
	after->switches_involuntary += 5000;
	after->cpu_total_ns += SECOND; /* of ten: the machine is busy */
	assert_word(pair, PROGRESS_SPINNING);
}

static void who_burns_all_the_time_is_spinning_though_it_sleeps(void **state)
{
	struct pair *pair = *state;
	runner(&pair->old, pair->before, 101, "check");
	struct thread *after = runner(&pair->new, pair->after, 101, "check");
	after->switches_voluntary += 10000;
	after->cpu_total_ns += 9500000000;
	assert_word(pair, PROGRESS_SPINNING);
	after->cpu_total_ns -= 5000000000;
	assert_word(pair, PROGRESS_CYCLING);
}

static void who_works_far_apart_has_moved(void **state)
{
	struct pair *pair = *state;
	runner(&pair->old, pair->before, 101, "check");
	struct thread *after = make_thread(&pair->new, pair->after, 101, "runner", WAIT_RUNNING);
	after->start_time = 50101;
	after->cpu_total_ns = 5000000 + 9500000000;
	after->switches_voluntary = 41;
	char name[16];
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "parse_%d", i);
		make_frame(&pair->new, after, name, 0x10, "parse.c", 1);
	}
	make_frame(&pair->new, after, "loop", 0x38, "prog.c", 21);
	make_frame(&pair->new, after, "main", 0x40, "prog.c", 30);
	assert_word(pair, PROGRESS_MOVED);
}

static void a_thread_that_gets_no_cpu_is_stuck(void **state)
{
	struct pair *pair = *state;
	runner(&pair->old, pair->before, 101, "check")->own_stops = 0;
	runner(&pair->new, pair->after, 101, "check");
	assert_word(pair, PROGRESS_STUCK);
}

static void what_cannot_be_read_is_unknown(void **state)
{
	struct pair *pair = *state;
	struct thread *before = sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->stack.count = 0;
	after->stack.complete = false;
	after->wait.has_syscall = false;
	after->wait.class = WAIT_UNKNOWN;
	assert_unknown(pair, UNKNOWN_ONE);
	before->stack.count = 0;
	before->wait.has_syscall = false;
	assert_unknown(pair, UNKNOWN_BOTH);
}

static void without_counters_nobody_is_called_stuck(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	after->switches_voluntary = -1;
	assert_unknown(pair, UNKNOWN_COUNTERS);
	after->switches_voluntary = 42;
	after->cpu_total_ns = -1;
	assert_unknown(pair, UNKNOWN_COUNTERS);
	after->cpu_total_ns = 1000; /* less than before: no counter does that */
	assert_unknown(pair, UNKNOWN_COUNTERS);
}

/* D state, or refused: no stack in either, but the kernel's figures prove it. */
static void the_same_call_and_no_switch_are_proof_without_a_stack(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101)->stack.count = 0;
	sleeper(&pair->new, pair->after, 101)->stack.count = 0;
	assert_word(pair, PROGRESS_STUCK);
}

static void born_and_ended_threads_are_new_and_gone(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *born = sleeper(&pair->new, pair->after, 102);
	born->start_time = 50000 + 50500; /* 505 s after the process, which is 510 s old */
	const struct diff *diff = compare(pair);
	assert_int_equal(diff->threads.count, 2);
	assert_int_equal(diff->threads.items[0].progress, PROGRESS_NEW);
	assert_int_equal(diff->threads.items[1].progress, PROGRESS_GONE);
	/* The tid of one that has ended may be another's soon. */
	born->tid = 101;
	diff = compare(pair);
	assert_int_equal(diff->threads.items[0].progress, PROGRESS_NEW);
	assert_int_equal(diff->threads.items[1].progress, PROGRESS_GONE);
}

static void a_partial_dump_makes_nobody_gone_or_new(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	dump_add_error(&pair->new, 100, 0, "threads", "no room");
	assert_unknown(pair, UNKNOWN_LEFT_OUT);
	pair->before->threads.items[0].tid = 101;
	/* Errors about other things leave the list whole. */
	pair->new.errors.items[0].what = "symbols";
	assert_word(pair, PROGRESS_GONE);
	pair->new.errors.items[0].what = "process";
	pair->new.errors.items[0].pid = 0;
	assert_unknown(pair, UNKNOWN_LEFT_OUT);
}

static void who_is_older_than_the_old_dump_is_not_new(void **state)
{
	struct pair *pair = *state;
	struct thread *missed = sleeper(&pair->new, pair->after, 102);
	missed->start_time = 50000 + 40000;
	assert_unknown(pair, UNKNOWN_LEFT_OUT);
	missed->start_time = 0; /* its age is not known, but the old list was whole */
	assert_word(pair, PROGRESS_NEW);
	dump_add_error(&pair->old, 100, 0, "process", "it took too long");
	assert_unknown(pair, UNKNOWN_LEFT_OUT);
}

static struct process *child(struct dump *dump, pid_t pid, int64_t running_ms)
{
	struct process *process = make_process(dump, pid, "child");
	process->ppid = 100;
	process->start_time = 60000;
	process->running_ms = running_ms;
	sleeper(dump, process, pid);
	return process;
}

static enum progress word_of(const struct diff *diff, pid_t tid, enum unknown_reason *ret_why)
{
	array_for_each (&diff->threads, thread) {
		if ((thread->new ? thread->new : thread->old)->tid != tid)
			continue;
		*ret_why = thread->why_unknown;
		return thread->progress;
	}
	fail_msg("thread %d is not there", tid);
	return PROGRESS_NONE;
}

static void a_process_that_was_not_asked_for_is_not_gone(void **state)
{
	struct pair *pair = *state;
	enum unknown_reason why;
	child(&pair->old, 200, 400000);
	assert_int_equal(word_of(compare(pair), 200, &why), PROGRESS_UNKNOWN);
	assert_int_equal(why, UNKNOWN_NOT_DUMPED);
	/* All descendants were, and its parent is still there. */
	pair->new.tree = true;
	assert_int_equal(word_of(compare(pair), 200, &why), PROGRESS_GONE);
	/* It is there, but could not be read. */
	dump_add_error(&pair->new, 200, 0, "process", "permission denied");
	assert_int_equal(word_of(compare(pair), 200, &why), PROGRESS_UNKNOWN);
	pair->new.errors.count = 0;
	/* Its parent has ended: it may live on as somebody else's child. */
	pair->old.processes.items[1].ppid = 150;
	assert_int_equal(word_of(compare(pair), 200, &why), PROGRESS_UNKNOWN);
}

static void a_process_is_new_when_it_began_since(void **state)
{
	struct pair *pair = *state;
	enum unknown_reason why;
	child(&pair->new, 200, 5000);
	assert_int_equal(word_of(compare(pair), 200, &why), PROGRESS_NEW);
	pair->new.processes.items[1].running_ms = 20000;
	assert_int_equal(word_of(compare(pair), 200, &why), PROGRESS_UNKNOWN);
	assert_int_equal(why, UNKNOWN_NOT_DUMPED);
}

static void exec_makes_another_program(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 100);
	sleeper(&pair->new, pair->after, 100);
	pair->after->executable = "/bin/other";
	assert_word(pair, PROGRESS_MOVED);
	assert_true(pair->diff.processes.items[0].execed);
	pair->after->executable = "/bin/prog (deleted)";
	assert_word(pair, PROGRESS_STUCK);
	assert_false(pair->diff.processes.items[0].execed);
	/* The same file again, at another address; or another build in its place. */
	pair->after->executable = "/bin/prog";
	*array_append(&pair->before->modules) =
		(struct module){.path = "/bin/prog", .build_id = "aa", .start = 0x400000};
	*array_append(&pair->after->modules) =
		(struct module){.path = "/bin/prog", .build_id = "aa", .start = 0x400000};
	assert_word(pair, PROGRESS_STUCK);
	pair->after->modules.items[0].start = 0x500000;
	assert_word(pair, PROGRESS_MOVED);
	pair->after->modules.items[0].start = 0x400000;
	pair->after->modules.items[0].build_id = "bb";
	assert_word(pair, PROGRESS_MOVED);
}

static void identity_is_boot_namespace_pid_and_start(void **state)
{
	struct pair *pair = *state;
	assert_true(compare(pair)->same_run);
	pair->new.boot_id = "boot-2";
	assert_false(compare(pair)->same_run);
	pair->new.boot_id = NULL;
	assert_false(compare(pair)->same_run);
	pair->new.boot_id = "boot-1";
	pair->after->pid_namespace = 8;
	assert_false(compare(pair)->same_run);
	pair->after->pid_namespace = 0; /* not known */
	assert_true(compare(pair)->same_run);
	pair->after->start_time++;
	assert_false(compare(pair)->same_run);
	pair->after->start_time = pair->before->start_time = 0;
	assert_false(compare(pair)->same_run);
}

static void one_dump_says_nothing_of_progress(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	diff_dumps(&pair->old, &pair->old, &pair->diff);
	pair->compared = true;
	assert_true(pair->diff.same_moment);
	assert_int_equal(only_thread(&pair->diff)->why_unknown, UNKNOWN_NO_TIME);
	assert_int_equal(pair->diff.groups.count, 1);
	assert_int_equal(pair->diff.groups.items[0].before, 1);
	assert_int_equal(pair->diff.groups.items[0].after, 1);
}

/* Each figure is taken from the side of time that it belongs to. */
static void swapped_dumps_are_compared_by_time(void **state)
{
	struct pair *pair = *state;
	struct thread *later = sleeper(&pair->old, pair->before, 101);
	struct thread *earlier = sleeper(&pair->new, pair->after, 101);
	pair->old.monotonic_ns += 20ull * SECOND;
	later->switches_voluntary += 2;
	later->own_stops = 0;
	assert_word(pair, PROGRESS_STUCK);
	assert_true(pair->diff.apart_ns < 0);
	earlier->own_stops = 0;
	assert_word(pair, PROGRESS_CYCLING);
	/* Of the later dump only, which is the one to compare from. */
	earlier->tid = 99;
	later->start_time = 50000 + 50500;
	const struct diff *diff = compare(pair);
	enum unknown_reason why;
	pair->before->running_ms = 520000;
	assert_int_equal(word_of(diff, 101, &why), PROGRESS_GONE);
	assert_int_equal(word_of(diff, 99, &why), PROGRESS_NEW);
}

static void those_that_others_wait_for_are_marked(void **state)
{
	struct pair *pair = *state;
	for (pid_t tid = 101; tid <= 103; tid++) {
		sleeper(&pair->old, pair->before, tid);
		sleeper(&pair->new, pair->after, tid);
	}
	make_owner(&pair->after->threads.items[0], 100, 102);
	make_owner(&pair->after->threads.items[1], 100, 102); /* itself */
	const struct diff *diff = compare(pair);
	assert_false(diff->threads.items[0].waited_for);
	assert_true(diff->threads.items[1].waited_for);
	assert_false(diff->threads.items[2].waited_for);
	assert_true(diff->groups.items[0].waited_for);
}

static void groups_count_before_and_after(void **state)
{
	struct pair *pair = *state;
	for (pid_t tid = 101; tid <= 103; tid++) {
		sleeper(&pair->old, pair->before, tid);
		sleeper(&pair->new, pair->after, tid);
	}
	sleeper(&pair->old, pair->before, 104); /* gone */
	runner(&pair->old, pair->before, 105, "check");
	sleeper(&pair->new, pair->after, 105); /* moved */
	sleeper(&pair->new, pair->after, 106)->start_time = 50000 + 50500;
	const struct diff *diff = compare(pair);
	assert_int_equal(diff->groups.count, 2);
	const struct group_diff *group = &diff->groups.items[0];
	assert_int_equal(group->before, 4);
	assert_int_equal(group->after, 5);
	assert_int_equal(group->count[PROGRESS_STUCK], 3);
	assert_int_equal(group->count[PROGRESS_MOVED], 1);
	assert_int_equal(group->count[PROGRESS_NEW], 1);
	assert_int_equal(group->count[PROGRESS_GONE], 1);
	assert_int_equal(group->members.count, 6);
	group = &diff->groups.items[1];
	assert_int_equal(group->before, 1);
	assert_int_equal(group->after, 0);
	assert_int_equal(group->left, 1);
	assert_false(group->in_new);
}

/* Another boot; addresses, pids, tids, lines, builds and directories differ. */
static void make_other_run(struct pair *pair, size_t threads)
{
	pair->new.boot_id = "boot-2";
	pair->after->pid = 900;
	for (size_t i = 0; i < threads; i++) {
		struct thread *thread = sleeper(&pair->new, pair->after, (pid_t)(901 + i));
		thread->wait.syscall.arguments[0] = 0x9000;
		for (size_t j = 0; j < thread->stack.count; j++) {
			struct frame *frame = &thread->stack.frames[j];
			frame->pc += 0x100000000;
			frame->offset += 4;
			frame->module_offset += 0x40;
			frame->line += 3;
			frame->build_id = "ee";
			frame->module = "/opt/new/prog";
		}
	}
}

static void runs_are_compared_without_addresses(void **state)
{
	struct pair *pair = *state;
	for (pid_t tid = 101; tid <= 103; tid++)
		sleeper(&pair->old, pair->before, tid);
	make_other_run(pair, 5);
	const struct diff *diff = compare(pair);
	assert_false(diff->same_run);
	assert_int_equal(diff->groups.count, 1);
	assert_int_equal(diff->groups.items[0].before, 3);
	assert_int_equal(diff->groups.items[0].after, 5);
	array_for_each (&diff->threads, thread)
		assert_int_equal(thread->progress, PROGRESS_NONE);
}

static void each_part_of_the_place_separates(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	make_other_run(pair, 1);
	struct thread *thread = &pair->after->threads.items[0];
	struct frame *frame = &thread->stack.frames[1];
	assert_int_equal(compare(pair)->groups.count, 1);
	frame->function = "wait_for_more";
	assert_int_equal(compare(pair)->groups.count, 2);
	frame->function = "wait_for_work";
	frame->module = "/bin/prog2";
	assert_int_equal(compare(pair)->groups.count, 2);
	frame->module = "/opt/new/prog (deleted)";
	assert_int_equal(compare(pair)->groups.count, 1);
	thread->wait.class = WAIT_COND;
	assert_int_equal(compare(pair)->groups.count, 2);
	thread->wait.class = WAIT_MUTEX_LOCK;
	thread->stack.count--;
	assert_int_equal(compare(pair)->groups.count, 2);
	thread->stack.count++;
	/* Without a function, the offset in the file is the place. */
	frame->function = pair->before->threads.items[0].stack.frames[1].function = NULL;
	assert_int_equal(compare(pair)->groups.count, 2);
	frame->module_offset -= 0x40;
	assert_int_equal(compare(pair)->groups.count, 1);
	/* In no file, an address means nothing. */
	frame->module = pair->before->threads.items[0].stack.frames[1].module = NULL;
	assert_int_equal(compare(pair)->groups.count, 1);
}

static void add_deadlock(struct dump *dump, pid_t pid, pid_t first, pid_t second)
{
	struct finding *finding = make_finding(dump, FINDING_DEADLOCK);
	make_finding_thread(finding, pid, first);
	make_finding_thread(finding, pid, second);
}

static void assert_findings(const struct diff *diff, size_t new, size_t persisting, size_t resolved)
{
	size_t count[FINDING_CHANGES] = {0};
	array_for_each (&diff->findings, finding)
		count[finding->change]++;
	assert_int_equal(count[FINDING_IS_NEW], new);
	assert_int_equal(count[FINDING_PERSISTS], persisting);
	assert_int_equal(count[FINDING_RESOLVED], resolved);
}

static void findings_persist_with_their_members(void **state)
{
	struct pair *pair = *state;
	for (pid_t tid = 101; tid <= 104; tid++) {
		sleeper(&pair->old, pair->before, tid);
		sleeper(&pair->new, pair->after, tid);
	}
	add_deadlock(&pair->old, 100, 101, 102);
	add_deadlock(&pair->new, 100, 102, 101);
	assert_findings(compare(pair), 0, 1, 0);
	add_deadlock(&pair->new, 100, 103, 104);
	assert_findings(compare(pair), 1, 1, 0);
	pair->new.findings.items[0].kind = FINDING_NO_PROGRESS;
	assert_findings(compare(pair), 2, 0, 1);
	/* Another thread with the same number is another thread. */
	pair->new.findings.items[0].kind = FINDING_DEADLOCK;
	pair->after->threads.items[1].start_time++;
	assert_findings(compare(pair), 2, 0, 1);
}

static void a_chain_persists_with_its_root(void **state)
{
	struct pair *pair = *state;
	struct finding *before = make_finding(&pair->old, FINDING_BLOCKED_CHAIN);
	struct finding *after = make_finding(&pair->new, FINDING_BLOCKED_CHAIN);
	make_finding_thread(before, 100, 101);
	make_finding_thread(before, 100, 102);
	make_finding_thread(after, 100, 101);
	make_finding_thread(after, 100, 103);
	make_finding_thread(after, 100, 104);
	assert_findings(compare(pair), 0, 1, 0);
	after->threads.items[0].tid = 105;
	assert_findings(compare(pair), 1, 0, 1);
}

static void findings_of_other_runs_are_known_by_their_places(void **state)
{
	struct pair *pair = *state;
	for (pid_t tid = 101; tid <= 102; tid++)
		make_resource(&pair->old, sleeper(&pair->old, pair->before, tid), "mutex",
			      0x5000 + (uint64_t)tid, tid == 101 ? "current" : "savings");
	make_other_run(pair, 2);
	struct thread *threads = pair->after->threads.items;
	make_resource(&pair->new, &threads[0], "mutex", 0x8000, "savings");
	make_resource(&pair->new, &threads[1], "mutex", 0x8100, "current");
	add_deadlock(&pair->old, 100, 101, 102);
	add_deadlock(&pair->new, 900, 901, 902);
	assert_findings(compare(pair), 0, 1, 0);
	threads[0].wait.resource.name = "deposits";
	assert_findings(compare(pair), 1, 0, 1);
}

static void samples_add_up(void **state)
{
	struct pair *pair = *state;
	sleeper(&pair->old, pair->before, 101);
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	struct thread *before = &pair->before->threads.items[0];
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->progress, PROGRESS_STUCK);
	/* Stuck in the last span, but not in the one before. */
	before->progress = PROGRESS_CYCLING;
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->progress, PROGRESS_CYCLING);
	before->progress = PROGRESS_MOVED;
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->progress, PROGRESS_MOVED);
	/* Born after the first sample: what was seen of it counts. */
	before->progress = PROGRESS_NEW;
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->progress, PROGRESS_STUCK);
}

/* Our own stops make the kernel forget when a sleeper went to sleep. */
static void the_stuck_have_waited_since_before_the_first_sample(void **state)
{
	struct pair *pair = *state;
	struct thread *after = sleeper(&pair->new, pair->after, 101);
	struct thread *before = sleeper(&pair->old, pair->before, 101);
	int64_t apart_ms = (int64_t)(pair->new.monotonic_ns - pair->old.monotonic_ns) / 1000000;
	before->wait.since_ms = 600000;
	after->wait.since_ms = 3;
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->wait.since_ms, 600000 + apart_ms);
	/* Who ran meanwhile has waited for no longer than it says. */
	after->wait.since_ms = 3;
	after->switches_voluntary += 100;
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->progress, PROGRESS_CYCLING);
	assert_int_equal(after->wait.since_ms, 3);
	/* Nor is anything made of what is not known. */
	after->switches_voluntary -= 100;
	before->wait.since_ms = -1;
	diff_mark_progress(&pair->old, &pair->new);
	assert_int_equal(after->progress, PROGRESS_STUCK);
	assert_int_equal(after->wait.since_ms, 3);
}

/* As a hostile file may have it: ids twice, members that do not exist, nothing at all. */
static void nonsense_is_compared_without_harm(void **state)
{
	struct pair *pair = *state;
	assert_int_equal(compare(pair)->threads.count, 0);
	for (int i = 0; i < 3; i++) {
		sleeper(&pair->old, pair->before, 101);
		sleeper(&pair->new, pair->after, 101);
		make_owner(&pair->after->threads.items[i], -5, 101);
	}
	add_deadlock(&pair->new, 77, 1, -1);
	make_finding(&pair->old, FINDING_NO_PROGRESS);
	make_process(&pair->new, 100, "again")->start_time = 50000;
	make_process(&pair->new, 100, "again")->start_time = 50000;
	pair->before = &pair->old.processes.items[0];
	const struct diff *diff = compare(pair);
	assert_int_equal(diff->groups.items[0].before, 3);
	assert_int_equal(diff->groups.items[0].after, 3);
}

/* What has no name differs by its offset. */
static void forget_innermost_names(struct process *process)
{
	array_for_each (&process->threads, thread)
		thread->stack.frames[0].function = NULL;
}

static void time_crowd(size_t kinds)
{
	struct dump old, new;
	struct diff diff;
	begin(&old, 0);
	begin(&new, 10);
	make_crowd(&old, 10000, 30, kinds);
	make_crowd(&new, 10000, 30, kinds);
	old.processes.items[1].start_time = new.processes.items[1].start_time = 60000;
	forget_innermost_names(&old.processes.items[1]);
	forget_innermost_names(&new.processes.items[1]);
	uint64_t start = monotonic_ns();
	diff_dumps(&old, &new, &diff);
	uint64_t took = monotonic_ns() - start;
	assert_int_equal(diff.threads.count, 10000);
	assert_int_equal(diff.groups.count, kinds);
	print_message("2 x 10000 threads of 30 frames in %zu groups: %.1f ms\n", kinds,
		      (double)took / 1e6);
	diff_deinit(&diff);
	dump_deinit(&old);
	dump_deinit(&new);
	/* Pairwise, it would be minutes. */
	assert_true(took < 20ull * SECOND);
}

static void a_crowd_takes_no_longer_than_its_size(void **state)
{
	(void)state;
	time_crowd(1);
	time_crowd(10000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_did_not_run_is_stuck),
		TEST(one_sleep_more_is_cycling),
		TEST(cpu_time_beyond_our_own_is_cycling),
		TEST(other_arguments_of_the_same_call_are_cycling),
		TEST(what_our_stop_made_it_do_does_not_count),
		TEST(another_stack_or_wait_is_moved),
		TEST(proof_of_rest_beats_words),
		TEST(inlined_and_kernel_frames_do_not_count),
		TEST(guesses_do_not_prove_a_move),
		TEST(a_stack_that_was_cut_is_compared_as_far_as_it_goes),
		TEST(who_never_rests_in_one_place_is_spinning),
		TEST(who_burns_all_the_time_is_spinning_though_it_sleeps),
		TEST(who_works_far_apart_has_moved),
		TEST(a_thread_that_gets_no_cpu_is_stuck),
		TEST(what_cannot_be_read_is_unknown),
		TEST(without_counters_nobody_is_called_stuck),
		TEST(the_same_call_and_no_switch_are_proof_without_a_stack),
		TEST(born_and_ended_threads_are_new_and_gone),
		TEST(a_partial_dump_makes_nobody_gone_or_new),
		TEST(who_is_older_than_the_old_dump_is_not_new),
		TEST(a_process_that_was_not_asked_for_is_not_gone),
		TEST(a_process_is_new_when_it_began_since),
		TEST(exec_makes_another_program),
		TEST(identity_is_boot_namespace_pid_and_start),
		TEST(one_dump_says_nothing_of_progress),
		TEST(swapped_dumps_are_compared_by_time),
		TEST(those_that_others_wait_for_are_marked),
		TEST(groups_count_before_and_after),
		TEST(runs_are_compared_without_addresses),
		TEST(each_part_of_the_place_separates),
		TEST(findings_persist_with_their_members),
		TEST(a_chain_persists_with_its_root),
		TEST(findings_of_other_runs_are_known_by_their_places),
		TEST(samples_add_up),
		TEST(the_stuck_have_waited_since_before_the_first_sample),
		TEST(nonsense_is_compared_without_harm),
		cmocka_unit_test(a_crowd_takes_no_longer_than_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
