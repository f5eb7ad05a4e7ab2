/*
 * The second source of memory: the file behind a mapping that cannot be written.  Segments that are
 * writable by their program header are left out though they be mapped read-only now: relocation has
 * changed them (RELRO).
 */
#include "objects/private.h"

#include <unistd.h>

static size_t clip(const struct object *object, uint64_t address, size_t n, uint64_t *ret_offset)
{
	const struct object_private *p = object->private;
	for (size_t i = 0; i < p->segments.count; i++) {
		const struct segment *s = &p->segments.items[i];
		/* The whole pages of the segment come from the file. */
		uint64_t slack = s->vaddr & (OBJECT_PAGE - 1);
		uint64_t start = object->bias + s->vaddr - slack;
		uint64_t size = s->file_size + slack;
		if (s->writable || address - start >= size || slack > s->offset)
			continue;
		*ret_offset = s->offset - slack + (address - start);
		return n < size - (address - start) ? n : size - (address - start);
	}
	return 0;
}

size_t objects_read_file_memory(void *context, uint64_t address, void *buf, size_t n)
{
	struct objects *objects = context;
	const struct span *span = objects_span_at(objects, address);
	if (objects->reading || !span || span->writable)
		return 0;
	const struct object *object = objects_at(objects, address);
	uint64_t offset;
	if (!object || object->private->fd < 0 || object->private->text_relocated)
		return 0;
	if (n > span->end - address)
		n = span->end - address;
	n = clip(object, address, n, &offset);
	if (!n || offset > INT64_MAX - n)
		return 0;
	ssize_t got = pread(object->private->fd, buf, n, (off_t)offset);
	return got > 0 ? (size_t)got : 0;
}
