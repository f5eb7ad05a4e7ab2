/*
 * Usage: storm threads|forks|execs|exits
 *
 * Never holds still.
 *	threads	creates threads that end at once, from several threads
 *	forks	forks children that end at once, while other threads sleep
 *	execs	executes itself over and over, each time from a thread that is not the leader
 *	exits	waits for a line on standard input, then ends with many threads alive
 * Says `ready PID` (execs: once for all, from the first incarnation).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **arguments;

static void *short_lived(void *unused)
{
	return unused;
}

static void *sleeper(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void start(void *(*run)(void *), int n)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 1 << 16);
	for (int i = 0; i < n; i++)
		pthread_create(&thread, &attributes, run, NULL);
}

static void *create_threads(void *unused)
{
	for (;;) {
		struct timespec breath = {.tv_nsec = 200000};
		start(short_lived, 8);
		nanosleep(&breath, NULL);
	}
	return unused;
}

static void fork_children(void)
{
	for (;;) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
	}
}

static void *execute(void *unused)
{
	struct timespec while_dumped = {.tv_nsec = 2000000};

	nanosleep(&while_dumped, NULL);
	execv("/proc/self/exe", arguments);
	_exit(1);
	return unused;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	char c;

	if (argc < 3) {
		printf("ready %d\n", getpid());
		fflush(stdout);
	}
	if (strcmp(kind, "threads") == 0) {
		start(create_threads, 3);
		sleeper(NULL);
	} else if (strcmp(kind, "forks") == 0) {
		start(sleeper, 20);
		fork_children();
	} else if (strcmp(kind, "execs") == 0) {
		static char again[] = "again", *next[4];
		next[0] = argv[0];
		next[1] = argv[1];
		next[2] = again;
		arguments = next;
		start(sleeper, 20);
		start(execute, 1);
		sleeper(NULL);
	} else if (strcmp(kind, "exits") == 0) {
		start(sleeper, 100);
		if (read(STDIN_FILENO, &c, 1) < 0)
			return 1;
		_exit(0);
	}
	return 2;
}
