/* The leader has ended, its threads live on.  Says `ready PID TID TID`. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t tids[2];
static sem_t started;

__attribute__((noinline)) static void survive(void)
{
	for (;;)
		pause();
}

static void *survivor(void *tid)
{
	*(pid_t *)tid = (pid_t)syscall(SYS_gettid);
	sem_post(&started);
	survive();
	return NULL;
}

int main(void)
{
	pthread_t thread;

	sem_init(&started, 0, 0);
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&thread, NULL, survivor, &tids[i]) != 0)
			return 1;
		sem_wait(&started);
	}
	printf("ready %d %d %d\n", getpid(), tids[0], tids[1]);
	fflush(stdout);
	pthread_exit(NULL);
}
