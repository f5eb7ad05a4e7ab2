/*
 * forker KIND: processes that are hard to catch.  Prints "ready" when it is about to begin.
 *
 *	bomb	everybody forks up to 400 of them
 *	hop	a child that forks and ends, and so does its child
 *	hop-session	likewise, each in a session of its own
 *	parent	restarts its children as fast as they are killed
 *
 * With the word "ignore-term" they ignore SIGTERM.  Should nobody catch them, they end after a
 * minute.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 400, CHILDREN = 20, SECONDS = 60 };

static time_t end;

static void end_in_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!end)
		end = now.tv_sec + SECONDS;
	if (now.tv_sec > end)
		_exit(1);
}

static void bomb(void)
{
	/* How many there are, in memory that all share: enough is enough. */
	int *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	for (;;) {
		end_in_time();
		if (__atomic_load_n(count, __ATOMIC_RELAXED) >= MOST) {
			sleep(1);
			continue;
		}
		__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
		fork();
	}
}

static void hop(bool session)
{
	if (fork() != 0) {
		sleep(SECONDS);
		_exit(1);
	}
	for (;;) {
		end_in_time();
		pid_t pid = fork();
		if (pid > 0)
			_exit(0);
		if (session)
			setsid();
	}
}

static void parent(void)
{
	int children = 0;
	for (;;) {
		end_in_time();
		while (children < CHILDREN) {
			if (fork() == 0) {
				sleep(SECONDS);
				_exit(1);
			}
			children++;
		}
		if (wait(NULL) > 0)
			children--;
	}
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "ignore-term") == 0)
			signal(SIGTERM, SIG_IGN);
	}
	printf("ready\n");
	fflush(stdout);
	if (strcmp(kind, "bomb") == 0)
		bomb();
	else if (strcmp(kind, "hop") == 0)
		hop(false);
	else if (strcmp(kind, "hop-session") == 0)
		hop(true);
	else if (strcmp(kind, "parent") == 0)
		parent();
	fprintf(stderr, "forker: what?\n");
	return 2;
}
