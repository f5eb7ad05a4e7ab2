#include "classify/fd.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "classify/words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PROC "Linux 6.18, fs/proc/fd.c"

/* The first row that fits; what has no name of its own goes by st_mode. */
static const struct fd_type types[] = {
	{"pipe:[", 0, "pipe", WAIT_PIPE_READ, WAIT_PIPE_WRITE, false, PROC},
	{"socket:[", 0, "socket", WAIT_SOCKET_READ, WAIT_SOCKET_WRITE, false, PROC},
	{"anon_inode:[eventfd]", 0, "eventfd", WAIT_EVENTFD_READ, WAIT_EVENTFD_WRITE, false,
	 "fs/eventfd.c"},
	{"anon_inode:[timerfd]", 0, "timerfd", WAIT_TIMERFD_READ, WAIT_SYSTEM_CALL, false,
	 "fs/timerfd.c"},
	{"anon_inode:[signalfd]", 0, "signalfd", WAIT_SIGNALFD_READ, WAIT_SYSTEM_CALL, false,
	 "fs/signalfd.c"},
	{"anon_inode:inotify", 0, "inotify", WAIT_INOTIFY_READ, WAIT_SYSTEM_CALL, false,
	 "fs/notify/inotify"},
	{"anon_inode:[fanotify]", 0, "fanotify", WAIT_INOTIFY_READ, WAIT_SYSTEM_CALL, false,
	 "fs/notify/fanotify"},
	{"anon_inode:[eventpoll]", 0, "epoll", WAIT_EPOLL, WAIT_SYSTEM_CALL, false,
	 "fs/eventpoll.c"},
	{"anon_inode:[io_uring]", 0, "io_uring", WAIT_IO_URING, WAIT_SYSTEM_CALL, false,
	 "io_uring"},
	{"anon_inode:[userfaultfd]", 0, "userfaultfd", WAIT_FILE_READ, WAIT_SYSTEM_CALL, false,
	 "fs/userfaultfd.c"},
	{"anon_inode:[pidfd]", 0, "pidfd", WAIT_CHILD, WAIT_SYSTEM_CALL, false, "fs/pidfs.c"},
	{"pidfd:[", 0, "pidfd", WAIT_CHILD, WAIT_SYSTEM_CALL, false, "fs/pidfs.c, Linux 6.9"},
	{"anon_inode:[perf_event]", 0, "perf event", WAIT_FILE_READ, WAIT_SYSTEM_CALL, false,
	 "kernel/events/core.c"},
	{"anon_inode:seccomp notify", 0, "seccomp notifier", WAIT_FILE_READ, WAIT_SYSTEM_CALL,
	 false, "kernel/seccomp.c"},
	{"anon_inode:", 0, "anonymous inode", WAIT_FILE_READ, WAIT_FILE_WRITE, true, PROC},
	{"/dev/pts/", 0, "terminal", WAIT_TTY_READ, WAIT_TTY_WRITE, true, "drivers/tty"},
	{"/dev/tty", 0, "terminal", WAIT_TTY_READ, WAIT_TTY_WRITE, true, "drivers/tty"},
	{"/dev/ptmx", 0, "terminal", WAIT_TTY_READ, WAIT_TTY_WRITE, true, "drivers/tty/pty.c"},
	{"/dev/console", 0, "terminal", WAIT_TTY_READ, WAIT_TTY_WRITE, true, "drivers/tty"},
	{"/dev/hvc", 0, "terminal", WAIT_TTY_READ, WAIT_TTY_WRITE, true, "drivers/tty/hvc"},
	{"/dev/fuse", 0, "fuse device", WAIT_FILE_READ, WAIT_FILE_WRITE, true, "fs/fuse/dev.c"},
	{NULL, S_IFIFO, "fifo", WAIT_PIPE_READ, WAIT_PIPE_WRITE, true, "stat"},
	{NULL, S_IFSOCK, "socket", WAIT_SOCKET_READ, WAIT_SOCKET_WRITE, true, "stat"},
	{NULL, S_IFREG, "file", WAIT_FILE_READ, WAIT_FILE_WRITE, true, "stat"},
	{NULL, S_IFDIR, "directory", WAIT_FILE_READ, WAIT_FILE_WRITE, true, "stat"},
	{NULL, S_IFBLK, "block device", WAIT_FILE_READ, WAIT_FILE_WRITE, true, "stat"},
	{NULL, S_IFCHR, "device", WAIT_FILE_READ, WAIT_FILE_WRITE, true, "stat"},
	{"/", 0, "file", WAIT_FILE_READ, WAIT_FILE_WRITE, true, PROC},
};

