/* File locks: who is in the way, by /proc/locks. */
#include "classify/fd.h"
#include "classify/peers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

/* What the waiter asked for, as /proc/locks would have it. */
struct request {
	const char *kind;
	bool writes;
	uint64_t inode; /* 0 not known */
	bool has_range;
	uint64_t start, end;
};

/* The kernel's inode number, which need not be what stat(2) says: overlayfs, btrfs. */
static uint64_t inode_of(const struct capture_descriptor *descriptor)
{
	uint64_t inode;
	if (!descriptor)
		return 0;
	return fd_info_number(descriptor->info, "ino:", 10, &inode) ? inode : descriptor->inode;
}

static bool range_of(const struct flock *lock, struct request *request)
{
	int64_t start = lock->l_start, length = lock->l_len;
	if (lock->l_whence != SEEK_SET || start < 0)
		return false;
	if (length < 0) {
		if (start + length < 0)
			return false;
		start += length;
		length = -length;
	}
	request->start = (uint64_t)start;
	request->end = length ? (uint64_t)start + (uint64_t)length - 1 : UINT64_MAX;
	return true;
}

static bool request_of(const struct subject *subject, struct request *ret)
{
	struct flock lock;
	*ret = (struct request){0};
	switch (subject->row->family) {
	case FAMILY_FLOCK:
		ret->kind = "FLOCK";
		ret->writes = argument_int(subject, 1) & LOCK_EX;
		break;
	case FAMILY_FCNTL:
		if (!subject_read(subject, argument(subject, 2), &lock, sizeof(lock)))
			return false;
		ret->kind = argument_int(subject, 1) == F_OFD_SETLKW ? "OFDLCK" : "POSIX";
		ret->writes = lock.l_type == F_WRLCK;
		ret->has_range = range_of(&lock, ret);
		break;
	case FAMILY_OPEN:
		ret->kind = "LEASE";
		return true;
	default:
		return false;
	}
	ret->inode = inode_of(capture_descriptor_of(subject->process, argument_int(subject, 0)));
	return ret->inode != 0;
}

/* A crowd of waiters is compared with a crowd of lines: what differs most often comes first. */
static bool is_request(const struct subject *subject, const struct request *request,
		       const struct capture_file_lock *lock)
{
	/* An OFD lock is nobody's: -1. */
	bool ours = lock->pid == subject->process->pid || lock->pid <= 0;
	if (!ours || (request->inode && lock->inode != request->inode) || !lock->waits)
		return false;
	if (request->has_range && (lock->start != request->start || lock->end != request->end))
		return false;
	if (request->inode && lock->writes != request->writes)
		return false;
	return strcmp(lock->kind, request->kind) == 0 &&
	       (lock->pid > 0 || strcmp(request->kind, "OFDLCK") == 0);
}

/*
 * The lock that the request waits behind, or NULL: there is none, or several requests look the
 * same and wait behind different ones.
 */
static const struct capture_file_lock *lock_in_the_way(const struct subject *subject,
						       const struct request *request)
{
	const struct capture_surroundings *around = &subject->context->capture->surroundings;
	const struct capture_file_lock *held = NULL, *found = NULL;
	/* Those that wait come after the one that is held, and have its id. */
	array_for_each (&around->file_locks, lock) {
		if (!lock->waits) {
			held = lock;
			continue;
		}
		if (!held || held->id != lock->id || !is_request(subject, request, lock))
			continue;
		if (found && found != held)
			return NULL;
		found = held;
	}
	return found;
}

static void say(struct subject *subject, const struct capture_file_lock *lock)
{
	bool whole = lock->start == 0 && lock->end == UINT64_MAX;
	const char *what = strcmp(lock->kind, "FLOCK") == 0
				   ? (lock->writes ? "an exclusive flock" : "a shared flock")
			   : lock->writes ? "a write lock"
					  : "a read lock";
	const char *kind = strcmp(lock->kind, "OFDLCK") == 0  ? "OFD"
			   : strcmp(lock->kind, "FLOCK") == 0 ? NULL
							      : lock->kind;
	const char *range = "";
	if (strcmp(lock->kind, "FLOCK") != 0 && whole)
		range = " of the whole file";
	else if (strcmp(lock->kind, "FLOCK") != 0 && lock->end == UINT64_MAX)
		range = subject_printf(subject, " from %" PRIu64, lock->start);
	else if (strcmp(lock->kind, "FLOCK") != 0)
		range = subject_printf(subject, " from %" PRIu64 " to %" PRIu64, lock->start,
				       lock->end);
	peers_say(subject, subject_printf(subject, "behind %s%s%s%s%s", what, range,
					  kind ? " (" : "", kind ? kind : "", kind ? ")" : ""));
}

/* Whoever has the open file can let go of the lock, whoever asked for it. */
static void add_holders(struct subject *subject, unsigned id, struct peers *peers)
{
	const struct capture_surroundings *around = &subject->context->capture->surroundings;
	array_for_each (&around->lock_holders, holder) {
		if (holder->id == id)
			peers_add(peers, holder->pid);
	}
	peers->all = peers_all_seen(subject);
}

void peers_of_file_lock(struct subject *subject, struct peers *peers)
{
	struct request request;
	if (!request_of(subject, &request))
		return;
	const struct capture_file_lock *lock = lock_in_the_way(subject, &request);
	if (!lock)
		return;
	say(subject, lock);
	if (strcmp(lock->kind, "FLOCK") == 0 || strcmp(lock->kind, "OFDLCK") == 0) {
		add_holders(subject, lock->id, peers);
	} else if (lock->pid > 0) {
		peers_add(peers, lock->pid);
		/* A lease that is not given up is taken away after a time: fs.lease-break-time. */
		peers->all = strcmp(lock->kind, "LEASE") != 0;
	}
	if (!peers->pids.count)
		subject->wait->owner_state = OWNER_NOT_RECORDED;
}
