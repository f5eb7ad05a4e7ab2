/*
 * Waits on a futex: whose it is, by the names on the stack, by the memory around the word, and,
 * where there are no names, by the way the wait looks to the kernel.
 */
#include "base/array.h"
#include "classify/frames.h"
#include "classify/hotspot.h"
#include "classify/locks.h"
#include "classify/maker.h"
#include "classify/owners.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

static unsigned libraries_of(enum maker maker)
{
	switch (maker) {
	case MAKER_GLIBC:
		return LIBRARY_GLIBC;
	case MAKER_MUSL:
		return LIBRARY_MUSL;
	case MAKER_STATIC:
	case MAKER_UNKNOWN:
		return LIBRARY_EITHER;
	case MAKER_GOMP:
	case MAKER_OTHER:
		break;
	}
	return 0;
}

static struct futex_wait decode(const struct subject *subject)
{
	struct futex_wait futex = {.address = argument(subject, 0)};
	if (subject->wait->syscall.number == SYS_futex) {
		uint32_t op = (uint32_t)argument(subject, 1);
		futex.op = op & FUTEX_CMD_MASK;
		futex.shared = !(op & FUTEX_PRIVATE_FLAG);
		futex.value = (uint32_t)argument(subject, 2);
		futex.second = futex.op == FUTEX_WAIT_REQUEUE_PI ? argument(subject, 4) : 0;
	} else {
		/* futex_wait(addr, val, mask, flags, ...), Linux 6.7. */
		futex.op = FUTEX_WAIT_BITSET;
		futex.shared = !(argument(subject, 3) & FUTEX_PRIVATE_FLAG);
		futex.value = (uint32_t)argument(subject, 1);
	}
	futex.has_word = subject_read_u32(subject, futex.address, &futex.word);
	return futex;
}

static void say_word(struct subject *subject, const struct futex_wait *futex)
{
	subject_set_object(subject, "futex", futex->address);
	if (futex->has_word)
		subject->wait->resource.detail = subject_printf(subject, "value %u, waits while %u",
								futex->word, futex->value);
}

static const char *kind_of(const struct frame_row *row)
{
	if (row->kind)
		return row->kind;
	for (int i = 1; i < PRIMITIVES; i++) {
		if (primitive_rows[i].class == row->class)
			return primitive_rows[i].kind;
	}
	return NULL;
}

static void set_plain_object(struct subject *subject, const struct frame_row *row,
			     const struct futex_wait *futex)
{
	uint64_t base = futex->address >= row->word ? futex->address - row->word : futex->address;
	const char *kind = kind_of(row);
	subject_set_object(subject, kind ? kind : "futex", base);
	/* Waits for words that are no int go through one of a few that libstdc++ keeps for all. */
	if (subject->wait->resource.name && strstr(subject->wait->resource.name, "__waiter_pool"))
		subject->wait->resource.detail = "through libstdc++'s pool of waiters";
}

/*
 * libc++abi keeps the initialising thread's id beside the state of a static initialiser's guard;
 * libstdc++ has nothing there (libc++abi 11, cxa_guard_impl.h, with futexes).
 */
static void find_initialiser(struct subject *subject)
{
	const struct resource *guard = &subject->wait->resource;
	uint32_t tid;
	const struct capture_thread *thread;
	if (!guard->kind || strcmp(guard->kind, "static initialiser") != 0 ||
	    !subject_read_u32(subject, guard->address + 4, &tid))
		return;
	thread = subject_thread_by_ns_tid(subject, tid);
	if (thread && thread != subject->thread)
		owners_set_thread(subject, thread, &(struct owner_proof){.named = true});
}

/*
 * parking_lot's ThreadData: the futex word at 32, before it (0.12: at 0, 8 and so on by the
 * compiler's choice) the key, which is the lock's address.  A mutex that is held and waited for
 * has both low bits of its first byte set.
 */
static void find_parking_lot(struct subject *subject, const struct futex_wait *futex)
{
	uint64_t key;
	unsigned char state;
	if (futex->address < 32 || !subject_read(subject, futex->address - 32, &key, sizeof(key)) ||
	    !subject_read(subject, key, &state, 1) || (state & 3) != 3)
		return;
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, key);
	if (mapping && mapping->writable)
		subject_set_object(subject, "mutex", key);
}

