#include "classify/owners.h"

#include "base/array.h"
#include "classify/frames.h"
#include "classify/memo.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANCESTORS 32 /* a chain of parents is not followed further */

static void forget(struct wait *wait)
{
	wait->owners.count = 0;
	wait->owner_confidence = CONFIDENCE_LIKELY;
}

void owners_set_state(struct subject *subject, enum owner_state state)
{
	forget(subject->wait);
	subject->wait->owner_state = state;
}

static void add_owner(struct subject *subject, pid_t pid, pid_t tid, enum owner_state state)
{
	owners_set_state(subject, state);
	*array_append(&subject->wait->owners) = (struct thread_id){pid, tid};
}

/* The object lies in memory that other processes may have as well: where nothing says no. */
static bool is_shared_memory(const struct subject *subject, uint64_t address)
{
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, address);
	return address && (!mapping || mapping->shared);
}

/*
 * The kernel keys a private futex by address space, and a shared one as well when the page behind
 * it is not shared: nobody outside of the process can wake its waiters.
 */
static bool is_the_processs_own(const struct subject *subject, uint64_t address, bool shared)
{
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, address);
	return !shared || (mapping && !mapping->shared && mapping->writable);
}

void owners_begin(struct subject *subject, const struct futex_wait *futex)
{
	forget(subject->wait);
	subject->wait->reach = is_the_processs_own(subject, futex->address, futex->shared)
				       ? REACH_PROCESS
				       : REACH_ANYBODY;
}

/* Where nothing more is known: must somebody act, whom nothing records? */
static enum owner_state state_of_class(enum wait_class class)
{
	switch (class) {
	case WAIT_MUTEX_LOCK:
	case WAIT_RWLOCK_READ:
	case WAIT_RWLOCK_WRITE:
	case WAIT_ONCE:
	case WAIT_JOIN:
	case WAIT_GIL:
	case WAIT_MONITOR_ENTER:
		return OWNER_NOT_RECORDED;
	default:
		return OWNER_NOBODY;
	}
}

void owners_by_class(struct subject *subject)
{
	owners_set_state(subject, state_of_class(subject->wait->class));
}

/* Milliseconds since boot; -1: not known. */
static int64_t asleep_since(const struct subject *subject)
{
	int64_t now = subject->context->boottime_ns / 1000000, slept = subject->wait->since_ms;
	return now > 0 && slept >= 0 && slept <= now ? now - slept : -1;
}

/*
 * An owner that began later than the waiter fell asleep can have taken the lock while this waiter
 * was passed over, or has an id that somebody had before it.  The two times may be seconds apart on
 * a loaded machine (one is of the capture's moment, the other of the survey's), and their clocks
 * agree to 0.2 %; within that time an id hardly comes back.
 */
static bool began_later(const struct subject *subject, uint64_t start_time)
{
	int64_t since = asleep_since(subject);
	long ticks = sysconf(_SC_CLK_TCK);
	if (since < 0 || !start_time || ticks <= 0)
		return false;
	int64_t began = (int64_t)(start_time / (uint64_t)ticks * 1000 +
				  start_time % (uint64_t)ticks * 1000 / (uint64_t)ticks);
	return began > since + 5000 + subject->wait->since_ms / 500;
}

/* Ids of another namespace look like ids of this one; where ours is the first, that is unlikely. */
static bool ids_may_be_foreign(const struct subject *subject, const struct owner_proof *proof)
{
	return is_shared_memory(subject, proof->address) &&
	       subject->thread->ns_tid != subject->thread->tid;
}

static bool is_dead(const struct capture_thread *thread)
{
	return thread->state == 'Z' || thread->state == 'X' || thread->stop == STOP_GONE;
}

void owners_set_thread(struct subject *subject, const struct capture_thread *thread,
		       const struct owner_proof *proof)
{
	if (is_dead(thread)) {
		add_owner(subject, subject->process->pid, thread->ns_tid, OWNER_EXITED);
		return;
	}
	add_owner(subject, subject->process->pid, thread->tid, OWNER_ALIVE);
	subject->wait->reach = REACH_OWNERS;
	if (proof->sure && subject->thread->steady && !thread->ended &&
	    !began_later(subject, thread->start_time) && !ids_may_be_foreign(subject, proof))
		subject->wait->owner_confidence = CONFIDENCE_CERTAIN;
}

static const struct capture_process *dumped_process(const struct subject *subject, pid_t pid)
{
	array_for_each (&subject->context->capture->processes, process) {
		if (process->pid == pid)
			return process;
	}
	return NULL;
}

static bool maps_the_same(const struct capture_process *process,
			  const struct capture_mapping *mapping)
{
	if (!mapping)
		return false;
	array_for_each (&process->mappings, other) {
		if (other->shared && other->inode == mapping->inode &&
		    other->device_major == mapping->device_major &&
		    other->device_minor == mapping->device_minor)
			return true;
	}
	return false;
}

