#include "classify/memo.h"

#include "base/alloc.h"
#include "base/array.h"
#include "classify/frames.h"
#include "classify/hotspot.h"
#include "classify/maker.h"
#include "classify/subject.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* include/linux/sched.h */
#define PF_IO_WORKER 0x00000010

struct thread_key {
	uint64_t key;
	const struct capture_thread *thread;
};
typedef array(struct thread_key) thread_keys;

struct classify_memo {
	thread_keys by_ns_tid, by_control_block;
	bool lacks_ids, lacks_control_blocks;
	size_t awake;		 /* threads that may be at work */
	array(uint64_t) stirred; /* of them, the futexes of those that only our stop has woken */
	bool has_libc;
	struct hotspot *hotspot;
	struct name_facts **names; /* by hash, open addressing */
	size_t name_count, name_slots;
	row_numbers rows; /* scratch */
};

static int compare_keys(const void *a, const void *b)
{
	const struct thread_key *x = a, *y = b;
	return x->key < y->key ? -1 : x->key > y->key;
}

static void sort_keys(thread_keys *keys)
{
	array_sort(keys, compare_keys);
}

/* How many of the keys are not above `key`. */
static size_t upper_bound(const thread_keys *keys, uint64_t key)
{
	size_t low = 0, high = keys->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (keys->items[middle].key <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A thread that may be between taking or leaving a lock and the system call that follows. */
static bool may_be_at_work(const struct capture_thread *thread)
{
	if (thread->state == 'Z' || thread->state == 'X' || thread->flags & PF_IO_WORKER)
		return false;
	return !thread->steady || thread->state == 'T' || thread->state == 't' ||
	       thread->syscall.state != SYSCALL_INSIDE;
}

bool slept_at_stop(const struct capture_thread *thread)
{
	const struct raw_syscall *call = &thread->syscall;
	const uint64_t *registers = thread->registers.value;
	const uint64_t arguments[6] = {registers[DWARF_RDI], registers[DWARF_RSI],
				       registers[DWARF_RDX], registers[DWARF_R10],
				       registers[DWARF_R8],  registers[DWARF_R9]};
	return thread->stop == STOP_DONE && thread->registers_from == REGISTERS_STOPPED &&
	       call->state == SYSCALL_INSIDE && thread->in_syscall &&
	       thread->stopped_syscall == call->number && was_interrupted(thread->stopped_result) &&
	       memcmp(arguments, call->arguments, sizeof(arguments)) == 0 &&
	       registers[DWARF_RSP] == call->sp;
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

struct classify_memo *classify_memo_new(const struct capture_process *process)
{
	struct classify_memo *memo = xcalloc(1, sizeof(*memo));
	array_reserve(&memo->by_ns_tid, process->threads.count);
	array_reserve(&memo->by_control_block, process->threads.count);
	array_for_each (&process->threads, thread) {
		if (thread->ns_tid > 0)
			*array_append(&memo->by_ns_tid) =
				(struct thread_key){(uint64_t)thread->ns_tid, thread};
		else
			memo->lacks_ids = true;
		if (thread->fs_base)
			*array_append(&memo->by_control_block) =
				(struct thread_key){thread->fs_base, thread};
		else
			memo->lacks_control_blocks = true;
		if (!may_be_at_work(thread))
			continue;
		memo->awake++;
		if (thread->syscall.number == SYS_futex && slept_at_stop(thread))
			*array_append(&memo->stirred) = thread->syscall.arguments[0];
	}
	array_sort(&memo->stirred, compare_addresses);
	sort_keys(&memo->by_ns_tid);
	sort_keys(&memo->by_control_block);
	memo->has_libc = maker_has_libc(process);
	return memo;
}

static void forget(struct name_facts *facts)
{
	if (!facts)
		return;
	free((char *)facts->normal);
	free((uint16_t *)facts->frame_rows);
	free((uint16_t *)facts->idle_rows);
	free(facts);
}

void classify_memo_free(struct classify_memo *memo)
{
	if (!memo)
		return;
	for (size_t i = 0; i < memo->name_slots; i++)
		forget(memo->names[i]);
	free(memo->names);
	hotspot_free(memo->hotspot);
	array_deinit(&memo->rows);
	array_deinit(&memo->stirred);
	array_deinit(&memo->by_ns_tid);
	array_deinit(&memo->by_control_block);
	free(memo);
}

const struct capture_thread *memo_thread_by_ns_tid(const struct classify_memo *memo, uint32_t tid)
{
	size_t n = upper_bound(&memo->by_ns_tid, tid);
	if (n == 0 || memo->by_ns_tid.items[n - 1].key != tid)
		return NULL;
	return memo->by_ns_tid.items[n - 1].thread;
}

const struct capture_thread *memo_thread_below(const struct classify_memo *memo, uint64_t address)
{
	size_t n = upper_bound(&memo->by_control_block, address);
	return n ? memo->by_control_block.items[n - 1].thread : NULL;
}

const struct capture_thread *memo_thread_above(const struct classify_memo *memo, uint64_t address)
{
	size_t n = upper_bound(&memo->by_control_block, address);
	return n < memo->by_control_block.count ? memo->by_control_block.items[n].thread : NULL;
}

bool memo_lacks_ids(const struct classify_memo *memo)
{
	return memo->lacks_ids;
}

bool memo_lacks_control_blocks(const struct classify_memo *memo)
{
	return memo->lacks_control_blocks;
}

bool memo_nobody_works_on(const struct classify_memo *memo, uint64_t futex)
{
	/* All that are not surely asleep must have been stirred from this futex alone. */
	size_t n = memo->stirred.count;
	return memo->awake == n &&
	       (n == 0 || (memo->stirred.items[0] == futex && memo->stirred.items[n - 1] == futex));
}

struct hotspot **memo_hotspot(struct classify_memo *memo)
{
	return &memo->hotspot;
}

bool memo_has_libc(const struct classify_memo *memo)
{
	return memo->has_libc;
}

static size_t slot_of(const struct classify_memo *memo, const char *function, const char *module)
{
	uint64_t hash = (uintptr_t)function * UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ (uintptr_t)module ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	size_t slot = (hash >> 32) & (memo->name_slots - 1);
	while (memo->names[slot] &&
	       (memo->names[slot]->function != function || memo->names[slot]->module != module))
		slot = (slot + 1) & (memo->name_slots - 1);
	return slot;
}

static void grow_names(struct classify_memo *memo)
{
	struct name_facts **old = memo->names;
	size_t slots = memo->name_slots;
	memo->name_slots = slots ? slots * 2 : 64;
	memo->names = xcalloc(memo->name_slots, sizeof(*memo->names));
	for (size_t i = 0; i < slots; i++) {
		if (old[i])
			memo->names[slot_of(memo, old[i]->function, old[i]->module)] = old[i];
	}
	free(old);
}

static const uint16_t *copy_rows(row_numbers *rows)
{
	*array_append(rows) = NO_ROW;
	uint16_t *copy = xreallocarray(NULL, rows->count, sizeof(*copy));
	memcpy(copy, rows->items, rows->count * sizeof(*copy));
	rows->count = 0;
	return copy;
}

static struct name_facts *learn(struct classify_memo *memo, const struct frame *frame)
{
	struct name_facts *facts = xcalloc(1, sizeof(*facts));
	char normal[NAME_CAP];
	name_normalise(frame->function, normal);
	*facts = (struct name_facts){.function = frame->function, .module = frame->module};
	facts->normal = xstrdup(normal);
	frames_learn(facts, &memo->rows);
	facts->frame_rows = copy_rows(&memo->rows);
	idle_learn(facts, &memo->rows);
	facts->idle_rows = copy_rows(&memo->rows);
	return facts;
}

const struct name_facts *memo_name(struct classify_memo *memo, const struct frame *frame)
{
	if (memo->name_count * 2 >= memo->name_slots)
		grow_names(memo);
	size_t slot = slot_of(memo, frame->function, frame->module);
	if (!memo->names[slot]) {
		memo->names[slot] = learn(memo, frame);
		memo->name_count++;
	}
	return memo->names[slot];
}
