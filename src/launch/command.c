#include "launch/command.h"

#include "base/cleanup.h"
#include "launch/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

static void become(const struct command_start *start, pid_t parent, int failure)
{
	if (start->own_group)
		setpgid(0, 0);
	if (start->gets_terminal)
		terminal_give(getpid());
	/* Should both of us be killed at once. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* As timeout(1) has it: ignored, they would make an error of what lends it the terminal. */
	signal(SIGTTIN, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	signals_give_back(start->signals);
	execvp(start->words[0], start->words);
	int os_errno = errno;
	ssize_t n = write(failure, &os_errno, sizeof(os_errno));
	(void)n;
	_exit(127);
}

pid_t command_start(const struct command_start *start, int *ret_failure)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	_cleanup_close_ int write_end = ends[1];
	/* fork and exec, not posix_spawn, so that all of this can be done in between. */
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(start, parent, write_end);
	if (pid < 0) {
		close(ends[0]);
		return -1;
	}
	/* On both sides, so that the group is there for whoever needs it first. */
	if (start->own_group)
		setpgid(pid, pid);
	*ret_failure = ends[0];
	return pid;
}
