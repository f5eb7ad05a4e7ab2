#include "objects/opener.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/* The most that is copied from a network file system: a limit on our memory. */
#define COPY_MAX (256u << 20)

struct opener {
	pid_t helper;
	int socket;
};

struct request {
	bool in_root;
	char root[64]; /* "/proc/PID/root" */
	char path[PATH_MAX];
};

/*
 * Where reading a page may wait for another machine or another process (statfs.f_type; from
 * linux/magic.h, and for those not in the kernel tree from their own sources).
 */
static const long remote_types[] = {
	0x6969,	    /* NFS */
	0x517b,	    /* SMB */
	0xff534d42, /* CIFS */
	0xfe534d42, /* SMB2 */
	0x65735546, /* FUSE, virtiofs */
	0x00c36400, /* Ceph */
	0x01021997, /* 9P */
	0x5346414f, /* AFS (OpenAFS) */
	0x6b414653, /* AFS (kAFS) */
	0x73757245, /* Coda */
	0x0bd00bd0, /* Lustre */
	0x47504653, /* GPFS */
	0xaad7aaea, /* PanFS */
	0x20030528, /* OrangeFS */
	0x7461636f, /* OCFS2 */
	0x01161970, /* GFS2 */
	0x786f4256, /* VirtualBox shared folders */
	0xbacbacbc, /* VMware shared folders */
};

static bool is_remote(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < sizeof(remote_types) / sizeof(remote_types[0]); i++) {
		if ((unsigned long)fs.f_type == (unsigned long)remote_types[i])
			return true;
	}
	return false;
}

static int open_path_in(const char *root, const char *path)
{
	_cleanup_close_ int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd >= 0 || errno != ENOSYS)
		return fd;
	/* Before Linux 5.6 an absolute link leads out of the root; what is found is checked. */
	return openat(dir, path + strspn(path, "/"), O_PATH | O_CLOEXEC);
}

/* O_PATH touches nothing, so that the kind of file is known before it is opened. */
static int open_regular(const struct request *request, struct opened *ret)
{
	_cleanup_close_ int at = request->in_root ? open_path_in(request->root, request->path)
						  : open(request->path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (at < 0 || fstat(at, &st) < 0) {
		ret->result = OPEN_FAILED;
		ret->os_errno = errno;
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		ret->result = OPEN_NOT_REGULAR;
		return -1;
	}
	ret->inode = st.st_ino;
	ret->device = st.st_dev;
	/* A file system may say anything. */
	ret->changed_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec;
	ret->owner = st.st_uid;
	ret->mode = st.st_mode;
	ret->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	char link[32];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	int fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		ret->result = OPEN_FAILED;
		ret->os_errno = errno;
	}
	return fd;
}

static int copy_of(int fd, struct opened *ret)
{
	if (ret->size > COPY_MAX) {
		ret->result = OPEN_TOO_LARGE;
		return -1;
	}
	_cleanup_close_ int copy = memfd_create("hangdump", MFD_CLOEXEC);
	uint64_t left = ret->size;
	while (copy >= 0 && left) {
		ssize_t n = sendfile(copy, fd, NULL, left);
		if (n <= 0)
			break;
		left -= (uint64_t)n;
	}
	if (copy < 0 || left) {
		ret->result = OPEN_FAILED;
		ret->os_errno = errno ? errno : EIO;
		return -1;
	}
	ret->copied = true;
	int result = copy;
	copy = -1;
	return result;
}

static void serve(const struct request *request, struct opened *ret)
{
	/* All of it is sent, the padding too. */
	memset(ret, 0, sizeof(*ret));
	errno = 0;
	ret->fd = -1;
	_cleanup_close_ int fd = open_regular(request, ret);
	if (fd >= 0 && is_remote(fd)) {
		ret->fd = copy_of(fd, ret);
	} else {
		ret->fd = fd;
		fd = -1;
	}
}

union fd_control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static bool send_opened(int socket, const struct opened *opened)
{
	union fd_control control = {0};
	struct iovec iov = {(void *)opened, sizeof(*opened)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (opened->fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &opened->fd, sizeof(int));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL) >= 0;
}

static bool receive_opened(int socket, struct opened *ret)
{
	union fd_control control = {0};
	struct iovec iov = {ret, sizeof(*ret)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	ret->fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); n > 0 && c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&ret->fd, CMSG_DATA(c), sizeof(int));
	}
	return n == sizeof(*ret) && (ret->fd >= 0 || ret->result != OPEN_DONE);
}