/* Of a thread in another process, or of the process where the thread's own is not known. */
static uint64_t start_of(const struct subject *subject, const struct capture_process *process,
			 struct thread_id id)
{
	const struct capture_thread *thread =
		process ? capture_thread_by_tid(process, id.tid) : NULL;
	if (thread)
		return thread->start_time;
	const struct capture_neighbour *neighbour =
		capture_neighbour_of(subject->context->capture, id.pid);
	return neighbour ? neighbour->start_time : 0;
}

/* In memory that several processes share: the owner may be a thread of any of them. */
static void owner_elsewhere(struct subject *subject, uint32_t tid, struct thread_id id,
			    const struct owner_proof *proof)
{
	const struct capture_mapping *mapping =
		capture_mapping_at(subject->process, proof->address);
	const struct capture_process *process = dumped_process(subject, id.pid);
	const struct capture_thread *thread =
		process ? capture_thread_by_tid(process, id.tid) : NULL;
	bool later = began_later(subject, start_of(subject, process, id));
	if ((process && !maps_the_same(process, mapping)) || (thread && is_dead(thread))) {
		/* Whoever has the id has nothing to do with the object. */
		add_owner(subject, subject->process->pid, (pid_t)tid, OWNER_EXITED);
		return;
	}
	if (!process && later) {
		owners_set_state(subject, OWNER_UNREADABLE);
		return;
	}
	add_owner(subject, id.pid, id.tid, OWNER_ALIVE);
	subject->wait->reach = REACH_OWNERS;
	if (proof->sure && subject->thread->steady && thread && !thread->ended && !later &&
	    !ids_may_be_foreign(subject, proof))
		subject->wait->owner_confidence = CONFIDENCE_CERTAIN;
}

static pid_t parent_of(const struct subject *subject, pid_t pid)
{
	const struct capture_process *process = dumped_process(subject, pid);
	const struct capture_neighbour *neighbour =
		process ? NULL : capture_neighbour_of(subject->context->capture, pid);
	return process ? process->ppid : neighbour ? neighbour->ppid : 0;
}

static bool is_ancestor(const struct subject *subject, pid_t pid)
{
	pid_t at = subject->process->ppid;
	for (unsigned i = 0; i < ANCESTORS && at > 1; i++) {
		if (at == pid)
			return true;
		at = parent_of(subject, at);
	}
	return false;
}

/* It runs what we run, as far as that is known: it has not called exec since. */
static bool runs_the_same(const struct subject *subject, pid_t pid)
{
	const struct capture_process *process = dumped_process(subject, pid);
	const char *ours = subject->process->executable;
	return !process || !process->executable || !ours || strcmp(process->executable, ours) == 0;
}

/*
 * In the process's own memory, and no thread of it: gone, or never here.  Never certain: an id that
 * is nobody's looks like any other word.
 */
static void owner_gone(struct subject *subject, uint32_t tid)
{
	const struct capture *capture = subject->context->capture;
	struct thread_id id;
	bool known = false;
	bool lives =
		capture && capture_find_thread(capture, subject->process, (pid_t)tid, &id, &known);
	if (lives && id.pid == subject->process->pid)
		add_owner(subject, id.pid, id.tid, OWNER_ALIVE); /* born after the survey */
	else if (lives && is_ancestor(subject, id.pid) && runs_the_same(subject, id.pid))
		add_owner(subject, id.pid, id.tid, OWNER_LEFT_BY_FORK);
	else
		add_owner(subject, subject->process->pid, (pid_t)tid, OWNER_EXITED);
}

void owners_by_tid(struct subject *subject, uint32_t tid, const struct owner_proof *proof)
{
	const struct capture *capture = subject->context->capture;
	const struct capture_thread *thread = memo_thread_by_ns_tid(subject->memo, tid);
	struct thread_id id;
	bool known = capture != NULL;
	if (!tid_like(tid)) {
		owners_set_state(subject, OWNER_UNREADABLE);
	} else if (thread) {
		owners_set_thread(subject, thread, proof);
	} else if (memo_lacks_ids(subject->memo) || !proof->named) {
		owners_set_state(subject, OWNER_UNREADABLE);
	} else if (!is_shared_memory(subject, proof->address)) {
		owner_gone(subject, tid);
	} else if (capture &&
		   capture_find_thread(capture, subject->process, (pid_t)tid, &id, &known)) {
		owner_elsewhere(subject, tid, id, proof);
	} else if (known) {
		add_owner(subject, subject->process->pid, (pid_t)tid, OWNER_EXITED);
	} else {
		owners_set_state(subject, OWNER_UNREADABLE);
	}
}

