/*
 * The order of evidence: the thread's state; the system call, with restart_syscall undone; the
 * kernel's own functions, for what any call may run into; then the call's family, which asks
 * runtime frames before libc frames, those before the futex's signature and memory, and the
 * descriptor's type before anything that is merely likely.
 */
#include "classify/classify.h"

#include "base/array.h"
#include "classify/peers.h"
#include "classify/subject.h"

#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>

typedef void family_fn(struct subject *subject);

static void classify_clone(struct subject *subject);
static void classify_exec(struct subject *subject);
static void classify_exit(struct subject *subject);

static family_fn *const families[SYSCALL_FAMILIES] = {
	[FAMILY_OTHER] = classify_other,
	[FAMILY_FUTEX] = classify_futex,
	[FAMILY_FUTEX_WAITV] = classify_futex_waitv,
	[FAMILY_SLEEP] = classify_sleep,
	[FAMILY_POLL] = classify_poll,
	[FAMILY_SELECT] = classify_select,
	[FAMILY_EPOLL] = classify_epoll,
	[FAMILY_IO_URING] = classify_io_uring,
	[FAMILY_AIO] = classify_aio,
	[FAMILY_READ] = classify_read,
	[FAMILY_WRITE] = classify_write,
	[FAMILY_SOCKET] = classify_socket,
	[FAMILY_CONNECT] = classify_connect,
	[FAMILY_TRANSFER] = classify_transfer,
	[FAMILY_IOCTL] = classify_ioctl,
	[FAMILY_FCNTL] = classify_fcntl,
	[FAMILY_FLOCK] = classify_flock,
	[FAMILY_OPEN] = classify_open,
	[FAMILY_FILE] = classify_file,
	[FAMILY_MEMORY] = classify_other,
	[FAMILY_CHILD] = classify_child,
	[FAMILY_CLONE] = classify_clone,
	[FAMILY_SIGNAL] = classify_signal,
	[FAMILY_SEMAPHORE] = classify_semaphore,
	[FAMILY_SYSV_MESSAGE] = classify_sysv_message,
	[FAMILY_MESSAGE_QUEUE] = classify_message_queue,
	[FAMILY_EXEC] = classify_exec,
	[FAMILY_EXIT] = classify_exit,
};

/* A parent sleeps in clone until a vfork child lets go of its memory, and for nothing else. */
static void classify_clone(struct subject *subject)
{
	uint64_t flags = 0;
	long number = subject->wait->syscall.number;
	if (number == SYS_clone)
		flags = argument(subject, 0);
	else if (number == SYS_vfork)
		flags = CLONE_VFORK;
	else if (number == SYS_clone3 && !subject_read(subject, argument(subject, 0), &flags, 8))
		flags = 0;
	if (flags & CLONE_VFORK) {
		subject_decide(subject, WAIT_VFORK, CONFIDENCE_CERTAIN, "CLONE_VFORK");
		subject->wait->resource.kind = "child process";
		return;
	}
	/* clone3's arguments may be gone: posix_spawn's are on its stack, in memory of the child too. */
	if (number == SYS_clone3 && subject->thread->state == 'D') {
		subject_decide(subject, WAIT_VFORK, CONFIDENCE_LIKELY, "clone3, state D");
		subject->wait->resource.kind = "child process";
		return;
	}
	classify_other(subject);
}

static void classify_exec(struct subject *subject)
{
	classify_set_path(subject, subject->row->path - 1u, "file");
	if (subject->thread->state == 'D')
		subject_decide(subject, WAIT_DISK, CONFIDENCE_LIKELY, "state D");
	else
		subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN, "execve");
}

static void classify_exit(struct subject *subject)
{
	subject_decide(subject, WAIT_EXITING, CONFIDENCE_CERTAIN, "exit");
}

const char *classify_syscall_name(long number, struct strpool *strings)
{
	const struct syscall_row *row = syscall_row(number);
	char *known = number >= 0 && number <= INT32_MAX
			      ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)number)
			      : NULL;
	const char *name = known	      ? strpool_add(strings, known)
			   : row && row->name ? strpool_add(strings, row->name)
					      : strpool_printf(strings, "syscall_%ld", number);
	free(known);
	return name;
}

static void set_syscall(struct subject *subject, long number, const uint64_t arguments[6])
{
	struct syscall_fact *fact = &subject->wait->syscall;
	subject->wait->has_syscall = true;
	fact->number = number;
	for (int i = 0; i < 6; i++)
		fact->arguments[i] = arguments[i];
	subject->row = syscall_row(number);
	fact->argument_count = subject->row ? subject->row->arguments : 6;
	fact->name = classify_syscall_name(number, subject->context->strings);
}

/*
 * Where /proc/PID/task/TID/syscall says nothing, the registers of the stop may: a call that was
 * interrupted is one that the thread was asleep in.
 */
