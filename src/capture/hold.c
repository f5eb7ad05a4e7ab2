/*
 * Stop every thread, copy what is needed, let them go.  Runs in a helper, process or thread, whose
 * end releases whatever is still held, threads that never stopped included (a vfork parent cannot
 * be detached in any other way).
 *
 * Between the first PTRACE_INTERRUPT and the last PTRACE_DETACH there is nothing but ptrace,
 * memory copies and, where threads keep appearing, a look at the task list.
 *
 * A copy may block in a way that nothing interrupts but the end of the process that makes it.  A
 * helper process that holds copies itself: its end lets go, too.  A thread cannot be ended then,
 * and would go on holding; so a process copies for it, from memory that the thread has opened.
 */
#include "base/cleanup.h"
#include "base/helper_server.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum {
	COPY_MS = 1500,	   /* for all copies */
	ROUNDS_MOST = 64,  /* rescans of the task list */
	TICK_NS = 5000000, /* how long one thread is waited for before the others are looked at */
	TICK_SIGNAL = SIGVTALRM, /* a thread shares SIGALRM with our front end */
};

static volatile sig_atomic_t ticked;
static int ticker; /* the kernel's id of a timer, or -1 */

static void arm_ticker(long ns)
{
	const struct itimerspec when = {.it_value = {.tv_nsec = ns}};
	if (ticker >= 0)
		syscall(SYS_timer_settime, ticker, 0, &when, NULL);
}

/* One tick asks for the next, so that there are no more once the thread has ended. */
static void tick(int signal_number)
{
	(void)signal_number;
	ticked = 1;
	arm_ticker(TICK_NS);
}

/*
 * Waiting blocks, so that the target gets the CPU that it needs to reach its stop; a timer takes
 * us out of waiting for what does not come.  (The C library's timer_create() may allocate.)
 */
static void start_ticks(void)
{
	sigset_t ticks;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
				 .sigev_signo = TICK_SIGNAL,
				 .sigev_notify_thread_id = gettid()};
	sigemptyset(&ticks);
	sigaddset(&ticks, TICK_SIGNAL);
	sigaction(TICK_SIGNAL, &(struct sigaction){.sa_handler = tick}, NULL);
	pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &ticker) != 0)
		ticker = -1;
	arm_ticker(TICK_NS);
}

static void stop_ticks(void)
{
	arm_ticker(0);
	if (ticker >= 0)
		syscall(SYS_timer_delete, ticker);
	ticker = -1;
}

static char state_now(const struct raw_process *process, pid_t tid)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", process->pid, tid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, &stat)
		       ? stat.state
		       : 0;
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
	thread->facts.stop_errno = process->hold_errno = errno;
	thread->facts.stop = errno == ESRCH ? STOP_GONE : STOP_REFUSED;
	/* A main thread that has ended since is still there, and refused with the same words. */
	if (errno == EPERM && state_now(process, thread->facts.tid) == 'Z') {
		process->hold_errno = ESRCH;
		thread->facts.stop = STOP_GONE;
		thread->facts.state = 'Z';
		thread->facts.syscall =
			(struct raw_syscall){.state = SYSCALL_UNREADABLE, .number = -1};
	}
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

/*
 * The end of a process is for its parent to see.  Another process that traces it may take the news,
 * and the parent gets them next; a thread of its parent would take them from it.
 */
static bool may_take_end(const struct raw_capture *raw, const struct raw_process *process,
			 pid_t tid)
{
	return !raw->by_thread || tid != process->pid;
}

/* code: the signal, and an event above it. */
static void meet(struct raw_thread *thread, int code)
{
	if (code >> 8 == PTRACE_EVENT_STOP) {
		thread->held = true;
		thread->facts.stop = STOP_DONE;
	} else {
		/* A signal on its way: give it back at once, our stop comes next. */
		ptrace(PTRACE_CONT, thread->facts.tid, NULL, (void *)(long)(code & 0xff));
	}
}

/* Somebody else in our process may have taken the news of a stop, in waiting for children. */
static void meet_unannounced(struct raw_thread *thread)
{
	siginfo_t info;
	if (ptrace(PTRACE_GETSIGINFO, thread->facts.tid, NULL, &info) == 0)
		meet(thread, info.si_code >> 8 == PTRACE_EVENT_STOP ? info.si_code : info.si_signo);
}

/* Waits (with WNOHANG, looks) once; afterwards it may be pending still. */
static void settle(const struct raw_capture *raw, const struct raw_process *process,
		   struct raw_thread *thread, int flags)
{
	siginfo_t info = {.si_pid = 0};
	pid_t tid = thread->facts.tid;
	int why = waitid(P_PID, (id_t)tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL | flags);
	if (why == 0 && !info.si_pid && raw->by_thread)
		meet_unannounced(thread);
	if (why ? errno == EINTR : !info.si_pid)
		return;
	bool ended = why || (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED);
	if (!ended || may_take_end(raw, process, tid))
		waitid(P_PID, (id_t)tid, &info, (ended ? WEXITED : WSTOPPED) | WNOHANG | __WALL);
	if (ended) {
		thread->seized = false;
		thread->facts.stop = STOP_GONE;
	} else if (info.si_pid) {
		meet(thread, info.si_status);
	}
}