const struct fd_type *fd_type_of(const struct capture_descriptor *descriptor)
{
	if (!descriptor || !descriptor->target)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct fd_type *type = &types[i];
		if (type->target
			    ? strncmp(descriptor->target, type->target, strlen(type->target)) == 0
			    : (descriptor->mode & S_IFMT) == type->mode)
			return type;
	}
	return NULL;
}

bool fd_has_ends(const struct fd_type *type)
{
	return type->read == WAIT_PIPE_READ || type->read == WAIT_SOCKET_READ ||
	       type->read == WAIT_EVENTFD_READ;
}

/* What the kernel sleeps in says which kind of socket it is; /proc does not. */
static const struct {
	const char *function, *kind;
} socket_rows[] = {
	{"tcp_*", "tcp socket"},
	{"inet_csk_accept", "tcp socket"},
	{"inet_stream_connect", "tcp socket"},
	{"__inet_stream_connect", "tcp socket"},
	{"sk_stream_wait_*", "tcp socket"},
	{"udp_*", "udp socket"},
	{"unix_*", "unix socket"},
	{"__unix_*", "unix socket"},
	{"netlink_*", "netlink socket"},
	{"packet_*", "packet socket"},
	{"raw_*", "raw socket"},
	{"vsock_*", "vsock socket"},
};

const char *socket_kind(const struct subject *subject)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_rows); i++) {
		if (subject_in_kernel(subject, socket_rows[i].function))
			return socket_rows[i].kind;
	}
	return "socket";
}

uint64_t fd_number_in_link(const struct capture_descriptor *descriptor, const char *prefix)
{
	size_t n = strlen(prefix);
	if (!descriptor || !descriptor->target || strncmp(descriptor->target, prefix, n) != 0)
		return 0;
	return strtoull(descriptor->target + n, NULL, 10);
}

const struct capture_socket *fd_socket(const struct subject *subject,
				       const struct capture_descriptor *descriptor)
{
	const struct capture *capture = subject->context->capture;
	return capture ? capture_socket_of(capture, fd_number_in_link(descriptor, "socket:["))
		       : NULL;
}

const char *fd_socket_kind(const struct capture_socket *socket)
{
	static const char *const kinds[] = {[SOCKET_UNIX] = "unix socket",
					    [SOCKET_TCP] = "tcp socket",
					    [SOCKET_UDP] = "udp socket"};
	return kinds[socket->family];
}

const char *socket_address(struct subject *subject, uint64_t address, uint64_t length,
			   const char **ret_kind)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		char bytes[sizeof(struct sockaddr_un) + 1];
	} u = {0};
	char text[INET6_ADDRSTRLEN];
	if (length < sizeof(sa_family_t) || length > sizeof(struct sockaddr_un) ||
	    !subject_read(subject, address, &u, length))
		return NULL;
	if (u.any.sa_family == AF_INET && length >= sizeof(u.in)) {
		*ret_kind = "inet socket";
		inet_ntop(AF_INET, &u.in.sin_addr, text, sizeof(text));
		return subject_printf(subject, "%s:%u", text, ntohs(u.in.sin_port));
	}
	if (u.any.sa_family == AF_INET6 && length >= sizeof(u.in6)) {
		*ret_kind = "inet socket";
		inet_ntop(AF_INET6, &u.in6.sin6_addr, text, sizeof(text));
		return subject_printf(subject, "[%s]:%u", text, ntohs(u.in6.sin6_port));
	}
	if (u.any.sa_family != AF_UNIX)
		return NULL;
	*ret_kind = "unix socket";
	size_t n = length - offsetof(struct sockaddr_un, sun_path);
	if (n > 1 && u.un.sun_path[0] == '\0') /* abstract: shown as ss(8) does */
		return subject_printf(subject, "@%.*s", (int)n - 1, u.un.sun_path + 1);
	return subject_printf(subject, "%.*s", (int)n, u.un.sun_path);
}

bool fd_info_number(const char *info, const char *key, int base, uint64_t *ret)
{
	size_t n = strlen(key);
	for (const char *line = info; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) != 0)
			continue;
		char *end;
		const char *start = line + n + strspn(line + n, " \t");
		if (!isxdigit((unsigned char)*start))
			return false;
		*ret = strtoull(start, &end, base);
		return end != start;
	}
	return false;
}

