/* Rows of blocking.h: futexes, semaphores, message queues, signals, children; and plain timeouts. */
#include "blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A timeout that does end, for the rows whose whole point is that it ends in time. */
#define SHORT_WHILE_MS 2000

static const struct timespec long_while = {.tv_sec = LONG_WHILE_S};
static const struct timespec short_while = {.tv_sec = SHORT_WHILE_MS / 1000};

static struct timespec later(clockid_t clock, time_t seconds)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += seconds;
	return t;
}

static long futex(uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}

/* As real users do: the word decides, so that a wake-up that came too early is not lost. */
static long block_futex(struct slot *s)
{
	return futex(&s->word, FUTEX_WAIT, 0, NULL);
}

static long block_futex_timed(struct slot *s)
{
	return futex(&s->word, FUTEX_WAIT, 0, &long_while);
}

static long block_futex_bitset(struct slot *s)
{
	struct timespec until = later(CLOCK_MONOTONIC, LONG_WHILE_S);
	return futex(&s->word, FUTEX_WAIT_BITSET, 0, &until);
}

static void feed_futex(struct slot *s)
{
	__atomic_store_n(&s->word, 1, __ATOMIC_SEQ_CST);
	futex(&s->word, FUTEX_WAKE, INT_MAX, NULL);
}

static bool prepare_lock_pi(struct slot *s)
{
	/* Held by the main thread, which runs this. */
	return futex(&s->word, FUTEX_LOCK_PI, 0, NULL) == 0;
}

static long block_lock_pi(struct slot *s)
{
	return futex(&s->word, FUTEX_LOCK_PI, 0, NULL);
}

static void feed_lock_pi(struct slot *s)
{
	must(futex(&s->word, FUTEX_UNLOCK_PI, 0, NULL) == 0, "unlock");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static bool prepare_mutex(struct slot *s)
{
	(void)s;
	return pthread_mutex_lock(&mutex) == 0;
}

static long block_mutex(struct slot *s)
{
	(void)s;
	return pthread_mutex_lock(&mutex);
}

static void feed_mutex(struct slot *s)
{
	(void)s;
	pthread_mutex_unlock(&mutex);
}

/* One wait, not the usual loop: a wake-up out of nowhere is to be seen. */
static long block_cond(struct slot *s)
{
	pthread_mutex_lock(&mutex);
	int error = pthread_cond_wait(&cond, &mutex);
	long seen = s->value;
	pthread_mutex_unlock(&mutex);
	return error ? -error : seen;
}

static void feed_cond(struct slot *s)
{
	pthread_mutex_lock(&mutex);
	s->value = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
}

static bool prepare_semaphore(struct slot *s)
{
	return sem_init(&s->semaphore, 0, 0) == 0;
}

static long block_sem_wait(struct slot *s)
{
	return sem_wait(&s->semaphore);
}

static long block_sem_timedwait(struct slot *s)
{
	struct timespec until = later(CLOCK_REALTIME, LONG_WHILE_S);
	return sem_timedwait(&s->semaphore, &until);
}

static void feed_semaphore(struct slot *s)
{
	sem_post(&s->semaphore);
}

/*
 * System V objects outlive their makers; this one is removed by a child that waits for the end of
 * the victim, because a victim may be killed.
 */
static void remove_when_gone(int id, bool queue)
{
	int ends[2];
	char c;

	must(pipe(ends) == 0, "pipe");
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child > 0) {
		close(ends[0]);
		return;
	}
	close(ends[1]);
	for (int fd = 0; fd < 64; fd++)
		if (fd != ends[0])
			close(fd);
	setsid();
	while (read(ends[0], &c, 1) < 0 && errno == EINTR)
		;
	if (queue)
		msgctl(id, IPC_RMID, NULL);
	else
		semctl(id, 0, IPC_RMID);
	_exit(0);
}

static bool prepare_semop(struct slot *s)
{
	s->id = semget(IPC_PRIVATE, 1, 0600);
	if (s->id < 0)
		return false;
	remove_when_gone(s->id, false);
	return true;
}

