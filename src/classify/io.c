/*
 * Calls on one descriptor or path.  What the descriptor is decides the class; where the capture
 * could not look at it, the kernel's functions may still tell.
 */
#include "base/array.h"
#include "classify/fd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

static const struct {
	const char *function; /* of the kernel; names of 5.x and 6.x */
	enum wait_class class;
	const char *kind;
} kernel_rows[] = {
	{"pipe_read", WAIT_PIPE_READ, "pipe"},
	{"anon_pipe_read", WAIT_PIPE_READ, "pipe"},
	{"pipe_wait_readable", WAIT_PIPE_READ, "pipe"},
	{"pipe_write", WAIT_PIPE_WRITE, "pipe"},
	{"anon_pipe_write", WAIT_PIPE_WRITE, "pipe"},
	{"pipe_wait_writable", WAIT_PIPE_WRITE, "pipe"},
	{"sk_stream_wait_memory", WAIT_SOCKET_WRITE, "tcp socket"},
	{"sock_alloc_send_pskb", WAIT_SOCKET_WRITE, "socket"},
	{"unix_wait_for_peer", WAIT_SOCKET_WRITE, "unix socket"},
	{"unix_stream_read_generic", WAIT_SOCKET_READ, "unix socket"},
	{"unix_stream_data_wait", WAIT_SOCKET_READ, "unix socket"},
	{"__skb_wait_for_more_packets", WAIT_SOCKET_READ, "socket"},
	{"sk_wait_data", WAIT_SOCKET_READ, "tcp socket"},
	{"eventfd_read", WAIT_EVENTFD_READ, "eventfd"},
	{"eventfd_write", WAIT_EVENTFD_WRITE, "eventfd"},
	{"timerfd_read*", WAIT_TIMERFD_READ, "timerfd"},
	{"signalfd_dequeue", WAIT_SIGNALFD_READ, "signalfd"},
	{"signalfd_read*", WAIT_SIGNALFD_READ, "signalfd"},
	{"inotify_read", WAIT_INOTIFY_READ, "inotify"},
	{"fanotify_read", WAIT_INOTIFY_READ, "fanotify"},
	{"n_tty_read", WAIT_TTY_READ, "terminal"},
	{"n_tty_write", WAIT_TTY_WRITE, "terminal"},
};

/* `expected`: what the descriptor's type says, which is left alone where it agrees. */
static bool by_kernel_function(struct subject *subject, enum wait_class expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_rows); i++) {
		if (!subject_in_kernel(subject, kernel_rows[i].function))
			continue;
		if (kernel_rows[i].class == expected)
			return false;
		subject_decide(subject, kernel_rows[i].class, CONFIDENCE_CERTAIN,
			       kernel_rows[i].function);
		subject->wait->resource.kind = kernel_rows[i].kind;
		return true;
	}
	return false;
}

/* A device, or a path that could not be looked at, may be anything: nothing contradicts it. */
static bool says_little(const struct fd_type *type)
{
	if (!type->target)
		return type->mode == S_IFCHR;
	return strcmp(type->target, "/") == 0 || strcmp(type->target, "anon_inode:") == 0;
}

static bool on_storage(const struct fd_type *type)
{
	return type && (type->read == WAIT_FILE_READ) && !type->target;
}

/* In state D without a telling kernel function: what a file's call sleeps for is its disk. */
static bool asleep_on_storage(const struct subject *subject)
{
	return subject->thread->state == 'D';
}

static void classify_data(struct subject *subject, unsigned i, bool writes)
{
	const struct fd_type *type = classify_set_fd(subject, i);
	if (!type) {
		if (!by_kernel_function(subject, WAIT_UNKNOWN))
			subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN,
				       "unknown descriptor");
		return;
	}
	if (on_storage(type) && asleep_on_storage(subject)) {
		subject_decide(subject, WAIT_DISK, CONFIDENCE_LIKELY, "state D");
		return;
	}
	enum wait_class class = writes ? type->write : type->read;
	if (by_kernel_function(subject, class)) {
		if (says_little(type))
			return;
		/* The number was closed meanwhile, and is another file's by now. */
		struct resource *resource = &subject->wait->resource;
		resource->name = resource->identity = resource->detail = NULL;
		subject_doubt(subject);
		return;
	}
	subject_decide(subject, class, CONFIDENCE_CERTAIN, type->kind);
}

void classify_read(struct subject *subject)
{
	classify_data(subject, subject->row->fd[0] - 1u, false);
}

void classify_write(struct subject *subject)
{
	classify_data(subject, subject->row->fd[0] - 1u, true);
}

void classify_socket(struct subject *subject)
{
	const struct fd_type *type = classify_set_fd(subject, 0);
	if (!type || type->read != WAIT_SOCKET_READ)
		subject->wait->resource.kind = socket_kind(subject);
	subject_decide(subject, subject->row->class, CONFIDENCE_CERTAIN, "socket call");
}

void classify_connect(struct subject *subject)
{
	const char *kind = NULL;
	classify_socket(subject);
	const char *peer = socket_address(subject, argument(subject, 1),
					  (uint32_t)argument(subject, 2), &kind);
	if (!peer)
		return;
	if (strcmp(subject->wait->resource.kind, "socket") == 0)
		subject->wait->resource.kind = kind;
	subject->wait->resource.detail = subject_printf(subject, "to %s", peer);
}

