/*
 * Usage: signals COUNT
 *
 * Receives COUNT queued real-time signals with the values 0..COUNT-1, each exactly once, in
 * several threads that sleep in different calls.  Says `ready PID TID...`; then, when all have
 * come or a line is read, `received N missing N twice N`.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 6

static atomic_uchar *seen;
static atomic_int received;
static int expected;
static sem_t started;
static pid_t tids[THREADS];

static void handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	int value = info->si_value.sival_int;

	(void)number;
	(void)context;
	if (value >= 0 && value < expected)
		atomic_fetch_add(&seen[value], 1);
	atomic_fetch_add(&received, 1);
	errno = saved;
}

static void *receiver(void *index)
{
	size_t i = (size_t)index;
	int epoll = epoll_create1(0);
	struct epoll_event event;
	sem_t never;

	sem_init(&never, 0, 0);
	tids[i] = (pid_t)syscall(SYS_gettid);
	sem_post(&started);
	for (;;) {
		switch (i % 3) {
		case 0:
			epoll_wait(epoll, &event, 1, -1);
			break;
		case 1:
			poll(NULL, 0, 100000);
			break;
		case 2:
			sem_wait(&never);
			break;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	pthread_t thread;
	sigset_t set;
	char c;

	expected = argc > 1 ? atoi(argv[1]) : 0;
	seen = calloc((size_t)expected + 1, 1);
	if (!seen || sem_init(&started, 0, 0) != 0)
		return 1;
	sigaction(SIGRTMIN, &action, NULL);
	for (size_t i = 0; i < THREADS; i++) {
		if (pthread_create(&thread, NULL, receiver, (void *)i) != 0)
			return 1;
		sem_wait(&started);
	}
	/* The main thread only waits for the word to report. */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	printf("ready %d", getpid());
	for (size_t i = 0; i < THREADS; i++)
		printf(" %d", tids[i]);
	printf("\n");
	fflush(stdout);
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	while (received < expected && poll(&input, 1, 20) <= 0)
		;
	if (input.revents && read(STDIN_FILENO, &c, 1) < 0)
		return 1;
	int missing = 0, twice = 0;
	for (int i = 0; i < expected; i++) {
		missing += seen[i] == 0;
		twice += seen[i] > 1;
	}
	printf("received %d missing %d twice %d\n", received, missing, twice);
	fflush(stdout);
	for (;;)
		pause();
}
