/* File locks: who is in the way, by /proc/locks. */
#include "classify/fd.h"
#include "classify/peers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

/* The kernel's inode number, which need not be what stat(2) says: overlayfs, btrfs. */
static uint64_t inode_of(const struct capture_descriptor *descriptor)
{
	uint64_t inode;
	if (!descriptor)
		return 0;
	return fd_info_number(descriptor->info, "ino:", 10, &inode) ? inode : descriptor->inode;
}

/* Relative to where the file stands, or to its end: another thread may have moved that since. */
static void range_of(const struct flock *lock, struct capture_file_lock *request)
{
	int64_t start = lock->l_start, length = lock->l_len;
	if (length < 0) {
		start = start + length < 0 ? -1 : start + length;
		length = -length;
	}
	if (lock->l_whence != SEEK_SET || start < 0)
		return;
	request->start = (uint64_t)start;
	request->end = length ? (uint64_t)start + (uint64_t)length - 1 : UINT64_MAX;
}

static bool fcntl_request(const struct subject *subject, struct capture_file_lock *request)
{
	struct flock lock;
	int command = argument_int(subject, 1);
	if ((command != F_SETLKW && command != F_OFD_SETLKW) ||
	    !subject_read(subject, argument(subject, 2), &lock, sizeof(lock)))
		return false;
	request->kind = command == F_SETLKW ? "POSIX" : "OFDLCK";
	request->writes = lock.l_type == F_WRLCK;
	if (command == F_OFD_SETLKW)
		request->pid = -1;
	range_of(&lock, request);
	return true;
}

bool file_lock_request(const struct subject *subject, struct capture_file_lock *ret)
{
	*ret = (struct capture_file_lock){.waits = true,
					  .pid = subject->process->pid,
					  .start = CAPTURE_LOCK_ANYWHERE,
					  .end = UINT64_MAX};
	switch (subject->row->family) {
	case FAMILY_FLOCK:
		ret->kind = "FLOCK";
		ret->writes = argument_int(subject, 1) & LOCK_EX;
		ret->start = 0;
		break;
	case FAMILY_FCNTL:
		if (!fcntl_request(subject, ret))
			return false;
		break;
	case FAMILY_OPEN:
		ret->kind = "LEASE";
		return true;
	default:
		return false;
	}
	ret->inode = inode_of(subject_descriptor(subject, argument_int(subject, 0)));
	return ret->inode != 0;
}

static bool same_lock(const struct capture_file_lock *a, const struct capture_file_lock *b)
{
	return a->inode == b->inode && a->device_major == b->device_major &&
	       a->device_minor == b->device_minor && a->start == b->start && a->end == b->end &&
	       a->pid == b->pid && a->writes == b->writes && strcmp(a->kind, b->kind) == 0;
}

/* The lock that the request waits behind, or NULL, and why. */
static const struct capture_file_lock *lock_in_the_way(const struct subject *subject,
						       const struct capture_file_lock *request,
						       const char **ret_why)
{
	const struct capture_surroundings *around = &subject->context->capture->surroundings;
	const struct capture_file_lock *held = NULL, *found = NULL;
	/* Those that wait come after the one that is held, and have its id. */
	array_for_each (&around->file_locks, line) {
		if (!line->waits) {
			held = line;
			continue;
		}
		if (!held || held->id != line->id || !capture_is_line_of(line, request))
			continue;
		/* One that was seen twice, or requests that look the same. */
		if (found && found != held && !same_lock(found, held)) {
			*ret_why = "waiters that look the same are behind different locks";
			return NULL;
		}
		found = held;
	}
	if (!found)
		*ret_why = "the kernel's list of locks does not show it waiting";
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
	peers->searched = true;
}

/* Nothing is wrong with a list that does not have who went on meanwhile. */
static void say_not_found(struct subject *subject, const char *why)
{
	if (!subject->context->capture->surroundings.looked_at_file_locks ||
	    !subject->thread->steady)
		return;
	subject->wait->owner_state = OWNER_NOT_RECORDED;
	peers_say(subject, why);
}

void peers_of_file_lock(struct subject *subject, struct peers *peers)
{
	struct capture_file_lock request;
	const char *why;
	if (!file_lock_request(subject, &request))
		return;
	const struct capture_file_lock *lock = lock_in_the_way(subject, &request, &why);
	if (!lock) {
		say_not_found(subject, why);
		return;
	}
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
