/*
 * Usage: measure COMMAND [ARG...]
 *
 * Runs the command and says on standard error, as JSON, what it and its children took:
 * {"status": N, "wall": MS, "cpu": MS, "rss": MB}.  A small program of its own because a process
 * inherits the peak size of whoever started it.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;

	if (argc < 2)
		return 2;
	double begun = now_ms();
	pid_t child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(127);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	double wall = now_ms() - begun;
	fprintf(stderr, "{\"status\": %d, \"wall\": %.3f, \"cpu\": %.3f, \"rss\": %.2f}\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall,
		ms(usage.ru_utime) + ms(usage.ru_stime), (double)usage.ru_maxrss / 1024);
	return 0;
}