static bool is_uninterruptible(const struct raw_process *process, pid_t tid)
{
	return state_now(process, tid) == 'D';
}

/* Who is in uninterruptible sleep will not come, nor who is late. */
static void give_up_stuck(struct raw_capture *raw, struct deadline deadline)
{
	bool late = deadline_passed(deadline);
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			struct raw_thread *thread = &process->threads[j];
			if (!is_pending(thread))
				continue;
			settle(raw, process, thread, WNOHANG);
			if (is_pending(thread) &&
			    (late || is_uninterruptible(process, thread->facts.tid)))
				thread->facts.stop = STOP_TIMED_OUT;
		}
	}
}

/* Waits until every seized thread has stopped, is gone, or is given up. */
static void wait_for_stops(struct raw_capture *raw, struct deadline deadline)
{
	size_t settled = 0, settled_before = 0;
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			while (is_pending(&process->threads[j])) {
				settle(raw, process, &process->threads[j], 0);
				if (ticked &&
				    (settled == settled_before || deadline_passed(deadline)))
					give_up_stuck(raw, deadline);
				if (ticked)
					settled_before = settled;
				ticked = 0;
			}
			settled++;
		}
	}
}

static void seize_new(struct raw_capture *raw, struct raw_process *process, pid_t tid)
{
	(void)raw;
	struct raw_thread *thread = raw_thread_new(process, tid);
	if (!thread)
		return;
	thread->facts.seccomp = process->seccomp;
	raw_thread_publish(process);
	seize(process, thread);
	interrupt(thread);
}

/* Who has gone to sleep since it was looked at is not touched. */
static void interrupt_running(struct raw_process *process, struct raw_thread *thread)
{
	if (thread->left_alone || !look_is_running(process, &thread->facts))
		return;
	seize(process, thread);
	interrupt(thread);
}

static void stop_all(struct raw_capture *raw)
{
	struct deadline deadline = deadline_in_ms(raw->options.stop_ms);
	if (raw->hold_until.at_ns && (!deadline.at_ns || deadline.at_ns > raw->hold_until.at_ns))
		deadline = raw->hold_until;
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		process->held_from_ns = monotonic_ns();
		for (size_t j = 0; j < process->thread_count; j++) {
			if (raw->second)
				interrupt_running(process, &process->threads[j]);
			else
				interrupt(&process->threads[j]);
		}
	}
	/* A thread that was born while its siblings were being stopped is in the list by now. */
	for (unsigned round = 0; round < ROUNDS_MOST && !raw->second; round++) {
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

/* The map was read before the stop: a thread born since may stand on a mapping that it lacks. */
static void refresh_mappings(struct raw_capture *raw, struct raw_process *process, bool *refreshed,
			     uint64_t sp)
{
	/* A survey that got no map would not get it now either, and everybody is held. */
	if (*refreshed || !process->mapping_count || raw_mapping_at(process, sp))
		return;
	*refreshed = true;
	survey_mappings(raw, process);
}

/* Gives the walker what it needs, before anybody is held: it opens files and takes its time. */
static void prepare_walkers(struct raw_capture *raw)
{
	const struct held_walker_ops *ops = raw->options.walker;
	for (size_t i = 0; ops && i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		if (!raw->options.walk_always && !process->bulk_copy_refused)
			continue;
		/* It allocates as it goes. */
		if (raw->by_thread) {
			raw_add_error(raw, process, 0, "stacks",
				      "they cannot be walked while held: only a thread of an "
				      "ancestor may attach (kernel.yama.ptrace_scope)");
			continue;
		}
		struct capture_process *view = xcalloc(1, sizeof(*view));
		view->pid = process->pid;
		view->live_tid = process->live_tid;
		for (size_t j = 0; j < process->mapping_count; j++)
			*array_append(&view->mappings) = process->mappings[j];
		process->walker = ops->prepare(view, raw->options.deadline);
	}
}

static void walk_held(struct raw_capture *raw, struct raw_process *process,
		      struct capture_thread *facts)
{
	if (!process->walker)
		return;
	facts->held = arena_alloc(&raw->arena, sizeof(*facts->held));
	if (facts->held)
		raw->options.walker->walk(process->walker, facts->tid, raw->hold_until,
					  facts->held);
}

static void copy_held(struct raw_capture *raw, struct raw_process *process, uint64_t share)
{
	bool refreshed = false;
	for (size_t i = 0; i < process->thread_count; i++) {
		struct raw_thread *thread = &process->threads[i];
		if (!thread->held || thread->facts.registers_from != REGISTERS_STOPPED)
			continue;
		refresh_mappings(raw, process, &refreshed,
				 thread->facts.registers.value[DWARF_RSP]);
		take_memory(raw, process, thread, share);
		walk_held(raw, process, &thread->facts);
	}
}

/* A thread that sleeps and was not stopped still shows where it is. */
static void show_unheld(const struct raw_process *process, struct raw_thread *thread)
{
	char path[64], text[1024];
	struct capture_thread *facts = &thread->facts;
	struct raw_syscall now;
	if (facts->stop == STOP_GONE)
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
}

static void copy_shown(struct raw_capture *raw, struct raw_process *process, uint64_t share)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		struct raw_thread *thread = &process->threads[i];
		if (thread->facts.registers_from == REGISTERS_SYSCALL_FILE)
			take_memory(raw, process, thread, share);
	}
}

