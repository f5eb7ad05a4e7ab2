/*
 * Usage: sleeper [--undumpable] [--child] [--threads=N] [ARGUMENT...]
 *
 * Waits, in a function of a known name.  Arguments that it does not know are there to be shown.
 *	--undumpable	may not be looked at by others of its own user
 *	--child		has a child that waits in the same way
 *	--zombie	has a child that has ended and is not waited for
 * Says `ready PID [CHILD]`.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void wait_here(void)
{
	for (;;)
		pause();
}

static void *sleeping_thread(void *unused)
{
	wait_here();
	return unused;
}

int main(int argc, char **argv)
{
	pid_t child = 0;
	int threads = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--undumpable") == 0) {
			prctl(PR_SET_DUMPABLE, 0);
		} else if (strncmp(argv[i], "--threads=", 10) == 0) {
			threads = atoi(argv[i] + 10);
		} else if (strcmp(argv[i], "--child") == 0) {
			child = fork();
			if (child == 0) {
				prctl(PR_SET_PDEATHSIG, 9);
				wait_here();
			}
		} else if (strcmp(argv[i], "--zombie") == 0) {
			child = fork();
			if (child == 0)
				_exit(0);
			siginfo_t info;
			waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
		}
	}
	for (int i = 0; i < threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, sleeping_thread, NULL) != 0)
			return 1;
	}
	printf("ready %d %d\n", getpid(), child);
	fflush(stdout);
	wait_here();
	return 0;
}
