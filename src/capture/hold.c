/*
 * Stop every thread, copy what is needed, let them go.  Runs in a helper process whose end
 * releases whatever is still held, threads that never stopped included (a vfork parent cannot be
 * detached in any other way).
 *
 * Between the first PTRACE_INTERRUPT and the last PTRACE_DETACH there is nothing but ptrace,
 * memory copies and, where threads keep appearing, a look at the task list.
 */
#include "base/cleanup.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

enum {
	STACK_LEAST = 64 << 10,	   /* of each stack, when there is so much */
	STACK_MOST = 8 << 20,	   /* of one stack */
	ODD_STACK_MOST = 64 << 10, /* where the stack's end is not known */
	RED_ZONE = 128,		   /* below the stack pointer: System V psABI, 3.2.2 */
	TCB_SIZE = 1024,	   /* glibc's struct pthread has its tid 720 bytes in */
	WINDOW_BEFORE = 128,
	WINDOW_AFTER = 256,
	ROUNDS_MOST = 64,	      /* rescans of the task list */
	UNINTERRUPTIBLE_NS = 5000000, /* no progress for so long: who is in D state is given up */
};

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static void seize(struct raw_process *process, struct raw_thread *thread)
{
	if (thread->facts.state == 'Z' || thread->facts.state == 'X') {
		thread->facts.stop = STOP_GONE;
		return;
	}
	if (ptrace(PTRACE_SEIZE, thread->facts.tid, NULL, NULL) == 0) {
		thread->seized = true;
		return;
	}
	thread->facts.stop_errno = errno;
	thread->facts.stop = errno == ESRCH ? STOP_GONE : STOP_REFUSED;
	process->hold_errno = errno;
}

static void interrupt(struct raw_thread *thread)
{
	if (thread->seized && ptrace(PTRACE_INTERRUPT, thread->facts.tid, NULL, NULL) != 0) {
		thread->seized = false;
		thread->facts.stop = STOP_GONE;
	}
}

static bool is_pending(const struct raw_thread *thread)
{
	return thread->seized && !thread->held && thread->facts.stop == STOP_NOT_TRIED;
}

/* True when its state is settled, one way or the other. */
static bool settle(struct raw_thread *thread)
{
	int status;
	pid_t tid = waitpid(thread->facts.tid, &status, __WALL | WNOHANG);
	if (tid == 0)
		return false;
	if (tid < 0 || WIFEXITED(status) || WIFSIGNALED(status)) {
		thread->seized = false;
		thread->facts.stop = STOP_GONE;
		return true;
	}
	if (status >> 16 == PTRACE_EVENT_STOP) {
		thread->held = true;
		thread->facts.stop = STOP_DONE;
		return true;
	}
	/* On its way to being delivered: give it back at once, our stop comes next. */
	ptrace(PTRACE_CONT, thread->facts.tid, NULL, (void *)(long)WSTOPSIG(status));
	return false;
}

static bool is_uninterruptible(const struct raw_process *process, pid_t tid)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", process->pid, tid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, &stat) &&
	       stat.state == 'D';
}

/* Waits until every seized thread has stopped, is gone, or is given up. */
static void wait_for_stops(struct raw_capture *raw, struct deadline deadline)
{
	uint64_t progress_ns = monotonic_ns();
	for (;;) {
		size_t pending = 0, settled = 0;
		bool late = deadline_passed(deadline);
		bool stuck = monotonic_ns() - progress_ns > UNINTERRUPTIBLE_NS;
		for (size_t i = 0; i < raw->process_count; i++) {
			struct raw_process *process = &raw->processes[i];
			for (size_t j = 0; j < process->thread_count; j++) {
				struct raw_thread *thread = &process->threads[j];
				if (!is_pending(thread))
					continue;
				if (settle(thread)) {
					settled++;
				} else if (late || (stuck && is_uninterruptible(
								 process, thread->facts.tid))) {
					thread->facts.stop = STOP_TIMED_OUT;
				} else {
					pending++;
				}
			}
		}
		if (!pending)
			return;
		if (settled)
			progress_ns = monotonic_ns();
		else
			nap();
	}
}

