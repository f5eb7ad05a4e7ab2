/*
 * Usage: busy KIND [N]
 *
 * N threads (1) that run:
 *	one		in one function
 *	leaves		in one of two leaf functions, which one loop calls
 *	jobs		in one function, which two others call, which one loop calls
 *	inlined		in one function that is inlined in another
 *	deep		in one function, 1000 calls deep
 *	yield		in sched_yield
 *	ends		in one function; a moment after it was stopped, the thread ends
 *	exits		the same; the process ends
 *	restless	in one function and in short sleeps by turns
 * A thread of `leaves` and `jobs` changes to the other function when it has been stopped.
 * Says `ready PID TID...`; at the end of its standard input, `eintr N`: how many sleeps of
 * `restless` have failed with EINTR.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))

enum { THREADS_MOST = 1000, TURNS = 200000, DEPTH = 1000 };

static volatile unsigned long turns;
static volatile int interrupted, over;
static pid_t tids[THREADS_MOST];
static void (*body)(void);

/* What never sleeps gives up its CPU only when it is stopped. */
static long times_stopped(void)
{
	struct rusage usage;
	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static APART void burn_for_ever(void)
{
	while (!over)
		turns++;
}

static APART void burn_until_stopped(void)
{
	long before = times_stopped();
	do {
		for (int i = 0; i < TURNS; i++)
			turns++;
	} while (times_stopped() == before);
}

static APART void first_leaf(void)
{
	long before = times_stopped();
	do {
		for (int i = 0; i < TURNS; i++)
			turns += 2;
	} while (times_stopped() == before);
}

static APART void second_leaf(void)
{
	long before = times_stopped();
	do {
		for (int i = 0; i < TURNS; i++)
			turns += 3;
	} while (times_stopped() == before);
}

static APART void loop_over_leaves(void)
{
	for (;;) {
		first_leaf();
		second_leaf();
	}
}

static APART void first_job(void)
{
	burn_until_stopped();
	turns++;
}

static APART void second_job(void)
{
	burn_until_stopped();
	turns += 2;
}

static APART void loop_over_jobs(void)
{
	for (;;) {
		first_job();
		second_job();
	}
}

static inline __attribute__((always_inline)) void burn_inlined(void)
{
	while (!over)
		turns++;
}

static APART void has_inlined(void)
{
	burn_inlined();
	turns--;
}

static APART int go_deeper(int depth)
{
	if (depth > 0)
		return go_deeper(depth - 1) + (int)turns;
	burn_for_ever();
	return 0;
}

static APART void go_deep(void)
{
	turns += (unsigned long)go_deeper(DEPTH);
}

static APART void yield_for_ever(void)
{
	for (;;)
		sched_yield();
}

static void a_moment_more(void)
{
	struct timespec begun, now;
	burn_until_stopped();
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < 20);
}

static APART void burn_and_end(void)
{
	a_moment_more();
}

static APART void burn_and_exit(void)
{
	a_moment_more();
	_exit(0);
}

static APART void burn_and_rest(void)
{
	struct epoll_event event;
	int epoll = epoll_create1(0);
	for (;;) {
		for (int i = 0; i < TURNS; i++)
			turns++;
		if (epoll_wait(epoll, &event, 1, 1) < 0 && errno == EINTR)
			__atomic_add_fetch(&interrupted, 1, __ATOMIC_RELAXED);
	}
}

static const struct {
	const char *kind;
	void (*body)(void);
} kinds[] = {
	{"one", burn_for_ever},	     {"leaves", loop_over_leaves},
	{"jobs", loop_over_jobs},    {"inlined", has_inlined},
	{"deep", go_deep},	     {"yield", yield_for_ever},
	{"ends", burn_and_end},	     {"exits", burn_and_exit},
	{"restless", burn_and_rest},
};

static void *run(void *slot)
{
	__atomic_store_n((pid_t *)slot, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	body();
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 1;
	char c;
	pthread_t thread;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (argc > 1 && strcmp(argv[1], kinds[i].kind) == 0)
			body = kinds[i].body;
	if (!body || n < 1 || n > THREADS_MOST)
		return 2;
	/* A crowd leaves room for those who watch it. */
	if (n > 20 && nice(10) < 0)
		return 1;
	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, run, &tids[i]) != 0)
			return 1;
	printf("ready %d", getpid());
	for (int i = 0; i < n; i++) {
		while (!__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE))
			sched_yield();
		printf(" %d", tids[i]);
	}
	printf("\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		continue;
	printf("eintr %d\n", interrupted);
	fflush(stdout);
	return 0;
}
