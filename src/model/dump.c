#include "model/dump.h"

#include "base/cleanup.h"

#include <stdarg.h>

const char *const finding_kind_names[FINDING_KINDS] = {
	[FINDING_DEADLOCK] = "deadlock",	 [FINDING_SELF_DEADLOCK] = "self-deadlock",
	[FINDING_OWNER_EXITED] = "owner exited", [FINDING_BLOCKED_CHAIN] = "blocked chain",
	[FINDING_SPINNING] = "spinning",	 [FINDING_NO_PROGRESS] = "no progress possible",
	[FINDING_LOST_WAKEUP] = "lost wake-up",
};

const char *const finding_doubt_names[FINDING_DOUBTS] = {"moved", "timeout", "signal",
							 "class", "owner",   "others"};

const char *const progress_names[PROGRESSES] = {
	[PROGRESS_STUCK] = "stuck",	  [PROGRESS_CYCLING] = "cycling",
	[PROGRESS_SPINNING] = "spinning", [PROGRESS_MOVED] = "moved",
	[PROGRESS_NEW] = "new",		  [PROGRESS_GONE] = "gone",
	[PROGRESS_UNKNOWN] = "unknown",
};

void dump_init(struct dump *dump)
{
	*dump = (struct dump){0};
	strpool_init(&dump->strings);
}

bool thread_wants_kernel_frames(const struct thread *thread)
{
	switch (thread->wait.class) {
	case WAIT_DISK:
	case WAIT_PAGE_FAULT:
	case WAIT_MEMORY_MAP_LOCK:
	case WAIT_EXITING:
	case WAIT_UNKNOWN:
		return true;
	default:
		break;
	}
	for (size_t i = 0; i < thread->stack.count; i++) {
		if (thread->stack.frames[i].kind != FRAME_KERNEL)
			return thread->state == 'D';
	}
	return true;
}

uint64_t thread_number(const struct thread *thread)
{
	return thread->goroutine ? thread->goroutine->goid : (uint64_t)thread->tid;
}

void thread_deinit(struct thread *thread)
{
	wait_deinit(&thread->wait);
	stack_deinit(&thread->stack);
	free(thread->goroutine);
}

const struct thread *group_threads_of(const struct dump *dump, const struct group *group)
{
	const struct process *process = &dump->processes.items[group->process];
	return group->of_goroutines ? process->goroutines.items : process->threads.items;
}

void process_deinit(struct process *process)
{
	array_for_each (&process->threads, thread)
		thread_deinit(thread);
	array_for_each (&process->goroutines, goroutine)
		thread_deinit(goroutine);
	array_deinit(&process->threads);
	array_deinit(&process->goroutines);
	array_deinit(&process->modules);
	array_deinit(&process->runtimes);
	array_deinit(&process->command);
}

void finding_deinit(struct finding *finding)
{
	array_deinit(&finding->threads);
	array_deinit(&finding->resources);
	array_deinit(&finding->evidence);
}

void dump_deinit(struct dump *dump)
{
	array_for_each (&dump->processes, process)
		process_deinit(process);
	array_for_each (&dump->groups, group)
		array_deinit(&group->members);
	array_for_each (&dump->findings, finding)
		finding_deinit(finding);
	array_deinit(&dump->processes);
	array_deinit(&dump->groups);
	array_deinit(&dump->findings);
	array_deinit(&dump->neighbours);
	array_deinit(&dump->errors);
	strpool_deinit(&dump->strings);
}

bool dump_is_whole(const struct dump *dump)
{
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread) {
			if (thread->stack.incomplete)
				return false;
		}
		array_for_each (&process->goroutines, goroutine) {
			if (goroutine->stack.incomplete)
				return false;
		}
	}
	return dump->errors.count == 0;
}

void dump_add_error(struct dump *dump, pid_t pid, pid_t tid, const char *what,
		    const char *why_format, ...)
{
	va_list ap;
	va_start(ap, why_format);
	_cleanup_free_ char *why = xvasprintf(why_format, ap);
	va_end(ap);
	struct dump_error *error = array_append(&dump->errors);
	error->pid = pid;
	error->tid = tid;
	error->what = strpool_add(&dump->strings, what);
	error->why = strpool_add(&dump->strings, why);
}
