#include "classify/peers.h"

#include "base/cleanup.h"
#include "classify/fd.h"
#include "classify/watched.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A pipe may have thousands of holders: a jobserver's has all of a build's processes. */
enum { OWNERS_MOST = 64 };

bool peers_all_seen(const struct subject *subject)
{
	const struct capture_surroundings *around = &subject->context->capture->surroundings;
	return around->looked_at_ends && !around->ends_unread && !around->hidden &&
	       !around->contained;
}

void peers_add(struct peers *peers, pid_t pid)
{
	/* The ends come by pid. */
	if (!peers->pids.count || peers->pids.items[peers->pids.count - 1] != pid)
		*array_append(&peers->pids) = pid;
}

size_t peers_add_ends(const struct subject *subject, enum capture_end_kind kind, uint64_t device,
		      uint64_t inode, bool writers, struct peers *peers)
{
	const struct capture_end *ends;
	size_t found = 0;
	size_t count = capture_ends_of(subject->context->capture, kind, device, inode, &ends);
	peers->searched = true;
	for (size_t i = 0; i < count; i++) {
		if (writers ? !ends[i].writes : !ends[i].reads)
			continue;
		peers_add(peers, ends[i].pid);
		found++;
	}
	return found;
}

void peers_say(struct subject *subject, const char *words)
{
	struct resource *resource = &subject->wait->resource;
	resource->detail = resource->detail
				   ? subject_printf(subject, "%s; %s", resource->detail, words)
				   : words;
}

const char *peers_name(struct subject *subject, pid_t pid)
{
	const struct capture_neighbour *process =
		capture_neighbour_of(subject->context->capture, pid);
	if (!process || !process->name || !*process->name)
		return subject_printf(subject, "process %d", (int)pid);
	return subject_printf(subject, "process %d (%s)", (int)pid, process->name);
}

/* Of a pipe or FIFO, from the end at this descriptor; how many were found. */
static size_t add_pipe(const struct subject *subject, const struct capture_descriptor *descriptor,
		       bool reads, struct peers *peers)
{
	uint64_t inode = fd_number_in_link(descriptor, "pipe:[");
	if (inode)
		return peers_add_ends(subject, END_PIPE, 0, inode, reads, peers);
	if (!S_ISFIFO(descriptor->mode) || !descriptor->inode)
		return 0;
	peers->named = true;
	return peers_add_ends(subject, END_FIFO, descriptor->device, descriptor->inode, reads,
			      peers);
}

/* The descriptor that the wait names, as long as nothing says that it is another file by now. */
static const struct capture_descriptor *descriptor_of(const struct subject *subject)
{
	const struct resource *resource = &subject->wait->resource;
	const struct capture_descriptor *descriptor = subject_descriptor(subject, resource->fd);
	const struct fd_type *type = fd_type_of(descriptor);
	bool eventfd = type && type->read == WAIT_EVENTFD_READ;
	return resource->fd >= 0 && (resource->identity || eventfd) ? descriptor : NULL;
}

static void peers_of_pipe(struct subject *subject, struct peers *peers)
{
	bool reads = subject->wait->class == WAIT_PIPE_READ;
	const struct capture_descriptor *descriptor = descriptor_of(subject);
	if (!descriptor)
		return;
	peers->all = peers_all_seen(subject);
	/* If nobody had the other end it would not wait: who has it is beyond our sight. */
	if (!add_pipe(subject, descriptor, reads, peers) &&
	    subject->context->capture->surroundings.looked_at_ends)
		peers_say(subject, reads ? "nobody is seen to have it open to write"
					 : "nobody is seen to have it open to read");
}

/*
 * Whoever shares an eventfd may count it up or down.  So may the kernel (for asynchronous I/O,
 * virtual machines): where no other process has it, nobody can be named.
 */
static void peers_of_eventfd(struct subject *subject, struct peers *peers)
{
	const struct capture_descriptor *descriptor = descriptor_of(subject);
	uint64_t id;
	if (!descriptor || !fd_info_number(descriptor->info, "eventfd-id:", 10, &id))
		return;
	peers_add_ends(subject, END_EVENTFD, 0, id, true, peers);
	if (peers->pids.count == 1 && peers->pids.items[0] == subject->process->pid)
		peers->pids.count = 0;
	peers->confidence = CONFIDENCE_LIKELY;
}

static void peers_of_socket_wait(struct subject *subject, struct peers *peers)
{
	const struct capture_socket *socket = fd_socket(subject, descriptor_of(subject));
	if (!socket)
		return;
	peers_say_socket(subject, socket);
	peers_of_socket(subject, socket, peers);
}

