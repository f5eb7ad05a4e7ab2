/*
 * The second look at threads that were running, some time after the first: what they have run
 * since, and where they are.  Whoever sleeps by then is not touched.
 */
#include "base/cleanup.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SMALL_FILE = 4096, STATUS_MOST = 8192 };

static bool read_stat(const struct raw_process *process, pid_t tid, struct proc_stat *ret)
{
	char path[64], text[SMALL_FILE];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", process->pid, tid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, ret);
}

static bool is_same_and_running(const struct proc_stat *stat, const struct capture_thread *facts)
{
	return stat->state == 'R' && stat->start_time == facts->start_time;
}

bool look_is_running(const struct raw_process *process, const struct capture_thread *facts)
{
	struct proc_stat stat;
	return read_stat(process, facts->tid, &stat) && is_same_and_running(&stat, facts);
}

static int64_t read_rests(const struct raw_process *process, pid_t tid)
{
	char path[64], text[STATUS_MOST];
	struct proc_status status;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", process->pid, tid);
	if (proc_read_status(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return -1;
	parse_status(text, &status);
	return status.switches_voluntary;
}

bool look_at_schedstat(const struct raw_process *process, pid_t tid, struct cpu_use *ret)
{
	char path[64], text[SMALL_FILE];
	long long ran, delay, turns;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", process->pid, tid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%lld %lld %lld", &ran, &delay, &turns) != 3 || ran < 0 || delay < 0 ||
	    turns <= 0)
		return false;
	ret->ran_ns = ran;
	ret->delay_ns = delay;
	return true;
}

void look_at_use(const struct raw_process *process, const struct capture_thread *facts,
		 struct cpu_use *ret)
{
	struct proc_stat stat;
	struct cpu_use use = {.delay_ns = -1, .rests = read_rests(process, facts->tid)};
	if (!read_stat(process, facts->tid, &stat) || !is_same_and_running(&stat, facts))
		return;
	use.at_ns = monotonic_ns();
	if (!look_at_schedstat(process, facts->tid, &use))
		use.ran_ns = proc_ticks_to_ns(stat.utime + stat.stime);
	/* On which side of the moment was it? */
	if (read_rests(process, facts->tid) != use.rests)
		use.rests = -1;
	*ret = use;
}

/* It went to sleep just before it was stopped. */
static bool was_asleep(const struct capture_thread *facts)
{
	return facts->stop == STOP_DONE && facts->in_syscall &&
	       restart_was_asleep(facts->stopped_result);
}

void look(struct raw_capture *raw)
{
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		process->replaced = verify_program_changed(process);
		for (size_t j = 0; j < process->thread_count; j++) {
			struct raw_thread *thread = &process->threads[j];
			if (process->replaced || !look_is_running(process, &thread->facts))
				thread->left_alone = true;
		}
	}
	hold(raw);
	/* After the stop, which brings the figures up to date. */
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count && !process->replaced; j++) {
			struct capture_thread *facts = &process->threads[j].facts;
			if (!was_asleep(facts))
				look_at_use(process, facts, &facts->use);
		}
	}
}
