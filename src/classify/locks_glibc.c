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
#define KIND_ELIDED	     0x100 /* Intel TSX: then neither owner nor users are kept */
#define KIND_MASK	     0x3ff
#define TYPE_RECURSIVE	     1
#define TYPE_ERRORCHECK	     2
#define CEILING_SHIFT	     19			/* of a word with priority protection */
#define INCONSISTENT	     (uint32_t) INT_MAX /* in the owner's place: it died, and has a successor */
#define MANY		     1000000 /* more threads than this never wait for one object */
#define STACK_SCANNED	     1024
#define STRUCT_PTHREAD	     2560 /* 2368 in 2.31 to 2.41 */
#define RWLOCK_PHASE	     1
#define RWLOCK_WRITER	     2
#define RWLOCK_READERS_SHIFT 3

static const char *mutex_detail(const struct lock_case *lock, uint32_t kind)
{
	static const char *const types[] = {NULL, "recursive", "error-checking", "adaptive"};
	uint32_t count = lock_u32(lock, 4);
	struct subject *subject = lock->subject;
	const char *counted = NULL;
	if ((kind & 3) == TYPE_RECURSIVE && count > 1 && count < MANY)
		counted = subject_printf(subject, "count %u", count);
	const char *const words[] = {
		types[kind & 3],
		counted,
		kind & KIND_ROBUST ? "robust" : NULL,
		kind & KIND_INHERIT ? "priority inheritance" : NULL,
		kind & KIND_PROTECT ? "priority protection" : NULL,
		kind & KIND_SHARED ? "shared between processes" : NULL,
	};
	return subject_list(subject, words, ARRAY_SIZE(words));
}

/* The kernel's word: the owner's id, FUTEX_WAITERS, FUTEX_OWNER_DIED. */
static enum fit mutex_with_id_in_word(struct lock_case *lock, uint32_t kind)
{
	uint32_t word = lock_u32(lock, 0), owner = lock_u32(lock, 8), tid = word & FUTEX_TID_MASK;
	if (tid) {
		lock->holder = HOLDER_RECORDED;
		lock->disagrees = owner != tid && !(kind & KIND_ROBUST && owner == INCONSISTENT);
	} else if (word & FUTEX_OWNER_DIED) {
		lock->holder = HOLDER_DIED;
		lock->died = tid_like(owner) ? owner : 0;
	} else {
		lock->holder = word ? HOLDER_IMPOSSIBLE : HOLDER_NOBODY;
		lock->overdue = !word && !(kind & KIND_INHERIT);
	}
	/* The kernel refuses to let a thread wait for itself. */
	lock->never_itself |= kind & KIND_INHERIT;
	return tid_like(tid) ? FIT_STRONG : FIT_WEAK;
}

static enum fit mutex_with_owner_beside(struct lock_case *lock, uint32_t kind)
{
	uint32_t word = lock_u32(lock, 0), owner = lock_u32(lock, 8), users = lock_u32(lock, 12);
	uint32_t state = kind & KIND_PROTECT ? word & ((1u << CEILING_SHIFT) - 1) : word;
	if (state > 2)
		return FIT_NO;
	lock->overdue = state == 0;
	if (state == 0)
		lock->holder = HOLDER_NOBODY;
	else if (owner)
		lock->holder = HOLDER_RECORDED;
	else
		lock->holder = kind & KIND_ELIDED ? HOLDER_NOT_TOLD : HOLDER_IMPOSSIBLE;
	return state && tid_like(owner) && users ? FIT_STRONG : FIT_WEAK;
}

/* Lock 0, count 4, owner 8, nusers 12, kind 16. */
enum fit glibc_check_mutex(struct lock_case *lock)
{
	uint32_t owner = lock_u32(lock, 8), users = lock_u32(lock, 12), kind = lock_u32(lock, 16);
	if (kind & ~KIND_MASK || users > MANY)
		return FIT_NO;
	/* INT_MAX and one less: a robust mutex whose owner died. */
	if (owner && !tid_like(owner) && !(kind & KIND_ROBUST && owner >= INCONSISTENT - 1))
		return FIT_NO;
	lock->detail = mutex_detail(lock, kind);
	/* One of these is counted, or refused with EDEADLK. */
	lock->never_itself = (kind & 3) == TYPE_RECURSIVE || (kind & 3) == TYPE_ERRORCHECK;
	if (kind & (KIND_ROBUST | KIND_INHERIT))
		return mutex_with_id_in_word(lock, kind);
	return mutex_with_owner_beside(lock, kind);
}