/* The condition variable's mutex, or the lock that a low-level wait belongs to. */
static enum fit describe(struct subject *subject, enum primitive primitive, unsigned libraries,
			 const struct futex_wait *futex, struct lock_case *ret)
{
	if (primitive == PRIMITIVE_LOW_LEVEL &&
	    lock_describe(subject, PRIMITIVE_MUTEX, libraries, futex, ret) == FIT_STRONG)
		return FIT_STRONG;
	return lock_describe(subject, primitive, libraries, futex, ret);
}

/* What is waited for is libc's object, and not something that a library has built upon it. */
static bool is_libcs_wait(const struct frame_match *match)
{
	return match->row == match->object || match->row->class == match->object->class;
}

/* CPython's interpreter lock, also where its function has no name (Debian's has none). */
static void explain_condition(struct subject *subject, const struct lock_case *lock)
{
	if (subject->wait->class == WAIT_COND && python_is_gil(subject, lock)) {
		subject_decide(subject, WAIT_GIL, CONFIDENCE_LIKELY, "_PyRuntime");
		subject->wait->resource.kind = "interpreter lock";
	}
	if (subject->wait->class == WAIT_GIL)
		python_find_holder(subject, lock);
}

/* A primitive of libc's, and what a library has built upon it. */
static void set_libc_object(struct subject *subject, const struct frame_match *match,
			    const struct futex_wait *futex)
{
	unsigned libraries = libraries_of(maker_of(subject));
	struct lock_case lock;
	/* An interposer's frame: the call may still be libc's. */
	enum fit fit = describe(subject, match->object->primitive,
				libraries ? libraries : LIBRARY_EITHER, futex, &lock);
	if (fit == FIT_NO && pi_mutex_was_given_up(subject, futex, true))
		return;
	if (fit == FIT_NO)
		subject_doubt(subject);
	const char *kind = match->row == match->object ? NULL : kind_of(match->row);
	if (match->row == match->object)
		libc_lock_name(subject, match->object->primitive);
	else if (kind)
		subject->wait->resource.kind = kind;
	if (is_libcs_wait(match))
		owners_of_lock(subject, &lock, !match->doubtful);
	else
		owners_by_class(subject);
	explain_condition(subject, &lock);
	if (kind && strcmp(kind, "python lock") == 0)
		python_find_rlock(subject);
}

/*
 * The word is the waiter's own, or one that all objects of the kind share (the condition that
 * g_once and libc++'s call_once wait on): nothing in it tells this object from another.
 */
static bool word_is_not_the_objects(const struct frame_match *match)
{
	const struct frame_row *row = match->row, *object = match->object;
	return row->own_word || row->over == WAIT_PARK ||
	       (row->class == WAIT_ONCE && object && object->class == WAIT_COND);
}

static bool by_frames(struct subject *subject, const struct futex_wait *futex)
{
	struct frame_match match;
	if (!frames_match(subject, IN_FUTEX, &match))
		return false;
	const struct frame_row *row = match.row;
	subject_decide(subject, row->class, CONFIDENCE_CERTAIN, row->pattern);
	owners_by_class(subject);
	if (row->class == WAIT_SLEEP) {
		/* The word is of no interest: the time is what it waits for. */
	} else if (word_is_not_the_objects(&match)) {
		subject->wait->resource.kind = kind_of(row);
		if (strcmp(row->pattern, "RawMutex::lock_slow") == 0)
			find_parking_lot(subject, futex);
	} else if (match.object) {
		set_libc_object(subject, &match, futex);
	} else {
		set_plain_object(subject, row, futex);
		if (row->class == WAIT_ONCE)
			find_initialiser(subject);
	}
	if (row->class == WAIT_MONITOR_ENTER || row->class == WAIT_OBJECT)
		hotspot_find_monitor(subject);
	if (match.doubtful)
		subject_doubt(subject);
	return true;
}

/* libgomp is always stripped of the names that matter; its waits have one form each. */
static bool by_gomp(struct subject *subject, const struct futex_wait *futex)
{
	bool critical = futex->value == UINT32_MAX;
	subject_decide(subject, critical ? WAIT_MUTEX_LOCK : WAIT_BARRIER, CONFIDENCE_LIKELY,
		       "libgomp");
	subject_set_object(subject, critical ? "omp critical" : "omp barrier", futex->address);
	owners_by_class(subject);
	return true;
}

