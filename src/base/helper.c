#include "base/helper.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

bool helper_begin(pid_t parent)
{
	static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signal(ours[i], SIG_DFL);
	/* Our parent may take its signals from a descriptor. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return getppid() == parent;
}

void helper_kill(pid_t pid)
{
	struct deadline deadline = deadline_in_ms(200);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, WNOHANG) == 0 && !deadline_passed(deadline))
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

/* Until the other end is closed: at the child's death, whatever its cause. */
static bool wait_for_close(int fd, struct deadline deadline)
{
	struct pollfd poller = {.fd = fd};
	for (;;) {
		int n = poll(&poller, 1, deadline_poll_ms(deadline));
		if (n > 0)
			return true;
		if (n == 0 && deadline_passed(deadline))
			return false;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

enum helper_end helper_run(void (*work)(void *context), void *context, struct deadline deadline)
{
	int ends[2], status = -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return HELPER_FAILED;
	_cleanup_close_ int read_end = ends[0];
	_cleanup_close_ int write_end = ends[1];
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return HELPER_FAILED;
	if (pid == 0) {
		if (helper_begin(parent))
			work(context);
		_exit(0);
	}
	close(write_end);
	write_end = -1;
	if (!wait_for_close(read_end, deadline)) {
		helper_kill(pid);
		return HELPER_TIMED_OUT;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HELPER_DONE : HELPER_FAILED;
}
