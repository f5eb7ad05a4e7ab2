/* Waits for events that only a signal, a name or another thread's turn can make. */
#include "verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int own[2];
static int there[2], back[2];
static volatile long computed;

static void poll_for(int fd)
{
	struct pollfd watched = {.fd = fd, .events = POLLIN};
	while (poll(&watched, 1, -1) < 0)
		must(errno == EINTR, "poll");
}

static void select_for(int fd)
{
	fd_set watched;
	do {
		FD_ZERO(&watched);
		FD_SET(fd, &watched);
	} while (select(fd + 1, &watched, NULL, NULL, NULL) < 0);
}

static void epoll_for(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0);
	must(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
	while (epoll_wait(epoll, &event, 1, -1) < 0)
		must(errno == EINTR, "epoll_wait");
	close(epoll);
}

static void read_from(int fd)
{
	char byte;
	while (read(fd, &byte, 1) < 0)
		must(errno == EINTR, "read");
}

/* --- an event loop that is its own waker --- */

static void write_to_self(int number)
{
	(void)number;
	int before = errno;
	must(write(own[1], "", 1) == 1, "write");
	errno = before;
}

static void loop(void (*wait)(int), int signal_number)
{
	stage(1, 0);
	must(pipe(own) == 0, "pipe");
	if (signal_number)
		signal(signal_number, write_to_self);
	arrive("a");
	for (;;) {
		wait(own[0]);
		read_from(own[0]);
	}
}

static void poll_own_handler(void)
{
	loop(poll_for, SIGTERM);
}

static void select_own_handler(void)
{
	loop(select_for, SIGCHLD);
}

static void epoll_own_handler(void)
{
	loop(epoll_for, SIGHUP);
}

/* The same, but nobody wakes it. */
static void poll_own_end(void)
{
	loop(poll_for, 0);
}

/* --- circles that a signal or a stranger may break --- */

static void other_side(void *unused)
{
	(void)unused;
	arrive("b");
	read_from(there[0]);
	sleep_for_ever();
}

static void other_side_of_pipes(void *unused)
{
	close(there[1]);
	close(back[0]);
	other_side(unused);
}

static void write_there(int number)
{
	(void)number;
	must(write(there[1], "", 1) == 1, "write");
}

static void pipes_read_handler(void)
{
	stage(2, 0);
	must(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0, "pipe");
	play_process(other_side_of_pipes, NULL);
	close(there[0]);
	close(back[1]);
	signal(SIGUSR1, write_there);
	arrive("a");
	read_from(back[0]);
	sleep_for_ever();
}

/* Both ends at once, so that nobody waits for a partner to open it. */
static void open_fifo(const char *name, int ends[2])
{
	must(mkfifo(name, 0600) == 0 || errno == EEXIST, name);
	ends[0] = ends[1] = open(name, O_RDWR | O_CLOEXEC);
	must(ends[0] >= 0, name);
}

/* Through FIFOs, which have names: whoever knows them may write. */
static void fifos_read(void)
{
	stage(2, 0);
	open_fifo("there.fifo", there);
	open_fifo("back.fifo", back);
	play_process(other_side, NULL);
	arrive("a");
	read_from(back[0]);
	sleep_for_ever();
}

/* --- what goes on --- */

static int counters[2];

static void *count_up(void *second)
{
	uint64_t number = 1;
	int mine = counters[second != NULL], other = counters[second == NULL];
	for (;;) {
		must(write(other, &number, sizeof(number)) == sizeof(number), "eventfd");
		if (second)
			epoll_for(mine);
		must(read(mine, &number, sizeof(number)) == sizeof(number), "eventfd");
		number = 1;
	}
	return NULL;
}

static void eventfd_ping_pong(void)
{
	stage(1, 0);
	counters[0] = eventfd(0, 0);
	counters[1] = eventfd(0, 0);
	must(counters[0] >= 0 && counters[1] >= 0, "eventfd");
	play(count_up, NULL);
	arrive("main");
	count_up(counters);
}

static void answer_by_poll(void *unused)
{
	(void)unused;
	for (;;) {
		poll_for(there[1]);
		read_from(there[1]);
		must(write(there[1], "", 1) == 1, "write");
	}
}

static void poll_ping_pong(void)
{
	stage(1, 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, there) == 0, "socketpair");
	play_process(answer_by_poll, NULL);
	arrive("main");
	for (;;) {
		must(write(there[0], "", 1) == 1, "write");
		poll_for(there[0]);
		read_from(there[0]);
	}
}

/* A master that waits for its children by signal, and a pipe that tells of it. */
static void reaper(void)
{
	stage(1, 0);
	must(pipe(own) == 0, "pipe");
	signal(SIGCHLD, write_to_self);
	arrive("main");
	for (;;) {
		pid_t child = fork();
		if (child == 0) {
			sleep_ms(2);
			_exit(0);
		}
		must(child > 0, "fork");
		poll_for(own[0]);
		read_from(own[0]);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void compute(void *unused)
{
	(void)unused;
	for (;;) {
		for (long i = 0; i < 20000000; i++)
			computed++;
		must(write(back[1], "", 1) == 1, "write");
	}
}

/* What a parent reads takes its child long to work out. */
static void child_computes(void)
{
	stage(1, 0);
	must(pipe(back) == 0, "pipe");
	play_process(compute, NULL);
	close(back[1]);
	arrive("main");
	for (;;)
		read_from(back[0]);
}

/* Two wait for each other's locks, but each gives up in its own time, and is stopped meanwhile. */
static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;

static void *give_up(void *backwards)
{
	pthread_mutex_t *one = backwards ? &right : &left, *other = backwards ? &left : &right;
	for (;;) {
		struct timespec until;
		pthread_mutex_lock(one);
		sleep_ms(1);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		if (pthread_mutex_timedlock(other, &until) == 0)
			pthread_mutex_unlock(other);
		pthread_mutex_unlock(one);
		sched_yield();
	}
	return NULL;
}

static void stop_often(void *unused)
{
	(void)unused;
	for (;;) {
		kill(getppid(), SIGSTOP);
		kill(getppid(), SIGCONT);
		sleep_ms(50);
	}
}

static void timed_cycle_stopped(void)
{
	stage(1, 0);
	play(give_up, NULL);
	play(give_up, &left);
	play_process(stop_often, NULL);
	arrive("main");
	sleep_for_ever();
}

const struct verdict_row verdict_event_rows[] = {
	{"poll-own-handler", poll_own_handler},
	{"select-own-handler", select_own_handler},
	{"epoll-own-handler", epoll_own_handler},
	{"poll-own-end", poll_own_end},
	{"pipes-read-handler", pipes_read_handler},
	{"fifos-read", fifos_read},
	{"eventfd-ping-pong", eventfd_ping_pong},
	{"poll-ping-pong", poll_ping_pong},
	{"reaper", reaper},
	{"child-computes", child_computes},
	{"timed-cycle-stopped", timed_cycle_stopped},
	{0},
};
