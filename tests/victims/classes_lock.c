/* Waits for locks and other threads, through libc and without it. */
#include "classes.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static sem_t entered;

static struct timespec far_ahead(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	time.tv_sec += 100000;
	return time;
}

static void hold_mutex(void *argument)
{
	must(pthread_mutex_lock(argument) == 0, "pthread_mutex_lock");
}

static void lock_of_kind(int type, int robust, int protocol, int shared)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	must(pthread_mutexattr_settype(&attributes, type) == 0, "settype");
	must(pthread_mutexattr_setrobust(&attributes, robust) == 0, "setrobust");
	must(pthread_mutexattr_setprotocol(&attributes, protocol) == 0, "setprotocol");
	must(pthread_mutexattr_setpshared(&attributes, shared) == 0, "setpshared");
	must(pthread_mutex_init(&mutex, &attributes) == 0, "pthread_mutex_init");
	run_beside(hold_mutex, &mutex);
	ready();
	pthread_mutex_lock(&mutex);
}

static void mutex_normal(void)
{
	lock_of_kind(PTHREAD_MUTEX_NORMAL, 0, 0, 0);
}

static void mutex_recursive(void)
{
	lock_of_kind(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0);
}

static void mutex_errorcheck(void)
{
	lock_of_kind(PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0);
}

static void mutex_robust(void)
{
	lock_of_kind(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);
}

static void mutex_pi(void)
{
	lock_of_kind(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0);
}

static void mutex_shared(void)
{
	lock_of_kind(PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);
}

static void mutex_pi_robust(void)
{
	lock_of_kind(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT, 0);
}

#ifdef __GLIBC__
static void mutex_adaptive(void)
{
	lock_of_kind(PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0);
}

static void mutex_ceiling(void)
{
	struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
	if (sched_setscheduler(0, SCHED_FIFO, &lowest) != 0)
		unsupported("SCHED_FIFO");
	lock_of_kind(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_PROTECT, 0);
}

/*
 * The kernel refuses it, and libc sleeps for ever, with no thought of the mutex any more.  It and
 * a pointer to it lie on the stack, which is captured.
 */
static void mutex_pi_self(void)
{
	pthread_mutex_t own;
	pthread_mutex_t *volatile pointer = &own;
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	must(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0, "setprotocol");
	must(pthread_mutex_init(pointer, &attributes) == 0, "pthread_mutex_init");
	pthread_mutex_lock(pointer);
	ready();
	pthread_mutex_lock(pointer);
}
#endif

static void *lock_and_end(void *argument)
{
	hold_mutex(argument);
	return NULL;
}

static void mutex_exited(void)
{
	pthread_t thread;
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	/* The one kind that records its owner in every libc. */
	must(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0, "settype");
	must(pthread_mutex_init(&mutex, &attributes) == 0, "pthread_mutex_init");
	must(pthread_create(&thread, NULL, lock_and_end, &mutex) == 0, "pthread_create");
	must(pthread_join(thread, NULL) == 0, "pthread_join");
	ready();
	pthread_mutex_lock(&mutex);
}

static void *lock_after(void *argument)
{
	ready();
	pthread_mutex_lock(argument);
	return NULL;
}

static void mutex_dead_leader(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	must(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0, "settype");
	must(pthread_mutex_init(&mutex, &attributes) == 0, "pthread_mutex_init");
	hold_mutex(&mutex);
	run_thread(lock_after, &mutex);
	pthread_exit(NULL);
}

static void mutex_timed(void)
{
	struct timespec until = far_ahead(CLOCK_REALTIME);
	run_beside(hold_mutex, &mutex);
	ready();
	pthread_mutex_timedlock(&mutex, &until);
}

static void mutex_self(void)
{
	pthread_mutex_lock(&mutex);
	ready();
	pthread_mutex_lock(&mutex);
}

static mtx_t c11_mutex;

static void hold_c11(void *argument)
{
	must(mtx_lock(argument) == thrd_success, "mtx_lock");
}

static void mutex_c11(void)
{
	must(mtx_init(&c11_mutex, mtx_plain) == thrd_success, "mtx_init");
	run_beside(hold_c11, &c11_mutex);
	ready();
	mtx_lock(&c11_mutex);
}

