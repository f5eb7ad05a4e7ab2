#include "classify/locks.h"

#include "base/array.h"
#include "classify/subject.h"

#include <limits.h>
#include <linux/futex.h>

const struct primitive_row primitive_rows[PRIMITIVES] = {
	[PRIMITIVE_NONE] = {WAIT_FUTEX, "futex"},
	[PRIMITIVE_MUTEX] = {WAIT_MUTEX_LOCK, "mutex"},
	[PRIMITIVE_LOW_LEVEL] = {WAIT_MUTEX_LOCK, "libc lock"},
	[PRIMITIVE_COND] = {WAIT_COND, "condition variable"},
	[PRIMITIVE_RWLOCK_READ] = {WAIT_RWLOCK_READ, "rwlock"},
	[PRIMITIVE_RWLOCK_WRITE] = {WAIT_RWLOCK_WRITE, "rwlock"},
	[PRIMITIVE_SEMAPHORE] = {WAIT_SEMAPHORE, "semaphore"},
	[PRIMITIVE_BARRIER] = {WAIT_BARRIER, "barrier"},
	[PRIMITIVE_ONCE] = {WAIT_ONCE, "once"},
	[PRIMITIVE_JOIN] = {WAIT_JOIN, "thread"},
};

/*
 * x86-64.  glibc: sysdeps/nptl/bits, nptl/ of 2.17 to 2.42; seen on 2.31, 2.36, 2.41.  musl:
 * src/thread/ of 1.2; seen on 1.2.3.  A guess takes the first row that fits strongly, so the more
 * telling rows come first.
 */
