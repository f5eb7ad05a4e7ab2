/*
 * Programs that go on, or rest, and at some moments look as if they hung.  Those that rest for a
 * while at every turn rest where a hang would be.
 */
#include "verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct timespec in_ms(long ms)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += ms * 1000000;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

/* Main starts threads and joins the first. */
static void run_all(void *(*const functions[])(void *), unsigned count)
{
	pthread_t threads[16];
	stage(1, 0);
	for (unsigned i = 0; i < count; i++)
		threads[i] = play(functions[i], (void *)(size_t)i);
	arrive("main");
	pthread_join(threads[0], NULL);
	sleep_for_ever();
}

static void run_many(void *(*f)(void *), unsigned count)
{
	void *(*functions[16])(void *);
	for (unsigned i = 0; i < count; i++)
		functions[i] = f;
	run_all(functions, count);
}

/* --- locks --- */

static void *lock_both_timed(void *backwards)
{
	pthread_mutex_t *one = backwards ? &right : &left, *other = backwards ? &left : &right;
	for (;;) {
		pthread_mutex_lock(one);
		sleep_ms(2);
		struct timespec until = in_ms(backwards ? 70 : 50);
		if (pthread_mutex_timedlock(other, &until) == 0)
			pthread_mutex_unlock(other);
		pthread_mutex_unlock(one);
		sched_yield();
	}
	return NULL;
}

static void timed_cycle(void)
{
	run_many(lock_both_timed, 2);
}

static void *lock_both_trying(void *backwards)
{
	pthread_mutex_t *one = backwards ? &right : &left, *other = backwards ? &left : &right;
	for (;;) {
		pthread_mutex_lock(one);
		sleep_ms(1);
		if (pthread_mutex_trylock(other) == 0)
			pthread_mutex_unlock(other);
		pthread_mutex_unlock(one);
	}
	return NULL;
}

static void trylock_cycle(void)
{
	run_many(lock_both_trying, 2);
}

static volatile long shared_number;

static void *write_often(void *unused)
{
	for (;;) {
		pthread_rwlock_wrlock(&rwlock);
		shared_number++;
		pthread_rwlock_unlock(&rwlock);
	}
	return unused;
}

static void *read_often(void *unused)
{
	for (;;) {
		pthread_rwlock_rdlock(&rwlock);
		long number = shared_number;
		pthread_rwlock_unlock(&rwlock);
		(void)number;
	}
	return unused;
}

static void readers_and_writers(void)
{
	void *(*const functions[])(void *) = {write_often, read_often, read_often, write_often};
	run_all(functions, 4);
}

static void *lock_often(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		shared_number++;
		pthread_mutex_unlock(&left);
	}
	return unused;
}

static void relay(void)
{
	run_many(lock_often, 8);
}

static void *lock_and_sleep(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		sleep_ms(1);
		pthread_mutex_unlock(&left);
		sched_yield();
	}
	return unused;
}

static void relay_sleeping(void)
{
	run_many(lock_and_sleep, 8);
}

/* In a fixed order, hand over hand: there is always one who gets on. */
static pthread_mutex_t stairs[6] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				    PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				    PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void *climb(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&stairs[0]);
		for (unsigned i = 1; i < 6; i++) {
			pthread_mutex_lock(&stairs[i]);
			pthread_mutex_unlock(&stairs[i - 1]);
		}
		pthread_mutex_unlock(&stairs[5]);
	}
	return unused;
}

static void hand_over_hand(void)
{
	run_many(climb, 6);
}

/*
 * Now in this order, now in that, but never both at a time: `right` is taken before `left` only by
 * who has the gate alone.
 */
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;

static void *cross(void *backwards)
{
	pthread_mutex_t *one = backwards ? &right : &left, *other = backwards ? &left : &right;
	for (;;) {
		if (backwards)
			pthread_rwlock_wrlock(&gate);
		else
			pthread_rwlock_rdlock(&gate);
		pthread_mutex_lock(one);
		pthread_mutex_lock(other);
		shared_number++;
		pthread_mutex_unlock(other);
		pthread_mutex_unlock(one);
		pthread_rwlock_unlock(&gate);
		sched_yield();
	}
	return NULL;
}

