/*
 * A stop ends a blocked call inside the kernel.  Most calls restart by themselves and the target
 * sees nothing.  Some return EINTR: for those the result at the stop is turned into
 * -ERESTARTNOHAND, with which the kernel restarts the call unless a handler must run, and then
 * EINTR is what the target would have got without us.
 *
 * Measured on Linux 6.18, x86-64 (PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH).
 */
#include "capture/raw.h"

#include <errno.h>
#include <sys/syscall.h>

/* include/linux/errno.h: never seen by user space, but by a tracer. */
#define ERESTARTSYS	      512
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_io_uring_enter
#define SYS_io_uring_enter 426
#endif

/* Calls whose interrupted result is EINTR although nothing but our stop happened. */
static const long returns_eintr[] = {
	SYS_epoll_wait,
	SYS_epoll_pwait,
	SYS_epoll_pwait2,
	SYS_semop,
	SYS_semtimedop,
	SYS_rt_sigtimedwait,
	SYS_io_getevents,
	SYS_io_uring_enter,
	/* With SO_RCVTIMEO or SO_SNDTIMEO. */
	SYS_read,
	SYS_readv,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_recvmmsg,
	SYS_accept,
	SYS_accept4,
	SYS_connect,
	SYS_write,
	SYS_writev,
	SYS_sendto,
	SYS_sendmsg,
	SYS_sendmmsg,
	SYS_preadv2,
	SYS_pwritev2,
	SYS_splice,
	SYS_sendfile,
};

bool restart_was_asleep(int64_t result)
{
	return result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK);
}

bool restart_hides(long number, int64_t result, int seccomp, int64_t *ret_result)
{
	/*
	 * These restart through restart_syscall(2), which a sandbox's filter may not allow: it
	 * would kill the target.  Their own call it has allowed already.
	 */
	if (result == -ERESTART_RESTARTBLOCK && seccomp) {
		*ret_result = -ERESTARTNOHAND;
		return true;
	}
	if (result != -EINTR)
		return false;
	for (unsigned i = 0; i < sizeof(returns_eintr) / sizeof(returns_eintr[0]); i++) {
		if (returns_eintr[i] == number) {
			*ret_result = -ERESTARTNOHAND;
			return true;
		}
	}
	return false;
}
