/*
 * libjvm exports a table of its own structures for debuggers, gHotSpotVMStructs: which field of
 * which type lies where.  The names in it have been the same since OpenJDK 8, but for the class that
 * some fields belong to; seen with 17.
 */
#include "classify/hotspot.h"

#include "base/alloc.h"
#include "base/array.h"
#include "classify/memo.h"
#include "classify/owners.h"

#include <stdlib.h>
#include <string.h>

enum {
	ENTRIES_MOST = 8192, /* of the table: 788 in 17 */
	NAME_MOST = 40,
	THREADS_MOST = 100000,
	LONG_MS = 500,
};

/* VMStructEntry, vmStructs.hpp: 8 to 24. */
struct entry {
	uint64_t type, field, type_string;
	uint32_t is_static, padding;
	uint64_t offset, address;
};

enum field {
	THREAD_LIST, /* its address */
	LIST_LENGTH, /* the others' offsets */
	LIST_THREADS,
	OS_THREAD,
	OS_THREAD_ID,
	PENDING_MONITOR,
	WAITING_MONITOR,
	MONITOR_OWNER,
	FIELDS
};

static const struct {
	const char *types[2]; /* either has it */
	const char *field;
} field_rows[FIELDS] = {
	[THREAD_LIST] = {{"ThreadsSMRSupport"}, "_java_thread_list"},
	[LIST_LENGTH] = {{"ThreadsList"}, "_length"},
	[LIST_THREADS] = {{"ThreadsList"}, "_threads"},
	[OS_THREAD] = {{"JavaThread", "Thread"}, "_osthread"},
	[OS_THREAD_ID] = {{"OSThread"}, "_thread_id"},
	[PENDING_MONITOR] = {{"JavaThread", "Thread"}, "_current_pending_monitor"},
	[WAITING_MONITOR] = {{"JavaThread", "Thread"}, "_current_waiting_monitor"},
	[MONITOR_OWNER] = {{"ObjectMonitor"}, "_owner"},
};

struct java_thread {
	uint64_t address;
	uint32_t tid;		   /* in the target's pid namespace */
	uint64_t pending, waiting; /* monitors; 0: none */
	uint64_t owner;		   /* of the pending one, as it is there */
};

struct hotspot {
	bool known[FIELDS];
	uint64_t at[FIELDS];
	array(struct java_thread) by_address, by_tid;
};

static bool read_u64(const struct subject *subject, uint64_t address, uint64_t *ret)
{
	return subject_read(subject, address, ret, sizeof(*ret));
}

/* Does the string at address read so? */
static bool reads(const struct subject *subject, uint64_t address, const char *name)
{
	char bytes[NAME_MOST];
	size_t n = strlen(name) + 1;
	return n <= sizeof(bytes) && subject_read(subject, address, bytes, n) &&
	       memcmp(bytes, name, n) == 0;
}

static bool is_of(const struct subject *subject, const struct entry *entry, enum field field)
{
	const char *const *types = field_rows[field].types;
	return reads(subject, entry->field, field_rows[field].field) &&
	       (reads(subject, entry->type, types[0]) ||
		(types[1] && reads(subject, entry->type, types[1])));
}

static void learn_fields(const struct subject *subject, struct hotspot *hotspot, uint64_t table)
{
	struct entry entry;
	for (unsigned i = 0; i < ENTRIES_MOST; i++) {
		if (!subject_read(subject, table + i * sizeof(entry), &entry, sizeof(entry)) ||
		    !entry.type)
			return;
		for (unsigned field = 0; field < FIELDS; field++) {
			if (hotspot->known[field] || !is_of(subject, &entry, field))
				continue;
			hotspot->known[field] = true;
			hotspot->at[field] = entry.is_static ? entry.address : entry.offset;
		}
	}
}

static bool read_field(const struct subject *subject, const struct hotspot *hotspot,
		       uint64_t object, enum field field, uint64_t *ret)
{
	return object && hotspot->known[field] &&
	       read_u64(subject, object + hotspot->at[field], ret);
}

static void add_thread(const struct subject *subject, struct hotspot *hotspot, uint64_t address)
{
	struct java_thread thread = {.address = address};
	uint64_t os_thread;
	if (!read_field(subject, hotspot, address, OS_THREAD, &os_thread) || !os_thread ||
	    !hotspot->known[OS_THREAD_ID] ||
	    !subject_read_u32(subject, os_thread + hotspot->at[OS_THREAD_ID], &thread.tid))
		return;
	if (read_field(subject, hotspot, address, PENDING_MONITOR, &thread.pending))
		read_field(subject, hotspot, thread.pending, MONITOR_OWNER, &thread.owner);
	read_field(subject, hotspot, address, WAITING_MONITOR, &thread.waiting);
	*array_append(&hotspot->by_address) = thread;
}

static int compare_pending(const void *a, const void *b)
{
	const struct java_thread *x = a, *y = b;
	return (x->pending > y->pending) - (x->pending < y->pending);
}

