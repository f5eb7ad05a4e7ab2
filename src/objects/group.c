/*
 * Which mappings belong together.  One file may be loaded more than once (dlmopen, a copy of itself
 * mapped for reading), and its loads may have foreign memory between their mappings.
 */
#include "objects/private.h"

/* More than any linker leaves between two segments; far less than from the program to libraries. */
#define MAX_PADDING (1ull << 30)

static bool is_vdso(const struct capture_mapping *m)
{
	return strcmp(m->path, "[vdso]") == 0;
}

static bool has_file(const struct capture_mapping *m)
{
	return m->path[0] == '/' && m->inode != 0;
}

static bool is_same_file(const struct object *object, const struct capture_mapping *m)
{
	const struct object_private *p = object->private;
	return p->inode == m->inode && p->device_major == m->device_major &&
	       p->device_minor == m->device_minor && object->deleted == m->deleted;
}

/*
 * A load's mappings go up in address and in offset, and the address at least as fast.  Two at one
 * offset are one load only when the second is a data segment that shares a page with the first.
 */
static bool continues(const struct span *last, const struct capture_mapping *m)
{
	uint64_t up = m->start - last->start;
	if (m->offset < last->offset)
		return false;
	if (m->offset == last->offset && (last->writable || !m->writable) && m->start != last->end)
		return false;
	uint64_t offset_up = m->offset - last->offset;
	return up >= offset_up && up - offset_up <= MAX_PADDING;
}

/* The latest load of each file: a hash table, because a process may map many thousands. */
struct latest {
	size_t *slots; /* index of the object + 1; 0: free */
	size_t mask;
	size_t *last_spans; /* by object */
};

static size_t *slot_of(const struct objects *objects, const struct latest *latest,
		       const struct capture_mapping *m)
{
	uint64_t hash = m->inode * 0x9e3779b97f4a7c15u + m->device_minor;
	size_t i = (size_t)(hash >> 32) & latest->mask;
	while (latest->slots[i] && !is_same_file(&objects->objects.items[latest->slots[i] - 1], m))
		i = (i + 1) & latest->mask;
	return &latest->slots[i];
}

static size_t add_object(struct objects *objects, const struct capture_mapping *m)
{
	struct object *object = array_append(&objects->objects);
	object->path = strpool_add(&objects->strings, m->path);
	object->deleted = m->deleted;
	object->start = m->start;
	object->private = xcalloc(1, sizeof(*object->private));
	*object->private = (struct object_private){
		.owner = objects,
		.inode = m->inode,
		.device_major = m->device_major,
		.device_minor = m->device_minor,
		.fd = -1,
		.dwz_fd = -1,
	};
	return objects->objects.count - 1;
}

static void add_span(struct objects *objects, size_t index, const struct capture_mapping *m)
{
	struct span *span = array_append(&objects->spans);
	*span = (struct span){.start = m->start,
			      .end = m->end,
			      .offset = m->offset,
			      .writable = m->writable,
			      .executable = m->executable,
			      .object = index};
	struct object *object = &objects->objects.items[index];
	object->private->span_count++;
	if (m->end > object->end)
		object->end = m->end;
}

/* Files that nobody executes are data: they are not opened, and have no place here. */
static void drop_data(struct objects *objects)
{
	size_t *renumbered = xcalloc(objects->objects.count + 1, sizeof(*renumbered));
	bool *executable = xcalloc(objects->objects.count + 1, sizeof(*executable));
	array_for_each (&objects->spans, span) {
		if (span->executable)
			executable[span->object] = true;
	}
	size_t kept = 0, kept_spans = 0;
	for (size_t i = 0; i < objects->objects.count; i++) {
		renumbered[i] = kept;
		if (executable[i])
			objects->objects.items[kept++] = objects->objects.items[i];
		else
			free(objects->objects.items[i].private);
	}
	for (size_t i = 0; i < objects->spans.count; i++) {
		struct span span = objects->spans.items[i];
		if (!executable[span.object])
			continue;
		span.object = renumbered[span.object];
		objects->spans.items[kept_spans++] = span;
	}
	objects->objects.count = kept;
	objects->spans.count = kept_spans;
	free(renumbered);
	free(executable);
}

static void order_spans(struct objects *objects)
{
	size_t first = 0;
	array_reserve(&objects->order, objects->spans.count);
	objects->order.count = objects->spans.count;
	array_for_each (&objects->objects, object) {
		object->private->first_span = first;
		first += object->private->span_count;
		object->private->span_count = 0;
	}
	for (size_t i = 0; i < objects->spans.count; i++) {
		struct object_private *p =
			objects->objects.items[objects->spans.items[i].object].private;
		objects->order.items[p->first_span + p->span_count++] = i;
	}
}

static void place_mapping(struct objects *objects, struct latest *latest,
			  const struct capture_mapping *m)
{
	size_t *slot = slot_of(objects, latest, m);
	if (!*slot || !continues(&objects->spans.items[latest->last_spans[*slot - 1]], m))
		*slot = add_object(objects, m) + 1;
	add_span(objects, *slot - 1, m);
	latest->last_spans[*slot - 1] = objects->spans.count - 1;
}

void objects_group(struct objects *objects)
{
	size_t count = objects->process->mappings.count, slots = 16;
	while (slots < 2 * count)
		slots *= 2;
	struct latest latest = {.slots = xcalloc(slots, sizeof(size_t)),
				.mask = slots - 1,
				.last_spans = xcalloc(count + 1, sizeof(size_t))};
	array_for_each (&objects->process->mappings, m) {
		if (m->start < m->end && (has_file(m) || is_vdso(m)))
			place_mapping(objects, &latest, m);
	}
	free(latest.slots);
	free(latest.last_spans);
	drop_data(objects);
	order_spans(objects);
}
