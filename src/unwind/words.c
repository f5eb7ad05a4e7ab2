#include "unwind/words.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <inttypes.h>
#include <string.h>

/* "libfoo.so+0x123", "[anon]+0x10 (0x7f..10)", or the bare address. */
static char *place(struct capture_process *process, struct objects *objects, uint64_t address)
{
	const struct object *object = objects_at(objects, address);
	const struct capture_mapping *mapping = capture_mapping_at(process, address);
	const char *path = object ? object->path : mapping ? mapping->path : NULL;
	uint64_t base = mapping ? mapping->start : 0;
	if (object)
		base = object->module ? object->bias : object->start;
	if (!path)
		return xasprintf("0x%" PRIx64, address);
	if (!*path)
		return xasprintf("0x%" PRIx64 " (in no file)", address);
	const char *slash = strrchr(path, '/');
	return xasprintf("%s+0x%" PRIx64, slash ? slash + 1 : path, address - base);
}

static const char *const formats[WALK_ENDS] = {
	[WALK_NO_INFORMATION] = "no unwind information for %s, and no frame pointer or return "
				"address to go on",
	[WALK_NO_RETURN] = "the unwind information for %s leads to no return address, and there is "
			   "no frame pointer or return address to go on",
	[WALK_NO_CODE] = "there is no code at %s, and no return address to go on",
	[WALK_RETURN_ZERO] = "the return address of %s is 0",
	[WALK_NOT_GROWING] = "the stack does not grow any more at %s",
	[WALK_REPEATS] = "the same frame twice: %s",
	[WALK_STACK_SWITCH] = "%s was called on another stack",
};

const char *words_for_end(struct strpool *strings, struct capture_process *process,
			  struct objects *objects, enum walk_end end, uint64_t address,
			  size_t count)
{
	if (end == WALK_FIRST_FRAME)
		return NULL;
	if (end == WALK_NO_MEMORY)
		return strpool_printf(strings, "stack memory at 0x%" PRIx64 " was not captured",
				      address);
	if (end == WALK_LIMIT)
		return strpool_printf(strings, "given up after %zu frames", count);
	if (end == WALK_DEADLINE)
		return strpool_printf(strings, "no time was left after %zu frame%s", count,
				      count == 1 ? "" : "s");
	if ((unsigned)end >= WALK_ENDS || !formats[end])
		return strpool_add(strings, "the stack was not walked");
	_cleanup_free_ char *where = place(process, objects, address);
	return strpool_printf(strings, formats[end], where);
}

const char *words_for_no_registers(struct strpool *strings, const struct capture_thread *thread)
{
	switch (thread->stop) {
	case STOP_NOT_TRIED:
		return strpool_add(strings, "no registers: it was running, and was not stopped");
	case STOP_REFUSED:
		return strpool_printf(strings, "no registers: it could not be stopped: %s",
				      strerror(thread->stop_errno));
	case STOP_TIMED_OUT:
		return strpool_add(strings, "no registers: it did not stop in time");
	case STOP_GONE:
		return strpool_add(strings, "no registers: it has ended");
	case STOP_DONE:
		break;
	}
	return strpool_add(strings, "no registers: they could not be read");
}
