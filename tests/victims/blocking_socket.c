/* Rows of blocking.h: sockets, with and without the timeouts that make their calls interruptible. */
#include "blocking.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static const struct timeval long_while = {.tv_sec = LONG_WHILE_S};

static void set_timeout(int fd, int which)
{
	must(setsockopt(fd, SOL_SOCKET, which, &long_while, sizeof(long_while)) == 0, "setsockopt");
}

static bool prepare_pair(struct slot *s)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, s->fd) == 0;
}

static bool prepare_pair_timed(struct slot *s)
{
	must(prepare_pair(s), "socketpair");
	set_timeout(s->fd[0], SO_RCVTIMEO);
	set_timeout(s->fd[0], SO_SNDTIMEO);
	return true;
}

static void feed_pair(struct slot *s)
{
	poke(s->fd[1]);
}

static long block_recv(struct slot *s)
{
	char c;
	return recv(s->fd[0], &c, 1, 0);
}

static long block_read(struct slot *s)
{
	char c;
	return read(s->fd[0], &c, 1);
}

static long block_readv(struct slot *s)
{
	char c;
	struct iovec part = {&c, 1};
	return readv(s->fd[0], &part, 1);
}

static long block_recvmsg(struct slot *s)
{
	char c;
	struct iovec part = {&c, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	return recvmsg(s->fd[0], &message, 0);
}

static long block_recvmmsg(struct slot *s)
{
	char c;
	struct iovec part = {&c, 1};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
	return recvmmsg(s->fd[0], &message, 1, 0, NULL);
}

/* Three bytes of eight are there: the kernel has copied them before it sleeps. */
static bool prepare_waitall(struct slot *s)
{
	must(prepare_pair(s), "socketpair");
	return write(s->fd[1], "abc", 3) == 3;
}

static long block_waitall(struct slot *s)
{
	char buf[8];
	return recv(s->fd[0], buf, sizeof(buf), MSG_WAITALL);
}

static void feed_waitall(struct slot *s)
{
	must(write(s->fd[1], "defgh", 5) == 5, "write");
}

static void fill(int fd)
{
	static char page[4096];
	while (send(fd, page, sizeof(page), MSG_DONTWAIT) > 0)
		;
	while (send(fd, page, 1, MSG_DONTWAIT) > 0)
		;
}

static bool prepare_full_pair(struct slot *s)
{
	must(prepare_pair(s), "socketpair");
	fill(s->fd[0]);
	return true;
}

static bool prepare_full_pair_timed(struct slot *s)
{
	must(prepare_pair_timed(s), "socketpair");
	fill(s->fd[0]);
	return true;
}

static void feed_full_pair(struct slot *s)
{
	static char much[1 << 16];

	/* Some kernels wake a writer only when a good part of the buffer is free. */
	must(fcntl(s->fd[1], F_SETFL, O_NONBLOCK) == 0, "fcntl");
	while (read(s->fd[1], much, sizeof(much)) > 0)
		;
}

static long block_send(struct slot *s)
{
	return send(s->fd[0], "x", 1, 0);
}

static long block_write(struct slot *s)
{
	return write(s->fd[0], "x", 1);
}

static long block_sendmsg(struct slot *s)
{
	char c = 'x';
	struct iovec part = {&c, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	return sendmsg(s->fd[0], &message, 0);
}

static struct sockaddr_un name_socket(struct slot *s)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	/* An abstract name, which needs no cleaning up. */
	snprintf(s->path, sizeof(s->path), "hangdump-test-%d", (int)getpid());
	memcpy(name.sun_path + 1, s->path, strlen(s->path));
	return name;
}

static bool prepare_listener(struct slot *s)
{
	struct sockaddr_un name = name_socket(s);

	s->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(s->fd[0], (struct sockaddr *)&name, sizeof(name)) == 0, "bind");
	return listen(s->fd[0], 0) == 0;
}

static bool prepare_listener_timed(struct slot *s)
{
	must(prepare_listener(s), "listen");
	set_timeout(s->fd[0], SO_RCVTIMEO);
	return true;
}

