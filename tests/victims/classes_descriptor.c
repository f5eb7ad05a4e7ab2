/* Waits on descriptors. */
#include "classes.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static char block[65536];

static int wait_in_read(int fd)
{
	must(fd >= 0, "descriptor");
	ready();
	return (int)read(fd, block, sizeof(block));
}

static void fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	must(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0, "F_SETFL");
	while (write(fd, block, sizeof(block)) > 0 || write(fd, block, 1) > 0)
		;
	must(fcntl(fd, F_SETFL, flags) == 0, "F_SETFL");
}

static void wait_in_write(int fd)
{
	fill(fd);
	ready();
	(void)!write(fd, block, sizeof(block));
}

static void make_pipe(int fds[2])
{
	must(pipe(fds) == 0, "pipe");
}

static void pipe_read(void)
{
	int fds[2];
	make_pipe(fds);
	wait_in_read(fds[0]);
}

static void pipe_write(void)
{
	int fds[2];
	make_pipe(fds);
	wait_in_write(fds[1]);
}

static void splice_read(void)
{
	int from[2], to[2];
	make_pipe(from);
	make_pipe(to);
	ready();
	splice(from[0], NULL, to[1], NULL, 4096, 0);
}

static void fifo_open(void)
{
	must(mkfifo("fifo", 0600) == 0, "mkfifo");
	ready();
	(void)!open("fifo", O_RDONLY);
}

static void pair(int fds[2])
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
}

static void unix_read(void)
{
	int fds[2];
	pair(fds);
	wait_in_read(fds[0]);
}

static void unix_recv(void)
{
	int fds[2];
	pair(fds);
	ready();
	(void)!recv(fds[0], block, 1, 0);
}

static void unix_write(void)
{
	int fds[2];
	pair(fds);
	wait_in_write(fds[0]);
}

static int tcp_listener(struct sockaddr_in *address, int backlog)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd >= 0 && bind(fd, (struct sockaddr *)address, length) == 0 &&
		     listen(fd, backlog) == 0 &&
		     getsockname(fd, (struct sockaddr *)address, &length) == 0,
	     "listen");
	return fd;
}

static void tcp_accept(void)
{
	struct sockaddr_in address;
	int fd = tcp_listener(&address, 5);
	ready();
	accept(fd, NULL, NULL);
}

/* The listener's queue is full: the next SYN gets no answer. */
static void tcp_connect(void)
{
	struct sockaddr_in address;
	tcp_listener(&address, 0);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd, (struct sockaddr *)&address, sizeof(address));
		struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
		if (poll(&poll_fd, 1, 300) == 0)
			break;
	}
	ready();
	connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

static void unix_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	must(listen(listener, 0) == 0, "listen");
	must(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address,
		     sizeof(address)) == 0,
	     "connect");
	ready();
	connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

static void eventfd_read_wait(void)
{
	wait_in_read(eventfd(0, 0));
}

static void eventfd_write_wait(void)
{
	int fd = eventfd(0, 0);
	uint64_t most = UINT64_MAX - 1, one = 1;
	must(write(fd, &most, sizeof(most)) == sizeof(most), "write");
	ready();
	(void)!write(fd, &one, sizeof(one));
}

static void timerfd(void)
{
	struct itimerspec when = {.it_value.tv_sec = 100000};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	must(timerfd_settime(fd, 0, &when, NULL) == 0, "timerfd_settime");
	wait_in_read(fd);
}

static void signal_fd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	wait_in_read(signalfd(-1, &set, 0));
}

static void inotify(void)
{
	int fd = inotify_init1(0);
	must(inotify_add_watch(fd, ".", IN_CREATE) >= 0, "inotify_add_watch");
	wait_in_read(fd);
}

static void terminal(int *master, int *slave)
{
	struct termios raw;
	*master = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master < 0 || grantpt(*master) < 0 || unlockpt(*master) < 0)
		unsupported("posix_openpt");
	*slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
	if (*slave < 0)
		unsupported("open of the pseudo-terminal");
	must(tcgetattr(*slave, &raw) == 0, "tcgetattr");
	cfmakeraw(&raw);
	must(tcsetattr(*slave, TCSANOW, &raw) == 0, "tcsetattr");
}

static void tty_read(void)
{
	int master, slave;
	terminal(&master, &slave);
	wait_in_read(slave);
}

static void tty_write(void)
{
	int master, slave;
	terminal(&master, &slave);
	wait_in_write(slave);
}

static void file_lock(int fd)
{
	must(fd >= 0, "open");
	must(flock(fd, LOCK_EX) == 0, "flock");
}