static void seize_new(struct raw_capture *raw, struct raw_process *process, pid_t tid)
{
	(void)raw;
	struct raw_thread *thread = raw_thread_new(process, tid);
	if (!thread)
		return;
	raw_thread_publish(process);
	seize(process, thread);
	interrupt(thread);
}

static void stop_all(struct raw_capture *raw)
{
	struct deadline deadline = deadline_in_ms(raw->options.stop_ms);
	if (raw->options.deadline.at_ns &&
	    (!deadline.at_ns || deadline.at_ns > raw->options.deadline.at_ns))
		deadline = raw->options.deadline;
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		process->held_from_ns = monotonic_ns();
		for (size_t j = 0; j < process->thread_count; j++)
			interrupt(&process->threads[j]);
	}
	/* A thread that was born while its siblings were being stopped is in the list by now. */
	for (unsigned round = 0; round < ROUNDS_MOST; round++) {
		int found = 0;
		wait_for_stops(raw, deadline);
		for (size_t i = 0; i < raw->process_count; i++) {
			int n = raw_visit_new_threads(raw, &raw->processes[i], seize_new);
			found += n > 0 ? n : 0;
		}
		if (!found || deadline_passed(deadline))
			break;
	}
	wait_for_stops(raw, deadline);
}

static void take_registers(struct raw_thread *thread)
{
	struct user_regs_struct user;
	struct iovec iov = {&user, sizeof(user)};
	struct capture_thread *facts = &thread->facts;
	if (ptrace(PTRACE_GETREGSET, facts->tid, (void *)NT_PRSTATUS, &iov) != 0) {
		facts->stop_errno = errno;
		return;
	}
	/* A 32-bit task hands out 68 bytes: they mean something else. */
	if (iov.iov_len != sizeof(user)) {
		facts->stop_errno = ENOTSUP;
		return;
	}
	const uint64_t by_dwarf_number[DWARF_COUNT] = {
	    user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi, user.rbp, user.rsp, user.r8,
	    user.r9,  user.r10, user.r11, user.r12, user.r13, user.r14, user.r15, user.rip};
	memcpy(facts->registers.value, by_dwarf_number, sizeof(by_dwarf_number));
	facts->registers.valid = (1u << DWARF_COUNT) - 1;
	facts->registers_from = REGISTERS_STOPPED;
	facts->fs_base = user.fs_base;
	facts->in_syscall = (int64_t)user.orig_rax >= 0;
	facts->stopped_syscall = (long)user.orig_rax;
	facts->stopped_result = (int64_t)user.rax;

	int64_t hidden;
	if (facts->in_syscall &&
	    restart_hides(facts->stopped_syscall, facts->stopped_result, facts->seccomp, &hidden)) {
		user.rax = (unsigned long long)hidden;
		facts->repaired =
		    ptrace(PTRACE_SETREGSET, facts->tid, (void *)NT_PRSTATUS, &iov) == 0;
	}
	/* One switch to stop, one more where it then goes back to sleep. */
	facts->own_stops = facts->in_syscall ? 2 : 1;
}

struct wish_list {
	struct copy_range ranges[16];
	unsigned count;
};

/* [from, to), as far as one readable mapping around `inside` has it. */
static void wish(const struct raw_process *process, struct wish_list *list, uint64_t inside,
		 uint64_t from, uint64_t to)
{
	const struct capture_mapping *map = raw_mapping_at(process, inside);
	if (!map || !map->readable || list->count == ARRAY_SIZE(list->ranges))
		return;
	if (from < map->start || from > inside)
		from = map->start;
	if (to > map->end || to < inside)
		to = map->end;
	if (to > from)
		list->ranges[list->count++] =
		    (struct copy_range){.address = from, .length = to - from};
}

