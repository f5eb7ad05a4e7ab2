/*
 * glibc's synchronisation objects on x86-64, 2.17 to 2.42: struct __pthread_mutex_s, the condition
 * variable before 2.25, since 2.25 and since 2.41, the rwlock before and since 2.25, ...
 */
#include "base/array.h"
#include "classify/locks.h"
#include "classify/subject.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>

#define KIND_ROBUST	     0x10
#define KIND_INHERIT	     0x20
#define KIND_PROTECT	     0x40
#define KIND_SHARED	     0x80
#define KIND_MASK	     0x3ff
#define MANY		     1000000 /* more threads than this never wait for one object */
#define STACK_SCANNED	     1024
#define STRUCT_PTHREAD	     2560 /* 2368 in 2.31 to 2.41 */
#define RWLOCK_PHASE	     1
#define RWLOCK_WRITER	     2
#define RWLOCK_READERS_SHIFT 3

static bool tid_like(uint32_t tid)
{
	return tid > 0 && tid <= 4194304; /* PID_MAX_LIMIT */
}

static const char *mutex_detail(struct subject *subject, uint32_t kind)
{
	static const char *const types[] = {NULL, "recursive", "error-checking", "adaptive"};
	const char *const words[] = {
		types[kind & 3],
		kind & KIND_ROBUST ? "robust" : NULL,
		kind & KIND_INHERIT ? "priority inheritance" : NULL,
		kind & KIND_PROTECT ? "priority protection" : NULL,
		kind & KIND_SHARED ? "shared between processes" : NULL,
	};
	const char *detail = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i])
			detail = detail ? subject_printf(subject, "%s, %s", detail, words[i])
					: words[i];
	}
	return detail ? strpool_add(subject->context->strings, detail) : NULL;
}

/* Lock 0, count 4, owner 8, nusers 12, kind 16. */
enum fit glibc_check_mutex(struct lock_case *lock)
{
	uint32_t word = lock_u32(lock, 0), owner = lock_u32(lock, 8);
	uint32_t users = lock_u32(lock, 12), kind = lock_u32(lock, 16);
	if (kind & ~KIND_MASK || users > MANY)
		return FIT_NO;
	bool in_word = kind & (KIND_ROBUST | KIND_INHERIT);
	if (!in_word && word > 2 && !(kind & KIND_PROTECT))
		return FIT_NO;
	/* INT_MAX and one less: a robust mutex whose owner died. */
	if (owner && !tid_like(owner) && owner < INT_MAX - 1)
		return FIT_NO;
	lock->detail = mutex_detail(lock->subject, kind);
	if (in_word)
		return tid_like(word & FUTEX_TID_MASK) ? FIT_STRONG : FIT_WEAK;
	return word && tid_like(owner) && users ? FIT_STRONG : FIT_WEAK;
}

/* _IO_lock_t: lock 0, count 4, owner 8, a struct pthread. */
enum fit glibc_check_low_level(struct lock_case *lock)
{
	if (lock_u32(lock, 0) > 2)
		return FIT_NO;
	uint64_t owner = lock_u64(lock, 8);
	if (owner && lock->base % 8 == 0 && lock_u32(lock, 4) && lock_u32(lock, 4) < MANY &&
	    subject_thread_by_tcb(lock->subject, owner, 1)) {
		lock->kind = "stdio lock";
		return FIT_STRONG;
	}
	return FIT_WEAK;
}

static bool looks_like_mutex(struct subject *subject, uint64_t address)
{
	unsigned char bytes[40];
	struct lock_case mutex = {.subject = subject, .bytes = bytes};
	if (!address || address % 4 || !subject_read(subject, address, bytes, sizeof(bytes)))
		return false;
	/* A waiter counts as a user, while it does not hold the mutex. */
	return lock_u32(&mutex, 12) > 0 && glibc_check_mutex(&mutex) != FIT_NO;
}

static const char *with_mutex(struct subject *subject, uint64_t mutex)
{
	const char *name = subject_name_data(subject, mutex);
	if (name)
		return subject_printf(subject, "with mutex %s at 0x%llx", name,
				      (unsigned long long)mutex);
	return subject_printf(subject, "with mutex at 0x%llx", (unsigned long long)mutex);
}

/*
 * libc keeps { condition, mutex } on the waiter's stack, for its cancellation clean-up: it tells
 * which of the layouts it is and which mutex will be taken again.
 */
enum fit glibc_check_cond(struct lock_case *lock)
{
	uint64_t words[STACK_SCANNED / 8];
	size_t n = subject_read_stack(lock->subject, words, sizeof(words)) / 8;
	for (size_t i = 0; i + 1 < n; i++) {
		if (words[i] != lock->base || !looks_like_mutex(lock->subject, words[i + 1]))
			continue;
		lock->detail = with_mutex(lock->subject, words[i + 1]);
		return FIT_STRONG;
	}
	/* wrefs: the waiters from bit 3 on; bit 2 a destroyer, 1 the clock, 0 shared. */
	unsigned word = (unsigned)(lock->futex->address - lock->base);
	uint32_t waiters = lock_u32(lock, (word & ~7u) - 4) >> 3;
	return waiters > 0 && waiters < MANY ? FIT_WEAK : FIT_NO;
}

