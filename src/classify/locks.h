/*
 * Synchronisation primitives as they lie in memory: layouts by library and version, and how a
 * thread that waits for one looks to the kernel.
 */
#ifndef HANGDUMP_CLASSIFY_LOCKS_H
#define HANGDUMP_CLASSIFY_LOCKS_H

#include "model/wait.h"

enum primitive {
	PRIMITIVE_NONE, /* the futex word is all that we know of it */
	PRIMITIVE_MUTEX,
	PRIMITIVE_LOW_LEVEL, /* libc's own: a word, 0 free, 1 held, 2 held with waiters */
	PRIMITIVE_COND,
	PRIMITIVE_RWLOCK_READ,
	PRIMITIVE_RWLOCK_WRITE,
	PRIMITIVE_SEMAPHORE,
	PRIMITIVE_BARRIER,
	PRIMITIVE_ONCE,
	PRIMITIVE_JOIN,
	PRIMITIVES
};

struct primitive_row {
	enum wait_class class;
	const char *kind; /* of resource */
};
extern const struct primitive_row primitive_rows[PRIMITIVES];

enum library {
	LIBRARY_GLIBC = 1,
	LIBRARY_MUSL = 2,
	LIBRARY_EITHER = 3, /* a static program */
};

#define FUTEX_LOCK_PI2_OP 13 /* FUTEX_LOCK_PI2, Linux 5.14: not in every header */

/* A wait on a futex, decoded. */
struct futex_wait {
	uint64_t address;
	uint32_t value; /* what the word was expected to be */
	unsigned op;	/* FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI... without flags */
	bool shared;
	uint64_t second; /* FUTEX_WAIT_REQUEUE_PI: the mutex */
	bool has_word;
	uint32_t word; /* what it is now */
};

/* How the holder is written into the object. */
enum owner_form {
	OWNER_NONE,
	OWNER_TID,	/* an int at .owner, in the target's pid namespace */
	OWNER_TID_BITS, /* the lower 30 bits of the word at .owner */
	OWNER_TCB,	/* a pointer at .owner to the holder's thread control block */
	OWNER_VALUE,	/* the value that the waiter expected is the thread's id */
};

/* Who has the object, by its other fields. */
enum holder {
	HOLDER_NOT_TOLD, /* it does not record one, or its class has none */
	HOLDER_RECORDED, /* who .owner_form says, or lock_case.thread */
	HOLDER_READERS,
	HOLDER_NOBODY, /* it is free */
	HOLDER_DIED,   /* the kernel says that its owner ended: lock_case.died, where it is known */
	HOLDER_IMPOSSIBLE, /* fields that contradict each other */
};

/* How well memory fits what it is said to hold. */
enum fit {
	FIT_NO,	    /* it cannot be one */
	FIT_UNREAD, /* it could not be read */
	FIT_WEAK,   /* nothing speaks against it */
	FIT_STRONG, /* fields agree that would not by chance */
};

struct subject;

#define LOCK_SIZE_CAP 64

/* An object under examination; what a check finds out goes into the lower half. */
struct lock_case {
	struct subject *subject;
	const struct futex_wait *futex;
	const struct lock_layout *layout;
	uint64_t base; /* where the object would begin */
	unsigned char bytes[LOCK_SIZE_CAP];
	bool live; /* some of them were read after the threads were let go */
	enum fit fit;
	bool libcs; /* libc's own code waits, of whose forms no other fits better */

	enum wait_class class; /* 0: as the primitive has it */
	const char *detail;
	const char *kind;
	const char *name;
	const char *identity;
	enum holder holder;
	const struct capture_thread *thread; /* the holder, where it is known by more than its id */
	uint32_t died;			     /* id of an owner that ended, or 0 */
	bool disagrees;			     /* two records of the holder differ */
	bool never_itself;		     /* nobody waits for one that he has himself */
	bool overdue;			     /* free, or signalled, while there are waiters */
	uint64_t mutex;			     /* that belongs to a condition variable, or 0 */
};

