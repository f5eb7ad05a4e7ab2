/* Locks whose owner is gone, waits that nobody is left to end, and threads that never wait. */
#include "verdicts.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t middle = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t left_rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;

/* --- for one who is gone --- */

static void *hold_and_end(void *actor)
{
	const struct actor *part = actor;
	part->holds.take((void *)part->holds.what);
	arrive(part->role);
	return NULL;
}

static void *want(void *actor)
{
	const struct actor *part = actor;
	gather();
	arrive(part->role);
	part->wants.take((void *)part->wants.what);
	sleep_for_ever();
}

/*
 * A thread ends while it holds the lock, is joined, and then somebody wants it: who was there
 * before, because a later thread may get the place in memory of the one that ended.
 */
static void owner_exits(void (*hold)(void *), void (*wanted)(void *), void *lock)
{
	const struct actor first = {"gone", {hold, lock}, {NULL, NULL}};
	const struct actor second = {"a", {NULL, NULL}, {wanted, lock}};
	stage(3, 2);
	pthread_t waiter = play(want, &second);
	pthread_join(play(hold_and_end, &first), NULL);
	gather();
	arrive("main");
	pthread_join(waiter, NULL);
	sleep_for_ever();
}

static void exited_of_kind(int type, int shared)
{
	init_mutex(&left, type, 0, 0, shared);
	owner_exits(take_mutex, take_mutex, &left);
}

static void exited_normal(void)
{
	exited_of_kind(PTHREAD_MUTEX_NORMAL, 0);
}

static void exited_recursive(void)
{
	exited_of_kind(PTHREAD_MUTEX_RECURSIVE, 0);
}

static void exited_errorcheck(void)
{
	exited_of_kind(PTHREAD_MUTEX_ERRORCHECK, 0);
}

static void exited_shared(void)
{
	exited_of_kind(PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED);
}

static void exited_writer(void)
{
	owner_exits(take_write, take_write, &left_rw);
}

static void exited_writer_read(void)
{
	owner_exits(take_write, take_read, &left_rw);
}

static void exited_reader(void)
{
	owner_exits(take_read, take_write, &left_rw);
}

static void exited_stdio(void)
{
	FILE *out = fopen("/dev/null", "w");
	must(out != NULL, "/dev/null");
	owner_exits(take_stdio, take_stdio, out);
}

static pid_t dead_owner;

static void *hold_and_tell(void *mutex)
{
	pthread_mutex_lock(mutex);
	dead_owner = own_tid();
	return NULL;
}

/* The next one gets the lock, and is an owner like any other though it has not mended it. */
static void take_from_the_dead(void *mutex)
{
	must(pthread_mutex_lock(mutex) == EOWNERDEAD, "a lock whose owner died");
}

static void exited_robust(void)
{
	static const struct actor actors[] = {
		{"b", {take_from_the_dead, &left}, {take_sleep, NULL}},
		{"a", {NULL, NULL}, {take_mutex, &left}},
	};
	init_mutex(&left, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 0);
	pthread_join(play(hold_and_tell, &left), NULL);
	play_threads(actors, 2);
}

/* Makes the next process or thread of this pid namespace have that id. */
static void next_tid(pid_t tid)
{
	FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "w");
	if (!file || fprintf(file, "%d", (int)tid - 1) < 0 || fclose(file))
		unsupported("ns_last_pid");
}

static void *arrive_and_sleep(void *role)
{
	arrive(role);
	sleep_for_ever();
}

static atomic_int waiter_tid;

static void *want_and_tell(void *mutex)
{
	waiter_tid = own_tid();
	arrive("a");
	pthread_mutex_lock(mutex);
	sleep_for_ever();
}

/*
 * The owner is gone, and its id is that of a thread which has nothing to do with the lock.  In a
 * pid namespace of its own, where nobody else takes ids.
 */