/* An owner that the object does not let be: it would not wait for itself. */
static bool waits_for_itself(const struct subject *subject, const struct lock_case *lock,
			     uint32_t tid)
{
	return lock->never_itself &&
	       (lock->thread == subject->thread ||
		(!lock->thread && (pid_t)tid == subject->thread->ns_tid && tid));
}

static void recorded_owner(struct subject *subject, const struct lock_case *lock,
			   const struct owner_proof *proof)
{
	uint32_t tid = 0;
	switch (lock->layout->owner_form) {
	case OWNER_TID:
		tid = lock_u32(lock, lock->layout->owner);
		break;
	case OWNER_TID_BITS:
		tid = lock_u32(lock, lock->layout->owner) & FUTEX_TID_MASK;
		break;
	case OWNER_VALUE:
		tid = lock->futex->value;
		break;
	case OWNER_TCB:
	case OWNER_NONE:
		break;
	}
	if (waits_for_itself(subject, lock, tid))
		owners_set_state(subject, OWNER_UNREADABLE);
	else if (lock->thread)
		owners_set_thread(subject, lock->thread, proof);
	else
		owners_by_tid(subject, tid, proof);
}

/*
 * A thread that has made an object free and not yet called the kernel would look the same: so
 * there must be none that may be about to.  The waiter itself is steady only where it was not
 * stopped.
 */
static bool is_overdue(const struct subject *subject, const struct lock_case *lock, bool named)
{
	bool is_such = named || (lock->libcs && lock->fit == FIT_STRONG);
	return lock->overdue && is_such && !lock->live && subject->wait->reach == REACH_PROCESS &&
	       (subject->thread->steady || slept_at_stop(subject->thread)) &&
	       memo_nobody_works_on(subject->memo, lock->futex->address);
}

/*
 * glibc's lock of a FILE has a pointer to its owner's control block.  One that is no thread's is
 * that of a thread that has ended, and whose id is lost.
 */
static bool has_lost_owner(const struct subject *subject, const struct lock_case *lock)
{
	const char *kind = subject->wait->resource.kind;
	return lock->layout->owner_form == OWNER_TCB && kind && strcmp(kind, "stdio lock") == 0 &&
	       lock_u32(lock, 0) && lock_u64(lock, lock->layout->owner) &&
	       !memo_lacks_control_blocks(subject->memo);
}

/*
 * A handler that asks for the lock that the code it interrupted has taken: malloc in a signal
 * handler.  Nothing records that, but hardly anything else looks like it.
 */
static bool interrupted_itself(const struct subject *subject)
{
	const char *kind = subject->wait->resource.kind;
	const char *taken = frames_interrupted_libc_lock(subject);
	return kind && taken && strcmp(kind, taken) == 0 && strcmp(kind, "malloc arena") == 0;
}

static void not_told(struct subject *subject, const struct lock_case *lock)
{
	enum wait_class of_primitive = primitive_rows[lock->layout->primitive].class;
	if (has_lost_owner(subject, lock))
		owners_set_state(subject, OWNER_EXITED);
	else if (interrupted_itself(subject))
		owners_set_thread(subject, subject->thread, &(struct owner_proof){.named = true});
	else if (subject->wait->class == WAIT_FUTEX)
		/* Which side of a lock it waits on is not known; that somebody has it is. */
		owners_set_state(subject, state_of_class(of_primitive));
}

void owners_of_lock(struct subject *subject, const struct lock_case *lock, bool named)
{
	struct owner_proof proof = {.sure = lock->fit == FIT_STRONG && !lock->disagrees &&
					    !lock->live,
				    .named = named,
				    .address = lock->base};
	owners_by_class(subject);
	if (!lock->layout) {
		if (subject->wait->owner_state == OWNER_NOT_RECORDED &&
		    subject->wait->class != WAIT_ONCE)
			owners_set_state(subject, OWNER_UNREADABLE);
		return;
	}
	subject->wait->overdue = is_overdue(subject, lock, named);
	switch (lock->holder) {
	case HOLDER_NOT_TOLD:
		not_told(subject, lock);
		break;
	case HOLDER_RECORDED:
		recorded_owner(subject, lock, &proof);
		break;
	case HOLDER_READERS:
		owners_set_state(subject, OWNER_READERS);
		break;
	case HOLDER_NOBODY:
		owners_set_state(subject, OWNER_NOBODY);
		break;
	case HOLDER_DIED:
		owners_set_state(subject, OWNER_EXITED);
		if (lock->died)
			add_owner(subject, subject->process->pid, (pid_t)lock->died, OWNER_EXITED);
		break;
	case HOLDER_IMPOSSIBLE:
		owners_set_state(subject, OWNER_UNREADABLE);
		break;
	}
}
