/* musl's synchronisation objects, 1.2: src/internal/pthread_impl.h, src/thread/. */
#include "classify/locks.h"
#include "classify/subject.h"

#include <errno.h>
#include <linux/futex.h>

#define MANY 1000000

static bool on_own_stack(const struct lock_case *lock)
{
	const struct subject *subject = lock->subject;
	uint64_t address = lock->futex->address;
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, subject->sp);
	return mapping && address >= subject->sp && address < mapping->end;
}

/* Type 0, lock 4, waiters 8, count 20.  A normal mutex's lock holds EBUSY, no owner. */
enum fit musl_check_mutex(struct lock_case *lock)
{
	uint32_t type = lock_u32(lock, 0), word = lock_u32(lock, 4), waiters = lock_u32(lock, 8);
	static const char *const types[] = {NULL, "recursive", "error-checking", NULL};
	if (type & ~0x8fu || waiters > MANY || !(word & FUTEX_TID_MASK))
		return FIT_NO;
	if ((type & 15) == 0 && (word & FUTEX_TID_MASK) != EBUSY)
		return FIT_NO;
	lock->detail = types[type & 3];
	return waiters ? FIT_STRONG : FIT_WEAK;
}

enum fit musl_check_cond(struct lock_case *lock)
{
	return on_own_stack(lock) ? FIT_STRONG : FIT_NO;
}

/* Shared 0, sequence 8, waiters 12. */
enum fit musl_check_shared_cond(struct lock_case *lock)
{
	uint32_t waiters = lock_u32(lock, 12) & 0x7fffffff;
	return waiters && waiters < MANY && lock_u64(lock, 0) ? FIT_WEAK : FIT_NO;
}

/* Whether the object's own flag agrees with how the kernel was asked to wait. */
static bool shared_agrees(const struct lock_case *lock, uint32_t flag, uint32_t when_shared)
{
	return flag == (lock->futex->shared ? when_shared : FUTEX_PRIVATE_FLAG - when_shared);
}

/*
 * Lock 0 (all ones below bit 31: a writer), waiters 4, shared 8 (128: shared).  Both sides wait
 * alike; but readers wait for writers alone.
 */
enum fit musl_check_rwlock(struct lock_case *lock)
{
	uint32_t count = lock_u32(lock, 0) & 0x7fffffff, waiters = lock_u32(lock, 4);
	if (!waiters || waiters > MANY ||
	    !shared_agrees(lock, lock_u32(lock, 8), FUTEX_PRIVATE_FLAG))
		return FIT_NO;
	if (count == 0x7fffffff) {
		lock->detail = "held by a writer";
		lock->class = WAIT_FUTEX;
	} else if (count && count < MANY) {
		lock->detail = subject_printf(lock->subject, "held by %u reader%s", count,
					      count == 1 ? "" : "s");
		lock->class = WAIT_RWLOCK_WRITE;
	} else {
		return FIT_NO;
	}
	return FIT_STRONG;
}

/* Value 0 (-1, from 1.2.4 on 0x80000000: none, and waiters), waiters 4, private 8 (128). */
enum fit musl_check_semaphore(struct lock_case *lock)
{
	uint32_t waiters = lock_u32(lock, 4);
	if (!waiters || waiters > MANY || !shared_agrees(lock, lock_u32(lock, 8), 0))
		return FIT_NO;
	lock->detail = subject_printf(lock->subject, "value 0, %u waiter%s", waiters,
				      waiters == 1 ? "" : "s");
	return FIT_STRONG;
}

enum fit musl_check_barrier(struct lock_case *lock)
{
	return lock_u32(lock, 0) == lock->futex->value ? FIT_WEAK : FIT_NO;
}

enum fit musl_check_once(struct lock_case *lock)
{
	return lock_u32(lock, 0) == lock->futex->value ? FIT_WEAK : FIT_NO;
}

enum fit musl_check_join(struct lock_case *lock)
{
	uint32_t tid = lock_u32(lock, 0);
	if (!subject_thread_by_ns_tid(lock->subject, tid) || lock_u32(lock, 8) != 2)
		return FIT_NO;
	lock_set_joined(lock, tid);
	return FIT_STRONG;
}

/* FILE.lock: the owner's tid, and MAYBE_WAITERS, 0x40000000. */
enum fit musl_check_file(struct lock_case *lock)
{
	uint32_t word = lock->futex->value;
	if (!(word & 0x40000000) || !subject_thread_by_ns_tid(lock->subject, word & 0x3fffffff))
		return FIT_NO;
	lock->kind = "stdio lock";
	return FIT_STRONG;
}
