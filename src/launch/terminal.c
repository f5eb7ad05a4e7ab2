#include "launch/terminal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Opened when it is needed: a descriptor that we keep would keep a terminal from hanging up. */
static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

bool terminal_is_ours_alone(void)
{
	pid_t group = getpgrp();
	return group == getpid() && isatty(STDOUT_FILENO) && tcgetpgrp(STDIN_FILENO) == group;
}

enum foreground terminal_foreground(pid_t command)
{
	_cleanup_close_ int fd = open_terminal();
	pid_t group = fd < 0 ? -1 : tcgetpgrp(fd);
	if (group < 0)
		return FOREGROUND_NONE;
	if (group == getpgrp())
		return FOREGROUND_OURS;
	return group == command ? FOREGROUND_THEIRS : FOREGROUND_OTHER;
}

void terminal_give(pid_t group)
{
	_cleanup_close_ int fd = open_terminal();
	if (fd >= 0)
		tcsetpgrp(fd, group);
}

void terminal_take_back(pid_t command)
{
	_cleanup_close_ int fd = open_terminal();
	pid_t group = fd < 0 ? -1 : tcgetpgrp(fd);
	if (group > 0 && (group == command || (kill(-group, 0) != 0 && errno == ESRCH)))
		tcsetpgrp(fd, getpgrp());
}