static void cond_wait(void)
{
	pthread_mutex_lock(&mutex);
	ready();
	for (;;)
		pthread_cond_wait(&cond, &mutex);
}

static void cond_timed(void)
{
	struct timespec until = far_ahead(CLOCK_REALTIME);
	pthread_mutex_lock(&mutex);
	ready();
	pthread_cond_timedwait(&cond, &mutex, &until);
}

/* Once signalled before: the other of the two groups. */
static void *signal_once(void *argument)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	return argument;
}

static void cond_second(void)
{
	pthread_mutex_lock(&mutex);
	run_thread(signal_once, NULL);
	pthread_cond_wait(&cond, &mutex);
	ready();
	for (;;)
		pthread_cond_wait(&cond, &mutex);
}

static void hold_read(void *argument)
{
	must(pthread_rwlock_rdlock(argument) == 0, "rdlock");
}

static void hold_write(void *argument)
{
	must(pthread_rwlock_wrlock(argument) == 0, "wrlock");
}

static void rwlock_read(void)
{
	run_beside(hold_write, &rwlock);
	ready();
	pthread_rwlock_rdlock(&rwlock);
}

static void rwlock_write_readers(void)
{
	run_beside(hold_read, &rwlock);
	ready();
	pthread_rwlock_wrlock(&rwlock);
}

static void rwlock_write_writer(void)
{
	run_beside(hold_write, &rwlock);
	ready();
	pthread_rwlock_wrlock(&rwlock);
}

static void rwlock_timed(void)
{
	struct timespec until = far_ahead(CLOCK_REALTIME);
	run_beside(hold_write, &rwlock);
	ready();
	pthread_rwlock_timedrdlock(&rwlock, &until);
}

static void semaphore_wait(void)
{
	must(sem_init(&semaphore, 0, 0) == 0, "sem_init");
	ready();
	sem_wait(&semaphore);
}

static void semaphore_timed(void)
{
	struct timespec until = far_ahead(CLOCK_REALTIME);
	must(sem_init(&semaphore, 1, 0) == 0, "sem_init");
	ready();
	sem_timedwait(&semaphore, &until);
}

static void barrier_wait(void)
{
	must(pthread_barrier_init(&barrier, NULL, 3) == 0, "pthread_barrier_init");
	ready();
	pthread_barrier_wait(&barrier);
}

static void once_forever(void)
{
	sem_post(&entered);
	wait_for_ever();
}

static void *begin_once(void *argument)
{
	pthread_once(argument, once_forever);
	return NULL;
}

static void once_wait(void)
{
	must(sem_init(&entered, 0, 0) == 0, "sem_init");
	run_thread(begin_once, &once);
	while (sem_wait(&entered) < 0)
		;
	ready();
	pthread_once(&once, once_forever);
}

static void *never_ends(void *argument)
{
	(void)argument;
	wait_for_ever();
}

static void join(void)
{
	pthread_t thread;
	must(pthread_create(&thread, NULL, never_ends, NULL) == 0, "pthread_create");
	ready();
	pthread_join(thread, NULL);
}

static void hold_file(void *argument)
{
	flockfile(argument);
}

static void stdio_lock(void)
{
	run_beside(hold_file, stderr);
	ready();
	fputc('x', stderr);
}

#ifdef __GLIBC__
static void *hold_file_and_end(void *argument)
{
	hold_file(argument);
	return NULL;
}

static void stdio_exited(void)
{
	pthread_t thread;
	must(pthread_create(&thread, NULL, hold_file_and_end, stderr) == 0, "pthread_create");
	must(pthread_join(thread, NULL) == 0, "pthread_join");
	ready();
	fputc('x', stderr);
}

static int wait_in_callback(struct dl_phdr_info *info, size_t size, void *argument)
{
	(void)info, (void)size, (void)argument;
	sem_post(&entered);
	wait_for_ever();
}

static void *walk_objects(void *argument)
{
	dl_iterate_phdr(wait_in_callback, argument);
	return NULL;
}

