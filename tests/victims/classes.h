/*
 * One wait of each class, on purpose: `classes NAME` sets one up and says "ready PID TID" just
 * before the thread TID goes into it; `classes --list` says "NAME<TAB>class<TAB>kind of resource".
 */
#ifndef HANGDUMP_TESTS_VICTIMS_CLASSES_H
#define HANGDUMP_TESTS_VICTIMS_CLASSES_H

#include <stdbool.h>
#include <sys/types.h>

struct class_row {
	const char *name;
	const char *class;
	const char *kind;  /* of resource; "-": any, or none */
	void (*run)(void); /* does not return */
	/*
	 * Who has it: "self" or "other", a thread beside the waiter, for certain; "maybe self",
	 * "maybe other"; else the owner's state, "nobody" being none.  NULL: not asked for.
	 */
	const char *owner;
};

/* Ended by a row without a name. */
extern const struct class_row class_lock_rows[];
extern const struct class_row class_descriptor_rows[];
extern const struct class_row class_process_rows[];

/* Says that the calling thread is about to wait. */
void ready(void);
/* The same of another thread, or process. */
void ready_for(pid_t pid, pid_t tid);
/* Ends the victim, naming the step, when a step of the preparation fails. */
void must(bool done, const char *what);
/* Ends the victim: this kernel or sandbox has no such thing. */
_Noreturn void unsupported(const char *what);
/* A thread that runs f(argument) and then waits for ever; returns when f has returned. */
void run_beside(void (*f)(void *argument), void *argument);
/* A thread that runs f; returns its id at once. */
pid_t run_thread(void *(*f)(void *argument), void *argument);
_Noreturn void wait_for_ever(void);

#endif
