/*
 * A mutex with priority inheritance whose lock the kernel refuses, because its owner is the caller
 * or no longer exists: libc then sleeps for ever on a zero of its own, which says nothing of the
 * mutex (glibc 2.17 to 2.42, pthread_mutex_lock.c; musl 1.2, pthread_mutex_timedlock.c).
 */
#include "base/array.h"
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

/* Registers that a function saves before it changes them: a caller's may be in them still. */
static size_t saved_registers(const struct subject *subject, uint64_t *ret)
{
	static const unsigned saved[] = {DWARF_RBX, DWARF_RBP, DWARF_R12,
					 DWARF_R13, DWARF_R14, DWARF_R15};
	if (subject->thread->registers_from != REGISTERS_STOPPED)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(saved); i++)
		ret[i] = subject->thread->registers.value[saved[i]];
	return ARRAY_SIZE(saved);
}

/* The one refused mutex that the thread has a pointer to; 0: there is none, or another one. */
static uint64_t find_refused(struct subject *subject, uint32_t *ret_tid)
{
	uint64_t words[6 + STACK_SCANNED / 8], found = 0;
	uint32_t tid;
	size_t n = saved_registers(subject, words);
	n += subject_read_stack(subject, words + n, STACK_SCANNED) / 8;
	for (size_t i = 0; i < n; i++) {
		if (words[i] == found || !is_refused(subject, words[i], &tid))
			continue;
		if (found)
			return 0;
		found = words[i];
		*ret_tid = tid;
	}
	return found;
}

bool pi_mutex_was_given_up(struct subject *subject, const struct futex_wait *futex, bool named)
{
	uint32_t tid;
	if (!waits_on_own_zero(subject, futex))
		return false;
	uint64_t found = find_refused(subject, &tid);
	if (!found && !named)
		return false;
	subject->wait->resource = (struct resource){.kind = "mutex", .fd = -1};
	owners_set_state(subject, OWNER_UNREADABLE);
	if (found) {
		subject_set_object(subject, "mutex", found);
		owners_by_tid(subject, tid, &(struct owner_proof){.named = true, .address = found});
	}
	subject->wait->resource.detail = "priority inheritance; refused by the kernel";
	return true;
}
