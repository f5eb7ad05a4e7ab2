/* Locks and threads of one process: who waits in a circle, for itself, or for one who is gone. */
#include "verdicts.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t middle = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t left_rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t right_rw = PTHREAD_RWLOCK_INITIALIZER;

static void cycle_of(void (*want)(void *), void (*also_want)(void *))
{
	const struct actor actors[] = {
		{"a", {take_mutex, &left}, {want, &right}},
		{"b", {take_mutex, &right}, {also_want, &left}},
	};
	play_threads(actors, 2);
}

static void cycle_normal(void)
{
	cycle_of(take_mutex, take_mutex);
}

static void take_no_notice(int number)
{
	(void)number;
}

/* A handler for alarms might have a way out. */
static void cycle_alarm(void)
{
	signal(SIGALRM, take_no_notice);
	cycle_normal();
}

static void cycle_timed(void)
{
	cycle_of(take_mutex_timed, take_mutex_timed);
}

static void cycle_half_timed(void)
{
	cycle_of(take_mutex, take_mutex_timed);
}

static void cycle_of_kind(int type, int robust, int protocol, int shared)
{
	init_mutex(&left, type, robust, protocol, shared);
	init_mutex(&right, type, robust, protocol, shared);
	cycle_normal();
}

static void cycle_recursive(void)
{
	cycle_of_kind(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0);
}

static void cycle_errorcheck(void)
{
	cycle_of_kind(PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0);
}

static void cycle_robust(void)
{
	cycle_of_kind(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);
}

static void cycle_shared(void)
{
	cycle_of_kind(PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);
}

/*
 * Here the kernel looks for cycles itself: it refuses one of the two, and libc lets that thread
 * sleep for ever on a word of its own stack.
 */
static void cycle_inherit(void)
{
	cycle_of_kind(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0);
}

static void cycle_protect(void)
{
	struct sched_param param = {.sched_priority = 1};
	if ((errno = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param)))
		unsupported("SCHED_FIFO");
	cycle_of_kind(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_PROTECT, 0);
}

#ifdef __GLIBC__
static void cycle_adaptive(void)
{
	cycle_of_kind(PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0);
}
#endif

static void cycle_three(void)
{
	const struct actor actors[] = {
		{"a", {take_mutex, &left}, {take_mutex, &middle}},
		{"b", {take_mutex, &middle}, {take_mutex, &right}},
		{"c", {take_mutex, &right}, {take_mutex, &left}},
	};
	play_threads(actors, 3);
}

/* Behind a cycle of two; every second one also behind another. */
static void cycle_behind(void)
{
	static pthread_mutex_t first[5] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
					   PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
					   PTHREAD_MUTEX_INITIALIZER};
	static const char *const names[] = {"w0", "w1", "w2", "w3", "w4",
					    "w5", "w6", "w7", "w8", "w9"};
	struct actor actors[12] = {
		{"a", {take_mutex, &left}, {take_mutex, &right}},
		{"b", {take_mutex, &right}, {take_mutex, &left}},
	};
	for (unsigned i = 0; i < 5; i++) {
		actors[2 + i] =
			(struct actor){names[i], {take_mutex, &first[i]}, {take_mutex, &left}};
		actors[7 + i] = (struct actor){names[5 + i], {NULL, NULL}, {take_mutex, &first[i]}};
	}
	play_threads(actors, 12);
}

static void rwlock_writers(void)
{
	const struct actor actors[] = {
		{"a", {take_write, &left_rw}, {take_write, &right_rw}},
		{"b", {take_write, &right_rw}, {take_write, &left_rw}},
	};
	play_threads(actors, 2);
}

static void rwlock_writers_read(void)
{
	const struct actor actors[] = {
		{"a", {take_write, &left_rw}, {take_read, &right_rw}},
		{"b", {take_write, &right_rw}, {take_read, &left_rw}},
	};
	play_threads(actors, 2);
}

/* A cycle, but the lock does not say who its readers are. */
static void rwlock_readers(void)
{
	const struct actor actors[] = {
		{"a", {take_read, &left_rw}, {take_write, &right_rw}},
		{"b", {take_read, &right_rw}, {take_write, &left_rw}},
	};
	play_threads(actors, 2);
}

static void join_of_a_waiter(void)
{
	const struct actor actors[] = {
		{"a", {take_mutex, &left}, {take_end_of, &players[1]}},
		{"b", {NULL, NULL}, {take_mutex, &left}},
	};
	play_threads(actors, 2);
}

/* glibc refuses two threads that join each other; of three it sees nothing. */
static void join_cycle(void)
{
	const struct actor actors[] = {
		{"a", {NULL, NULL}, {take_end_of, &players[1]}},
		{"b", {NULL, NULL}, {take_end_of, &players[2]}},
		{"c", {NULL, NULL}, {take_end_of, &players[0]}},
	};
	play_threads_and(actors, 3, (struct step){take_sleep, NULL});
}

static void stdio_cycle(void)
{
	static const char nowhere[] = "/dev/null";
	FILE *in = fopen(nowhere, "r"), *out = fopen(nowhere, "w");
	must(in && out, nowhere);
	const struct actor actors[] = {
		{"a", {take_stdio, in}, {take_stdio, out}},
		{"b", {take_stdio, out}, {take_stdio, in}},
	};
	play_threads(actors, 2);
}

