/*
 * Where a lock lies that no variable holds: the heap, a thread's stack, shared memory.
 */
#include "base/array.h"
#include "classify/memo.h"
#include "classify/subject.h"

#include <inttypes.h>
#include <string.h>

#define ARENA_SIZE (UINT64_C(64) << 20) /* glibc 2.17 to 2.42: HEAP_MAX_SIZE on x86-64 */
#define RED_ZONE   128

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static const struct capture_mapping *next_mapping(const struct capture_process *process,
						  const struct capture_mapping *mapping)
{
	const struct capture_mapping *next = mapping + 1;
	return next < process->mappings.items + process->mappings.count ? next : NULL;
}

bool place_is_arena(const struct capture_process *process, const struct capture_mapping *mapping)
{
	const struct capture_mapping *next = next_mapping(process, mapping);
	if (mapping->start % ARENA_SIZE || mapping->shared || mapping->inode)
		return false;
	/* What malloc has not made accessible yet follows, up to the end of its reservation. */
	return mapping->end == mapping->start + ARENA_SIZE ||
	       (next && next->start == mapping->end && !next->readable && !next->writable &&
		next->end == mapping->start + ARENA_SIZE);
}

static uint64_t stack_pointer(const struct capture_thread *thread)
{
	return thread->registers_from == REGISTERS_NONE ? thread->syscall.sp
							: thread->registers.value[DWARF_RSP];
}

/* libc puts a thread's control block on top of the stack that it makes for it. */
static const struct capture_thread *thread_of_stack(const struct subject *subject,
						    const struct capture_mapping *mapping,
						    uint64_t address)
{
	const struct capture_thread *thread = memo_thread_above(subject->memo, address);
	if (!thread || thread->fs_base >= mapping->end)
		return NULL;
	uint64_t sp = stack_pointer(thread);
	return sp >= mapping->start && sp < thread->fs_base && address >= sp - RED_ZONE ? thread
											: NULL;
}

const struct capture_thread *place_thread_of_stack(const struct subject *subject, uint64_t address)
{
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, address);
	return mapping && mapping->writable && !mapping->shared
		       ? thread_of_stack(subject, mapping, address)
		       : NULL;
}

static const char *shared_place(struct subject *subject, const struct capture_mapping *mapping,
				uint64_t address)
{
	if (!*mapping->path || begins(mapping->path, "/dev/zero"))
		return "anonymous shared memory";
	return subject_printf(subject, "shared %s%s+0x%" PRIx64,
			      mapping->path[0] == '/' ? "file " : "", mapping->path,
			      mapping->offset + (address - mapping->start));
}

static const char *place_of(struct subject *subject, uint64_t address)
{
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, address);
	if (!mapping)
		return NULL;
	if (mapping->shared)
		return shared_place(subject, mapping, address);
	if (begins(mapping->path, "[stack"))
		return subject_printf(subject, "stack of thread %d", (int)subject->process->pid);
	if (begins(mapping->path, "[heap]") || begins(mapping->path, "[anon: glibc: malloc") ||
	    place_is_arena(subject->process, mapping))
		return "heap";
	if (mapping->path[0] == '/')
		return subject_printf(subject, "data of %s", path_base(mapping->path));
	const struct capture_thread *thread = thread_of_stack(subject, mapping, address);
	if (thread)
		return subject_printf(subject, "stack of thread %d", (int)thread->tid);
	return "anonymous memory";
}

void classify_place(struct subject *subject)
{
	struct resource *resource = &subject->wait->resource;
	if (!resource->address || resource->name || resource->identity)
		return;
	const char *const words[] = {place_of(subject, resource->address), resource->detail};
	resource->detail = subject_list(subject, words, ARRAY_SIZE(words));
}