static long block_accept(struct slot *s)
{
	return accept(s->fd[0], NULL, NULL) >= 0 ? 0 : -1;
}

static long block_accept4(struct slot *s)
{
	return accept4(s->fd[0], NULL, NULL, SOCK_CLOEXEC) >= 0 ? 0 : -1;
}

static void feed_accept(struct slot *s)
{
	struct sockaddr_un name = name_socket(s);

	s->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	must(connect(s->fd[1], (struct sockaddr *)&name, sizeof(name)) == 0, "connect");
}

/* The queue of the listener is full, so that one more has to wait. */
static bool prepare_connect(struct slot *s)
{
	struct sockaddr_un name = name_socket(s);

	must(prepare_listener(s), "listen");
	for (;;) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0)
			break;
	}
	s->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	return errno == EAGAIN;
}

static bool prepare_connect_timed(struct slot *s)
{
	must(prepare_connect(s), "connect");
	set_timeout(s->fd[1], SO_SNDTIMEO);
	return true;
}

static long block_connect(struct slot *s)
{
	struct sockaddr_un name = name_socket(s);
	return connect(s->fd[1], (struct sockaddr *)&name, sizeof(name));
}

static void feed_connect(struct slot *s)
{
	must(accept(s->fd[0], NULL, NULL) >= 0, "accept");
}

static bool prepare_inet(struct slot *s, int type)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(name);

	s->fd[0] = socket(AF_INET, type, 0);
	s->fd[1] = socket(AF_INET, type, 0);
	if (bind(s->fd[0], (struct sockaddr *)&name, sizeof(name)) != 0)
		return false;
	must(getsockname(s->fd[0], (struct sockaddr *)&name, &length) == 0, "getsockname");
	if (type == SOCK_STREAM)
		must(listen(s->fd[0], 1) == 0, "listen");
	must(connect(s->fd[1], (struct sockaddr *)&name, sizeof(name)) == 0, "connect");
	if (type == SOCK_STREAM) {
		s->fd[0] = accept(s->fd[0], NULL, NULL);
		must(s->fd[0] >= 0, "accept");
	}
	return true;
}

static bool prepare_udp(struct slot *s)
{
	return prepare_inet(s, SOCK_DGRAM);
}

static bool prepare_tcp(struct slot *s)
{
	return prepare_inet(s, SOCK_STREAM);
}

static bool prepare_tcp_timed(struct slot *s)
{
	if (!prepare_inet(s, SOCK_STREAM))
		return false;
	set_timeout(s->fd[0], SO_RCVTIMEO);
	return true;
}

const struct blocking_row blocking_socket_rows[] = {
	{"recv-unix", prepare_pair, block_recv, feed_pair},
	{"recv-udp", prepare_udp, block_recv, feed_pair},
	{"recv-tcp", prepare_tcp, block_recv, feed_pair},
	{"recv-tcp-timeo", prepare_tcp_timed, block_recv, feed_pair},
	{"recv-timeo", prepare_pair_timed, block_recv, feed_pair},
	{"read-timeo", prepare_pair_timed, block_read, feed_pair},
	{"readv-timeo", prepare_pair_timed, block_readv, feed_pair},
	{"recvmsg-timeo", prepare_pair_timed, block_recvmsg, feed_pair},
	{"recvmmsg-timeo", prepare_pair_timed, block_recvmmsg, feed_pair},
	{"recv-waitall", prepare_waitall, block_waitall, feed_waitall},
	{"send", prepare_full_pair, block_send, feed_full_pair},
	{"send-timeo", prepare_full_pair_timed, block_send, feed_full_pair},
	{"write-timeo", prepare_full_pair_timed, block_write, feed_full_pair},
	{"sendmsg-timeo", prepare_full_pair_timed, block_sendmsg, feed_full_pair},
	{"accept", prepare_listener, block_accept, feed_accept},
	{"accept-timeo", prepare_listener_timed, block_accept, feed_accept},
	{"accept4-timeo", prepare_listener_timed, block_accept4, feed_accept},
	{"connect", prepare_connect, block_connect, feed_connect},
	{"connect-timeo", prepare_connect_timed, block_connect, feed_connect},
	{NULL}};