static int nothing(struct dl_phdr_info *info, size_t size, void *argument)
{
	(void)info, (void)size, (void)argument;
	return 0;
}

static void loader_lock(void)
{
	must(sem_init(&entered, 0, 0) == 0, "sem_init");
	run_thread(walk_objects, NULL);
	while (sem_wait(&entered) < 0)
		;
	ready();
	dl_iterate_phdr(nothing, NULL);
}
#endif

static uint32_t word = 7;

static void futex_plain(void)
{
	ready();
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0);
}

static void futex_any(void)
{
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} waiters[2] = {{7, (uintptr_t)&word, 2, 0}, {7, (uintptr_t)&word, 2, 0}};
	struct timespec zero = {0};
	syscall(449, waiters, 2, 0, &zero, CLOCK_MONOTONIC);
	ready();
	if (syscall(449, waiters, 2, 0, NULL, CLOCK_MONOTONIC) < 0)
		wait_for_ever();
}

/* musl keeps no owner of a plain mutex, nor of a rwlock. */
#ifdef __GLIBC__
#define KEPT "other"
#else
#define KEPT "not recorded"
#endif

const struct class_row class_lock_rows[] = {
	{"mutex", "mutex lock", "mutex", mutex_normal, KEPT},
	{"mutex-recursive", "mutex lock", "mutex", mutex_recursive, "other"},
	{"mutex-errorcheck", "mutex lock", "mutex", mutex_errorcheck, "other"},
	{"mutex-robust", "mutex lock", "mutex", mutex_robust, "other"},
	{"mutex-pi", "mutex lock", "mutex", mutex_pi, "other"},
	{"mutex-pi-robust", "mutex lock", "mutex", mutex_pi_robust, "other"},
	{"mutex-shared", "mutex lock", "mutex", mutex_shared, KEPT},
	{"mutex-timed", "mutex lock", "mutex", mutex_timed, KEPT},
#ifdef __GLIBC__
	{"mutex-self", "mutex lock", "mutex", mutex_self, "self"},
	{"mutex-adaptive", "mutex lock", "mutex", mutex_adaptive, "other"},
	{"mutex-ceiling", "mutex lock", "mutex", mutex_ceiling, "other"},
	{"mutex-pi-self", "mutex lock", "mutex", mutex_pi_self, "maybe self"},
#else
	{"mutex-self", "mutex lock", "mutex", mutex_self, "not recorded"},
#endif
	{"mutex-exited", "mutex lock", "mutex", mutex_exited, "exited"},
	{"mutex-dead-leader", "mutex lock", "mutex", mutex_dead_leader, "exited"},
	{"mutex-c11", "mutex lock", "mutex", mutex_c11, KEPT},
	{"cond", "cond wait", "condition variable", cond_wait, "nobody"},
	{"cond-timed", "cond wait", "condition variable", cond_timed, "nobody"},
	{"cond-second", "cond wait", "condition variable", cond_second, "nobody"},
	{"rwlock-read", "rwlock read", "rwlock", rwlock_read, KEPT},
	{"rwlock-write-readers", "rwlock write", "rwlock", rwlock_write_readers, "readers"},
	{"rwlock-write-writer", "rwlock write", "rwlock", rwlock_write_writer, KEPT},
	{"rwlock-read-timed", "rwlock read", "rwlock", rwlock_timed, KEPT},
	{"semaphore", "semaphore wait", "semaphore", semaphore_wait, "nobody"},
	{"semaphore-timed", "semaphore wait", "semaphore", semaphore_timed, "nobody"},
	{"barrier", "barrier wait", "barrier", barrier_wait, "nobody"},
	{"once", "once wait", "once", once_wait, "not recorded"},
	{"join", "thread join", "thread", join, "other"},
	{"stdio", "mutex lock", "stdio lock", stdio_lock, "other"},
#ifdef __GLIBC__
	{"stdio-exited", "mutex lock", "stdio lock", stdio_exited, "exited"},
	{"loader", "mutex lock", "loader lock", loader_lock, "other"},
#endif
	{"futex", "futex wait", "futex", futex_plain, "nobody"},
	{"futex-any", "futex wait", "futex", futex_any, "nobody"},
	{0},
};
