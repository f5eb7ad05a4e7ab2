/*
 * Who must act for a wait to end: from what memory says of an owner to threads that exist.  Fills
 * wait.owners, owner_state, owner_confidence, reach and overdue of waits on a futex.
 *
 * An owner is certain only when the waiter slept all the while, memory is of the moment of the
 * capture, the object is surely what it is taken for, and the thread exists.  One owner that is
 * known makes reach "owners", certain or not; an owner that is gone leaves it as it is.
 */
#ifndef HANGDUMP_CLASSIFY_OWNERS_H
#define HANGDUMP_CLASSIFY_OWNERS_H

#include "classify/locks.h"
#include "classify/subject.h"

/* What speaks for an owner. */
struct owner_proof {
	bool sure;  /* the object is what it is taken for, and all that it says agrees */
	bool named; /* frames name the primitive: it is no guess from memory alone */
	/* Where the object is; 0: in the process's own memory. */
	uint64_t address;
};

/*
 * Before anything is known of the object: by the kernel's rules, who could wake a waiter on this
 * futex; by the class, whether somebody must act whom nothing records.
 */
void owners_begin(struct subject *subject, const struct futex_wait *futex);
/* The class is known, and nothing else. */
void owners_by_class(struct subject *subject);
/* What the object itself says; `named`: see struct owner_proof. */
void owners_of_lock(struct subject *subject, const struct lock_case *lock, bool named);

/* The owner has this id in the target's pid namespace. */
void owners_by_tid(struct subject *subject, uint32_t tid, const struct owner_proof *proof);
/* The owner is this thread of the process. */
void owners_set_thread(struct subject *subject, const struct capture_thread *thread,
		       const struct owner_proof *proof);
/* There is no owner to be named, and this is why. */
void owners_set_state(struct subject *subject, enum owner_state state);

/*
 * pi_mutex.c: is this libc's endless sleep for a mutex that the kernel refused?  Then it is
 * described, with its owner.  Without a name to say so, only where the mutex is found.
 */
bool pi_mutex_was_given_up(struct subject *subject, const struct futex_wait *futex, bool named);
/* python.c: who has the interpreter lock of which this is the condition variable. */
void python_find_holder(struct subject *subject, const struct lock_case *cond);
/* python.c: whose is the RLock, if it is one, that the lock waited for belongs to? */
void python_find_rlock(struct subject *subject);
/* python.c: is this condition variable, which no frame explains, an interpreter lock's? */
bool python_is_gil(struct subject *subject, const struct lock_case *cond);

#endif
