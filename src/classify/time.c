/*
 * How long a wait has left.  Relative limits need how long it has been asleep; absolute ones need
 * what time it was; what was updated by the kernel when the thread was interrupted needs nothing.
 * Where one of these is not known, neither is the time left.
 */
#include "classify/subject.h"
#include "classify/words.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/time_types.h>
#include <sys/syscall.h>
#include <time.h>

#define ERESTART_LEAST (-516) /* ERESTART_RESTARTBLOCK: include/linux/errno.h */
#define ERESTART_MOST  (-512)

/* Rounded up, so that nothing is over before it is.  False: no time, or a bad one. */
static bool ms_of(int64_t seconds, int64_t nanoseconds, int64_t *ret)
{
	if (seconds < 0 || nanoseconds < 0 || nanoseconds > 999999999 ||
	    seconds > INT64_MAX / 1000 - 1)
		return false;
	*ret = seconds * 1000 + (nanoseconds + 999999) / 1000000;
	return true;
}

static bool read_timespec(const struct subject *subject, uint64_t address, int64_t *ret_ms)
{
	struct __kernel_timespec time;
	return subject_read(subject, address, &time, sizeof(time)) &&
	       ms_of(time.tv_sec, time.tv_nsec, ret_ms);
}

static bool read_timeval(const struct subject *subject, uint64_t address, int64_t *ret_ms)
{
	int64_t time[2];
	if (!subject_read(subject, address, time, sizeof(time)) || time[1] < 0 || time[1] > 999999)
		return false;
	return ms_of(time[0], time[1] * 1000, ret_ms);
}

static void set_left(struct subject *subject, int64_t left)
{
	subject->wait->timeout_ms = left > 0 ? left : 0;
}

/* Our stop interrupted it in this call, and the kernel noted what was left. */
static bool was_noted_at_stop(const struct subject *subject)
{
	const struct capture_thread *thread = subject->thread;
	return thread->stop == STOP_DONE && thread->in_syscall &&
	       thread->stopped_result >= ERESTART_LEAST && thread->stopped_result <= ERESTART_MOST;
}

static void left_of(struct subject *subject, int64_t whole)
{
	if (subject->thread->slept_ms >= 0)
		set_left(subject, whole - subject->thread->slept_ms);
}

/* A limit that began when the call did: a restarted call began before the thread last ran. */
static void left_of_call(struct subject *subject, int64_t whole)
{
	if (!subject->restarted)
		left_of(subject, whole);
}

static void left_until(struct subject *subject, int clock, int64_t when_ms)
{
	const struct classify_context *context = subject->context;
	int64_t now_ns = clock == CLOCK_REALTIME    ? context->realtime_ns
			 : clock == CLOCK_MONOTONIC ? context->monotonic_ns
			 : clock == CLOCK_BOOTTIME  ? context->boottime_ns
						    : 0;
	if (now_ns > 0)
		set_left(subject, when_ms - now_ns / 1000000);
}

/* nanosleep(request, remaining), clock_nanosleep(clock, flags, request, remaining). */
static void sleep_left(struct subject *subject)
{
	bool clocked = subject->wait->syscall.number == SYS_clock_nanosleep;
	uint64_t request = argument(subject, clocked ? 2 : 0);
	uint64_t remaining = argument(subject, clocked ? 3 : 1);
	int64_t ms;
	if (clocked && argument_int(subject, 1) & TIMER_ABSTIME) {
		if (read_timespec(subject, request, &ms))
			left_until(subject, argument_int(subject, 0), ms);
		return;
	}
	/* Written at each interruption, the last of which may be our own. */
	if (was_noted_at_stop(subject) && remaining) {
		if (read_timespec(subject, remaining, &ms))
			set_left(subject, ms);
		return;
	}
	if (subject->restarted) {
		if (remaining && read_timespec(subject, remaining, &ms))
			left_of(subject, ms);
		return;
	}
	if (read_timespec(subject, request, &ms))
		left_of(subject, ms);
}

