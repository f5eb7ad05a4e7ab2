/* musl's synchronisation objects, 1.2: src/internal/pthread_impl.h, src/thread/. */
#include "base/array.h"
#include "classify/locks.h"
#include "classify/memo.h"
#include "classify/subject.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>

#define MANY	       1000000
#define TYPE_RECURSIVE 1
#define TYPE_ROBUST    4
#define TYPE_INHERIT   8
#define TYPE_SHARED    128
#define TYPE_MASK      0x8fu
#define LOCK_TID_MASK  0x3fffffff
#define MAYBE_WAITERS  0x40000000 /* in the lock of a FILE */

static bool on_own_stack(const struct lock_case *lock)
{
	const struct subject *subject = lock->subject;
	uint64_t address = lock->futex->address;
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, subject->sp);
	return mapping && address >= subject->sp && address < mapping->end;
}

static const char *mutex_detail(const struct lock_case *lock, uint32_t type)
{
	static const char *const types[] = {NULL, "recursive", "error-checking", NULL};
	uint32_t count = lock_u32(lock, 20);
	const char *counted = NULL;
	/* It counts how often it was taken beyond the first time. */
	if ((type & 3) == TYPE_RECURSIVE && count > 0 && count < MANY)
		counted = subject_printf(lock->subject, "count %u", count + 1);
	const char *const words[] = {
		types[type & 3],
		counted,
		type & TYPE_ROBUST ? "robust" : NULL,
		type & TYPE_INHERIT ? "priority inheritance" : NULL,
		type & TYPE_SHARED ? "shared between processes" : NULL,
	};
	return subject_list(lock->subject, words, ARRAY_SIZE(words));
}

/* Type 0, lock 4, waiters 8, count 20.  A normal mutex's lock holds EBUSY, no owner. */
enum fit musl_check_mutex(struct lock_case *lock)
{
	uint32_t type = lock_u32(lock, 0), word = lock_u32(lock, 4), waiters = lock_u32(lock, 8);
	uint32_t tid = word & LOCK_TID_MASK;
	bool inherits = lock->futex->op != FUTEX_WAIT;
	if (type & ~TYPE_MASK || waiters > MANY || inherits != !!(type & TYPE_INHERIT))
		return FIT_NO;
	if ((type & 15) == 0 && tid && tid != EBUSY)
		return FIT_NO;
	lock->detail = mutex_detail(lock, type);
	lock->never_itself = (type & 3) != 0 || inherits;
	if (tid && (type & 15) != 0) {
		lock->holder = HOLDER_RECORDED;
	} else if (!tid && word & FUTEX_OWNER_DIED) {
		lock->holder = HOLDER_DIED;
	} else if (!tid) {
		lock->holder = HOLDER_NOBODY;
		lock->overdue = waiters && !inherits;
		return FIT_WEAK;
	}
	return waiters || (inherits && tid_like(tid)) ? FIT_STRONG : FIT_WEAK;
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
		lock->holder = HOLDER_READERS;
	} else {
		return FIT_NO;
	}
	return FIT_STRONG;
}

/*
 * Value 0 (-1: none, and waiters; from 1.2.4 on bit 31: waiters), waiters 4, private 8 (128).
 */
enum fit musl_check_semaphore(struct lock_case *lock)
{
	uint32_t word = lock_u32(lock, 0), waiters = lock_u32(lock, 4);
	uint32_t value = word == UINT32_MAX ? 0 : word & INT_MAX;
	if (!waiters || waiters > MANY || !shared_agrees(lock, lock_u32(lock, 8), 0))
		return FIT_NO;
	lock->detail = subject_printf(lock->subject, "value %u, %u waiter%s", value, waiters,
				      waiters == 1 ? "" : "s");
	lock->overdue = value > 0;
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

/* detach_state 8; the thread's tid 0, which is no more than it was when the thread has ended. */
enum fit musl_check_join(struct lock_case *lock)
{
	const struct capture_thread *joined =
		subject_thread_by_ns_tid(lock->subject, lock_u32(lock, 0));
	if (!joined || lock_u32(lock, 8) != 2)
		return FIT_NO;
	lock_set_joined(lock, joined);
	return FIT_STRONG;
}

/* FILE.lock: the owner's tid, and MAYBE_WAITERS.  It is recursive. */
enum fit musl_check_file(struct lock_case *lock)
{
	uint32_t word = lock->futex->value;
	if (!(word & MAYBE_WAITERS) ||
	    !subject_thread_by_ns_tid(lock->subject, word & LOCK_TID_MASK))
		return FIT_NO;
	lock->kind = "stdio lock";
	lock->holder = HOLDER_RECORDED;
	lock->disagrees = lock_u32(lock, 0) != word;
	lock->never_itself = true;
	return FIT_STRONG;
}

/* The tid of who goes through the list; only in musl's own code is that telling enough. */
enum fit musl_check_thread_list(struct lock_case *lock)
{
	uint32_t word = lock->futex->value;
	if (!memo_has_libc(lock->subject->memo) || lock_u32(lock, 0) != word ||
	    !subject_thread_by_ns_tid(lock->subject, word))
		return FIT_NO;
	lock->kind = "thread list lock";
	lock->holder = HOLDER_RECORDED;
	lock->never_itself = true;
	return FIT_STRONG;
}