static bool syscall_from_stop(struct subject *subject)
{
	static const unsigned from[6] = {DWARF_RDI, DWARF_RSI, DWARF_RDX,
					 DWARF_R10, DWARF_R8,  DWARF_R9};
	const struct capture_thread *thread = subject->thread;
	uint64_t arguments[6] = {0};
	if (thread->stop != STOP_DONE || !thread->in_syscall || thread->stopped_syscall < 0 ||
	    thread->registers_from != REGISTERS_STOPPED ||
	    !(was_interrupted(thread->stopped_result) || thread->repaired))
		return false;
	for (int i = 0; i < 6; i++)
		arguments[i] = thread->registers.value[from[i]];
	subject->sp = thread->registers.value[DWARF_RSP];
	subject->pc = thread->registers.value[DWARF_RIP];
	set_syscall(subject, thread->stopped_syscall, arguments);
	return true;
}

static void classify_call(struct subject *subject)
{
	if (classify_kernel(subject))
		return;
	families[subject->row ? subject->row->family : FAMILY_OTHER](subject);
}

/* The stop met it in another call than the survey did: it is known to have moved on. */
static bool is_in_another_call(const struct capture_thread *thread)
{
	return thread->stop == STOP_DONE && thread->in_syscall && thread->stopped_syscall >= 0 &&
	       thread->stopped_syscall != thread->syscall.number &&
	       thread->stopped_syscall != SYS_restart_syscall;
}

static void forget_what_for(struct wait *wait)
{
	wait->resource = (struct resource){.fd = -1};
	wait->owners.count = 0;
	wait->owner_state = OWNER_NOBODY;
	wait->reach = REACH_ANYBODY;
	wait->overdue = false;
}

static void classify_asleep(struct subject *subject)
{
	const struct raw_syscall *call = &subject->thread->syscall;
	switch (call->state) {
	case SYSCALL_INSIDE:
		subject->sp = call->sp;
		subject->pc = call->pc;
		subject->restarted = call->number == SYS_restart_syscall;
		set_syscall(subject, classify_restarted_number(subject, call->number),
			    call->arguments);
		classify_call(subject);
		/* It ran between two readings: its frames and memory may be of another wait. */
		if (subject->thread->state == 'R' || !subject->thread->steady)
			subject_doubt(subject);
		if (is_in_another_call(subject->thread))
			forget_what_for(subject->wait);
		break;
	case SYSCALL_NONE:
		classify_fault(subject);
		break;
	case SYSCALL_UNREADABLE:
	case SYSCALL_RUNNING:
		if (!syscall_from_stop(subject)) {
			subject_decide(subject, WAIT_UNKNOWN, CONFIDENCE_LIKELY,
				       call->state == SYSCALL_RUNNING ? "syscall running"
								      : "syscall unreadable");
			break;
		}
		classify_call(subject);
		subject_doubt(subject);
		break;
	}
}

/* Readers compare strings of the dump by address. */
static void intern(struct subject *subject)
{
	struct strpool *strings = subject->context->strings;
	struct resource *resource = &subject->wait->resource;
	resource->kind = strpool_add(strings, resource->kind);
	resource->name = strpool_add(strings, resource->name);
	resource->detail = strpool_add(strings, resource->detail);
	resource->identity = strpool_add(strings, resource->identity);
}

static void classify(struct subject *subject)
{
	subject->wait->since_ms = subject->thread->slept_ms;
	if (!classify_state(subject)) {
		classify_asleep(subject);
		classify_time(subject);
		classify_peers(subject);
	}
	if (*subject->read_live && !subject->thread->steady)
		subject_doubt(subject);
	classify_idle(subject);
	intern(subject);
}

void classify_thread(const struct classify_context *context, const struct capture_thread *thread,
		     const struct stack *stack, struct wait *wait)
{
	struct classify_memo *own = context->memo ? NULL : classify_memo_new(context->process);
	bool read_live = false;
	struct subject subject = {
		.read_live = &read_live,
		.context = context,
		.process = context->process,
		.memo = own ? own : context->memo,
		.thread = thread,
		.stack = stack,
		.wait = wait,
	};
	classify(&subject);
	classify_memo_free(own);
}

unsigned classify_syscall_fds(long number, const uint64_t arguments[6], int ret_fds[2])
{
	const struct syscall_row *row = syscall_row(number);
	unsigned count = 0;
	for (unsigned i = 0; row && i < 2; i++) {
		if (row->fd[i])
			ret_fds[count++] = (int)(int32_t)arguments[row->fd[i] - 1];
	}
	/* waitid on a pidfd. */
	if (number == SYS_waitid && (int32_t)arguments[0] == 3 /* P_PIDFD */)
		ret_fds[count++] = (int)(int32_t)arguments[1];
	return count;
}
