/* Many threads, and threads that lie. */
#include "verdicts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

static pthread_mutex_t *locks;
static unsigned count;
static pthread_barrier_t everybody;

static void *hold_and_want(void *own)
{
	size_t i = (size_t)own;
	pthread_mutex_lock(&locks[i]);
	pthread_barrier_wait(&everybody);
	/* At the end of the chain: it waits for nobody. */
	if (i == 0)
		sleep_for_ever();
	pthread_mutex_lock(&locks[i - 1]);
	sleep_for_ever();
}

static void *want_own(void *own)
{
	pthread_barrier_wait(&everybody);
	pthread_mutex_lock(&locks[(size_t)own]);
	sleep_for_ever();
}

/* Each with its neighbour. */
static void *hold_and_want_next(void *own)
{
	size_t i = (size_t)own;
	pthread_mutex_lock(&locks[i]);
	pthread_barrier_wait(&everybody);
	pthread_mutex_lock(&locks[i ^ 1]);
	sleep_for_ever();
}

static void crowd(void *(*f)(void *), bool main_holds)
{
	pthread_attr_t attributes;
	pthread_t thread;
	count = (unsigned)(verdict_number > 0 ? verdict_number : 100);
	locks = calloc(count, sizeof(*locks));
	must(locks != NULL, "calloc");
	stage(1, 0);
	must(pthread_barrier_init(&everybody, NULL, count + 1) == 0, "pthread_barrier_init");
	for (unsigned i = 0; i < count; i++) {
		pthread_mutex_init(&locks[i], NULL);
		if (main_holds)
			pthread_mutex_lock(&locks[i]);
	}
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	for (size_t i = 0; i < count; i++)
		if ((errno = pthread_create(&thread, &attributes, f, (void *)i)))
			unsupported("that many threads");
	pthread_barrier_wait(&everybody);
	arrive("main");
	sleep_for_ever();
}

static void crowd_chain(void)
{
	crowd(hold_and_want, false);
}

static void crowd_locks(void)
{
	crowd(want_own, true);
}

static void crowd_pairs(void)
{
	crowd(hold_and_want_next, false);
}

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;

static void take_with_name(void *name)
{
	prctl(PR_SET_NAME, name);
	pthread_mutex_lock(&left);
}

static void name_oneself(void *name)
{
	prctl(PR_SET_NAME, name);
}

/* A chain of two, by threads whose names are lines of a report. */
static void liar(void)
{
	static const char *const names[] = {"\n\nDEADLOCK: 2", "by thread 1)\n",
					    "\x1b[2J\r#1 (main"};
	const struct actor actors[] = {
		{"root", {take_with_name, names[0]}, {take_sleep, NULL}},
		{"a", {name_oneself, names[1]}, {take_mutex, &left}},
		{"b", {name_oneself, names[2]}, {take_mutex, &left}},
	};
	play_threads(actors, 3);
}

const struct verdict_row verdict_crowd_rows[] = {
	{"crowd-chain", crowd_chain},
	{"crowd-locks", crowd_locks},
	{"crowd-pairs", crowd_pairs},
	{"liar", liar},
	{0},
};
