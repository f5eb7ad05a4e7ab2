#include "launch/command.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

static void become(const struct launch_options *options, const struct inherited_signals *signals,
		   pid_t front_group, int failure)
{
	setpgid(0, options->foreground ? front_group : 0);
	/* Should both of us be killed at once. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signals_give_back(signals);
	execvp(options->command[0], options->command);
	int os_errno = errno;
	ssize_t n = write(failure, &os_errno, sizeof(os_errno));
	(void)n;
	_exit(127);
}

pid_t command_start(const struct launch_options *options, const struct inherited_signals *signals,
		    pid_t front_group, int *ret_failure)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	_cleanup_close_ int write_end = ends[1];
	pid_t pid = fork();
	if (pid == 0)
		become(options, signals, front_group, write_end);
	if (pid < 0) {
		close(ends[0]);
		return -1;
	}
	/* On both sides, so that the group is there for whoever needs it first. */
	setpgid(pid, options->foreground ? front_group : pid);
	*ret_failure = ends[0];
	return pid;
}
