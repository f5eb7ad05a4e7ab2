/*
 * Usage: crowd THREADS DEPTH
 *
 * THREADS threads, blocked in a mixture of calls at the end of DEPTH calls of each other's
 * functions, and one more that measures for how long it is kept from running.
 * Says `ready PID HEARTBEAT_TID SCHEDULER`.  On standard input:
 *	begin	forgets the gaps so far; answers `begun`
 *	end	answers `gap LARGEST_US eintr COUNT`, COUNT being the calls that failed with EINTR
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HEARTBEAT_NS 100000

static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t free_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t started, empty;
static int pipe_ends[2], epoll_fd;
static atomic_uint interrupted;
static atomic_ullong largest_gap_ns;
static atomic_bool heartbeat_is_real_time;
static pid_t heartbeat_tid;

static void count(long result)
{
	if (result < 0 && errno == EINTR)
		interrupted++;
}

__attribute__((noinline)) static void in_cond(void)
{
	pthread_mutex_lock(&free_mutex);
	pthread_cond_wait(&never, &free_mutex);
	pthread_mutex_unlock(&free_mutex);
}

__attribute__((noinline)) static void in_mutex(void)
{
	pthread_mutex_lock(&taken);
	pthread_mutex_unlock(&taken);
}

__attribute__((noinline)) static void in_poll(void)
{
	struct pollfd p = {.fd = pipe_ends[0], .events = POLLIN};
	count(poll(&p, 1, -1));
}

__attribute__((noinline)) static void in_semaphore(void)
{
	count(sem_wait(&empty));
}

__attribute__((noinline)) static void in_pipe(void)
{
	char c;
	count(read(pipe_ends[0], &c, 1));
}

__attribute__((noinline)) static void in_epoll(void)
{
	struct epoll_event event;
	count(epoll_wait(epoll_fd, &event, 1, -1));
}

static void (*const ends[])(void) = {in_cond, in_mutex, in_poll, in_semaphore, in_pipe, in_epoll};
#define ENDS (sizeof(ends) / sizeof(ends[0]))

struct walk {
	unsigned depth, end;
};

typedef void step_fn(struct walk *walk);
static step_fn step_small, step_large, step_odd;
static step_fn *volatile const steps[] = {step_small, step_large, step_odd};

static void go_on(struct walk *walk)
{
	if (walk->depth-- > 0)
		steps[walk->depth % 3](walk);
	else
		for (;;)
			ends[walk->end]();
}

__attribute__((noinline)) static void step_small(struct walk *walk)
{
	go_on(walk);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void step_large(struct walk *walk)
{
	volatile char room[700];

	room[0] = (char)walk->depth;
	go_on(walk);
	room[1] = room[0];
}

__attribute__((noinline)) static void step_odd(struct walk *walk)
{
	/* A frame of a size that only the frame pointer knows. */
	volatile uint64_t *room = __builtin_alloca((walk->depth % 5 + 1) * sizeof(*room));

	room[0] = walk->depth;
	go_on(walk);
	room[0]++;
}

static void *blocked(void *argument)
{
	struct walk walk = *(struct walk *)argument;

	sem_post(&started);
	go_on(&walk);
	return NULL;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *heartbeat(void *unused)
{
	struct sched_param priority = {.sched_priority = 50};
	struct timespec pause = {.tv_nsec = HEARTBEAT_NS};

	heartbeat_tid = (pid_t)syscall(SYS_gettid);
	heartbeat_is_real_time = sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
	sem_post(&started);
	for (uint64_t last = now();;) {
		nanosleep(&pause, NULL);
		uint64_t next = now();
		uint64_t gap = next - last;
		if (gap > largest_gap_ns)
			largest_gap_ns = gap;
		last = next;
	}
	return unused;
}

int main(int argc, char **argv)
{
	unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
	unsigned depth = argc > 2 ? (unsigned)atoi(argv[2]) : 20;
	pthread_attr_t attributes;
	pthread_t thread;
	char line[32];

	sem_init(&started, 0, 0);
	sem_init(&empty, 0, 0);
	epoll_fd = epoll_create1(0);
	if (pipe(pipe_ends) != 0 || epoll_fd < 0)
		return 1;
	pthread_mutex_lock(&taken);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)128 << 10);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (unsigned i = 0; i < threads; i++) {
		struct walk walk = {.depth = depth, .end = i % ENDS};
		int error = pthread_create(&thread, &attributes, blocked, &walk);
		if (error) {
			printf("unsupported %u threads: %s\n", i, strerror(error));
			return 0;
		}
		while (sem_wait(&started) != 0)
			;
	}
	if (pthread_create(&thread, &attributes, heartbeat, NULL) != 0)
		return 1;
	while (sem_wait(&started) != 0)
		;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %d %d %s\n", getpid(), heartbeat_tid,
	       heartbeat_is_real_time ? "fifo" : "other");
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "begin\n") == 0) {
			interrupted = 0;
			largest_gap_ns = 0;
			printf("begun\n");
		} else if (strcmp(line, "end\n") == 0) {
			printf("gap %llu eintr %u\n", largest_gap_ns / 1000, interrupted);
		}
	}
	return 0;
}
