/* What the descriptors that waits name refer to. */
#include "base/cleanup.h"
#include "capture/around.h"
#include "capture/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	INFO_MOST = 4096,
	DESCRIPTORS_MOST = 65536, /* of one process, beside those that the survey has read */
};

int around_compare_files(const void *a, const void *b)
{
	const struct capture_end *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

static int by_process_and_fd(const void *a, const void *b)
{
	const struct around_file *x = a, *y = b;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* The process's descriptors in a place where `more` have room after them. */
static void make_room(struct around *around, struct raw_process *process, size_t more)
{
	size_t count = process->descriptor_count;
	struct capture_descriptor *larger =
		arena_alloc(&around->raw->arena, (count + more) * sizeof(*larger));
	process->descriptor_capacity = larger ? count + more : count;
	if (!larger)
		return;
	if (count)
		memcpy(larger, process->descriptors, count * sizeof(*larger));
	process->descriptors = larger;
}

void around_prepare_files(struct around *around)
{
	size_t count = around->files.count;
	struct around_file *files = around->files.items;
	if (count)
		qsort(files, count, sizeof(*files), by_process_and_fd);
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first; end < count && files[end].process == files[first].process;)
			end++;
		make_room(around, files[first].process,
			  end - first < DESCRIPTORS_MOST ? end - first : DESCRIPTORS_MOST);
	}
}

static int by_fd(const void *a, const void *b)
{
	const struct capture_descriptor *x = a, *y = b;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* The survey's come first, by fd. */
static const struct capture_descriptor *surveyed(const struct raw_process *process, size_t count,
						 int fd)
{
	const struct capture_descriptor key = {.fd = fd};
	if (!count)
		return NULL;
	return bsearch(&key, process->descriptors, count, sizeof(key), by_fd);
}

/* Asks no file system for anything but what the kernel has of the inode already. */
static void add_mode(struct capture_descriptor *descriptor, const char *path)
{
	struct statx stx;
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO,
		  &stx) != 0)
		return;
	descriptor->mode = stx.stx_mode;
	descriptor->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	descriptor->inode = stx.stx_ino;
}

static const struct capture_descriptor *read_descriptor(struct around *around,
							struct raw_process *process, int fd)
{
	char path[64], text[INFO_MOST > PATH_MAX ? INFO_MOST : PATH_MAX];
	if (process->descriptor_count >= process->descriptor_capacity) {
		around->files_left_out++;
		return NULL;
	}
	struct capture_descriptor *descriptor = &process->descriptors[process->descriptor_count];
	*descriptor = (struct capture_descriptor){.fd = fd};
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", process->live_tid, fd);
	ssize_t n = readlink(path, text, sizeof(text));
	if (n < 0)
		return NULL;
	descriptor->target = arena_string(&around->raw->arena, text, (size_t)n);
	add_mode(descriptor, path);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", process->live_tid, fd);
	n = proc_read(AT_FDCWD, path, text, INFO_MOST);
	if (n > 0)
		descriptor->info = arena_string(&around->raw->arena, text, (size_t)n);
	__atomic_store_n(&process->descriptor_count, process->descriptor_count + 1,
			 __ATOMIC_RELEASE);
	return descriptor;
}

/* "pipe:[123]" */
static bool number_in_link(const char *link, const char *prefix, uint64_t *ret)
{
	size_t n = strlen(prefix);
	if (strncmp(link, prefix, n) != 0)
		return false;
	*ret = strtoull(link + n, NULL, 10);
	return *ret != 0;
}

static void identify(struct around_file *file, const struct capture_descriptor *descriptor)
{
	if (number_in_link(descriptor->target, "pipe:[", &file->inode)) {
		file->kind = END_PIPE;
	} else if (number_in_link(descriptor->target, "socket:[", &file->inode)) {
		file->kind = END_SOCKET;
		file->net = namespace_of(file->process->live_tid, "net");
	} else if (strcmp(descriptor->target, "anon_inode:[eventfd]") == 0) {
		uint64_t id;
		if (descriptor->info && parse_number(descriptor->info, "eventfd-id", 10, &id)) {
			file->kind = END_EVENTFD;
			file->inode = id;
		}
	} else if (S_ISFIFO(descriptor->mode)) {
		file->kind = END_FIFO;
		file->device = descriptor->device;
		file->inode = descriptor->inode;
	}
}

void around_resolve_files(struct around *around)
{
	const struct raw_process *process = NULL;
	const struct capture_descriptor *last = NULL;
	size_t count = 0; /* that the survey has read, of this process */
	array_for_each (&around->files, file) {
		if (file->process != process) {
			process = file->process;
			count = process->descriptor_count;
			last = NULL;
		}
		if (!last || last->fd != file->fd)
			last = surveyed(process, count, file->fd);
		if (!last)
			last = read_descriptor(around, file->process, file->fd);
		if (last)
			identify(file, last);
	}
	if (around->files_left_out)
		around_error(around, "descriptors", "%zu that waits name are more than fit",
			     around->files_left_out);
}

void around_sort_descriptors(struct around *around)
{
	const struct raw_process *process = NULL;
	array_for_each (&around->files, file) {
		if (file->process != process && file->process->descriptor_count)
			qsort(file->process->descriptors, file->process->descriptor_count,
			      sizeof(*file->process->descriptors), by_fd);
		process = file->process;
	}
}

/*
 * Can it be known who acts at its other end?  The kernel may count an eventfd up: who else has it
 * is worth knowing of a wait on it alone.
 */
static bool leads_somewhere(const struct around_file *file)
{
	if (file->kind == END_SOCKET)
		return file->peer != 0;
	return file->kind == END_EVENTFD ? file->wait == 0 : file->kind != END_OTHER;
}

static void seek(struct around *around, const struct around_file *file)
{
	bool socket = file->kind == END_SOCKET;
	*array_append(&around->sought) =
		(struct capture_end){.kind = file->kind,
				     .device = file->device,
				     .inode = socket ? file->peer : file->inode};
}

void around_choose_ends(struct around *around)
{
	/* By wait: one of its several files leads nowhere. */
	_cleanup_free_ bool *hopeless = xcalloc(around->wait_count + 1, sizeof(*hopeless));
	array_for_each (&around->files, file) {
		if (file->wait && !leads_somewhere(file))
			hopeless[file->wait] = true;
	}
	array_for_each (&around->files, file) {
		if (leads_somewhere(file) && !hopeless[file->wait])
			seek(around, file);
	}
	array_sort(&around->sought, around_compare_files);
}
