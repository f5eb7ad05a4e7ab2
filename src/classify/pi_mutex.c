/*
 * A mutex with priority inheritance whose lock the kernel refuses, because its owner is the caller
 * or no longer exists: libc then sleeps for ever on a zero of its own, which says nothing of the
 * mutex (glibc 2.17 to 2.42, pthread_mutex_lock.c; musl 1.2, pthread_mutex_timedlock.c).
 */
#include "classify/owners.h"

#include <linux/futex.h>

#define STACK_SCANNED 1024

static bool waits_on_own_zero(const struct subject *subject, const struct futex_wait *futex)
{
	return (futex->op == FUTEX_WAIT || futex->op == FUTEX_WAIT_BITSET) && futex->value == 0 &&
	       futex->has_word && futex->word == 0 && futex->address >= subject->sp &&
	       futex->address - subject->sp < STACK_SCANNED;
}

/* Is it one that the kernel would refuse to this thread?  *ret_tid: whose it is. */
static bool is_refused(struct subject *subject, uint64_t address, uint32_t *ret_tid)
{
	struct lock_case lock = {.subject = subject, .base = address};
	if (!address || address % 8 || !capture_mapping_at(subject->process, address) ||
	    !subject_read(subject, address, lock.bytes, 40) ||
	    glibc_check_mutex(&lock) != FIT_STRONG || !glibc_mutex_inherits(&lock))
		return false;
	*ret_tid = lock_u32(&lock, 0) & FUTEX_TID_MASK;
	const struct capture_thread *owner = subject_thread_by_ns_tid(subject, *ret_tid);
	return !owner || owner == subject->thread;
}

bool pi_mutex_was_given_up(struct subject *subject, const struct futex_wait *futex)
{
	uint64_t words[STACK_SCANNED / 8], found = 0;
	uint32_t tid = 0, found_tid = 0;
	if (!waits_on_own_zero(subject, futex))
		return false;
	size_t n = subject_read_stack(subject, words, sizeof(words)) / 8;
	subject->wait->resource = (struct resource){.kind = "mutex", .fd = -1};
	subject->wait->resource.detail = "priority inheritance; refused by the kernel";
	owners_set_state(subject, OWNER_UNREADABLE);
	for (size_t i = 0; i < n; i++) {
		if (words[i] == found || !is_refused(subject, words[i], &tid))
			continue;
		if (found) /* which of the two? */
			return true;
		found = words[i];
		found_tid = tid;
	}
	if (!found)
		return true;
	const char *detail = subject->wait->resource.detail;
	subject_set_object(subject, "mutex", found);
	subject->wait->resource.detail = detail;
	owners_by_tid(subject, found_tid, &(struct owner_proof){.named = true, .address = found});
	return true;
}