static long block_semop(struct slot *s)
{
	struct sembuf down = {.sem_op = -1};
	return semop(s->id, &down, 1);
}

static long block_semtimedop(struct slot *s)
{
	struct sembuf down = {.sem_op = -1};
	return semtimedop(s->id, &down, 1, &long_while);
}

static void feed_semop(struct slot *s)
{
	struct sembuf up = {.sem_op = 1};
	must(semop(s->id, &up, 1) == 0, "semop");
}

struct message {
	long type;
	char text[4096];
};

static bool prepare_queue(struct slot *s)
{
	s->id = msgget(IPC_PRIVATE, 0600);
	if (s->id < 0)
		return false;
	remove_when_gone(s->id, true);
	return true;
}

static long block_msgrcv(struct slot *s)
{
	struct message m;
	return msgrcv(s->id, &m, sizeof(m.text), 0, 0);
}

static void feed_msgrcv(struct slot *s)
{
	struct message m = {.type = 1};
	must(msgsnd(s->id, &m, 1, 0) == 0, "msgsnd");
}

static bool prepare_full_queue(struct slot *s)
{
	struct message m = {.type = 1};

	if (!prepare_queue(s))
		return false;
	while (msgsnd(s->id, &m, sizeof(m.text), IPC_NOWAIT) == 0)
		;
	return true;
}

static long block_msgsnd(struct slot *s)
{
	struct message m = {.type = 1};
	return msgsnd(s->id, &m, sizeof(m.text), 0);
}

static void feed_msgsnd(struct slot *s)
{
	struct message m;
	must(msgrcv(s->id, &m, sizeof(m.text), 0, 0) >= 0, "msgrcv");
}

static bool prepare_mq(struct slot *s)
{
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};

	snprintf(s->path, sizeof(s->path), "/hangdump-test-%d", (int)getpid());
	s->fd[0] = mq_open(s->path, O_CREAT | O_RDWR, 0600, &attributes);
	mq_unlink(s->path);
	return s->fd[0] >= 0;
}

static long block_mq_receive(struct slot *s)
{
	char buf[8];
	return mq_receive(s->fd[0], buf, sizeof(buf), NULL);
}

static long block_mq_timedreceive(struct slot *s)
{
	struct timespec until = later(CLOCK_REALTIME, LONG_WHILE_S);
	char buf[8];
	return mq_timedreceive(s->fd[0], buf, sizeof(buf), NULL, &until);
}

static void feed_mq(struct slot *s)
{
	must(mq_send(s->fd[0], "x", 1, 0) == 0, "mq_send");
}

static sigset_t usr2(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return set;
}

static long block_sigwaitinfo(struct slot *s)
{
	sigset_t set = usr2();
	(void)s;
	return sigwaitinfo(&set, NULL);
}

static long block_sigtimedwait(struct slot *s)
{
	sigset_t set = usr2();
	(void)s;
	return sigtimedwait(&set, NULL, &long_while);
}

static long block_pause(struct slot *s)
{
	(void)s;
	return syscall(SYS_pause);
}

static long block_sigsuspend(struct slot *s)
{
	sigset_t none;
	(void)s;
	sigemptyset(&none);
	sigaddset(&none, SIGUSR2);
	return sigsuspend(&none);
}

static void feed_usr1(struct slot *s)
{
	must(syscall(SYS_tgkill, getpid(), s->tid, SIGUSR1) == 0, "tgkill");
}

static void feed_usr2(struct slot *s)
{
	(void)s;
	must(kill(getpid(), SIGUSR2) == 0, "kill");
}

