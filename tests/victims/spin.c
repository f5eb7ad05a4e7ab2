/*
 * Usage: spin N
 *
 * N threads burn CPU in user code, N more in short system calls.  Says `ready PID`.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile unsigned long turns;

__attribute__((noinline)) static void spin_in_user_code(void)
{
	for (;;)
		turns++;
}

__attribute__((noinline)) static void spin_in_system_calls(void)
{
	for (;;)
		turns += (unsigned long)syscall(SYS_getppid);
}

static void *user_thread(void *unused)
{
	spin_in_user_code();
	return unused;
}

static void *system_thread(void *unused)
{
	spin_in_system_calls();
	return unused;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t thread;

	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, user_thread, NULL) != 0 ||
		    pthread_create(&thread, NULL, system_thread, NULL) != 0)
			return 1;
	printf("ready %d\n", getpid());
	fflush(stdout);
	for (;;)
		pause();
}