static void both_orders(void)
{
	void *(*const functions[])(void *) = {cross, cross, cross};
	run_all(functions, 3);
}

static int queued;

static void *produce(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		while (queued >= 4)
			pthread_cond_wait(&changed, &left);
		queued++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&left);
	}
	return unused;
}

static void *consume(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		while (!queued)
			pthread_cond_wait(&changed, &left);
		queued--;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&left);
	}
	return unused;
}

static void producer_consumer(void)
{
	void *(*const functions[])(void *) = {produce, consume, consume, produce};
	run_all(functions, 4);
}

static sem_t ping, pong;

static void *serve(void *second)
{
	for (;;) {
		while (sem_wait(second ? &pong : &ping) < 0)
			;
		sem_post(second ? &ping : &pong);
	}
	return NULL;
}

/* At any moment all but one wait for another, and mostly all of them seem to. */
static void ping_pong(void)
{
	must(sem_init(&ping, 0, 1) == 0 && sem_init(&pong, 0, 0) == 0, "sem_init");
	run_many(serve, 2);
}

/* A condition that ends by time alone: nobody ever signals it. */
static void *tick(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		struct timespec until = in_ms(20);
		pthread_cond_timedwait(&changed, &left, &until);
		pthread_mutex_unlock(&left);
	}
	return unused;
}

static void ticking(void)
{
	run_many(tick, 3);
}

static pthread_mutex_t robust;

static void *die_with_lock(void *unused)
{
	if (pthread_mutex_lock(&robust) == EOWNERDEAD)
		pthread_mutex_consistent(&robust);
	sleep_ms(1);
	return unused;
}

static void *replace_the_dead(void *unused)
{
	for (;;)
		pthread_join(play(die_with_lock, NULL), NULL);
	return unused;
}

static void robust_recovery(void)
{
	init_mutex(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);
	run_many(replace_the_dead, 3);
}

static sem_t locked, unlocked;

/* A plain lock as a signal: one thread locks, another unlocks. */
static void *lock_for_another(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		sem_post(&locked);
		while (sem_wait(&unlocked) < 0)
			;
	}
	return unused;
}

static void *unlock_for_another(void *unused)
{
	for (;;) {
		while (sem_wait(&locked) < 0)
			;
		sleep_ms(1);
		pthread_mutex_unlock(&left);
		sem_post(&unlocked);
	}
	return unused;
}

static void *lock_between(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&left);
		pthread_mutex_unlock(&left);
		sched_yield();
	}
	return unused;
}

static void foreign_unlock(void)
{
	void *(*const functions[])(void *) = {lock_for_another, unlock_for_another, lock_between};
	must(sem_init(&locked, 0, 0) == 0 && sem_init(&unlocked, 0, 0) == 0, "sem_init");
	run_all(functions, 3);
}

static sigjmp_buf out_of_it;

static void jump_out(int signal)
{
	(void)signal;
	siglongjmp(out_of_it, 1);
}