static void flock_wait(void)
{
	file_lock(open("lock", O_RDWR | O_CREAT, 0600));
	int fd = open("lock", O_RDWR);
	ready();
	flock(fd, LOCK_EX);
}

static void ofd_wait(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int held = open("lock", O_RDWR | O_CREAT, 0600), fd = open("lock", O_RDWR);
	must(fcntl(held, F_OFD_SETLK, &lock) == 0, "F_OFD_SETLK");
	ready();
	fcntl(fd, F_OFD_SETLKW, &lock);
}

static void fcntl_wait(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int held = open("lock", O_RDWR | O_CREAT, 0600), fd = open("lock", O_RDWR);
	must(fcntl(held, F_OFD_SETLK, &lock) == 0, "F_OFD_SETLK");
	ready();
	fcntl(fd, F_SETLKW, &lock);
}

static void poll_wait(void)
{
	int fds[2];
	make_pipe(fds);
	struct pollfd poll_fd = {.fd = fds[0], .events = POLLIN};
	ready();
	poll(&poll_fd, 1, -1);
}

static void poll_timed(void)
{
	int fds[2];
	make_pipe(fds);
	struct pollfd poll_fd = {.fd = fds[0], .events = POLLIN};
	ready();
	poll(&poll_fd, 1, 100000000);
}

static void poll_nothing(void)
{
	ready();
	poll(NULL, 0, -1);
}

static void select_wait(void)
{
	int fds[2];
	fd_set set;
	make_pipe(fds);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	ready();
	select(fds[0] + 1, &set, NULL, NULL, NULL);
}

static int epoll_of_pipe(void)
{
	int fds[2], fd = epoll_create1(0);
	make_pipe(fds);
	struct epoll_event event = {.events = EPOLLIN};
	must(epoll_ctl(fd, EPOLL_CTL_ADD, fds[0], &event) == 0, "epoll_ctl");
	return fd;
}

static void epoll(void)
{
	struct epoll_event event;
	int fd = epoll_of_pipe();
	ready();
	epoll_wait(fd, &event, 1, -1);
}

static void aio(void)
{
	unsigned long context = 0;
	char event[32];
	if (syscall(SYS_io_setup, 1, &context) < 0)
		unsupported("io_setup");
	ready();
	syscall(SYS_io_getevents, context, 1, 1, event, NULL);
}

static void io_uring(void)
{
	char parameters[120] = {0};
	int fd = (int)syscall(425, 4, parameters);
	if (fd < 0)
		unsupported("io_uring_setup");
	ready();
	syscall(426, fd, 0, 1, 1 /* IORING_ENTER_GETEVENTS */, NULL, 0);
}

const struct class_row class_descriptor_rows[] = {
	{"pipe-read", "pipe read", "pipe", pipe_read},
	{"pipe-write", "pipe write", "pipe", pipe_write},
	{"splice", "pipe read", "pipe", splice_read},
	{"fifo-open", "fifo open", "fifo", fifo_open},
	{"unix-read", "socket read", "unix socket", unix_read},
	{"unix-recv", "socket read", "unix socket", unix_recv},
	{"unix-write", "socket write", "-", unix_write},
	{"tcp-accept", "socket accept", "tcp socket", tcp_accept},
	{"tcp-connect", "socket connect", "-", tcp_connect},
	{"unix-connect", "socket connect", "unix socket", unix_connect},
	{"eventfd-read", "eventfd read", "eventfd", eventfd_read_wait},
	{"eventfd-write", "eventfd write", "eventfd", eventfd_write_wait},
	{"timerfd", "timerfd read", "timerfd", timerfd},
	{"signalfd", "signalfd read", "signalfd", signal_fd},
	{"inotify", "inotify read", "inotify", inotify},
	{"tty-read", "tty read", "terminal", tty_read},
	{"tty-write", "tty write", "terminal", tty_write},
	{"flock", "file lock", "file", flock_wait},
	{"fcntl-ofd", "file lock", "file", ofd_wait},
	{"fcntl", "file lock", "file", fcntl_wait},
	{"poll", "poll", "descriptors", poll_wait},
	{"poll-timed", "poll", "descriptors", poll_timed},
	{"poll-nothing", "sleep", "-", poll_nothing},
	{"select", "select", "descriptors", select_wait},
	{"epoll", "epoll wait", "epoll", epoll},
	{"aio", "aio wait", "aio context", aio},
	{"io-uring", "io_uring wait", "io_uring", io_uring},
	{0},
};
