/*
 * What is taken of a thread: its registers, the used part of its stacks, its control block, and
 * what its system call points at.
 */
#include "capture/raw.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

enum {
	STACK_LEAST = 64 << 10,	   /* of each stack, when there is so much */
	STACK_MOST = 8 << 20,	   /* of one stack */
	ODD_STACK_MOST = 64 << 10, /* where the stack's end is not known */
	RED_ZONE = 128,		   /* below the stack pointer: System V psABI, 3.2.2 */
	TCB_SIZE = 1024,	   /* glibc's struct pthread has its tid 720 bytes in */
	WINDOW_BEFORE = 128,	   /* around what an argument points at */
	WINDOW_AFTER = 256,
	EXPECTED_LEAST = 512 << 10,
	EXPECTED_MOST = 256 << 20,
};

void take_registers(struct raw_thread *thread)
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
		user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi,
		user.rbp, user.rsp, user.r8,  user.r9,	user.r10, user.r11,
		user.r12, user.r13, user.r14, user.r15, user.rip};
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
	/* One switch to stop, one more where it then goes back to sleep, or to its own stop. */
	bool rests = facts->state == 'T' ||
		     (facts->in_syscall && restart_was_asleep(facts->stopped_result));
	facts->own_stops = rests ? 2 : 1;
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

void take_memory(struct raw_capture *raw, const struct raw_process *process,
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
	copier_init(&copier, facts->tid, process->memory_fd, thread->held);
	copier_copy(&copier, list.ranges, count);
	copier_deinit(&copier);
	for (unsigned i = 0; i < count; i++) {
		*segments[i] = (struct raw_segment){list.ranges[i].address, list.ranges[i].copied,
						    list.ranges[i].to, thread->segments};
		thread->segments = segments[i];
	}
}

uint64_t take_share(const struct raw_capture *raw)
{
	size_t threads = 0;
	for (size_t i = 0; i < raw->process_count; i++)
		threads += raw->processes[i].thread_count;
	uint64_t share = raw->stack_budget / (threads ? threads : 1);
	return share < STACK_LEAST ? STACK_LEAST : share > STACK_MOST ? STACK_MOST : share;
}

/* About what the copies will need, from where the sleeping threads' stacks stand. */
size_t take_expected_bytes(const struct raw_capture *raw)
{
	size_t bytes = EXPECTED_LEAST;
	for (size_t i = 0; i < raw->process_count; i++) {
		const struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			uint64_t sp = process->threads[j].facts.syscall.sp;
			const struct capture_mapping *map = raw_mapping_at(process, sp);
			uint64_t used = map ? map->end - sp : 0;
			/* Beyond that it is no thread's own stack: most of it will not be copied. */
			if (used > STACK_LEAST)
				used = STACK_LEAST / 4;
			bytes += used + 4 * (WINDOW_BEFORE + WINDOW_AFTER) + TCB_SIZE;
		}
	}
	return bytes < EXPECTED_MOST ? bytes : EXPECTED_MOST;
}