/* "eventfd-count:" is padded hexadecimal. */
static const char *eventfd_detail(struct subject *subject, const char *info)
{
	uint64_t count;
	if (!fd_info_number(info, "eventfd-count:", 16, &count))
		return NULL;
	return subject_printf(subject, "count %" PRIu64, count);
}

static const char *signalfd_detail(struct subject *subject, const char *info)
{
	uint64_t mask;
	if (!fd_info_number(info, "sigmask:", 16, &mask))
		return NULL;
	_cleanup_free_ char *signals = signal_set_text(mask);
	return subject_printf(subject, "signals %s", signals);
}

/* "it_value: (seconds, nanoseconds)": what is left. */
static const char *timerfd_detail(struct subject *subject, const char *info)
{
	int64_t left;
	if (!timerfd_left_ms(info, &left))
		return NULL;
	return left ? subject_printf(subject, "expires in %" PRId64 " ms", left) : "disarmed";
}

static const char *inotify_detail(struct subject *subject, const char *info)
{
	unsigned count = 0;
	for (const char *line = info; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += strncmp(line, "inotify wd:", 11) == 0;
	}
	return subject_printf(subject, "%u watch%s", count, count == 1 ? "" : "es");
}

static const char *pidfd_detail(struct subject *subject, const char *info)
{
	uint64_t pid;
	if (!fd_info_number(info, "Pid:", 10, &pid))
		return NULL;
	return subject_printf(subject, "process %" PRIu64, pid);
}

static const char *terminal_detail(struct subject *subject, const char *info)
{
	uint64_t index;
	if (!fd_info_number(info, "tty-index:", 10, &index))
		return NULL;
	return subject_printf(subject, "master of /dev/pts/%" PRIu64, index);
}

static const char *io_uring_detail(struct subject *subject, const char *info)
{
	uint64_t sq_head, sq_tail, cq_head, cq_tail;
	if (!fd_info_number(info, "SqHead:", 10, &sq_head) ||
	    !fd_info_number(info, "SqTail:", 10, &sq_tail) ||
	    !fd_info_number(info, "CqHead:", 10, &cq_head) ||
	    !fd_info_number(info, "CqTail:", 10, &cq_tail))
		return NULL;
	return subject_printf(subject, "%u to submit, %u completed", (uint32_t)(sq_tail - sq_head),
			      (uint32_t)(cq_tail - cq_head));
}

const char *fd_detail(struct subject *subject, const struct fd_type *type, const char *info)
{
	static const struct {
		const char *kind;
		const char *(*detail)(struct subject *subject, const char *info);
	} rows[] = {
		{"eventfd", eventfd_detail},   {"signalfd", signalfd_detail},
		{"timerfd", timerfd_detail},   {"inotify", inotify_detail},
		{"pidfd", pidfd_detail},       {"terminal", terminal_detail},
		{"io_uring", io_uring_detail},
	};
	if (!type || !info)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].kind, type->kind) == 0)
			return rows[i].detail(subject, info);
	}
	return NULL;
}

const struct fd_type *classify_set_fd(struct subject *subject, unsigned i)
{
	struct resource *resource = &subject->wait->resource;
	int fd = argument_int(subject, i);
	const struct capture_descriptor *descriptor = subject_descriptor(subject, fd);
	const struct fd_type *type = fd_type_of(descriptor);
	resource->fd = fd;
	resource->kind = type ? type->kind : "file descriptor";
	if (!type)
		return NULL;
	if (type->is_path)
		resource->name = descriptor->target;
	/* Descriptors of anonymous inodes share one inode: nothing tells two of them apart. */
	if (strncmp(descriptor->target, "anon_inode:", 11) != 0)
		resource->identity =
			type->is_path && descriptor->inode
				? subject_printf(subject, "%s:%" PRIx64 ":%" PRIu64, type->kind,
						 descriptor->device, descriptor->inode)
				: descriptor->target;
	resource->detail = fd_detail(subject, type, descriptor->info);
	const struct capture_socket *socket = fd_socket(subject, descriptor);
	if (type->read == WAIT_SOCKET_READ)
		resource->kind = socket ? fd_socket_kind(socket) : socket_kind(subject);
	return type;
}

void classify_set_path(struct subject *subject, unsigned i, const char *kind)
{
	struct resource *resource = &subject->wait->resource;
	resource->kind = kind;
	resource->name = subject_read_string(subject, argument(subject, i));
	resource->identity = resource->name;
}