/* False: who could make it ready is not known. */
static bool add_watched(struct subject *subject, const struct watched *watched, struct peers *peers)
{
	const struct capture_descriptor *descriptor = watched_descriptor(subject, watched);
	const struct capture_socket *socket = fd_socket(subject, descriptor);
	if (socket) {
		const struct capture_socket *other =
			capture_socket_of(subject->context->capture, socket->peer_inode);
		return socket->link == SOCKET_LINK_PEER && other &&
		       peers_add_ends(subject, END_SOCKET, 0, other->inode, true, peers);
	}
	/* Each end is told of what the other one does, whatever events were asked for. */
	uint64_t flags;
	if (!descriptor || !fd_info_number(descriptor->info, "flags:", 8, &flags))
		return false;
	size_t found = 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		found += add_pipe(subject, descriptor, true, peers);
	if ((flags & O_ACCMODE) != O_RDONLY)
		found += add_pipe(subject, descriptor, false, peers);
	return found > 0;
}

static void peers_of_watched(struct subject *subject, struct peers *peers)
{
	struct watched_list list;
	if (!watched_read(subject, &list) || !list.whole || !list.count)
		return;
	peers->all = peers_all_seen(subject);
	for (unsigned i = 0; i < list.count; i++) {
		if (!add_watched(subject, &list.items[i], peers)) {
			peers->pids.count = 0;
			return;
		}
	}
	if (subject->row->family != FAMILY_EPOLL)
		return;
	/* Another thread may give an epoll a further descriptor while this one waits. */
	if (subject->process->threads.count > 1)
		peers_add(peers, subject->process->pid);
	peers->confidence = CONFIDENCE_LIKELY;
}

static void say_fifo_open(struct subject *subject)
{
	if (!subject->row || !subject->row->path)
		return;
	bool openat = subject->row->path == 2;
	uint64_t flags = subject->wait->syscall.number == SYS_creat
				 ? O_WRONLY
				 : argument(subject, openat ? 2 : 1);
	if (subject->wait->syscall.number == SYS_openat2 &&
	    !subject_read(subject, argument(subject, 2), &flags, sizeof(flags)))
		return;
	peers_say(subject, (flags & O_ACCMODE) == O_RDONLY
				   ? "to read; nobody has it open to write"
				   : "to write; nobody has it open to read");
}

static void find_peers(struct subject *subject, struct peers *peers)
{
	switch (subject->wait->class) {
	case WAIT_PIPE_READ:
	case WAIT_PIPE_WRITE:
		peers_of_pipe(subject, peers);
		break;
	case WAIT_EVENTFD_READ:
	case WAIT_EVENTFD_WRITE:
		peers_of_eventfd(subject, peers);
		break;
	case WAIT_SOCKET_READ:
	case WAIT_SOCKET_WRITE:
	case WAIT_SOCKET_ACCEPT:
	case WAIT_SOCKET_CONNECT:
		peers_of_socket_wait(subject, peers);
		break;
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
		peers_of_watched(subject, peers);
		break;
	case WAIT_FILE_LOCK:
		peers_of_file_lock(subject, peers);
		break;
	case WAIT_CHILD:
		peers_of_children(subject, peers);
		break;
	case WAIT_VFORK:
		peers_of_vfork(subject, peers);
		break;
	case WAIT_FIFO_OPEN:
		say_fifo_open(subject);
		break;
	default:
		if (subject->row && subject->row->family == FAMILY_SEMAPHORE)
			peers_of_semaphore(subject, peers);
		break;
	}
}

static int by_pid(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void conclude(struct subject *subject, struct peers *peers)
{
	struct wait *wait = subject->wait;
	size_t count = peers->pids.count;
	if (!count)
		return;
	qsort(peers->pids.items, count, sizeof(*peers->pids.items), by_pid);
	for (size_t i = 0; i < count; i++) {
		pid_t pid = peers->pids.items[i];
		if (i && pid == peers->pids.items[i - 1])
			continue;
		if (wait->owners.count == OWNERS_MOST) {
			peers->all = false;
			break;
		}
		*array_append(&wait->owners) = (struct thread_id){.pid = pid};
	}
	wait->owner_state = OWNER_ALIVE;
	wait->owner_confidence = peers->confidence;
	wait->owners_by_search = peers->searched;
	wait->reach = peers->all && !peers->named ? REACH_OWNERS : REACH_ANYBODY;
}

void classify_peers(struct subject *subject)
{
	struct peers peers = {.confidence = CONFIDENCE_CERTAIN};
	if (!subject->context->capture)
		return;
	find_peers(subject, &peers);
	conclude(subject, &peers);
	array_deinit(&peers.pids);
}
