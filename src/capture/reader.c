#include "capture/reader.h"

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

const struct capture_neighbour *capture_neighbour_of(const struct capture *capture, pid_t pid)
{
	size_t low = 0, high = capture->surroundings.processes.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct capture_neighbour *process =
			&capture->surroundings.processes.items[middle];
		if (pid == process->pid)
			return process;
		if (pid < process->pid)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct capture_socket *capture_socket_of(const struct capture *capture, uint64_t inode)
{
	size_t low = 0, high = capture->surroundings.sockets.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct capture_socket *socket = &capture->surroundings.sockets.items[middle];
		if (inode == socket->inode)
			return socket;
		if (inode < socket->inode)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct capture_descriptor *capture_descriptor_of(const struct capture_process *process,
						       int fd)
{
	array_for_each (&process->descriptors, descriptor) {
		if (descriptor->fd == fd)
			return descriptor;
	}
	return NULL;
}

bool capture_find_thread(const struct capture *capture, const struct capture_process *process,
			 pid_t ns_tid, struct thread_id *ret, bool *ret_known)
{
	array_for_each (&capture->processes, other) {
		if (other == process || !other->pid_namespace ||
		    other->pid_namespace != process->pid_namespace)
			continue;
		array_for_each (&other->threads, thread) {
			if (thread->ns_tid != ns_tid)
				continue;
			*ret = (struct thread_id){other->pid, thread->tid};
			return true;
		}
	}
	*ret_known = false;
	return false;
}
