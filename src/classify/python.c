/*
 * CPython's interpreter lock, as threads wait for it: on a condition variable inside of the
 * structure that says who has it.
 */
#include "base/array.h"
#include "classify/memo.h"
#include "classify/owners.h"

/*
 * struct _gil_runtime_state: holder 8, locked 16, condition 32, its mutex 80.  The same in 3.7 to
 * 3.13, be it the process's (up to 3.11) or an interpreter's (since 3.12).
 */
#define GIL_HOLDER 8
#define GIL_LOCKED 16
#define GIL_COND   32

/*
 * PyThreadState: thread_id, which is the address of the control block, and native_thread_id, the
 * kernel's id.  Measured with the headers of 3.8 to 3.13.
 */
static const struct {
	uint16_t thread_id, native_id; /* native_id 0: not kept */
	const char *versions;
} state_rows[] = {
	{152, 160, "3.11, 3.13"},
	{136, 144, "3.12"},
	{176, 0, "3.8 to 3.10"},
};
#define STATE_SIZE 184

static uint64_t u64_at(const unsigned char *bytes, size_t offset)
{
	uint64_t value;
	__builtin_memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* Both ids must be those of one thread, or it is no thread state of this version. */
static const struct capture_thread *thread_of_state(const struct subject *subject,
						    const unsigned char state[STATE_SIZE])
{
	for (size_t i = 0; i < ARRAY_SIZE(state_rows); i++) {
		uint64_t block = u64_at(state, state_rows[i].thread_id);
		const struct capture_thread *thread = subject_thread_by_tcb(subject, block, 1);
		if (!thread)
			continue;
		if (!state_rows[i].native_id ||
		    u64_at(state, state_rows[i].native_id) == (uint64_t)thread->ns_tid)
			return thread;
	}
	return NULL;
}

void python_find_holder(struct subject *subject, const struct lock_case *cond)
{
	unsigned char gil[GIL_COND], state[STATE_SIZE];
	uint32_t locked;
	owners_set_state(subject, OWNER_NOT_RECORDED);
	if (cond->base < GIL_COND || !subject_read(subject, cond->base - GIL_COND, gil, GIL_COND))
		return;
	__builtin_memcpy(&locked, gil + GIL_LOCKED, sizeof(locked));
	if (locked == 0)
		owners_set_state(subject, OWNER_NOBODY);
	if (locked != 1 || !subject_read(subject, u64_at(gil, GIL_HOLDER), state, STATE_SIZE))
		return;
	const struct capture_thread *holder = thread_of_state(subject, state);
	/* The state was looked up by shape, and mostly after the threads were let go: not sure. */
	if (holder && holder != subject->thread)
		owners_set_thread(subject, holder, &(struct owner_proof){.named = true});
}