/* The library's constructor waits for a thread that wants to load another; it says "ready". */
static void loader_cycle(void)
{
	const char *library = getenv("VERDICT_LIBRARY");
	if (!library || !dlopen(library, RTLD_NOW))
		unsupported("dlopen");
}

/* --- for itself --- */

static void self(int type, void (*again)(void *))
{
	init_mutex(&left, type, 0, 0, 0);
	const struct actor actors[] = {{"a", {take_mutex, &left}, {again, &left}}};
	play_threads(actors, 1);
}

static void self_normal(void)
{
	self(PTHREAD_MUTEX_NORMAL, take_mutex);
}

static void self_timed(void)
{
	self(PTHREAD_MUTEX_NORMAL, take_mutex_timed);
}

#ifdef __GLIBC__
static void self_adaptive(void)
{
	self(PTHREAD_MUTEX_ADAPTIVE_NP, take_mutex);
}
#endif

/* The only thread of its process. */
static void self_alone(void)
{
	stage(1, 0);
	pthread_mutex_lock(&left);
	arrive("a");
	pthread_mutex_lock(&left);
	sleep_for_ever();
}

/* Libc sees this one, and the call fails: afterwards the thread is at rest. */
static void refused(int type)
{
	init_mutex(&left, type, 0, 0, 0);
	stage(1, 0);
	pthread_mutex_lock(&left);
	int error = pthread_mutex_lock(&left);
	must(error == 0 || error == EDEADLK, "pthread_mutex_lock");
	arrive("a");
	sleep_for_ever();
}

static void again_errorcheck(void)
{
	refused(PTHREAD_MUTEX_ERRORCHECK);
}

static void again_recursive(void)
{
	refused(PTHREAD_MUTEX_RECURSIVE);
}

/* Of a reader the lock keeps no record: that it waits for itself cannot be known. */
static void upgrade(void)
{
	const struct actor actors[] = {{"a", {take_read, &left_rw}, {take_write, &left_rw}}};
	play_threads(actors, 1);
}

static void lock_in_handler(int signal)
{
	(void)signal;
	arrive("a");
	pthread_mutex_lock(&left);
}

static void self_signal(void)
{
	stage(1, 0);
	signal(SIGUSR1, lock_in_handler);
	pthread_mutex_lock(&left);
	raise(SIGUSR1);
	sleep_for_ever();
}

static atomic_uint handled;
static pthread_t interrupted;

static void allocate_in_handler(int signal)
{
	(void)signal;
	void *volatile part = malloc(3000); /* or the compiler leaves both calls out */
	free(part);
	handled++;
}

static void *interrupt_until_stuck(void *unused)
{
	unsigned sent = 0, waited = 0;
	while (waited < 200) {
		if (handled == sent) {
			sent++, waited = 0;
			pthread_kill(interrupted, SIGUSR1);
		}
		/* In the lock for long, and not between two of its turns. */
		if (handled == sent)
			continue;
		sleep_ms(1);
		waited++;
	}
	(void)unused;
	arrive("helper");
	sleep_for_ever();
}

/* Malloc, interrupted at a random place until it was one where it holds its lock. */
static void *allocate(void *unused)
{
	void *parts[64];
	interrupted = pthread_self();
	signal(SIGUSR1, allocate_in_handler);
	play(interrupt_until_stuck, NULL);
	for (;;) {
		for (unsigned i = 0; i < 64; i++)
			parts[i] = malloc(2000 + 16 * i);
		for (unsigned i = 0; i < 64; i++)
			free(parts[i]);
	}
	return unused;
}

static void malloc_signal(void)
{
	stage(1, 0);
	allocate(NULL);
}

static void cycle_in_namespace(void *unused)
{
	(void)unused;
	/* Ids that are somebody else's outside. */
	cycle_normal();
}

static void cycle_namespace(void)
{
	play_in_pid_namespace(cycle_in_namespace);
}

const struct verdict_row verdict_lock_rows[] = {
	{"cycle-normal", cycle_normal},
	{"cycle-alarm", cycle_alarm},
	{"cycle-timed", cycle_timed},
	{"cycle-half-timed", cycle_half_timed},
	{"cycle-recursive", cycle_recursive},
	{"cycle-errorcheck", cycle_errorcheck},
	{"cycle-robust", cycle_robust},
	{"cycle-shared", cycle_shared},
	{"cycle-inherit", cycle_inherit},
	{"cycle-protect", cycle_protect},
#ifdef __GLIBC__
	{"cycle-adaptive", cycle_adaptive},
	{"self-adaptive", self_adaptive},
#endif
	{"cycle-three", cycle_three},
	{"cycle-behind", cycle_behind},
	{"cycle-namespace", cycle_namespace},
	{"rwlock-writers", rwlock_writers},
	{"rwlock-writers-read", rwlock_writers_read},
	{"rwlock-readers", rwlock_readers},
	{"join-of-a-waiter", join_of_a_waiter},
	{"join-cycle", join_cycle},
	{"stdio-cycle", stdio_cycle},
	{"loader-cycle", loader_cycle},
	{"self-normal", self_normal},
	{"self-timed", self_timed},
	{"self-alone", self_alone},
	{"self-signal", self_signal},
	{"again-errorcheck", again_errorcheck},
	{"again-recursive", again_recursive},
	{"upgrade", upgrade},
	{"malloc-signal", malloc_signal},
	{0},
};
