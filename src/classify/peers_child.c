/* Children: of wait(2) and its family, and of vfork(2). */
#include "classify/fd.h"
#include "classify/peers.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef __WALL
#define __WALL 0x40000000
#endif
#ifndef __WCLONE
#define __WCLONE 0x80000000
#endif

/* Which children a call waits for; ids are of the caller's own pid namespace. */
struct selection {
	enum { BY_NOTHING, BY_ANY, BY_PID, BY_GROUP, BY_HOST_PID } by;
	pid_t id;
	uint32_t options;
};

static struct selection select_by_pid(int32_t pid, uint32_t options)
{
	if (pid == -1)
		return (struct selection){BY_ANY, 0, options};
	if (pid >= 0)
		return (struct selection){pid ? BY_PID : BY_GROUP, pid, options};
	/* No group has a number of which this is the opposite: ESRCH. */
	return pid == INT32_MIN ? (struct selection){BY_NOTHING, 0, options}
				: (struct selection){BY_GROUP, -pid, options};
}

static struct selection selection_of(const struct subject *subject)
{
	uint64_t pid;
	if (subject->wait->syscall.number == SYS_wait4)
		return select_by_pid(argument_int(subject, 0), (uint32_t)argument(subject, 2));
	if (subject->wait->syscall.number != SYS_waitid)
		return (struct selection){BY_NOTHING, 0, 0};
	uint32_t options = (uint32_t)argument(subject, 3);
	int32_t id = argument_int(subject, 1);
	switch (argument_int(subject, 0)) {
	case P_ALL:
		return (struct selection){BY_ANY, 0, options};
	case P_PID:
		return (struct selection){BY_PID, id, options};
	case P_PGID:
		return (struct selection){BY_GROUP, id, options};
	case P_PIDFD: {
		const struct capture_descriptor *descriptor = subject_descriptor(subject, id);
		/* /proc says which process it is in our own terms. */
		if (descriptor && fd_info_number(descriptor->info, "Pid:", 10, &pid) &&
		    pid <= INT32_MAX)
			return (struct selection){BY_HOST_PID, (pid_t)pid, options};
		return (struct selection){BY_NOTHING, 0, options};
	}
	default:
		return (struct selection){BY_NOTHING, 0, options};
	}
}

/* What a namespace `levels` deep calls it; 0: not known. */
static pid_t id_at(const pid_t *ids, unsigned count, unsigned levels)
{
	return levels && levels <= count ? ids[levels - 1] : 0;
}

/* A process whose main thread has ended lives on in the others. */
static bool has_ended(const struct capture_neighbour *process)
{
	return process->state == 'X' || (process->state == 'Z' && process->threads < 2);
}

static bool is_traced_by(const struct capture_neighbour *child,
			 const struct capture_process *process)
{
	return child->tracer && capture_thread_by_tid(process, child->tracer);
}

static bool is_chosen(const struct selection *selection, const struct capture_neighbour *child,
		      const struct capture_neighbour *self, bool traced)
{
	unsigned levels = self->level_count;
	/* kernel/exit.c, eligible_child() */
	bool clone = child->exit_signal >= 0 && child->exit_signal != SIGCHLD;
	if (!traced && !(selection->options & __WALL) && clone != !!(selection->options & __WCLONE))
		return false;
	switch (selection->by) {
	case BY_NOTHING:
		return false;
	case BY_ANY:
		return true;
	case BY_HOST_PID:
		return child->pid == selection->id;
	case BY_PID:
		return id_at(child->ids, child->level_count, levels) == selection->id;
	case BY_GROUP:
		return selection->id
			       ? id_at(child->groups, child->level_count, levels) == selection->id
			       : child->group == self->group;
	}
	return false;
}

void peers_of_children(struct subject *subject, struct peers *peers)
{
	const struct capture *capture = subject->context->capture;
	const struct capture_surroundings *around = &capture->surroundings;
	pid_t pid = subject->process->pid;
	const struct capture_neighbour *self = capture_neighbour_of(capture, pid);
	struct selection selection = selection_of(subject);
	if (!self)
		return;
	array_for_each (&around->processes, child) {
		bool traced = is_traced_by(child, subject->process);
		if ((child->ppid == pid || traced) && !has_ended(child) &&
		    is_chosen(&selection, child, self, traced))
			peers_add(peers, child->pid);
	}
	peers->all = around->looked_at_processes && !around->hidden;
}

void peers_of_vfork(struct subject *subject, struct peers *peers)
{
	const struct capture_surroundings *around = &subject->context->capture->surroundings;
	array_for_each (&around->processes, child) {
		if (child->ppid == subject->process->pid && child->shares_memory &&
		    !has_ended(child))
			peers_add(peers, child->pid);
	}
	peers->all = around->looked_at_processes && !around->hidden;
	/* Each of several threads waits for one of them: which one, nothing tells. */
	if (peers->pids.count > 1)
		peers->confidence = CONFIDENCE_LIKELY;
}
