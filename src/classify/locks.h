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

/* How well memory fits what it is said to hold. */
enum fit {
	FIT_NO,	    /* it cannot be one */
	FIT_UNREAD, /* it could not be read */
	FIT_WEAK,   /* nothing speaks against it */
	FIT_STRONG, /* fields agree that would not by chance */
};

struct subject;

/* An object under examination; what a check finds out goes into the lower half. */
struct lock_case {
	struct subject *subject;
	const struct futex_wait *futex;
	uint64_t base; /* where the object would begin */
	const unsigned char *bytes;

	enum wait_class class; /* 0: as the primitive has it */
	const char *detail;
	const char *kind;
	const char *name;
	const char *identity;
};

/* Which values a waiter expects in the word. */
enum value_rule {
	VALUE_ANY,
	VALUE_IS,	 /* .value */
	VALUE_WAITERS,	 /* FUTEX_WAITERS and a thread's id */
	VALUE_ONCE,	 /* a multiple of four (the fork generation) and one */
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
 * has the object elsewhere, the word itself is the resource.
 */
enum fit lock_describe(struct subject *subject, enum primitive primitive, unsigned libraries,
		       const struct futex_wait *futex, const struct lock_layout **ret_layout);

/* Without names: which layout fits what waits like this?  NULL: none does. */
const struct lock_layout *lock_guess(struct subject *subject, unsigned libraries,
				     const struct futex_wait *futex, enum fit *ret_fit,
				     enum wait_class *ret_class);

/* locks_glibc.c, locks_musl.c */
enum fit glibc_check_mutex(struct lock_case *lock);
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
void lock_set_joined(struct lock_case *lock, uint32_t ns_tid);

#endif
