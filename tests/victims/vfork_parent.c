/*
 * A parent in vfork(2): the kernel keeps it in an uninterruptible sleep until its child ends, so
 * that it can neither be stopped nor let go of.  Says `ready PID CHILD`, from the child.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	pid_t child = vfork();

	if (child == 0) {
		char line[64];
		int n = snprintf(line, sizeof(line), "ready %d %d\n", getppid(), getpid());
		syscall(SYS_write, STDOUT_FILENO, line, n);
		/* Until the test closes our input: then both end. */
		while (syscall(SYS_read, STDIN_FILENO, line, 1) > 0)
			;
		_exit(0);
	}
	return child < 0;
}