static bool by_refusal(struct subject *subject, const struct futex_wait *futex)
{
	if (!pi_mutex_was_given_up(subject, futex, false))
		return false;
	subject_decide(subject, WAIT_MUTEX_LOCK, CONFIDENCE_LIKELY, "refused FUTEX_LOCK_PI");
	return true;
}

static bool by_signature(struct subject *subject, const struct futex_wait *futex)
{
	enum maker maker = maker_of(subject);
	if (maker == MAKER_GOMP)
		return by_gomp(subject, futex);
	struct lock_case lock;
	enum wait_class class;
	if (!lock_guess(subject, libraries_of(maker), futex, &lock, &class))
		return maker != MAKER_OTHER && by_refusal(subject, futex);
	/* A word of the program's own may well be 2: only libc's code makes that telling. */
	if (lock.fit != FIT_STRONG && maker != MAKER_GLIBC && maker != MAKER_MUSL) {
		subject->wait->resource = (struct resource){.fd = -1};
		return false;
	}
	subject_decide(subject, class, CONFIDENCE_LIKELY, "futex signature");
	libc_lock_name(subject, lock.layout->primitive);
	lock.libcs = maker == MAKER_GLIBC || maker == MAKER_MUSL;
	owners_of_lock(subject, &lock, false);
	explain_condition(subject, &lock);
	return true;
}

/* The kernel's own locks with priority inheritance: their words are as futex(2) has them. */
static bool by_operation(struct subject *subject, const struct futex_wait *futex)
{
	struct lock_case lock;
	if (futex->op != FUTEX_LOCK_PI && futex->op != FUTEX_LOCK_PI2_OP)
		return false;
	lock_describe(subject, PRIMITIVE_MUTEX, LIBRARY_EITHER, futex, &lock);
	subject_decide(subject, WAIT_MUTEX_LOCK, CONFIDENCE_CERTAIN, "FUTEX_LOCK_PI");
	owners_of_lock(subject, &lock, true);
	if (!lock.layout && futex->has_word)
		owners_by_tid(subject, futex->word & FUTEX_TID_MASK,
			      &(struct owner_proof){.named = true, .address = futex->address});
	return true;
}

void classify_futex(struct subject *subject)
{
	struct futex_wait futex = decode(subject);
	owners_begin(subject, &futex);
	if (!by_frames(subject, &futex) && !by_operation(subject, &futex) &&
	    !by_signature(subject, &futex)) {
		subject_decide(subject, WAIT_FUTEX, CONFIDENCE_CERTAIN, "futex");
		say_word(subject, &futex);
	}
	classify_place(subject);
}

enum { WAITV_MOST = 128 }; /* FUTEX_WAITV_MAX */

/* struct futex_waitv. */
struct waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

/* Who could wake one of them could wake the waiter. */
static enum wait_reach reach_of_all(struct subject *subject, uint64_t address, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct waitv one;
		if (i >= WAITV_MOST ||
		    !subject_read(subject, address + i * sizeof(one), &one, sizeof(one)))
			return REACH_ANYBODY;
		struct futex_wait futex = {.address = one.address,
					   .shared = !(one.flags & FUTEX_PRIVATE_FLAG)};
		owners_begin(subject, &futex);
		if (subject->wait->reach == REACH_ANYBODY)
			return REACH_ANYBODY;
	}
	return count ? REACH_PROCESS : REACH_ANYBODY;
}

void classify_futex_waitv(struct subject *subject)
{
	struct waitv first;
	uint32_t count = (uint32_t)argument(subject, 1);
	subject_decide(subject, WAIT_FUTEX, CONFIDENCE_CERTAIN, "futex_waitv");
	subject->wait->resource.kind = "futex";
	if (!subject_read(subject, argument(subject, 0), &first, sizeof(first)))
		return;
	subject_set_object(subject, "futex", first.address);
	if (count > 1 && count <= WAITV_MOST)
		subject->wait->resource.detail =
			subject_printf(subject, "the first of %u futexes", count);
	subject->wait->reach = reach_of_all(subject, argument(subject, 0), count);
	classify_place(subject);
}