/* A monitor in much use may have changed hands between two readings: it has one owner here. */
static void agree_on_owners(struct hotspot *hotspot)
{
	struct java_thread *threads = hotspot->by_address.items;
	array_sort(&hotspot->by_address, compare_pending);
	for (size_t i = 1; i < hotspot->by_address.count; i++) {
		if (threads[i].pending == threads[i - 1].pending)
			threads[i].owner = threads[i - 1].owner;
	}
}

static int compare_addresses(const void *a, const void *b)
{
	const struct java_thread *x = a, *y = b;
	return (x->address > y->address) - (x->address < y->address);
}

static int compare_tids(const void *a, const void *b)
{
	const struct java_thread *x = a, *y = b;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void learn_threads(const struct subject *subject, struct hotspot *hotspot)
{
	uint64_t list, threads, address;
	uint32_t length;
	if (!hotspot->known[THREAD_LIST] || !read_u64(subject, hotspot->at[THREAD_LIST], &list) ||
	    !hotspot->known[LIST_LENGTH] ||
	    !subject_read_u32(subject, list + hotspot->at[LIST_LENGTH], &length) ||
	    !read_field(subject, hotspot, list, LIST_THREADS, &threads))
		return;
	for (uint32_t i = 0; i < length && i < THREADS_MOST; i++) {
		if (read_u64(subject, threads + i * sizeof(address), &address))
			add_thread(subject, hotspot, address);
	}
	agree_on_owners(hotspot);
	array_for_each (&hotspot->by_address, thread)
		*array_append(&hotspot->by_tid) = *thread;
	array_sort(&hotspot->by_address, compare_addresses);
	array_sort(&hotspot->by_tid, compare_tids);
}

static struct hotspot *learn(const struct subject *subject)
{
	const struct classify_context *context = subject->context;
	struct hotspot *hotspot = xcalloc(1, sizeof(*hotspot));
	uint64_t variable = 0, table;
	if (context->find_variable)
		variable = context->find_variable(context->names, "libjvm.so", "gHotSpotVMStructs");
	if (variable && read_u64(subject, variable, &table)) {
		learn_fields(subject, hotspot, table);
		learn_threads(subject, hotspot);
	}
	return hotspot;
}

void hotspot_free(struct hotspot *hotspot)
{
	if (!hotspot)
		return;
	array_deinit(&hotspot->by_address);
	array_deinit(&hotspot->by_tid);
	free(hotspot);
}

static const struct java_thread *java_thread_of(const struct hotspot *hotspot, uint32_t tid)
{
	const struct java_thread key = {.tid = tid};
	if (!hotspot->by_tid.count)
		return NULL;
	return bsearch(&key, hotspot->by_tid.items, hotspot->by_tid.count, sizeof(key),
		       compare_tids);
}

/* A JavaThread, or, of a monitor that was a lock on its owner's stack before, a place there. */
static const struct capture_thread *owner_of(const struct subject *subject,
					     const struct hotspot *hotspot, uint64_t owner)
{
	const struct java_thread key = {.address = owner}, *found;
	if (!owner || !hotspot->by_address.count)
		return NULL;
	found = bsearch(&key, hotspot->by_address.items, hotspot->by_address.count, sizeof(key),
			compare_addresses);
	return found ? subject_thread_by_ns_tid(subject, found->tid)
		     : place_thread_of_stack(subject, owner);
}

/*
 * Who waits for long looks again after 1, 8, 64, 512 and then every 1000 ms, or sleeps without a
 * limit (ObjectMonitor::EnterI, 17).
 */
static bool waits_for_long(struct subject *subject)
{
	int64_t slept = subject->thread->slept_ms;
	classify_time(subject);
	int64_t left = subject->wait->timeout_ms;
	return slept >= 0 && slept + (left > 0 ? left : 0) >= LONG_MS;
}

static void find_monitor(struct subject *subject, const struct hotspot *hotspot)
{
	bool enters = subject->wait->class == WAIT_MONITOR_ENTER;
	const struct java_thread *self = java_thread_of(hotspot, (uint32_t)subject->thread->ns_tid);
	/* What it waits for was read later: one that moves may be elsewhere by then. */
	if (!self || !subject->thread->steady)
		return;
	subject->wait->resource.address = enters ? self->pending : self->waiting;
	const struct capture_thread *owner =
		enters && self->pending ? owner_of(subject, hotspot, self->owner) : NULL;
	/* Whoever has a monitor may enter it again. */
	if (owner && owner != subject->thread && waits_for_long(subject))
		owners_set_thread(subject, owner, &(struct owner_proof){.named = true});
}

void hotspot_find_monitor(struct subject *subject)
{
	/* That it waits for a monitor is known without this. */
	bool before = *subject->read_live;
	struct hotspot **hotspot = memo_hotspot(subject->memo);
	if (!*hotspot)
		*hotspot = learn(subject);
	find_monitor(subject, *hotspot);
	*subject->read_live = before;
}
