/*
 * Hangs whose cause is known: `verdicts NAME [NUMBER]` sets one up and says
 * "ready ROLE=PID/TID ...", one word for each actor, when all of them are about to be where they
 * stay; `verdicts --list` says the names.  An actor is a thread with a part in the hang.
 */
#ifndef HANGDUMP_TESTS_VICTIMS_VERDICTS_H
#define HANGDUMP_TESTS_VICTIMS_VERDICTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct verdict_row {
	const char *name;
	void (*run)(void); /* does not return */
};

/* The program's tables, ended by NULL; each is ended by a row without a name. */
extern const struct verdict_row *const verdict_tables[];
extern const struct verdict_row verdict_lock_rows[];
extern const struct verdict_row verdict_lone_rows[];
extern const struct verdict_row verdict_process_rows[];
extern const struct verdict_row verdict_event_rows[];
extern const struct verdict_row verdict_file_rows[];
extern const struct verdict_row verdict_moving_rows[];
extern const struct verdict_row verdict_crowd_rows[];

/* What followed NAME on the command line; 0 when nothing did. */
extern int verdict_number;

/*
 * To be called first: how many actors there are, and how many threads meet in gather().  All
 * processes that are forked later share what it sets up.
 */
void stage(unsigned actors, unsigned gathering);
/* Returns when as many as were given to stage() are here. */
void gather(void);
/* The calling thread is an actor of that role, about to wait; the last one says "ready". */
void arrive(const char *role);
/* The same with a number behind the role: "w3". */
void arrive_as(const char *role, unsigned number);

pthread_t play(void *(*f)(void *argument), const void *argument);
/* A process that dies with the calling thread, runs f and ends. */
pid_t play_process(void (*f)(void *argument), const void *argument);
/* Memory that processes forked later share with us: zeroed, never freed. */
void *shared_memory(size_t size);
/* Returns when that thread sleeps in a system call. */
void until_asleep(pid_t pid, pid_t tid);

/* Ends the victim, naming the step, when a step of the preparation fails. */
void must(bool done, const char *what);
/* Ends the victim: this kernel, libc or sandbox has no such thing. */
void unsupported(const char *what) __attribute__((noreturn));
void sleep_for_ever(void) __attribute__((noreturn));
void sleep_ms(long ms);
pid_t own_tid(void);

/* What an actor does, in this order; steps without a function are left out. */
struct step {
	void (*take)(void *what);
	const void *what;
};
struct actor {
	const char *role;
	struct step holds; /* then all gather */
	struct step wants; /* and then does not get */
};

/* Threads; main joins the first of them as actor "main".  Does not return. */
void play_threads(const struct actor *actors, unsigned count) __attribute__((noreturn));
/* Threads; the actor "main" wants what is given. */
void play_threads_and(const struct actor *actors, unsigned count, struct step main_wants)
	__attribute__((noreturn));
/* Processes: the first is the calling one.  Does not return. */
void play_processes(const struct actor *actors, unsigned count) __attribute__((noreturn));
extern pthread_t players[16]; /* the threads of play_threads, after gather() */

/* As pthread_mutexattr_set* call them. */
void init_mutex(pthread_mutex_t *mutex, int type, int robust, int protocol, int shared);
/* Runs f as the first process of a pid namespace; does not return. */
void play_in_pid_namespace(void (*f)(void *argument)) __attribute__((noreturn));

void take_mutex(void *mutex);
void take_mutex_timed(void *mutex); /* a day's time */
void take_read(void *rwlock);
void take_write(void *rwlock);
void take_stdio(void *file);
void take_end_of(void *thread); /* a pthread_t *: joins it */
void take_sleep(void *nothing);

#ifdef __cplusplus
}
#endif

#endif