/* Which of the two it waits on is for the kernel's functions to say; else the one that can wait. */
void classify_transfer(struct subject *subject)
{
	unsigned in = subject->row->fd[0] - 1u, out = subject->row->fd[1] - 1u;
	static const struct {
		const char *function;
		bool out;
	} sides[] = {
		{"pipe_wait_readable", false},
		{"ipipe_prep", false},
		{"pipe_wait_writable", true},
		{"opipe_prep", true},
		{"wait_for_space", true},
		{"sk_stream_wait_memory", true},
		{"sock_alloc_send_pskb", true},
		{"anon_pipe_write", true},
		{"unix_stream_read_generic", false},
		{"tcp_splice_read", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		if (subject_in_kernel(subject, sides[i].function)) {
			classify_data(subject, sides[i].out ? out : in, sides[i].out);
			return;
		}
	}
	const struct fd_type *from =
		fd_type_of(subject_descriptor(subject, argument_int(subject, in)));
	bool writes = from && on_storage(from);
	classify_data(subject, writes ? out : in, writes);
	subject_doubt(subject);
}

/* Requests that wait until all output is written. */
static bool drains_terminal(uint32_t request, uint64_t argument)
{
	switch (request) {
	case TCSBRK:
		return argument != 0;
	case TCSBRKP:
	case TCSETSW:
	case TCSETSF:
	case TCSETAW:
	case TCSETAF:
		return true;
	default:
		return false;
	}
}

void classify_ioctl(struct subject *subject)
{
	uint32_t request = (uint32_t)argument(subject, 1);
	const struct fd_type *type = classify_set_fd(subject, 0);
	if (type && type->write == WAIT_TTY_WRITE &&
	    drains_terminal(request, argument(subject, 2))) {
		subject_decide(subject, WAIT_TTY_WRITE, CONFIDENCE_CERTAIN, "terminal drain");
		return;
	}
	subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN, "ioctl");
	subject->wait->resource.detail = subject_printf(subject, "request 0x%x", request);
}

/* struct flock: type 0 (s16), whence 2 (s16), start 8, length 16. */
static const char *range_text(struct subject *subject, uint64_t address)
{
	struct flock lock;
	if (!subject_read(subject, address, &lock, sizeof(lock)))
		return NULL;
	const char *type = lock.l_type == F_WRLCK ? "write lock" : "read lock";
	if (lock.l_type != F_WRLCK && lock.l_type != F_RDLCK)
		return NULL;
	if (lock.l_whence == SEEK_SET && lock.l_start == 0 && lock.l_len == 0)
		return subject_printf(subject, "%s, whole file", type);
	return subject_printf(subject, "%s, %s %" PRId64 ", length %" PRId64, type,
			      lock.l_whence == SEEK_SET	  ? "from"
			      : lock.l_whence == SEEK_CUR ? "from position"
							  : "from end",
			      (int64_t)lock.l_start, (int64_t)lock.l_len);
}

void classify_fcntl(struct subject *subject)
{
	int command = argument_int(subject, 1);
	classify_set_fd(subject, 0);
	if (command != F_SETLKW && command != F_OFD_SETLKW) {
		subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN, "fcntl");
		return;
	}
	subject_decide(subject, WAIT_FILE_LOCK, CONFIDENCE_CERTAIN,
		       command == F_SETLKW ? "F_SETLKW" : "F_OFD_SETLKW");
	const char *range = range_text(subject, argument(subject, 2));
	subject->wait->resource.detail =
		range && command == F_OFD_SETLKW ? subject_printf(subject, "OFD %s", range) : range;
}

void classify_flock(struct subject *subject)
{
	int operation = argument_int(subject, 1);
	classify_set_fd(subject, 0);
	subject_decide(subject, WAIT_FILE_LOCK, CONFIDENCE_CERTAIN, "flock");
	subject->wait->resource.detail = operation & LOCK_EX   ? "exclusive flock"
					 : operation & LOCK_SH ? "shared flock"
							       : NULL;
}

void classify_file(struct subject *subject)
{
	if (subject->row->fd[0])
		classify_set_fd(subject, subject->row->fd[0] - 1u);
	else if (subject->row->path)
		classify_set_path(subject, subject->row->path - 1u, "file");
	if (asleep_on_storage(subject))
		subject_decide(subject, WAIT_DISK, CONFIDENCE_LIKELY, "state D");
	else
		subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN, "file call");
}

void classify_open(struct subject *subject)
{
	if (subject->row->path)
		classify_set_path(subject, subject->row->path - 1u, "file");
	if (subject_in_kernel(subject, "wait_for_partner") ||
	    subject_in_kernel(subject, "fifo_open")) {
		subject->wait->resource.kind = "fifo";
		subject_decide(subject, WAIT_FIFO_OPEN, CONFIDENCE_CERTAIN, "wait_for_partner");
		return;
	}
	if (subject_in_kernel(subject, "__break_lease")) {
		subject->wait->resource.detail = "lease to be given up";
		subject_decide(subject, WAIT_FILE_LOCK, CONFIDENCE_CERTAIN, "__break_lease");
		return;
	}
	if (asleep_on_storage(subject))
		subject_decide(subject, WAIT_DISK, CONFIDENCE_LIKELY, "state D");
	else
		subject_decide(subject, WAIT_SYSTEM_CALL, CONFIDENCE_CERTAIN, "open");
}
