/* Finds the file behind an object, and makes sure that it is that file. */
#include "objects/private.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

static struct deadline file_deadline(const struct objects *objects)
{
	struct deadline one = deadline_in_ms(OBJECT_FILE_LIMIT_MS);
	uint64_t all = objects->options.deadline.at_ns;
	return all && all < one.at_ns ? objects->options.deadline : one;
}

struct opened objects_open_in_target(struct objects *objects, const char *path)
{
	return opener_open(objects->opener, objects->root, path, file_deadline(objects));
}

struct opened objects_open_on_host(struct objects *objects, const char *path)
{
	return opener_open(objects->opener, NULL, path, file_deadline(objects));
}

static const char too_late[] = "the deadline passed";

static uint64_t device_of(const struct object *object)
{
	return (uint64_t)object->private->device_major << 32 | object->private->device_minor;
}

/* One file that does not answer speaks for its whole file system. */
static bool is_stuck(const struct objects *objects, const struct object *object)
{
	for (size_t i = 0; i < objects->stuck.count; i++) {
		if (objects->stuck.items[i] == device_of(object))
			return true;
	}
	return false;
}

static Elf *read_elf(struct objects *objects, struct object *object, int fd)
{
	/*
	 * Mapped, because reading whole sections of a large program costs seconds and gigabytes;
	 * sigbus_guard() is for files that are cut short meanwhile.
	 */
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && object_read_segments(object, elf) &&
	    object_place(objects, object))
		return elf;
	elf_end(elf);
	return NULL;
}

/*
 * The inode of the maps line is decisive; its device cannot be, because btrfs and overlayfs show
 * another one there than fstat() does, for one and the same file.  Where the inode differs (stacked
 * file systems show the one or the other), the same build id in the file and in memory is as good.
 */
static bool is_that_file(struct objects *objects, struct object *object, Elf *elf,
			 const struct opened *opened)
{
	if (opened->inode == object->private->inode)
		return true;
	const char *of_file = elf_build_id_hex(&objects->strings, elf);
	if (!of_file)
		return false;
	struct object image = *object;
	struct object_private private = {.owner = objects,
					 .first_span = object->private->first_span,
					 .span_count = object->private->span_count};
	image.private = &private;
	Elf *from_memory = object_elf_from_memory(objects, &image);
	bool same = from_memory && elf_build_id_hex(&objects->strings, from_memory) == of_file;
	elf_end(from_memory);
	object_free_image(&image);
	array_deinit(&private.segments);
	return same;
}

static Elf *try_opened(struct objects *objects, struct object *object, struct opened opened,
		       enum object_from from)
{
	if (opened.result == OPEN_TIMED_OUT && deadline_passed(objects->options.deadline)) {
		/* It had no time to answer, which says nothing about its file system. */
		object->why_not = too_late;
		return NULL;
	}
	if (opened.result == OPEN_TIMED_OUT)
		*array_append(&objects->stuck) = device_of(object);
	if (opened.result != OPEN_DONE) {
		object->why_not = opened_why(&opened);
		return NULL;
	}
	Elf *elf = read_elf(objects, object, opened.fd);
	if (!elf) {
		object->why_not = "not an ELF file that fits its mappings";
	} else if (!is_that_file(objects, object, elf, &opened)) {
		object->why_not = "another file has its name now";
	} else {
		object->private->fd = opened.fd;
		object->private->identity =
			(struct object_identity){opened.device, opened.inode, opened.size,
						 opened.changed_ns, objects->root_name};
		object->from = from;
		object->why_not = NULL;
		return elf;
	}
	elf_end(elf);
	close(opened.fd);
	return NULL;
}

static Elf *try_link(struct objects *objects, struct object *object, const char *link)
{
	if (is_stuck(objects, object))
		return NULL;
	struct opened opened = objects_open_on_host(objects, link);
	/* The first reason is the one that counts: these links need privileges. */
	const char *why = object->why_not;
	Elf *elf = try_opened(objects, object, opened, OBJECT_FROM_MAPPING);
	if (!elf && why)
		object->why_not = why;
	return elf;
}

static Elf *try_links(struct objects *objects, struct object *object)
{
	char link[96];
	pid_t tid = objects->process->live_tid;
	Elf *elf = NULL;
	if (objects->process->executable &&
	    strcmp(objects->process->executable, object->path) == 0) {
		snprintf(link, sizeof(link), "/proc/%d/exe", tid);
		elf = try_link(objects, object, link);
	}
	for_each_span(objects, object, span)
	{
		if (elf || !span->executable)
			continue;
		snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid,
			 span->start, span->end);
		elf = try_link(objects, object, link);
		break;
	}
	return elf;
}

/*
 * maps shows paths from the root of whoever reads it, where that leads to the file at all (it does
 * for a chroot), else from the root of the file's mount (a container).
 */
static Elf *try_path(struct objects *objects, struct object *object)
{
	Elf *elf = try_opened(objects, object, objects_open_in_target(objects, object->path),
			      OBJECT_FROM_FILE);
	if (elf || objects->shares_root || is_stuck(objects, object))
		return elf;
	const char *why = object->why_not;
	elf = try_opened(objects, object, objects_open_on_host(objects, object->path),
			 OBJECT_FROM_FILE);
	if (!elf)
		object->why_not = why;
	return elf;
}

Elf *object_find_elf(struct objects *objects, struct object *object)
{
	Elf *elf = NULL;
	object->why_not = NULL;
	if (object->path[0] == '/' && deadline_passed(objects->options.deadline)) {
		object->why_not = too_late;
	} else if (object->path[0] == '/') {
		if (is_stuck(objects, object))
			object->why_not = "its file system does not answer";
		else if (object->deleted) /* the inode's number may be another file's by now */
			object->why_not = "deleted";
		else
			elf = try_path(objects, object);
		if (!elf)
			elf = try_links(objects, object);
	}
	if (!elf) {
		elf = object_elf_from_memory(objects, object);
		if (elf)
			object->from = OBJECT_FROM_MEMORY;
		else if (!object->why_not)
			object->why_not = "no ELF image in memory";
	}
	return elf;
}

bool objects_open_file(struct objects *objects, const char *path, struct target_file *ret)
{
	struct opened opened = objects_open_in_target(objects, path);
	if (opened.result != OPEN_DONE)
		return false;
	*ret = (struct target_file){opened.fd, opened.owner, opened.mode};
	return true;
}

bool objects_is_harmless(struct objects *objects, const char *path)
{
	struct opened opened = objects_open_on_host(objects, path);
	if (opened.fd >= 0)
		close(opened.fd);
	return opened.result == OPEN_DONE ? !opened.copied : opened.result == OPEN_FAILED;
}
