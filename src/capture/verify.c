/*
 * After the release: who has not moved since the survey?  A thread in the same call with the same
 * stack, whose voluntary switches grew by no more than our own stop cost, slept all the while, and
 * all that was read in between is of one moment.
 */
#include "base/cleanup.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	STATUS_MOST = 8192,
	/* Half-milliseconds, for all of them: on a busy machine they get no CPU for that long. */
	PATIENCE = 1000,
	/* From our stop back to sleep takes some microseconds of a CPU. */
	WAY_BACK_NS = 2000000,
};

enum look { LOOK_MOVED, LOOK_STEADY, LOOK_AGAIN, LOOK_ENDED };

static bool same_call(const struct raw_syscall *before, const struct raw_syscall *now)
{
	if (before->state != SYSCALL_INSIDE || now->state != SYSCALL_INSIDE)
		return false;
	return (now->number == before->number || now->number == SYS_restart_syscall) &&
	       memcmp(now->arguments, before->arguments, sizeof(now->arguments)) == 0 &&
	       now->sp == before->sp && now->pc == before->pc;
}

/* How many bytes a call was to move that goes on until all are; 0: it is no such call. */
static uint64_t bytes_wanted(const struct raw_syscall *call)
{
	switch (call->number) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_sendto:
		return call->arguments[2];
	case SYS_recvfrom:
		return call->arguments[3] & MSG_WAITALL ? call->arguments[2] : 0;
	case SYS_sendfile:
		return call->arguments[3];
	case SYS_splice:
		return call->arguments[4];
	default:
		return 0;
	}
}

/*
 * A write that had moved some bytes cannot be made to go on: our stop ended it with a short count.
 * A thread that is in the same call again for the same file, from the same place, got no further
 * than our stop let it.  A call that had moved all of them, or that ends with the first, had ended
 * by itself.
 */
static bool was_cut_short(const struct capture_thread *facts)
{
	return facts->stop == STOP_DONE && facts->in_syscall && facts->stopped_result > 0 &&
	       facts->stopped_syscall == facts->syscall.number &&
	       (uint64_t)facts->stopped_result < bytes_wanted(&facts->syscall);
}

static bool same_call_again(const struct raw_syscall *before, const struct raw_syscall *now)
{
	return now->state == SYSCALL_INSIDE && now->number == before->number &&
	       now->arguments[0] == before->arguments[0] && now->sp == before->sp &&
	       now->pc == before->pc;
}

/* From our stop to the sleep that it was in. */
static bool is_on_its_way_back(const struct raw_process *process,
			       const struct capture_thread *facts)
{
	struct cpu_use use = {0};
	if (!facts->own_stops)
		return false;
	return facts->cpu_total_ns < 0 || !look_at_schedstat(process, facts->tid, &use) ||
	       use.ran_ns - facts->cpu_total_ns < WAY_BACK_NS;
}

/* *ret_switches: of a steady thread, those that our stop cost. */
static enum look look_again(const struct raw_process *process, const struct capture_thread *facts,
			    unsigned *ret_switches)
{
	char path[64], text[STATUS_MOST];
	struct proc_status status;
	struct raw_syscall call;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", process->pid, facts->tid);
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || proc_read(dir, "syscall", text, sizeof(text)) <= 0)
		return LOOK_ENDED;
	parse_syscall(text, &call);
	/* After the call: whoever fell asleep in it once more has counted by now. */
	if (proc_read_status(dir, "status", text, sizeof(text)) <= 0)
		return LOOK_ENDED;
	parse_status(text, &status);
	if (facts->switches_voluntary < 0 || status.switches_voluntary < 0)
		return LOOK_MOVED;
	/* Being preempted on the way back to sleep is no move; sleeping once more is. */
	int64_t switches = status.switches_voluntary - facts->switches_voluntary;
	bool cut_short = was_cut_short(facts);
	if (switches < 0 || switches > facts->own_stops + cut_short)
		return LOOK_MOVED;
	*ret_switches = (unsigned)switches;
	if (call.state == SYSCALL_RUNNING && is_on_its_way_back(process, facts))
		return LOOK_AGAIN;
	if (cut_short && same_call_again(&facts->syscall, &call))
		return LOOK_STEADY;
	return same_call(&facts->syscall, &call) ? LOOK_STEADY : LOOK_MOVED;
}

static void verify_thread(const struct raw_process *process, struct capture_thread *facts,
			  unsigned *patience)
{
	for (;;) {
		unsigned switches = facts->own_stops;
		enum look look = look_again(process, facts, &switches);
		facts->steady = look == LOOK_STEADY;
		if (facts->steady)
			facts->own_stops = switches;
		facts->ended = look == LOOK_ENDED;
		if (look != LOOK_AGAIN || *patience == 0)
			return;
		--*patience;
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
}

/* Each program that is executed has its stack in a place of its own. */
static bool has_another_stack(const struct raw_process *process)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/stat", process->live_tid);
	return process->start_stack && proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	       parse_stat(text, &stat) && stat.start_stack &&
	       stat.start_stack != process->start_stack;
}

bool verify_program_changed(const struct raw_process *process)
{
	char path[64], link[PATH_MAX];
	if (has_another_stack(process))
		return true;
	if (!process->executable)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", process->live_tid);
	ssize_t n = readlink(path, link, sizeof(link));
	size_t length = strlen(process->executable);
	static const char deleted[] = " (deleted)";
	if (n <= 0)
		return false;
	size_t tail = (size_t)n - length;
	return (size_t)n < length || memcmp(link, process->executable, length) != 0 ||
	       (tail && (tail != sizeof(deleted) - 1 || memcmp(link + length, deleted, tail) != 0));
}

static void no_visit(struct raw_capture *raw, struct raw_process *process, pid_t tid)
{
	(void)raw, (void)process, (void)tid;
}

/* A hold lists the threads until there are no new ones. */
static void verify_list(struct raw_capture *raw, struct raw_process *process)
{
	if (process->held_from_ns)
		return;
	process->threads_moved =
		process->threads_vanished || raw_visit_new_threads(raw, process, no_visit) > 0;
}

void verify(struct raw_capture *raw)
{
	unsigned patience = PATIENCE;
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		bool replaced = process->replaced = verify_program_changed(process);
		verify_list(raw, process);
		if (replaced)
			raw_add_error(
				raw, process, 0, "program",
				"it called exec meanwhile: the stacks may be of either program");
		for (size_t j = 0; j < process->thread_count && !replaced; j++) {
			struct capture_thread *facts = &process->threads[j].facts;
			/* Born since: what is known of it was read after the stop. */
			if (process->held_from_ns &&
			    process->threads[j].looked_at_ns >= process->held_from_ns)
				continue;
			if (facts->syscall.state == SYSCALL_INSIDE)
				verify_thread(process, facts, &patience);
			else if (facts->syscall.state == SYSCALL_RUNNING && facts->state == 'R')
				look_at_use(process, facts, &facts->use);
		}
	}
}
