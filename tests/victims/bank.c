/*
 * The bundled example: a bank in which two transfers lock two accounts in opposite order, and all
 * the tellers queue up behind them.  Prints "ready PID" once it hangs.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { TELLERS = 10 };

static pthread_mutex_t current = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t savings = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;

static long balance[2];

static __attribute__((noinline)) void move_money(pthread_mutex_t *from, pthread_mutex_t *to)
{
	pthread_mutex_lock(from);
	pthread_barrier_wait(&both_have_one);
	pthread_mutex_lock(to);
	balance[0]--;
	balance[1]++;
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
}

static void *transfer_to_savings(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "transfer-1");
	move_money(&current, &savings);
	return NULL;
}

static void *transfer_to_current(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "transfer-2");
	move_money(&savings, &current);
	return NULL;
}

static __attribute__((noinline)) void withdraw(long amount)
{
	pthread_mutex_lock(&current);
	balance[0] -= amount;
	pthread_mutex_unlock(&current);
}

static void *teller(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "teller");
	for (;;)
		withdraw(10);
	return NULL;
}

static void *accept_customers(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "acceptor");
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0), door = eventfd(0, 0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, door, &event);
	for (;;)
		epoll_wait(epoll, &event, 1, -1);
	return NULL;
}

/* glibc's and musl's lock words differ from 1 once somebody has had to wait. */
static int is_contended(pthread_mutex_t *mutex)
{
	const int *words = (const int *)mutex;
	return __atomic_load_n(&words[0], __ATOMIC_SEQ_CST) > 1 ||
	       __atomic_load_n(&words[2], __ATOMIC_SEQ_CST) > 0;
}

int main(void)
{
	pthread_t threads[TELLERS + 3];
	pthread_barrier_init(&both_have_one, NULL, 2);
	pthread_create(&threads[0], NULL, transfer_to_savings, NULL);
	pthread_create(&threads[1], NULL, transfer_to_current, NULL);
	while (!is_contended(&current) || !is_contended(&savings))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	for (int i = 0; i < TELLERS; i++)
		pthread_create(&threads[2 + i], NULL, teller, NULL);
	pthread_create(&threads[TELLERS + 2], NULL, accept_customers, NULL);
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	printf("ready %d\n", getpid());
	fflush(stdout);
	for (int i = 0; i < TELLERS + 3; i++)
		pthread_join(threads[i], NULL);
	return EXIT_SUCCESS;
}