static void reused_tid(void *unused)
{
	(void)unused;
	stage(2, 0);
	pthread_join(play(hold_and_tell, &left), NULL);
	play(want_and_tell, &left);
	while (!waiter_tid)
		sched_yield();
	sleep_ms(1500); /* it is the ages of the two threads that tell them apart */
	next_tid(dead_owner);
	play(arrive_and_sleep, "other");
	sleep_for_ever();
}

static void exited_reused(void)
{
	play_in_pid_namespace(reused_tid);
}

/* --- locks that were left alone --- */

static void *wait_semaphore(void *role)
{
	arrive(role);
	while (sem_wait(&semaphore) < 0)
		;
	sleep_for_ever();
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *wait_condition(void *role)
{
	pthread_mutex_lock(&middle);
	arrive(role);
	for (;;)
		pthread_cond_wait(&condition, &middle);
	return NULL;
}

/* Everybody waits for somebody of this process, and there is nobody else. */
static void nobody_left(void)
{
	must(sem_init(&semaphore, 0, 0) == 0, "sem_init");
	stage(3, 0);
	play(wait_condition, "b");
	pthread_t a = play(wait_semaphore, "a");
	arrive("main");
	pthread_join(a, NULL);
	sleep_for_ever();
}

static void *wait_for_input(void *role)
{
	char byte;
	arrive(role);
	/* Standard input: somebody outside may write. */
	while (read(STDIN_FILENO, &byte, 1) >= 0)
		;
	sleep_for_ever();
}

static void nobody_but(void *(*other)(void *))
{
	must(sem_init(&semaphore, 0, 0) == 0, "sem_init");
	stage(3, 0);
	play(other, "b");
	pthread_t a = play(wait_semaphore, "a");
	arrive("main");
	pthread_join(a, NULL);
	sleep_for_ever();
}

static void nobody_but_a_reader(void)
{
	nobody_but(wait_for_input);
}

static void nobody_but_a_sleeper(void)
{
	nobody_but(arrive_and_sleep);
}

static void *wait_for_signals(void *role)
{
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	arrive(role);
	while (sigwait(&set, &number) == 0)
		sem_post(&semaphore);
	sleep_for_ever();
}

static void nobody_but_signals(void)
{
	nobody_but(wait_for_signals);
}

static void post(int signal)
{
	(void)signal;
	sem_post(&semaphore);
}

static void nobody_but_a_handler(void)
{
	signal(SIGUSR1, post);
	nobody_left();
}

static sem_t *shared_semaphore;

static void *wait_shared_semaphore(void *role)
{
	arrive(role);
	while (sem_wait(shared_semaphore) < 0)
		;
	sleep_for_ever();
}

/* Whoever has that memory may post; a child has. */
static void wait_in_child(void *unused)
{
	(void)unused;
	sleep_for_ever();
}

static void nobody_but_a_process(void)
{
	shared_semaphore = shared_memory(sizeof(*shared_semaphore));
	must(sem_init(shared_semaphore, 1, 0) == 0, "sem_init");
	stage(2, 0);
	play_process(wait_in_child, NULL);
	pthread_t a = play(wait_shared_semaphore, "a");
	arrive("main");
	pthread_join(a, NULL);
	sleep_for_ever();
}

static pthread_barrier_t of_three;

static void *wait_barrier(void *role)
{
	arrive(role);
	pthread_barrier_wait(&of_three);
	sleep_for_ever();
}

static void barrier_short(void)
{
	must(pthread_barrier_init(&of_three, NULL, 3) == 0, "pthread_barrier_init");
	stage(3, 0);
	pthread_t a = play(wait_barrier, "a");
	play(wait_barrier, "b");
	arrive("main");
	pthread_join(a, NULL);
	sleep_for_ever();
}

/* Writes to the word that a thread sleeps on, and wakes nobody: what a bug would leave. */
static void change_word_under(pid_t tid, uint32_t value)
{
	char path[64];
	long number = 0;
	unsigned long address = 0;
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	FILE *file = fopen(path, "r");
	must(file != NULL, path);
	if (fscanf(file, "%ld %lx", &number, &address) != 2 || number != SYS_futex)
		unsupported(path);
	fclose(file);
	*(volatile uint32_t *)address = value;
}

static void *sleep_in_semaphore(void *unused)
{
	waiter_tid = own_tid();
	return wait_semaphore(unused);
}

static void *sleep_in_condition(void *role)
{
	waiter_tid = own_tid();
	return wait_condition(role);
}

static void lost(void *(*f)(void *), uint32_t value)
{
	stage(2, 0);
	play(f, "a");
	while (!waiter_tid)
		sched_yield();
	until_asleep(getpid(), waiter_tid);
	change_word_under(waiter_tid, value);
	arrive("main");
	sleep_for_ever();
}

static void lost_semaphore(void)
{
	must(sem_init(&semaphore, 0, 0) == 0, "sem_init");
	lost(sleep_in_semaphore, 1);
}

static void lost_condition(void)
{
	lost(sleep_in_condition, 2);
}

/* The word says that it is free, the rest of the lock that main has it. */
static void lost_mutex(void)
{
	pthread_mutex_lock(&left);
	/* Whoever looks may wake the thread, and then libc ends the program with a complaint. */
	close(STDERR_FILENO);
	stage(2, 0);
	play(want_and_tell, &left);
	while (!waiter_tid)
		sched_yield();
	until_asleep(getpid(), waiter_tid);
	change_word_under(waiter_tid, 0);
	arrive("main");
	sleep_for_ever();
}

/* --- busy --- */

static volatile unsigned long turns;

static void *turn(void *role)
{
	arrive(role);
	for (;;)
		turns++;
	return NULL;
}

static void *turn_yielding(void *role)
{
	arrive(role);
	for (;;)
		sched_yield();
	return NULL;
}

static void spinning(void *(*f)(void *))
{
	stage(2, 0);
	pthread_t a = play(f, "a");
	arrive("main");
	pthread_join(a, NULL);
	sleep_for_ever();
}

static void spin_function(void)
{
	spinning(turn);
}

static void spin_yield(void)
{
	spinning(turn_yielding);
}

static void try_for_ever(void *mutex)
{
	while (pthread_mutex_trylock(mutex))
		sched_yield();
}

/* They would wait for each other, if they waited. */
static void spin_trylock(void)
{
	const struct actor actors[] = {
		{"a", {take_mutex, &left}, {try_for_ever, &middle}},
		{"b", {take_mutex, &middle}, {try_for_ever, &left}},
	};
	play_threads(actors, 2);
}

static pthread_spinlock_t spinlock;

static void take_spinlock(void *unused)
{
	(void)unused;
	pthread_spin_lock(&spinlock);
}

static void spin_lock(void)
{
	const struct actor actors[] = {
		{"a", {NULL, NULL}, {take_spinlock, NULL}},
		{"b", {take_spinlock, NULL}, {take_sleep, NULL}},
	};
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	play_threads(actors, 2);
}

const struct verdict_row verdict_lone_rows[] = {
	{"exited-normal", exited_normal},
	{"exited-recursive", exited_recursive},
	{"exited-errorcheck", exited_errorcheck},
	{"exited-shared", exited_shared},
	{"exited-writer", exited_writer},
	{"exited-writer-read", exited_writer_read},
	{"exited-reader", exited_reader},
	{"exited-stdio", exited_stdio},
	{"exited-robust", exited_robust},
	{"exited-reused", exited_reused},
	{"nobody-left", nobody_left},
	{"nobody-but-a-reader", nobody_but_a_reader},
	{"nobody-but-a-sleeper", nobody_but_a_sleeper},
	{"nobody-but-signals", nobody_but_signals},
	{"nobody-but-a-handler", nobody_but_a_handler},
	{"nobody-but-a-process", nobody_but_a_process},
	{"barrier-short", barrier_short},
	{"lost-semaphore", lost_semaphore},
	{"lost-condition", lost_condition},
	{"lost-mutex", lost_mutex},
	{"spin-function", spin_function},
	{"spin-yield", spin_yield},
	{"spin-trylock", spin_trylock},
	{"spin-lock", spin_lock},
	{0},
};