static void close_all_but(int keep)
{
	/* A helper that got stuck must not keep the reader of our output waiting for its end. */
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++) {
		if (fd != keep && (null < 0 || dup2(null, fd) < 0))
			close(fd);
	}
	if (keep > 3)
		close_range(3, (unsigned)keep - 1, 0);
	close_range(keep < 3 ? 3 : (unsigned)keep + 1, ~0u, 0);
}

static _Noreturn void helper_main(int socket, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	prctl(PR_SET_NAME, "hangdump-open");
	close_all_but(socket);
	static struct request request;
	while (recv(socket, &request, sizeof(request), 0) > 0) {
		request.root[sizeof(request.root) - 1] = '\0';
		request.path[sizeof(request.path) - 1] = '\0';
		struct opened opened;
		serve(&request, &opened);
		if (!send_opened(socket, &opened))
			break;
		if (opened.fd >= 0)
			close(opened.fd);
	}
	_exit(0);
}

static bool start_helper(struct opener *opener)
{
	if (opener->helper)
		return true;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		helper_main(pair[1], parent);
	int saved = errno;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		errno = saved;
		return false;
	}
	opener->helper = pid;
	opener->socket = pair[0];
	return true;
}

/* Reaps it if it dies at once, as anything does that is not stuck in the kernel. */
static void stop_helper(struct opener *opener)
{
	if (!opener->helper)
		return;
	kill(opener->helper, SIGKILL);
	close(opener->socket);
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, opener->helper, 0);
	if (pidfd >= 0) {
		struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
		while (poll(&poll_fd, 1, 200) < 0 && errno == EINTR)
			;
	}
	waitpid(opener->helper, NULL, WNOHANG);
	opener->helper = 0;
	opener->socket = -1;
}

struct opener *opener_new(void)
{
	struct opener *opener = xcalloc(1, sizeof(*opener));
	opener->socket = -1;
	return opener;
}

void opener_free(struct opener *opener)
{
	if (!opener)
		return;
	stop_helper(opener);
	free(opener);
}

void opener_in_child(struct opener *opener)
{
	if (opener->helper)
		close(opener->socket);
	opener->helper = 0;
	opener->socket = -1;
}

pid_t opener_helper(const struct opener *opener)
{
	return opener->helper;
}

static bool wait_readable(int fd, struct deadline deadline)
{
	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int n = poll(&poll_fd, 1, deadline_poll_ms(deadline));
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

static bool ask(struct opener *opener, const struct request *request, struct deadline deadline,
		struct opened *ret)
{
	size_t length = offsetof(struct request, path) + strlen(request->path) + 1;
	if (send(opener->socket, request, length, MSG_NOSIGNAL) < 0)
		return false;
	if (!wait_readable(opener->socket, deadline)) {
		ret->result = OPEN_TIMED_OUT;
		return true;
	}
	return receive_opened(opener->socket, ret);
}

struct opened opener_open(struct opener *opener, const char *root, const char *path,
			  struct deadline deadline)
{
	struct opened ret = {.result = OPEN_NO_HELPER, .fd = -1};
	struct request request = {.in_root = root != NULL};
	if (strlen(path) >= sizeof(request.path) ||
	    (root && strlen(root) >= sizeof(request.root))) {
		ret.result = OPEN_FAILED;
		ret.os_errno = ENAMETOOLONG;
		return ret;
	}
	strcpy(request.path, path);
	if (root)
		strcpy(request.root, root);
	/* A second try, because somebody may have killed the helper since its last file. */
	for (int i = 0; i < 2; i++) {
		if (!start_helper(opener)) {
			ret.os_errno = errno;
			return ret;
		}
		if (ask(opener, &request, deadline, &ret)) {
			if (ret.result == OPEN_TIMED_OUT)
				stop_helper(opener);
			return ret;
		}
		stop_helper(opener);
		ret = (struct opened){.result = OPEN_NO_HELPER, .os_errno = EPIPE, .fd = -1};
	}
	return ret;
}

const char *opened_why(const struct opened *opened)
{
	switch (opened->result) {
	case OPEN_DONE:
		return NULL;
	case OPEN_NOT_REGULAR:
		return "not a regular file";
	case OPEN_TOO_LARGE:
		return "too large to copy from a network or user-space file system";
	case OPEN_TIMED_OUT:
		return "opening it took too long";
	case OPEN_FAILED:
	case OPEN_NO_HELPER:
		break;
	}
	const char *why = opened->os_errno ? strerrordesc_np(opened->os_errno) : NULL;
	return why ? why : "could not be opened";
}