void hold_copy(void *context, char what)
{
	struct raw_capture *raw = context;
	uint64_t share = take_share(raw);
	if (what == HOLD_PREPARE)
		arena_prefault(&raw->arena, take_expected_bytes(raw));
	for (size_t i = 0; i < raw->process_count; i++) {
		if (what == HOLD_COPY_HELD)
			copy_held(raw, &raw->processes[i], share);
		else if (what == HOLD_COPY_SHOWN)
			copy_shown(raw, &raw->processes[i], share);
	}
}

static void release(struct raw_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		struct raw_thread *thread = &process->threads[i];
		if (thread->held)
			ptrace(PTRACE_DETACH, thread->facts.tid, NULL, NULL);
		thread->held = false;
	}
}

static void copy_or_end(struct raw_capture *raw, char what, unsigned ms)
{
	timer_t timer;
	const struct itimerspec when = {.it_value = {ms / 1000, ms % 1000 * 1000000L}};
	struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	bool limited = ms && timer_create(CLOCK_MONOTONIC, &end, &timer) == 0;
	if (limited)
		timer_settime(timer, 0, &when, NULL);
	hold_copy(raw, what);
	if (limited)
		timer_delete(timer);
}

/*
 * A page may never come (userfaultfd, a dead network file).  False: whoever copies has got stuck,
 * and does no more.  ms: 0: no limit of its own.
 */
static bool copy_within(struct raw_capture *raw, char what, unsigned ms)
{
	if (raw->by_thread)
		return helper_server_ask(&raw->copier, what, deadline_in_ms(ms));
	copy_or_end(raw, what, ms);
	return true;
}

static void copy_and_release(struct raw_capture *raw)
{
	/* First what hides EINTR: should we be killed from here on, nobody sees it. */
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			if (process->threads[j].held)
				take_registers(&process->threads[j]);
		}
	}
	bool copied = copy_within(raw, HOLD_COPY_HELD, COPY_MS);
	for (size_t i = 0; i < raw->process_count; i++)
		release(&raw->processes[i]);
	if (copied || !raw->copier.pid)
		return;
	/* Before the arena is used again. */
	helper_server_end(&raw->copier);
	for (size_t i = 0; i < raw->process_count; i++)
		raw_add_error(raw, &raw->processes[i], 0, "memory",
			      "copying it took too long and was given up");
}

/*
 * A thread that was woken by the interrupt but has not had a CPU since must still be met at its
 * stop: let go before that, it would see EINTR.  The others need not be held for it.
 */
static void meet_laggards(struct raw_capture *raw)
{
	bool any = false;
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			struct raw_thread *thread = &process->threads[j];
			if (!thread->seized || thread->facts.stop != STOP_TIMED_OUT ||
			    is_uninterruptible(process, thread->facts.tid))
				continue;
			thread->facts.stop = STOP_NOT_TRIED;
			any = true;
		}
	}
	if (!any)
		return;
	wait_for_stops(raw, raw->hold_until);
	copy_and_release(raw);
}

static void stop_copy_release(struct raw_capture *raw)
{
	prepare_walkers(raw);
	copy_within(raw, HOLD_PREPARE, 0);
	for (size_t i = 0; i < raw->process_count && !raw->second; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++)
			seize(process, &process->threads[j]);
	}
	/* On a busy machine the target would be held while we wait for a CPU. */
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	start_ticks();
	stop_all(raw);
	copy_and_release(raw);
	for (size_t i = 0; i < raw->process_count; i++)
		raw->processes[i].held_to_ns = monotonic_ns();
	meet_laggards(raw);
	stop_ticks();
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
}

void hold(struct raw_capture *raw)
{
	if (!raw->options.no_stop)
		stop_copy_release(raw);
	for (size_t i = 0; i < raw->process_count && !raw->second; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			struct raw_thread *thread = &process->threads[j];
			/* Born since the survey: late facts about it are better than none. */
			if (!thread->looked_at_ns && thread->facts.stop == STOP_DONE)
				survey_thread(raw, process, thread);
			if (thread->facts.registers_from == REGISTERS_NONE)
				show_unheld(process, thread);
		}
	}
}
