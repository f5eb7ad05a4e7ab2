/* Waits for time, signals, children, and for what processes share: System V and POSIX queues. */
#include "base/cleanup.h"
#include "classify/fd.h"
#include "classify/frames.h"
#include "classify/owners.h"
#include "classify/peers.h"
#include "classify/words.h"

#include <inttypes.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void classify_sleep(struct subject *subject)
{
	struct frame_match match;
	subject_decide(subject, WAIT_SLEEP, CONFIDENCE_CERTAIN, "sleep");
	if (frames_match(subject, IN_SLEEP, &match) && match.row->class != WAIT_SLEEP) {
		subject_decide(subject, match.row->class, CONFIDENCE_LIKELY, match.row->pattern);
		owners_by_class(subject);
		subject->wait->resource.kind = match.row->kind;
	}
}

/* Ids in arguments are of the target's own pid namespace, which need not be ours. */
static bool shares_our_pids(const struct subject *subject)
{
	return subject->thread->ns_tid == subject->thread->tid;
}

static void say_child(struct subject *subject, int32_t pid)
{
	struct resource *resource = &subject->wait->resource;
	const char *whose = shares_our_pids(subject) ? "" : " of its pid namespace";
	resource->kind = "child process";
	if (pid > 0 && *whose) {
		resource->detail = subject_printf(subject, "process %d%s", (int)pid, whose);
	} else if (pid > 0) {
		resource->detail = subject_printf(subject, "process %d", (int)pid);
		resource->identity = subject_printf(subject, "process:%d", (int)pid);
	} else if (pid == -1) {
		resource->detail = "any child";
	} else if (pid == 0) {
		resource->detail = "any child of its process group";
	} else {
		resource->detail = subject_printf(
			subject, "any child of process group %" PRId64 "%s", -(int64_t)pid, whose);
	}
}

void classify_child(struct subject *subject)
{
	subject_decide(subject, WAIT_CHILD, CONFIDENCE_CERTAIN, "wait");
	if (subject->wait->syscall.number == SYS_wait4) {
		say_child(subject, argument_int(subject, 0));
		return;
	}
	int32_t id = argument_int(subject, 1);
	switch (argument_int(subject, 0)) {
	case P_PID:
		say_child(subject, id);
		break;
	case P_PGID:
		say_child(subject, id > 0 ? -id : 0);
		break;
	case P_PIDFD:
		classify_set_fd(subject, 1);
		break;
	default:
		say_child(subject, -1);
	}
}

void classify_signal(struct subject *subject)
{
	uint64_t mask;
	long number = subject->wait->syscall.number;
	subject_decide(subject, WAIT_SIGNAL, CONFIDENCE_CERTAIN, subject->row->name);
	subject->wait->rule = number == SYS_pause	    ? "pause"
			      : number == SYS_rt_sigsuspend ? "rt_sigsuspend"
							    : "rt_sigtimedwait";
	if (number == SYS_pause ||
	    !subject_read(subject, argument(subject, 0), &mask, sizeof(mask)))
		return;
	/* sigsuspend's set is what is blocked meanwhile: all others end it. */
	_cleanup_free_ char *signals = signal_set_text(number == SYS_rt_sigsuspend ? ~mask : mask);
	subject->wait->resource.kind = "signals";
	subject->wait->resource.detail = strpool_add(subject->context->strings, signals);
}

void classify_semaphore(struct subject *subject)
{
	struct semaphore_operation first;
	int32_t id = argument_int(subject, 0);
	struct resource *resource = &subject->wait->resource;
	struct frame_match match;
	resource->kind = "system v semaphore";
	resource->identity = subject_printf(subject, "sem:%d", (int)id);
	resource->detail = subject_printf(subject, "id %d", (int)id);
	subject_decide(subject, WAIT_SEMAPHORE, CONFIDENCE_CERTAIN, "semop");
	if (argument(subject, 2) == 1 && read_semaphore_operations(subject, &first, 1) == 1) {
		resource->detail = subject_printf(subject, "id %d, number %u, operation %d",
						  (int)id, first.number, first.operation);
		resource->identity = subject_printf(subject, "sem:%d:%u", (int)id, first.number);
	}
	if (frames_match(subject, IN_SEMAPHORE, &match)) {
		subject_decide(subject, match.row->class, CONFIDENCE_LIKELY, match.row->pattern);
		owners_by_class(subject);
		if (match.row->kind)
			resource->kind = match.row->kind;
	}
}

void classify_sysv_message(struct subject *subject)
{
	struct resource *resource = &subject->wait->resource;
	int32_t id = argument_int(subject, 0);
	resource->kind = "system v message queue";
	resource->identity = subject_printf(subject, "msg:%d", (int)id);
	resource->detail = subject_printf(subject, "id %d", (int)id);
	int64_t type = (int64_t)argument(subject, 3);
	if (subject->row->class == WAIT_MESSAGE_RECEIVE && type)
		resource->detail = subject_printf(subject, "id %d, type %" PRId64, (int)id, type);
	subject_decide(subject, subject->row->class, CONFIDENCE_CERTAIN, "system v message");
}

void classify_message_queue(struct subject *subject)
{
	classify_set_fd(subject, 0);
	subject->wait->resource.kind = "message queue";
	subject_decide(subject, subject->row->class, CONFIDENCE_CERTAIN, "posix message");
}

void classify_other(struct subject *subject)
{
	subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN, "system call");
}