static uint64_t stack_share(const struct raw_capture *raw)
{
	size_t threads = 0;
	for (size_t i = 0; i < raw->process_count; i++)
		threads += raw->processes[i].thread_count;
	uint64_t share = raw->stack_budget / (threads ? threads : 1);
	return share < STACK_LEAST ? STACK_LEAST : share > STACK_MOST ? STACK_MOST : share;
}

static const struct capture_mapping *main_stack(const struct raw_process *process)
{
	for (size_t i = process->mapping_count; i-- > 0;) {
		if (strcmp(process->mappings[i].path, "[stack]") == 0)
			return &process->mappings[i];
	}
	return NULL;
}

static void wish_for_stacks(const struct raw_process *process, const struct capture_thread *facts,
			    uint64_t sp, uint64_t share, struct wish_list *list)
{
	const struct capture_mapping *map = raw_mapping_at(process, sp);
	bool is_main = facts->tid == process->pid;
	uint64_t low = sp > RED_ZONE ? sp - RED_ZONE : 0;
	bool on_own = false;
	if (map) {
		/* glibc and musl keep the thread control block above the stack that it belongs to. */
		bool below_tcb = facts->fs_base > sp && facts->fs_base - sp < 1u << 30 &&
				 facts->fs_base < map->end;
		on_own = below_tcb || strcmp(map->path, "[stack]") == 0;
		uint64_t most = on_own ? share : ODD_STACK_MOST;
		uint64_t high = below_tcb ? facts->fs_base + TCB_SIZE : map->end;
		if (high - low > most)
			high = low + most;
		wish(process, list, sp, low, high);
	}
	if (!on_own) {
		/* A signal stack, a coroutine's: what it interrupted lies on the thread's own. */
		const struct capture_mapping *own = is_main ? main_stack(process) : NULL;
		if (own && own != map)
			wish(process, list, own->end - 1,
			     own->end - own->start > ODD_STACK_MOST ? own->end - ODD_STACK_MOST
								    : own->start,
			     own->end);
		else if (!is_main && facts->fs_base)
			wish(process, list, facts->fs_base,
			     facts->fs_base > ODD_STACK_MOST ? facts->fs_base - ODD_STACK_MOST : 0,
			     facts->fs_base + TCB_SIZE);
	}
	if (facts->fs_base && !(map && facts->fs_base > low && facts->fs_base < map->end))
		wish(process, list, facts->fs_base, facts->fs_base, facts->fs_base + TCB_SIZE);
}

/* What the call's arguments point at: lock words, time limits, descriptor sets. */
static void wish_for_arguments(const struct raw_process *process, const uint64_t arguments[6],
			       struct wish_list *list)
{
	for (unsigned i = 0; i < 6; i++) {
		uint64_t at = arguments[i];
		if (at < 4096)
			continue;
		wish(process, list, at, at > WINDOW_BEFORE ? at - WINDOW_BEFORE : 0,
		     at + WINDOW_AFTER);
	}
}

static void copy_memory(struct raw_capture *raw, const struct raw_process *process,
			struct raw_thread *thread, uint64_t share)
{
	struct capture_thread *facts = &thread->facts;
	struct wish_list list = {.count = 0};
	struct raw_segment *segments[16];
	uint64_t syscall_arguments[6] = {
	    facts->registers.value[DWARF_RDI], facts->registers.value[DWARF_RSI],
	    facts->registers.value[DWARF_RDX], facts->registers.value[DWARF_R10],
	    facts->registers.value[DWARF_R8],  facts->registers.value[DWARF_R9]};
	wish_for_stacks(process, facts, facts->registers.value[DWARF_RSP], share, &list);
	if (facts->registers_from == REGISTERS_SYSCALL_FILE)
		wish_for_arguments(process, facts->syscall.arguments, &list);
	else if (facts->in_syscall)
		wish_for_arguments(process, syscall_arguments, &list);