/* Which values a waiter expects in the word. */
enum value_rule {
	VALUE_ANY,
	VALUE_IS,	 /* .value */
	VALUE_WAITERS,	 /* FUTEX_WAITERS and a thread's id */
	VALUE_ONCE,	 /* a multiple of four (the fork generation) and one */
	VALUE_CEILING,	 /* a priority from bit 19 on, and two */
	VALUE_NOT_SMALL, /* more than four */
};

#define OP_WAIT	   1 /* FUTEX_WAIT */
#define OP_BITSET  2 /* FUTEX_WAIT_BITSET */
#define OP_PI	   4 /* FUTEX_LOCK_PI, FUTEX_LOCK_PI2 */
#define OP_REQUEUE 8 /* FUTEX_WAIT_REQUEUE_PI */

struct lock_layout {
	enum library library;
	enum primitive primitive;
	uint8_t word;  /* of the futex, in the object */
	uint8_t align; /* of the object */
	uint8_t size;  /* how much of it is looked at */
	uint8_t ops;   /* with which a waiter waits */
	enum value_rule rule;
	uint32_t value;
	enum owner_form owner_form;
	uint8_t owner; /* where it is */
	enum fit (*check)(struct lock_case *lock);
	bool named_only; /* too little is telling in it, or too old, for a guess */
	const char *versions;
};
extern const struct lock_layout lock_layouts[];
extern const size_t lock_layout_count;

/*
 * Finds the object of a primitive around the futex word and describes it as the resource.  The
 * best fit of all layouts is taken; when none fits, could be read, or is better than another that
 * has the object elsewhere, the word itself is the resource, and the case has no layout.
 */
enum fit lock_describe(struct subject *subject, enum primitive primitive, unsigned libraries,
		       const struct futex_wait *futex, struct lock_case *ret);

/* Without names: which layout fits what waits like this?  False: none does. */
bool lock_guess(struct subject *subject, unsigned libraries, const struct futex_wait *futex,
		struct lock_case *ret, enum wait_class *ret_class);

/* locks_glibc.c, locks_musl.c */
enum fit glibc_check_mutex(struct lock_case *lock);
/* Of one that has passed that check: has it priority inheritance? */
bool glibc_mutex_inherits(const struct lock_case *lock);
enum fit glibc_check_low_level(struct lock_case *lock);
enum fit glibc_check_cond(struct lock_case *lock);
enum fit glibc_check_old_cond(struct lock_case *lock);
enum fit glibc_check_rwlock(struct lock_case *lock);
enum fit glibc_check_old_rwlock(struct lock_case *lock);
enum fit glibc_check_semaphore(struct lock_case *lock);
enum fit glibc_check_old_semaphore(struct lock_case *lock);
enum fit glibc_check_barrier(struct lock_case *lock);
enum fit glibc_check_once(struct lock_case *lock);
enum fit glibc_check_join(struct lock_case *lock);
enum fit musl_check_mutex(struct lock_case *lock);
enum fit musl_check_cond(struct lock_case *lock);
enum fit musl_check_shared_cond(struct lock_case *lock);
enum fit musl_check_rwlock(struct lock_case *lock);
enum fit musl_check_semaphore(struct lock_case *lock);
enum fit musl_check_barrier(struct lock_case *lock);
enum fit musl_check_once(struct lock_case *lock);
enum fit musl_check_join(struct lock_case *lock);
enum fit musl_check_file(struct lock_case *lock);
enum fit musl_check_thread_list(struct lock_case *lock);

static inline bool tid_like(uint32_t tid)
{
	return tid > 0 && tid <= 4194304; /* PID_MAX_LIMIT */
}

static inline uint32_t lock_u32(const struct lock_case *lock, unsigned offset)
{
	uint32_t value;
	__builtin_memcpy(&value, lock->bytes + offset, sizeof(value));
	return value;
}
static inline uint64_t lock_u64(const struct lock_case *lock, unsigned offset)
{
	uint64_t value;
	__builtin_memcpy(&value, lock->bytes + offset, sizeof(value));
	return value;
}
/* Says which thread is joined. */
void lock_set_joined(struct lock_case *lock, const struct capture_thread *joined);

#endif