bool glibc_mutex_inherits(const struct lock_case *lock)
{
	return lock_u32(lock, 16) & KIND_INHERIT;
}

/*
 * _IO_lock_t: lock 0, count 4, owner 8, a struct pthread.  It is recursive; in 2.41 only what comes
 * after the first time is counted.
 */
enum fit glibc_check_low_level(struct lock_case *lock)
{
	uint32_t word = lock_u32(lock, 0);
	if (word > 2)
		return FIT_NO;
	lock->overdue = word == 0;
	if (word == 0)
		lock->holder = HOLDER_NOBODY;
	uint64_t owner = lock_u64(lock, 8);
	if (!word || !owner || lock->base % 8 || lock_u32(lock, 4) >= MANY)
		return FIT_WEAK;
	lock->thread = subject_thread_by_tcb(lock->subject, owner, 1);
	if (!lock->thread)
		return FIT_WEAK;
	lock->kind = "stdio lock";
	lock->holder = HOLDER_RECORDED;
	lock->never_itself = true;
	return FIT_STRONG;
}

static bool looks_like_mutex(struct subject *subject, uint64_t address)
{
	struct lock_case mutex = {.subject = subject};
	if (!address || address % 4 || !subject_read(subject, address, mutex.bytes, 40))
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
 * g_signals of the waiter's group: before 2.41 twice as many as have not been taken, and one for a
 * group that is closed; since then the number of the last one, of which g1_start have been taken.
 */
static bool has_signals(const struct lock_case *lock)
{
	unsigned word = (unsigned)(lock->futex->address - lock->base);
	uint32_t signals = lock_u32(lock, word);
	if (word >= 40)
		return lock->futex->value == 0 && signals > 1;
	return signals != lock->futex->value && (int32_t)(signals - lock_u32(lock, 8)) > 0;
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
		lock->mutex = words[i + 1];
		lock->overdue = has_signals(lock);
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

/*
 * Readers 0, writers 4, write-phase futex 8, writers futex 12, writer 24, shared 28, flags 48.
 * Whoever holds it as a writer and asks again is refused with EDEADLK.
 */
enum fit glibc_check_rwlock(struct lock_case *lock)
{
	uint32_t state = lock_u32(lock, 0), writer = lock_u32(lock, 24);
	uint32_t readers = state >> RWLOCK_READERS_SHIFT;
	if (lock_u32(lock, 48) > 2 || lock_u32(lock, 28) > 1 || lock_u32(lock, 8) > 3 ||
	    lock_u32(lock, 12) > 3 || readers > MANY || (writer && !tid_like(writer)))
		return FIT_NO;
	if (lock->futex->address == lock->base && !(lock->futex->value & 4))
		return FIT_NO; /* readers wait there for that bit alone to go */
	lock->never_itself = true;
	if (state & RWLOCK_WRITER && state & RWLOCK_PHASE) {
		lock->detail = "held by a writer";
		lock->holder = writer ? HOLDER_RECORDED : HOLDER_IMPOSSIBLE;
	} else if (!(state & RWLOCK_PHASE) && readers) {
		lock->detail = held_by_readers(lock->subject, readers);
		lock->holder = HOLDER_READERS;
	} else {
		return FIT_WEAK;
	}
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
	lock->never_itself = true;
	lock->holder = writer ? HOLDER_RECORDED : HOLDER_READERS;
	lock->detail = writer ? "held by a writer" : held_by_readers(lock->subject, readers);
	return FIT_STRONG;
}

static enum fit semaphore(struct lock_case *lock, uint64_t waiters)
{
	if (!waiters || waiters > MANY)
		return FIT_NO;
	lock->overdue = lock_u32(lock, 0) > 0;
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
	/* Where the block is may not be known: the thread could not be stopped. */
	if (!there && (!joined || joined->fs_base || lock_u32(lock, 0) != tid))
		return FIT_NO;
	lock_set_joined(lock, there ? there : joined);
	/* It has ended meanwhile, and the join is over. */
	if (there == joined && lock_u32(lock, 0) == 0)
		lock->holder = HOLDER_NOBODY;
	lock->disagrees = lock_u32(lock, 0) != tid;
	return there && there == joined ? FIT_STRONG : FIT_WEAK;
}
