#include "capture/reader.h"

#include "capture/around.h"
#include "capture/find.h"

const struct capture_mapping *capture_mapping_at(const struct capture_process *process,
						 uint64_t address)
{
	size_t low = 0, high = process->mappings.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct capture_mapping *map = &process->mappings.items[middle];
		if (address < map->start)
			high = middle;
		else if (address >= map->end)
			low = middle + 1;
		else
			return map;
	}
	return NULL;
}

const struct capture_thread *capture_thread_by_tid(const struct capture_process *process, pid_t tid)
{
	size_t low = 0, high = process->threads.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct capture_thread *thread = &process->threads.items[middle];
		if (tid < thread->tid)
			high = middle;
		else if (tid > thread->tid)
			low = middle + 1;
		else
			return thread;
	}
	return NULL;
}

static int by_pid(const void *a, const void *b)
{
	const struct capture_neighbour *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

const struct capture_neighbour *capture_neighbour_of(const struct capture *capture, pid_t pid)
{
	const struct capture_neighbour key = {.pid = pid};
	const struct capture_neighbour *found = NULL;
	if (capture->surroundings.processes.count)
		found = bsearch(&key, capture->surroundings.processes.items,
				capture->surroundings.processes.count, sizeof(key), by_pid);
	return found ? found : finder_neighbour(capture->finder, pid);
}

static int by_inode(const void *a, const void *b)
{
	const struct capture_socket *x = a, *y = b;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

const struct capture_socket *capture_socket_of(const struct capture *capture, uint64_t inode)
{
	const struct capture_socket key = {.inode = inode};
	if (!inode || !capture->surroundings.sockets.count)
		return NULL;
	return bsearch(&key, capture->surroundings.sockets.items,
		       capture->surroundings.sockets.count, sizeof(key), by_inode);
}

size_t capture_ends_of(const struct capture *capture, enum capture_end_kind kind, uint64_t device,
		       uint64_t inode, const struct capture_end **ret)
{
	const struct capture_end key = {.kind = kind, .device = device, .inode = inode};
	const struct capture_end *items = capture->surroundings.ends.items;
	size_t count = capture->surroundings.ends.count, low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (around_compare_files(&items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t end = low;
	while (end < count && around_compare_files(&items[end], &key) == 0)
		end++;
	*ret = items + low;
	return end - low;
}

static int by_fd(const void *a, const void *b)
{
	const struct capture_descriptor *x = a, *y = b;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* A crowd of waiters is compared with a crowd of lines: what differs most often comes first. */
bool capture_is_line_of(const struct capture_file_lock *line,
			const struct capture_file_lock *request)
{
	if (!line->waits || line->pid != request->pid)
		return false;
	if (request->inode && (line->inode != request->inode || line->writes != request->writes))
		return false;
	if (request->start != CAPTURE_LOCK_ANYWHERE &&
	    (line->start != request->start || line->end != request->end))
		return false;
	return strcmp(line->kind, request->kind) == 0;
}

const struct capture_descriptor *capture_descriptor_of(const struct capture_process *process,
						       int fd)
{
	const struct capture_descriptor key = {.fd = fd};
	if (!process->descriptors.count)
		return NULL;
	return bsearch(&key, process->descriptors.items, process->descriptors.count, sizeof(key),
		       by_fd);
}