	unsigned count = 0;
	for (; count < list.count; count++) {
		struct copy_range *range = &list.ranges[count];
		segments[count] =
		    arena_alloc(&raw->arena, sizeof(*segments[count]) + range->length);
		if (!segments[count])
			break;
		range->to = (char *)(segments[count] + 1);
	}
	struct copier copier;
	copier_init(&copier, facts->tid, thread->held);
	copier_copy(&copier, list.ranges, count);
	copier_deinit(&copier);
	for (unsigned i = 0; i < count; i++) {
		*segments[i] = (struct raw_segment){list.ranges[i].address, list.ranges[i].copied,
						    list.ranges[i].to, thread->segments};
		thread->segments = segments[i];
	}
}

/* The map was read before the stop: a thread born since may stand on a mapping that it lacks. */
static void refresh_mappings(struct raw_capture *raw, struct raw_process *process, bool *refreshed,
			     uint64_t sp)
{
	if (*refreshed || raw_mapping_at(process, sp))
		return;
	*refreshed = true;
	survey_mappings(raw, process);
}

static void copy_held(struct raw_capture *raw, struct raw_process *process, uint64_t share)
{
	bool refreshed = false;
	for (size_t i = 0; i < process->thread_count; i++) {
		struct raw_thread *thread = &process->threads[i];
		if (!thread->held)
			continue;
		take_registers(thread);
		if (thread->facts.registers_from != REGISTERS_STOPPED)
			continue;
		refresh_mappings(raw, process, &refreshed,
				 thread->facts.registers.value[DWARF_RSP]);
		copy_memory(raw, process, thread, share);
	}
}

/* A thread that sleeps and was not stopped still shows its pc and its stack. */
static void copy_unheld(struct raw_capture *raw, const struct raw_process *process,
			struct raw_thread *thread, uint64_t share)
{
	char path[64], text[1024];
	struct capture_thread *facts = &thread->facts;
	struct raw_syscall now;
	if (thread->held || facts->stop == STOP_GONE)
		return;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", process->pid, facts->tid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	parse_syscall(text, &now);
	if ((now.state != SYSCALL_INSIDE && now.state != SYSCALL_NONE) || !now.sp)
		return;
	facts->registers.value[DWARF_RIP] = now.pc;
	facts->registers.value[DWARF_RSP] = now.sp;
	facts->registers.valid = 1u << DWARF_RIP | 1u << DWARF_RSP;
	facts->registers_from = REGISTERS_SYSCALL_FILE;
	copy_memory(raw, process, thread, share);
}

static void release(struct raw_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		struct raw_thread *thread = &process->threads[i];
		if (thread->held)
			ptrace(PTRACE_DETACH, thread->facts.tid, NULL, NULL);
	}
	process->held_to_ns = monotonic_ns();
}

/* About what the copies will need, from where the sleeping threads' stacks stand. */
static size_t expected_bytes(const struct raw_capture *raw)
{
	size_t bytes = 1 << 20;
	for (size_t i = 0; i < raw->process_count; i++)
		bytes += raw->processes[i].thread_count * (size_t)(12 << 10);
	return bytes;
}

void hold(struct raw_capture *raw)
{
	uint64_t share = stack_share(raw);
	if (!raw->options.no_stop) {
		arena_prefault(&raw->arena, expected_bytes(raw));
		for (size_t i = 0; i < raw->process_count; i++) {
			struct raw_process *process = &raw->processes[i];
			for (size_t j = 0; j < process->thread_count; j++)
				seize(process, &process->threads[j]);
		}
		/* On a busy machine the target would be held while we wait for a CPU. */
		sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
		stop_all(raw);
		for (size_t i = 0; i < raw->process_count; i++)
			copy_held(raw, &raw->processes[i], share);
		for (size_t i = 0; i < raw->process_count; i++)
			release(&raw->processes[i]);
		sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
	}
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			struct raw_thread *thread = &process->threads[j];
			/* Born since the survey: late facts about it are better than none. */
			if (!thread->looked_at_ns && thread->held)
				survey_thread(raw, process, thread);
			copy_unheld(raw, process, thread, share);
		}
	}
}
