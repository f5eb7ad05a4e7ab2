/*
 * CPython's interpreter lock, as threads wait for it: on a condition variable inside of the
 * structure that says who has it; and threading.RLock, which is a lock of CPython's and its owner.
 */
#include "classify/memo.h"
#include "classify/owners.h"

#include <string.h>

/*
 * struct _gil_runtime_state: holder 8, locked 16, condition 32, its mutex 80.  The same in 3.7 to
 * 3.13, be it the process's (up to 3.11) or an interpreter's (since 3.12).
 */
#define GIL_HOLDER 8
#define GIL_LOCKED 16
#define GIL_COND   32
#define GIL_MUTEX  80

/*
 * PyThreadState: thread_id, which is the address of the control block; from 3.11 on behind it
 * native_thread_id, the kernel's id.  Seen at 152 in 3.11 and 3.13, at 136 in 3.12; the two of one
 * thread side by side are found wherever they are.  Before that thread_id alone, at 176 in 3.7 to
 * 3.10.
 */
#define STATE_SIZE	     256
#define STATE_THREAD_ID_3_10 176

static uint64_t u64_at(const unsigned char *bytes, size_t offset)
{
	uint64_t value;
	__builtin_memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static const struct capture_thread *thread_of_state(const struct subject *subject,
						    const unsigned char state[STATE_SIZE])
{
	for (size_t at = 0; at + 16 <= STATE_SIZE; at += 8) {
		const struct capture_thread *thread =
			subject_thread_by_tcb(subject, u64_at(state, at), 1);
		if (thread && thread->ns_tid > 0 &&
		    u64_at(state, at + 8) == (uint64_t)thread->ns_tid)
			return thread;
	}
	return subject_thread_by_tcb(subject, u64_at(state, STATE_THREAD_ID_3_10), 1);
}

/* The lock around its condition variable, which has its mutex behind it.  False: it is none. */
static bool read_gil(const struct subject *subject, const struct lock_case *cond,
		     uint32_t *ret_locked, uint64_t *ret_holder)
{
	unsigned char gil[GIL_COND];
	if (cond->fit != FIT_STRONG || cond->mutex != cond->base + (GIL_MUTEX - GIL_COND) ||
	    cond->base < GIL_COND || !subject_read(subject, cond->base - GIL_COND, gil, GIL_COND))
		return false;
	__builtin_memcpy(ret_locked, gil + GIL_LOCKED, sizeof(*ret_locked));
	*ret_holder = u64_at(gil, GIL_HOLDER);
	return *ret_locked <= 1;
}

static const struct capture_thread *find_holder(const struct subject *subject, uint64_t state)
{
	unsigned char bytes[STATE_SIZE];
	return subject_read(subject, state, bytes, sizeof(bytes)) ? thread_of_state(subject, bytes)
								  : NULL;
}

void python_find_holder(struct subject *subject, const struct lock_case *cond)
{
	uint32_t locked;
	uint64_t state;
	owners_set_state(subject, OWNER_NOT_RECORDED);
	if (!read_gil(subject, cond, &locked, &state))
		return;
	if (!locked)
		owners_set_state(subject, OWNER_NOBODY);
	const struct capture_thread *holder = locked ? find_holder(subject, state) : NULL;
	/* The state was looked up by its shape, mostly after the threads were let go: not sure. */
	if (holder && holder != subject->thread)
		owners_set_thread(subject, holder, &(struct owner_proof){.named = true});
}

bool python_is_gil(struct subject *subject, const struct lock_case *cond)
{
	const char *name = subject->wait->resource.name;
	uint32_t locked;
	uint64_t state;
	return name && strncmp(name, "_PyRuntime", strlen("_PyRuntime")) == 0 &&
	       read_gil(subject, cond, &locked, &state) && find_holder(subject, state);
}

/*
 * rlockobject: lock 16, owner 24 (pthread_self()), count 32.  The same in 3.2 to 3.13.  The waiter
 * has a pointer to it on its stack, a few frames below the wait.
 */
#define RLOCK_LOCK	    16
#define RLOCK_OWNER	    24
#define RLOCK_COUNT	    32
#define RLOCK_MOST	    1000000
#define RLOCK_STACK_SCANNED 4096
/* It is read a little later: one that changes hands often may have another owner by then. */
#define RLOCK_LONG_MS 1000

static const struct capture_thread *owner_of_rlock(const struct subject *subject, uint64_t object,
						   uint64_t lock)
{
	uint64_t words[3];
	_Static_assert(RLOCK_COUNT + 8 - RLOCK_LOCK == sizeof(words), "three words, side by side");
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, object);
	if (object % 8 || !mapping || !mapping->writable ||
	    !subject_read(subject, object + RLOCK_LOCK, words, sizeof(words)) || words[0] != lock ||
	    words[2] == 0 || words[2] > RLOCK_MOST)
		return NULL;
	return subject_thread_by_tcb(subject, words[1], 1);
}

void python_find_rlock(struct subject *subject)
{
	uint64_t words[RLOCK_STACK_SCANNED / 8], lock = subject->wait->resource.address;
	if (!subject->thread->steady || subject->wait->since_ms < RLOCK_LONG_MS)
		return;
	size_t n = lock ? subject_read_stack(subject, words, sizeof(words)) / 8 : 0;
	for (size_t i = 0; i < n; i++) {
		const struct capture_thread *owner = owner_of_rlock(subject, words[i], lock);
		/* Its owner may take it again. */
		if (!owner || owner == subject->thread)
			continue;
		subject->wait->resource.kind = "python rlock";
		owners_set_thread(subject, owner, &(struct owner_proof){.named = true});
		return;
	}
}