/* Lock 0, futex 4, total 8, wakeup 16, woken 24, mutex 32, nwaiters 40. */
enum fit glibc_check_old_cond(struct lock_case *lock)
{
	uint64_t total = lock_u64(lock, 8), wakeup = lock_u64(lock, 16), woken = lock_u64(lock, 24);
	uint64_t mutex = lock_u64(lock, 32);
	if (total < wakeup || wakeup < woken || total == 0)
		return FIT_NO;
	if (mutex == UINT64_MAX) /* shared between processes */
		return FIT_WEAK;
	if (!looks_like_mutex(lock->subject, mutex))
		return FIT_NO;
	lock->detail = with_mutex(lock->subject, mutex);
	return FIT_STRONG;
}

static const char *held_by_readers(struct subject *subject, uint32_t readers)
{
	return subject_printf(subject, "held by %u reader%s", readers, readers == 1 ? "" : "s");
}

/* Readers 0, writers 4, write-phase futex 8, writers futex 12, writer 24, shared 28, flags 48. */
enum fit glibc_check_rwlock(struct lock_case *lock)
{
	uint32_t state = lock_u32(lock, 0), writer = lock_u32(lock, 24);
	uint32_t readers = state >> RWLOCK_READERS_SHIFT;
	if (lock_u32(lock, 48) > 2 || lock_u32(lock, 28) > 1 || lock_u32(lock, 8) > 3 ||
	    lock_u32(lock, 12) > 3 || readers > MANY || (writer && !tid_like(writer)))
		return FIT_NO;
	if (lock->futex->address == lock->base && !(lock->futex->value & 4))
		return FIT_NO; /* readers wait there for that bit alone to go */
	if (state & RWLOCK_WRITER && state & RWLOCK_PHASE)
		lock->detail = "held by a writer";
	else if (!(state & RWLOCK_PHASE) && readers)
		lock->detail = held_by_readers(lock->subject, readers);
	else
		return FIT_WEAK;
	return FIT_STRONG;
}

/* Lock 0, readers 4, readers' wake-ups 8, writers' 12, queued 16 and 20, writer 24, shared 28. */
enum fit glibc_check_old_rwlock(struct lock_case *lock)
{
	uint32_t readers = lock_u32(lock, 4), writer = lock_u32(lock, 24);
	uint32_t queued = lock_u32(lock, lock->futex->address - lock->base == 8 ? 16 : 20);
	if (lock_u32(lock, 0) > 2 || readers > MANY || !queued || queued > MANY ||
	    (writer && !tid_like(writer)) || (!writer && !readers))
		return FIT_NO;
	lock->detail = writer ? "held by a writer" : held_by_readers(lock->subject, readers);
	return FIT_STRONG;
}

static enum fit semaphore(struct lock_case *lock, uint64_t waiters)
{
	if (!waiters || waiters > MANY)
		return FIT_NO;
	lock->detail = subject_printf(lock->subject, "value %u, %u waiter%s", lock_u32(lock, 0),
				      (unsigned)waiters, waiters == 1 ? "" : "s");
	return FIT_STRONG;
}

/* Value 0, waiters 4, private 8 (0 or FUTEX_PRIVATE_FLAG, 128). */
enum fit glibc_check_semaphore(struct lock_case *lock)
{
	uint32_t shared = lock_u32(lock, 8);
	if ((shared && shared != FUTEX_PRIVATE_FLAG) || lock_u32(lock, 0) > INT_MAX)
		return FIT_NO;
	return semaphore(lock, lock_u32(lock, 4));
}

/* Value 0, private 4, waiters 8. */
enum fit glibc_check_old_semaphore(struct lock_case *lock)
{
	uint32_t shared = lock_u32(lock, 4);
	if ((shared && shared != FUTEX_PRIVATE_FLAG) || lock_u32(lock, 0) > INT_MAX)
		return FIT_NO;
	return semaphore(lock, lock_u64(lock, 8));
}

/* In 0, round 4, count 8, shared 12, out 16. */
enum fit glibc_check_barrier(struct lock_case *lock)
{
	uint32_t in = lock_u32(lock, 0), round = lock_u32(lock, 4), count = lock_u32(lock, 8);
	uint32_t shared = lock_u32(lock, 12), arrived = in - round;
	if (count < 2 || count > MANY || arrived == 0 || arrived >= count ||
	    (shared != 0 && shared != FUTEX_PRIVATE_FLAG) || lock->futex->value != round)
		return FIT_NO;
	lock->detail = subject_printf(lock->subject, "%u of %u arrived", arrived, count);
	return FIT_STRONG;
}

enum fit glibc_check_once(struct lock_case *lock)
{
	return lock_u32(lock, 0) == lock->futex->value ? FIT_WEAK : FIT_NO;
}

/*
 * The kernel clears the tid in the thread's own block when the thread has ended.  From 2.43 on
 * another word of the block says so, whose values are not tids.
 */
enum fit glibc_check_join(struct lock_case *lock)
{
	uint32_t tid = lock->futex->value;
	const struct capture_thread *joined = subject_thread_by_ns_tid(lock->subject, tid);
	const struct capture_thread *there =
		subject_thread_by_tcb(lock->subject, lock->base, STRUCT_PTHREAD);
	if (there) {
		lock_set_joined(lock, (uint32_t)there->ns_tid);
		return there == joined ? FIT_STRONG : FIT_WEAK;
	}
	/* Where the block is may not be known: the thread could not be stopped. */
	if (!joined || joined->fs_base || lock_u32(lock, 0) != tid)
		return FIT_NO;
	lock_set_joined(lock, tid);
	return FIT_WEAK;
}
