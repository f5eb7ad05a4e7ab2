#include "unwind/unwind.h"

#include "base/alloc.h"
#include "unwind/walk.h"

#include <libunwind-ptrace.h>
#include <string.h>

enum { FRAMES_MAX = 4096 };

struct held_walker {
	struct capture_process *process;
	struct objects *objects;
	struct walker walker;
	void *thread; /* libunwind-ptrace's, of the thread that is being walked; NULL: none */
};

/* The first source of memory: the thread that is held. */
static size_t peek(void *context, uint64_t address, void *buf, size_t n)
{
	struct held_walker *held = context;
	size_t done = 0;
	while (held->thread && done < n) {
		unw_word_t word, at = (address + done) & ~(unw_word_t)7;
		size_t skip = (address + done) - at;
		if (_UPT_access_mem(NULL, at, &word, 0, held->thread) != 0)
			break;
		size_t part = sizeof(word) - skip < n - done ? sizeof(word) - skip : n - done;
		memcpy((char *)buf + done, (char *)&word + skip, part);
		done += part;
	}
	return done;
}

static void *prepare(struct capture_process *process, struct deadline deadline)
{
	struct held_walker *held = xcalloc(1, sizeof(*held));
	/* The rest is for the walks. */
	struct objects_options options = {.deadline = deadline_halfway(deadline)};
	held->process = process;
	memory_add_source(&process->memory, MEMORY_CAPTURED, peek, held);
	held->objects = objects_open(process, &options);
	walker_init(&held->walker, process, held->objects, UNWINDER_PTRACE);
	sites_prepare(held->walker.sites, options.deadline);
	return held;
}

static void read_registers(struct held_walker *held, struct registers *ret)
{
	*ret = (struct registers){.valid = 0};
	for (int i = 0; i < DWARF_COUNT; i++) {
		unw_word_t value;
		if (_UPT_access_reg(NULL, i, &value, 0, held->thread) == 0) {
			ret->value[i] = value;
			ret->valid |= 1u << i;
		}
	}
}

static void keep_frame(void *context, const struct walk_frame *frame)
{
	struct held_walk *ret = context;
	if (ret->count < HELD_FRAMES)
		ret->frames[ret->count++] = *frame;
	else
		ret->omitted++;
}

static void walk_held(void *walker, pid_t tid, struct deadline deadline, struct held_walk *ret)
{
	struct held_walker *held = walker;
	struct registers registers;
	struct walk_result result;
	ret->end = WALK_NO_REGISTERS;
	ret->count = ret->omitted = 0;
	held->thread = _UPT_create(tid);
	if (!held->thread)
		return;
	read_registers(held, &registers);
	held->walker.frames_max = FRAMES_MAX;
	held->walker.deadline = deadline;
	walk(&held->walker, &registers, keep_frame, ret, &result);
	ret->end = result.end;
	ret->end_address = result.address;
	_UPT_destroy(held->thread);
	held->thread = NULL;
}

const struct held_walker_ops unwind_held = {
	.prepare = prepare,
	.walk = walk_held,
};