static bool prepare_child(struct slot *s)
{
	int ends[2];
	char c;

	must(pipe(ends) == 0, "pipe");
	s->child = fork();
	must(s->child >= 0, "fork");
	if (s->child == 0) {
		close(ends[1]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		while (read(ends[0], &c, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(ends[0]);
	s->fd[0] = ends[1];
	return true;
}

static long block_waitpid(struct slot *s)
{
	return waitpid(s->child, NULL, 0) == s->child ? 0 : -1;
}

static long block_waitid(struct slot *s)
{
	siginfo_t info;
	return waitid(P_PID, (id_t)s->child, &info, WEXITED);
}

static void feed_child(struct slot *s)
{
	close(s->fd[0]);
}

const struct blocking_row blocking_ipc_rows[] = {
	{"futex", NULL, block_futex, feed_futex},
	{"futex-timed", NULL, block_futex_timed, feed_futex},
	{"futex-bitset", NULL, block_futex_bitset, feed_futex},
	{"futex-lock_pi", prepare_lock_pi, block_lock_pi, feed_lock_pi},
	{"pthread_mutex_lock", prepare_mutex, block_mutex, feed_mutex},
	{"pthread_cond_wait", NULL, block_cond, feed_cond},
	{"sem_wait", prepare_semaphore, block_sem_wait, feed_semaphore},
	{"sem_timedwait", prepare_semaphore, block_sem_timedwait, feed_semaphore},
	{"semop", prepare_semop, block_semop, feed_semop},
	{"semtimedop", prepare_semop, block_semtimedop, feed_semop},
	{"msgrcv", prepare_queue, block_msgrcv, feed_msgrcv},
	{"msgsnd", prepare_full_queue, block_msgsnd, feed_msgsnd},
	{"mq_receive", prepare_mq, block_mq_receive, feed_mq},
	{"mq_timedreceive", prepare_mq, block_mq_timedreceive, feed_mq},
	{"sigwaitinfo", NULL, block_sigwaitinfo, feed_usr2},
	{"sigtimedwait", NULL, block_sigtimedwait, feed_usr2},
	{"pause", NULL, block_pause, feed_usr1},
	{"sigsuspend", NULL, block_sigsuspend, feed_usr1},
	{"waitpid", prepare_child, block_waitpid, feed_child},
	{"waitid", prepare_child, block_waitid, feed_child},
	{NULL}};

static long end_poll(struct slot *s)
{
	(void)s;
	return poll(NULL, 0, SHORT_WHILE_MS);
}

static long end_ppoll(struct slot *s)
{
	(void)s;
	return ppoll(NULL, 0, &short_while, NULL);
}

static long end_select(struct slot *s)
{
	struct timeval t = {.tv_sec = SHORT_WHILE_MS / 1000};
	(void)s;
	return select(0, NULL, NULL, NULL, &t);
}

static long end_nanosleep(struct slot *s)
{
	(void)s;
	return syscall(SYS_nanosleep, &short_while, NULL);
}

static long end_clock_nanosleep(struct slot *s)
{
	struct timespec until = later(CLOCK_MONOTONIC, SHORT_WHILE_MS / 1000);
	(void)s;
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static long end_futex(struct slot *s)
{
	return futex(&s->word, FUTEX_WAIT, 0, &short_while);
}

static long end_sem_timedwait(struct slot *s)
{
	struct timespec until = later(CLOCK_REALTIME, SHORT_WHILE_MS / 1000);
	return sem_timedwait(&s->semaphore, &until);
}

static void feed_nothing(struct slot *s)
{
	(void)s;
}

/* These end by themselves, after SHORT_WHILE_MS. */
const struct blocking_row blocking_timed_rows[] = {
	{"ends-poll", NULL, end_poll, feed_nothing},
	{"ends-ppoll", NULL, end_ppoll, feed_nothing},
	{"ends-select", NULL, end_select, feed_nothing},
	{"ends-nanosleep", NULL, end_nanosleep, feed_nothing},
	{"ends-clock_nanosleep", NULL, end_clock_nanosleep, feed_nothing},
	{"ends-futex", NULL, end_futex, feed_nothing},
	{"ends-sem_timedwait", prepare_semaphore, end_sem_timedwait, feed_nothing},
	{NULL}};