const struct lock_layout lock_layouts[] = {
	{LIBRARY_GLIBC, PRIMITIVE_MUTEX, 0, 8, 40, OP_PI, VALUE_ANY, 0, OWNER_TID_BITS, 0,
	 glibc_check_mutex, false, "2.17 to 2.42, priority inheritance"},
	{LIBRARY_GLIBC, PRIMITIVE_MUTEX, 0, 8, 40, OP_WAIT | OP_BITSET, VALUE_WAITERS, 0,
	 OWNER_TID_BITS, 0, glibc_check_mutex, false, "2.17 to 2.42, robust"},
	{LIBRARY_GLIBC, PRIMITIVE_MUTEX, 0, 8, 40, OP_WAIT | OP_BITSET, VALUE_IS, 2, OWNER_TID, 8,
	 glibc_check_mutex, false, "2.17 to 2.42"},
	{LIBRARY_GLIBC, PRIMITIVE_MUTEX, 0, 8, 40, OP_WAIT | OP_BITSET, VALUE_CEILING, 0, OWNER_TID,
	 8, glibc_check_mutex, false, "2.17 to 2.42, priority protection"},
	{LIBRARY_GLIBC, PRIMITIVE_JOIN, 0, 4, 4, OP_WAIT | OP_BITSET, VALUE_ANY, 0, OWNER_VALUE, 0,
	 glibc_check_join, false, "2.17 to 2.42: the tid in struct pthread"},
	{LIBRARY_GLIBC, PRIMITIVE_COND, 40, 8, 48, OP_BITSET | OP_WAIT, VALUE_ANY, 0, OWNER_NONE, 0,
	 glibc_check_cond, false, "2.25 to 2.40, group 0"},
	{LIBRARY_GLIBC, PRIMITIVE_COND, 44, 8, 48, OP_BITSET | OP_WAIT, VALUE_ANY, 0, OWNER_NONE, 0,
	 glibc_check_cond, false, "2.25 to 2.40, group 1"},
	{LIBRARY_GLIBC, PRIMITIVE_COND, 32, 8, 48, OP_BITSET | OP_WAIT, VALUE_ANY, 0, OWNER_NONE, 0,
	 glibc_check_cond, false, "2.41, later 2.38 to 2.40, group 0"},
	{LIBRARY_GLIBC, PRIMITIVE_COND, 36, 8, 48, OP_BITSET | OP_WAIT, VALUE_ANY, 0, OWNER_NONE, 0,
	 glibc_check_cond, false, "2.41, later 2.38 to 2.40, group 1"},
	{LIBRARY_GLIBC, PRIMITIVE_COND, 4, 8, 48, OP_WAIT | OP_REQUEUE, VALUE_ANY, 0, OWNER_NONE, 0,
	 glibc_check_old_cond, true, "2.17 to 2.24"},
	{LIBRARY_GLIBC, PRIMITIVE_RWLOCK_READ, 8, 8, 56, OP_BITSET, VALUE_IS, 3, OWNER_TID, 24,
	 glibc_check_rwlock, false, "2.25 to 2.42, a writer holds it"},
	{LIBRARY_GLIBC, PRIMITIVE_RWLOCK_READ, 0, 8, 56, OP_BITSET, VALUE_NOT_SMALL, 0, OWNER_TID,
	 24, glibc_check_rwlock, false, "2.25 to 2.42, behind a writer that waits"},
	{LIBRARY_GLIBC, PRIMITIVE_RWLOCK_WRITE, 8, 8, 56, OP_BITSET, VALUE_IS, 2, OWNER_TID, 24,
	 glibc_check_rwlock, false, "2.25 to 2.42, readers hold it"},
	{LIBRARY_GLIBC, PRIMITIVE_RWLOCK_WRITE, 12, 8, 56, OP_BITSET, VALUE_IS, 3, OWNER_TID, 24,
	 glibc_check_rwlock, false, "2.25 to 2.42, behind another writer"},
	{LIBRARY_GLIBC, PRIMITIVE_RWLOCK_READ, 8, 8, 56, OP_WAIT, VALUE_ANY, 0, OWNER_TID, 24,
	 glibc_check_old_rwlock, true, "2.17 to 2.24"},
	{LIBRARY_GLIBC, PRIMITIVE_RWLOCK_WRITE, 12, 8, 56, OP_WAIT, VALUE_ANY, 0, OWNER_TID, 24,
	 glibc_check_old_rwlock, true, "2.17 to 2.24"},
	{LIBRARY_GLIBC, PRIMITIVE_BARRIER, 4, 4, 20, OP_WAIT, VALUE_ANY, 0, OWNER_NONE, 0,
	 glibc_check_barrier, false, "2.23 to 2.42"},
	{LIBRARY_GLIBC, PRIMITIVE_SEMAPHORE, 0, 8, 12, OP_BITSET, VALUE_IS, 0, OWNER_NONE, 0,
	 glibc_check_semaphore, false, "2.21 to 2.42"},
	{LIBRARY_GLIBC, PRIMITIVE_SEMAPHORE, 0, 8, 16, OP_WAIT, VALUE_IS, 0, OWNER_NONE, 0,
	 glibc_check_old_semaphore, true, "2.17 to 2.20"},
	{LIBRARY_GLIBC, PRIMITIVE_LOW_LEVEL, 0, 4, 16, OP_WAIT, VALUE_IS, 2, OWNER_TCB, 8,
	 glibc_check_low_level, false, "2.17 to 2.42: stdio's lock knows its owner, others do not"},
	{LIBRARY_GLIBC, PRIMITIVE_ONCE, 0, 4, 4, OP_WAIT, VALUE_ONCE, 0, OWNER_NONE, 0,
	 glibc_check_once, false, "2.17 to 2.42"},

	{LIBRARY_MUSL, PRIMITIVE_MUTEX, 4, 4, 24, OP_WAIT, VALUE_WAITERS, 0, OWNER_TID_BITS, 4,
	 musl_check_mutex, false, "1.2: the owner of a normal mutex is not kept"},
	{LIBRARY_MUSL, PRIMITIVE_MUTEX, 4, 4, 24, OP_PI, VALUE_ANY, 0, OWNER_TID_BITS, 4,
	 musl_check_mutex, false, "1.2, priority inheritance"},
	{LIBRARY_MUSL, PRIMITIVE_COND, 0, 4, 4, OP_WAIT, VALUE_IS, 2, OWNER_NONE, 0,
	 musl_check_cond, false, "1.2: the word is on the waiter's stack"},
	{LIBRARY_MUSL, PRIMITIVE_COND, 8, 8, 16, OP_WAIT, VALUE_ANY, 0, OWNER_NONE, 0,
	 musl_check_shared_cond, true, "1.2, shared between processes"},
	{LIBRARY_MUSL, PRIMITIVE_RWLOCK_READ, 0, 4, 12, OP_WAIT, VALUE_WAITERS, 0, OWNER_NONE, 0,
	 musl_check_rwlock, false, "1.2"},
	{LIBRARY_MUSL, PRIMITIVE_RWLOCK_WRITE, 0, 4, 12, OP_WAIT, VALUE_WAITERS, 0, OWNER_NONE, 0,
	 musl_check_rwlock, false, "1.2"},
	{LIBRARY_MUSL, PRIMITIVE_SEMAPHORE, 0, 4, 12, OP_WAIT, VALUE_IS, 0xffffffff, OWNER_NONE, 0,
	 musl_check_semaphore, false, "1.1 to 1.2"},
	{LIBRARY_MUSL, PRIMITIVE_SEMAPHORE, 0, 4, 12, OP_WAIT, VALUE_IS, 0x80000000, OWNER_NONE, 0,
	 musl_check_semaphore, false, "1.2.4"},
	{LIBRARY_MUSL, PRIMITIVE_JOIN, 8, 4, 12, OP_WAIT, VALUE_IS, 2, OWNER_TID, 0,
	 musl_check_join, false, "1.2: detach_state in struct pthread, tid eight bytes before it"},
	{LIBRARY_MUSL, PRIMITIVE_BARRIER, 0, 4, 4, OP_WAIT, VALUE_IS, 1, OWNER_NONE, 0,
	 musl_check_barrier, true, "1.2: the word is on a waiter's stack"},
	{LIBRARY_MUSL, PRIMITIVE_LOW_LEVEL, 0, 4, 4, OP_WAIT, VALUE_NOT_SMALL, 0, OWNER_TID_BITS, 0,
	 musl_check_file, false, "1.2: stdio's lock"},
	{LIBRARY_MUSL, PRIMITIVE_LOW_LEVEL, 0, 4, 4, OP_WAIT, VALUE_NOT_SMALL, 0, OWNER_TID_BITS, 0,
	 musl_check_thread_list, false, "1.2: the list of threads"},
	{LIBRARY_MUSL, PRIMITIVE_ONCE, 0, 4, 4, OP_WAIT, VALUE_IS, 3, OWNER_NONE, 0,
	 musl_check_once, false, "1.2"},
};
const size_t lock_layout_count = ARRAY_SIZE(lock_layouts);

