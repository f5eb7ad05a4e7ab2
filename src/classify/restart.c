/*
 * restart_syscall (219): what the kernel shows of a thread that was interrupted in a call with a
 * relative timeout (a stop is enough) and goes on with it.  The arguments stay those of the first
 * call.  Users of the kernel's restart block: nanosleep, clock_nanosleep, poll, futex (Linux
 * 2.6.9 to 6.18).
 */
#include "base/array.h"
#include "classify/frames.h"
#include "classify/subject.h"

#include <string.h>
#include <sys/syscall.h>

static const struct {
	const char *function; /* of the kernel */
	long number;
} kernel_rows[] = {
	{"futex_wait_restart", SYS_futex},
	{"do_restart_poll", SYS_poll},
	{"hrtimer_nanosleep_restart", SYS_nanosleep},
	{"alarm_timer_nsleep_restart", SYS_clock_nanosleep},
	{"futex_*", SYS_futex},
	{"do_futex", SYS_futex},
	{"poll_schedule_timeout*", SYS_poll},
	{"do_poll*", SYS_poll},
	{"do_sys_poll", SYS_poll},
	{"hrtimer_nanosleep", SYS_nanosleep},
	{"do_nanosleep", SYS_nanosleep},
};

static const struct {
	const char *function;
	long number;
} stub_rows[] = {
	{"clock_nanosleep", SYS_clock_nanosleep},
	{"nanosleep", SYS_nanosleep},
	{"usleep", SYS_nanosleep},
	{"poll", SYS_poll},
	{"lll_lock_wait", SYS_futex},
	{"futex_*", SYS_futex},
};

/* `mov $number, %eax; syscall`, as libc's own wrappers have it before the pc. */
static bool number_from_code(const struct subject *subject, long *ret)
{
	unsigned char code[7];
	if (subject->pc < sizeof(code) ||
	    !subject_read(subject, subject->pc - sizeof(code), code, sizeof(code)))
		return false;
	if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05)
		return false;
	uint32_t number;
	memcpy(&number, code + 1, sizeof(number));
	if (number != SYS_futex && number != SYS_poll && number != SYS_nanosleep &&
	    number != SYS_clock_nanosleep)
		return false;
	*ret = (long)number;
	return true;
}

/* nanosleep's first argument is a pointer, clock_nanosleep's a clock: small, or negative. */
static long which_sleep(const struct subject *subject)
{
	int64_t first = (int64_t)subject->thread->syscall.arguments[0];
	return first < 4096 ? SYS_clock_nanosleep : SYS_nanosleep;
}

static bool number_from_kernel(const struct subject *subject, long *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_rows); i++) {
		if (!subject_in_kernel(subject, kernel_rows[i].function))
			continue;
		*ret = kernel_rows[i].number;
		if (*ret == SYS_nanosleep)
			*ret = which_sleep(subject);
		return true;
	}
	return false;
}

static bool number_from_frames(const struct subject *subject, long *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(stub_rows); i++) {
		if (frames_begin_with(subject, stub_rows[i].function)) {
			*ret = stub_rows[i].number;
			return true;
		}
	}
	return false;
}

long classify_restarted_number(const struct subject *subject, long number)
{
	if (number != SYS_restart_syscall)
		return number;
	long original;
	if (number_from_code(subject, &original) || number_from_kernel(subject, &original) ||
	    number_from_frames(subject, &original))
		return original;
	return number;
}