/* A lock that its waiter has itself, until an alarm takes the thread out of the wait. */
static void alarm_ends_it(void)
{
	struct itimerval every = {.it_interval = {.tv_usec = 200000},
				  .it_value = {.tv_usec = 200000}};
	struct sigaction action = {.sa_handler = jump_out};
	stage(1, 0);
	pthread_mutex_lock(&left);
	arrive("main");
	must(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
	if (sigsetjmp(out_of_it, 1) == 0)
		setitimer(ITIMER_REAL, &every, NULL);
	pthread_mutex_lock(&left);
	sleep_for_ever();
}

static void *lock_briefly(void *unused)
{
	pthread_mutex_lock(&left);
	shared_number++;
	pthread_mutex_unlock(&left);
	return unused;
}

static void *come_and_go(void *unused)
{
	pthread_t threads[4];
	for (;;) {
		for (unsigned i = 0; i < 4; i++)
			threads[i] = play(lock_briefly, NULL);
		for (unsigned i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
	return unused;
}

static void thread_churn(void)
{
	run_many(come_and_go, 2);
}

/* --- at rest --- */

static void *wait_for_work(void *unused)
{
	pthread_mutex_lock(&left);
	for (;;)
		pthread_cond_wait(&changed, &left);
	return unused;
}

static void *wait_for_signal(void *unused)
{
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (;;)
		sigwait(&set, &number);
	return unused;
}

static void *wait_for_event(void *unused)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, eventfd(0, 0), &event);
	for (;;)
		epoll_wait(epoll, &event, 1, -1);
	return unused;
}

static void *wait_for_customer(void *unused)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	must(listen(listener, 1) == 0, "listen");
	for (;;)
		accept(listener, NULL, NULL);
	return unused;
}

static void pool_beside(void *(*other)(void *))
{
	void *(*const functions[])(void *) = {wait_for_work, wait_for_work, wait_for_work,
					      wait_for_work, other};
	run_all(functions, 5);
}

static void pool_sigwait(void)
{
	pool_beside(wait_for_signal);
}

static void pool_epoll(void)
{
	pool_beside(wait_for_event);
}

static void pool_accept(void)
{
	pool_beside(wait_for_customer);
}

/* --- processes --- */

static int there[2], back[2];

static void answer(void *unused)
{
	char byte;
	(void)unused;
	close(there[1]);
	close(back[0]);
	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			return;
}

static void converse(void)
{
	char byte = 0;
	play_process(answer, NULL);
	close(there[0]);
	close(back[1]);
	arrive("main");
	for (;;)
		must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "converse");
}

static void pipe_ping_pong(void)
{
	stage(1, 0);
	must(pipe(there) == 0 && pipe(back) == 0, "pipe");
	converse();
}

static void answer_on_socket(void *unused)
{
	char byte;
	(void)unused;
	close(there[0]);
	while (read(there[1], &byte, 1) == 1)
		if (write(there[1], &byte, 1) != 1)
			return;
}

static void socket_ping_pong(void)
{
	char byte = 0;
	stage(1, 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, there) == 0, "socketpair");
	play_process(answer_on_socket, NULL);
	close(there[1]);
	arrive("main");
	for (;;)
		must(write(there[0], &byte, 1) == 1 && read(there[0], &byte, 1) == 1, "converse");
}

static void fill_slowly_read(void *unused)
{
	static char bytes[65536];
	(void)unused;
	close(there[0]);
	for (;;)
		if (write(there[1], bytes, sizeof(bytes)) < 0)
			return;
}

/* Full nearly all of the time: what reads takes a little, now and then. */
static void *read_slowly(void *unused)
{
	char byte[64];
	while (read(there[0], byte, sizeof(byte)) > 0)
		sleep_ms(5);
	return unused;
}

static void slow_reader(void)
{
	stage(1, 0);
	must(pipe(there) == 0, "pipe");
	play_process(fill_slowly_read, NULL);
	close(there[1]);
	arrive("main");
	read_slowly(NULL);
}

/* The same with a main thread that waits for the writer. */
static void slow_reader_beside_wait(void)
{
	stage(1, 0);
	must(pipe(there) == 0, "pipe");
	pid_t child = play_process(fill_slowly_read, NULL);
	close(there[1]);
	play(read_slowly, NULL);
	arrive("main");
	waitpid(child, NULL, 0);
	sleep_for_ever();
}

static void work(void *unused)
{
	(void)unused;
	for (;;) {
		for (unsigned i = 0; i < 1000; i++)
			shared_number++;
		sleep_ms(1);
	}
}

static void healthy_child(void)
{
	stage(1, 0);
	pid_t child = play_process(work, NULL);
	arrive("main");
	waitpid(child, NULL, 0);
	sleep_for_ever();
}