static unsigned op_bit(unsigned op)
{
	switch (op) {
	case FUTEX_WAIT:
		return OP_WAIT;
	case FUTEX_WAIT_BITSET:
		return OP_BITSET;
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2_OP:
		return OP_PI;
	case FUTEX_WAIT_REQUEUE_PI:
		return OP_REQUEUE;
	default:
		return 0;
	}
}

static bool signature_fits(const struct lock_layout *layout, const struct futex_wait *futex)
{
	if (!(layout->ops & op_bit(futex->op)))
		return false;
	switch (layout->rule) {
	case VALUE_ANY:
		return true;
	case VALUE_IS:
		return futex->value == layout->value;
	case VALUE_WAITERS:
		return futex->value & 0x80000000u;
	case VALUE_ONCE:
		return (futex->value & 3) == 1;
	case VALUE_CEILING:
		return futex->value >> 19 && (futex->value & 0x7ffff) == 2;
	case VALUE_NOT_SMALL:
		return futex->value > 4;
	}
	return false;
}

static enum fit examine(struct lock_case *lock, const struct lock_layout *layout)
{
	struct subject *subject = lock->subject;
	uint64_t address = lock->futex->address;
	if (address < layout->word)
		return FIT_NO;
	lock->base = address - layout->word;
	if (lock->base % layout->align)
		return FIT_NO;
	bool before = *subject->read_live;
	*subject->read_live = false;
	bool read = subject_read(subject, lock->base, lock->bytes, layout->size);
	lock->live = *subject->read_live;
	*subject->read_live |= before;
	if (!read)
		return FIT_UNREAD;
	lock->layout = layout;
	return layout->check(lock);
}