static void futex_left(struct subject *subject)
{
	uint64_t address = argument(subject, subject->row->timeout - 1u);
	int64_t ms;
	long number = subject->wait->syscall.number;
	if (!address || !read_timespec(subject, address, &ms))
		return;
	if (number != SYS_futex) { /* futex_waitv, futex_wait: absolute, with a clock */
		left_until(subject, argument_int(subject, number == SYS_futex_waitv ? 4 : 5), ms);
		return;
	}
	uint32_t op = (uint32_t)argument(subject, 1);
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		left_of_call(subject, ms);
		break;
	case FUTEX_LOCK_PI:
		left_until(subject, CLOCK_REALTIME, ms);
		break;
	default:
		left_until(subject, op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC,
			   ms);
	}
}

/* io_uring_enter: with IORING_ENTER_EXT_ARG, { sigmask 0, size 8, pad 12, timespec* 16 }. */
static void io_uring_left(struct subject *subject)
{
	uint64_t address;
	int64_t ms;
	if (!(argument(subject, 3) & 8) ||
	    !subject_read(subject, argument(subject, 4) + 16, &address, sizeof(address)))
		return;
	if (address && read_timespec(subject, address, &ms))
		left_of(subject, ms);
}

static void special_left(struct subject *subject)
{
	switch (subject->row->family) {
	case FAMILY_SLEEP:
		sleep_left(subject);
		break;
	case FAMILY_FUTEX:
	case FAMILY_FUTEX_WAITV:
		futex_left(subject);
		break;
	case FAMILY_IO_URING:
		io_uring_left(subject);
		break;
	default:
		break;
	}
}

static void updated_left(struct subject *subject, int64_t ms)
{
	if (was_noted_at_stop(subject))
		set_left(subject, ms);
	else
		left_of(subject, ms);
}

static void timerfd_left(struct subject *subject)
{
	int64_t ms;
	const struct capture_descriptor *descriptor =
		subject_descriptor(subject, subject->wait->resource.fd);
	if (descriptor && timerfd_left_ms(descriptor->info, &ms) && ms)
		set_left(subject, ms);
}

/*
 * SO_RCVTIMEO, SO_SNDTIMEO: what is interrupted then ends with EINTR, and with ERESTARTSYS without
 * such a limit (include/net/sock.h, sock_intr_errno()).
 */
static bool has_socket_limit(const struct subject *subject)
{
	const struct capture_thread *thread = subject->thread;
	enum wait_class class = subject->wait->class;
	bool is_socket = class == WAIT_SOCKET_READ || class == WAIT_SOCKET_WRITE ||
			 class == WAIT_SOCKET_ACCEPT || class == WAIT_SOCKET_CONNECT;
	return is_socket && thread->stop == STOP_DONE && thread->in_syscall &&
	       thread->stopped_result == -EINTR;
}

static bool is_limited(const struct subject *subject)
{
	const struct syscall_row *row = subject->row;
	if (subject->wait->timeout_ms >= 0 || has_socket_limit(subject))
		return true;
	if (!row || !row->timeout)
		return false;
	uint64_t limit = argument(subject, row->timeout - 1u);
	return row->timeout_kind == TIMEOUT_MS ? (int32_t)limit >= 0 : limit != 0;
}

static void find_left(struct subject *subject)
{
	const struct syscall_row *row = subject->row;
	int64_t ms = 0;
	if (subject->wait->class == WAIT_TIMERFD_READ)
		timerfd_left(subject);
	if (!row || !row->timeout)
		return;
	uint64_t limit = argument(subject, row->timeout - 1u);
	switch (row->timeout_kind) {
	case TIMEOUT_NONE:
		break;
	case TIMEOUT_MS:
		if ((int32_t)limit >= 0)
			left_of_call(subject, (int32_t)limit);
		break;
	case TIMEOUT_TIMESPEC:
		if (limit && read_timespec(subject, limit, &ms))
			left_of_call(subject, ms);
		break;
	case TIMEOUT_TIMESPEC_UPDATED:
		if (limit && read_timespec(subject, limit, &ms))
			updated_left(subject, ms);
		break;
	case TIMEOUT_TIMEVAL_UPDATED:
		if (limit && read_timeval(subject, limit, &ms))
			updated_left(subject, ms);
		break;
	case TIMEOUT_ABSOLUTE_REALTIME:
		if (limit && read_timespec(subject, limit, &ms))
			left_until(subject, CLOCK_REALTIME, ms);
		break;
	case TIMEOUT_SPECIAL:
		special_left(subject);
		break;
	}
}

void classify_time(struct subject *subject)
{
	find_left(subject);
	subject->wait->limited = is_limited(subject);
}