static void lock_file_often(void *record)
{
	struct flock lock = {.l_whence = SEEK_SET, .l_len = 1};
	int fd = open("relay.lock", O_RDWR | O_CREAT, 0600);
	for (;;) {
		lock.l_type = F_WRLCK;
		if (record)
			fcntl(fd, F_SETLKW, &lock);
		else
			flock(fd, LOCK_EX);
		lock.l_type = F_UNLCK;
		if (record)
			fcntl(fd, F_SETLK, &lock);
		else
			flock(fd, LOCK_UN);
	}
}

static void lock_file_relay(void *record)
{
	stage(1, 0);
	play_process(lock_file_often, record);
	play_process(lock_file_often, record);
	arrive("main");
	lock_file_often(record);
}

static void flock_relay(void)
{
	lock_file_relay(NULL);
}

static void record_relay(void)
{
	lock_file_relay(lock_file_relay);
}

static pthread_mutex_t *shared_mutex;

static void lock_shared_often(void *unused)
{
	(void)unused;
	for (;;) {
		pthread_mutex_lock(shared_mutex);
		shared_number++;
		pthread_mutex_unlock(shared_mutex);
	}
}

static void shared_relay(void)
{
	stage(1, 0);
	shared_mutex = shared_memory(sizeof(*shared_mutex));
	init_mutex(shared_mutex, PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);
	play_process(lock_shared_often, NULL);
	play_process(lock_shared_often, NULL);
	arrive("main");
	lock_shared_often(NULL);
}

/* Children that lock, fork and end as fast as they can. */
static void fork_storm(void)
{
	stage(1, 0);
	void *(*volatile lock)(void *) = lock_often;
	play(lock, NULL);
	arrive("main");
	for (;;) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		must(child > 0 && waitpid(child, NULL, 0) == child, "fork");
	}
}

static void exec_storm(void)
{
	stage(1, 0);
	play(lock_and_sleep, NULL);
	play(lock_and_sleep, NULL);
	arrive("main");
	for (;;) {
		pid_t child = vfork();
		if (child == 0) {
			execlp("true", "true", (char *)NULL);
			_exit(1);
		}
		must(child > 0 && waitpid(child, NULL, 0) == child, "vfork");
	}
}

/* Threads that use a lock, until the process becomes another program after so many ms. */
static void exec_later(void)
{
	stage(1, 0);
	for (unsigned i = 0; i < 4; i++)
		play(lock_often, NULL);
	arrive("main");
	sleep_ms(verdict_number);
	execlp("sleep", "sleep", "100000", (char *)NULL);
	must(false, "exec");
}

const struct verdict_row verdict_moving_rows[] = {
	{"timed-cycle", timed_cycle},
	{"trylock-cycle", trylock_cycle},
	{"readers-and-writers", readers_and_writers},
	{"relay", relay},
	{"relay-sleeping", relay_sleeping},
	{"hand-over-hand", hand_over_hand},
	{"both-orders", both_orders},
	{"producer-consumer", producer_consumer},
	{"ping-pong", ping_pong},
	{"ticking", ticking},
	{"robust-recovery", robust_recovery},
	{"foreign-unlock", foreign_unlock},
	{"alarm-ends-it", alarm_ends_it},
	{"thread-churn", thread_churn},
	{"pool-sigwait", pool_sigwait},
	{"pool-epoll", pool_epoll},
	{"pool-accept", pool_accept},
	{"pipe-ping-pong", pipe_ping_pong},
	{"socket-ping-pong", socket_ping_pong},
	{"slow-reader", slow_reader},
	{"slow-reader-beside-wait", slow_reader_beside_wait},
	{"healthy-child", healthy_child},
	{"flock-relay", flock_relay},
	{"record-relay", record_relay},
	{"shared-relay", shared_relay},
	{"fork-storm", fork_storm},
	{"exec-storm", exec_storm},
	{"exec-later", exec_later},
	{0},
};