static void take(struct subject *subject, const struct lock_case *lock)
{
	struct resource *resource = &subject->wait->resource;
	subject_set_object(subject,
			   lock->kind ? lock->kind : primitive_rows[lock->layout->primitive].kind,
			   lock->base);
	if (lock->name)
		resource->name = lock->name;
	resource->detail = lock->detail;
	resource->identity = lock->identity;
}

enum fit lock_describe(struct subject *subject, enum primitive primitive, unsigned libraries,
		       const struct futex_wait *futex, struct lock_case *ret)
{
	struct lock_case best = {.subject = subject, .futex = futex, .base = futex->address};
	bool contested = false;
	for (size_t i = 0; i < lock_layout_count; i++) {
		const struct lock_layout *layout = &lock_layouts[i];
		if (layout->primitive != primitive || !(layout->library & libraries) ||
		    !signature_fits(layout, futex))
			continue;
		struct lock_case lock = {.subject = subject, .futex = futex};
		lock.fit = examine(&lock, layout);
		if (lock.fit == FIT_WEAK && best.fit == FIT_WEAK && lock.base != best.base)
			contested = true;
		if (lock.fit <= best.fit)
			continue;
		contested = false;
		best = lock;
	}
	if (contested)
		best = (struct lock_case){
			.subject = subject, .futex = futex, .base = futex->address};
	if (best.layout)
		take(subject, &best);
	else
		subject_set_object(subject, primitive_rows[primitive].kind, futex->address);
	*ret = best;
	return best.fit;
}

/* In libc's own code no other wait has such a value. */
static bool value_is_telling(const struct lock_layout *layout)
{
	return layout->primitive == PRIMITIVE_LOW_LEVEL || layout->primitive == PRIMITIVE_ONCE;
}

bool lock_guess(struct subject *subject, unsigned libraries, const struct futex_wait *futex,
		struct lock_case *ret, enum wait_class *ret_class)
{
	struct lock_case best = {0};
	for (size_t i = 0; i < lock_layout_count && best.fit != FIT_STRONG; i++) {
		const struct lock_layout *layout = &lock_layouts[i];
		if (!(layout->library & libraries) || layout->named_only ||
		    !signature_fits(layout, futex))
			continue;
		struct lock_case lock = {.subject = subject, .futex = futex};
		lock.fit = examine(&lock, layout);
		if (lock.fit == FIT_STRONG ||
		    (!best.layout && lock.fit == FIT_WEAK && value_is_telling(layout)))
			best = lock;
	}
	if (!best.layout)
		return false;
	take(subject, &best);
	*ret = best;
	*ret_class = best.class ? best.class : primitive_rows[best.layout->primitive].class;
	return true;
}

void lock_set_joined(struct lock_case *lock, const struct capture_thread *joined)
{
	lock->name = joined->name && *joined->name ? joined->name : NULL;
	lock->detail = subject_printf(lock->subject, "thread %d", (int)joined->tid);
	lock->identity = subject_printf(lock->subject, "thread:%d", (int)joined->tid);
	lock->thread = joined;
	lock->holder = HOLDER_RECORDED;
	lock->never_itself = true;
}
