/* Rows of blocking.h: pipes, poll, epoll, descriptors of events, locks on files, native aio. */
#include "blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const struct timespec long_while = {.tv_sec = LONG_WHILE_S};

static bool prepare_pipe(struct slot *s)
{
	return pipe(s->fd) == 0;
}

static void feed_pipe(struct slot *s)
{
	poke(s->fd[1]);
}

static long block_pipe_read(struct slot *s)
{
	char c;
	return read(s->fd[0], &c, 1);
}

static long block_pipe_readv(struct slot *s)
{
	char c;
	struct iovec part = {&c, 1};
	return syscall(SYS_readv, s->fd[0], &part, 1);
}

static bool prepare_full_pipe(struct slot *s)
{
	static char page[4096];

	must(pipe(s->fd) == 0, "pipe");
	must(fcntl(s->fd[1], F_SETFL, O_NONBLOCK) == 0, "fcntl");
	while (write(s->fd[1], page, sizeof(page)) > 0)
		;
	return fcntl(s->fd[1], F_SETFL, 0) == 0;
}

static void drain(int fd, size_t n)
{
	static char buf[4096];

	while (n > 0) {
		ssize_t got = read(fd, buf, n < sizeof(buf) ? n : sizeof(buf));
		must(got > 0, "read");
		n -= (size_t)got;
	}
}

static void feed_full_pipe(struct slot *s)
{
	drain(s->fd[0], 4096);
}

static long block_pipe_write(struct slot *s)
{
	return write(s->fd[1], "x", 1);
}

/* More than the pipe takes: the kernel has moved a part of it before it sleeps. */
static long block_pipe_write_more(struct slot *s)
{
	static char much[200000];
	return write(s->fd[1], much, sizeof(much));
}

static void feed_pipe_write_more(struct slot *s)
{
	/* Whole pages, and one more: a page that is read in part still takes its place. */
	drain(s->fd[0], 200000 - 65536 + 2 * 4096);
}

static long block_splice(struct slot *s)
{
	int out = open("/dev/null", O_WRONLY);
	return splice(s->fd[0], NULL, out, NULL, 1, 0);
}

static bool prepare_fifo(struct slot *s)
{
	snprintf(s->path, sizeof(s->path), "fifo.%d", (int)getpid());
	unlink(s->path);
	return mkfifo(s->path, 0600) == 0;
}

static long block_fifo_open(struct slot *s)
{
	s->fd[0] = open(s->path, O_RDONLY);
	unlink(s->path);
	return s->fd[0] < 0 ? -1 : 0;
}

static void feed_fifo(struct slot *s)
{
	s->fd[1] = open(s->path, O_WRONLY);
}

static long block_poll(struct slot *s)
{
	struct pollfd p = {.fd = s->fd[0], .events = POLLIN};
	return poll(&p, 1, -1);
}

static long block_poll_timed(struct slot *s)
{
	struct pollfd p = {.fd = s->fd[0], .events = POLLIN};
	return poll(&p, 1, LONG_WHILE_S * 1000);
}

static long block_ppoll(struct slot *s)
{
	struct pollfd p = {.fd = s->fd[0], .events = POLLIN};
	return ppoll(&p, 1, &long_while, NULL);
}

static long block_select(struct slot *s)
{
	struct timeval t = {.tv_sec = LONG_WHILE_S};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->fd[0], &set);
	return syscall(SYS_select, s->fd[0] + 1, &set, NULL, NULL, &t);
}

static long block_pselect(struct slot *s)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->fd[0], &set);
	return pselect(s->fd[0] + 1, &set, NULL, NULL, &long_while, NULL);
}

static bool prepare_epoll(struct slot *s)
{
	struct epoll_event event = {.events = EPOLLIN};

	must(pipe(s->fd) == 0, "pipe");
	s->fd[2] = epoll_create1(0);
	return s->fd[2] >= 0 && epoll_ctl(s->fd[2], EPOLL_CTL_ADD, s->fd[0], &event) == 0;
}

static long block_epoll_wait(struct slot *s)
{
	struct epoll_event event;
	return syscall(SYS_epoll_wait, s->fd[2], &event, 1, -1);
}

static long block_epoll_wait_timed(struct slot *s)
{
	struct epoll_event event;
	return syscall(SYS_epoll_wait, s->fd[2], &event, 1, LONG_WHILE_S * 1000);
}

static long block_epoll_pwait(struct slot *s)
{
	struct epoll_event event;
	sigset_t none;

	sigemptyset(&none);
	return epoll_pwait(s->fd[2], &event, 1, -1, &none);
}

static long block_epoll_pwait2(struct slot *s)
{
	struct epoll_event event;
	return syscall(SYS_epoll_pwait2, s->fd[2], &event, 1, &long_while, NULL, 8);
}

static bool prepare_epoll_pwait2(struct slot *s)
{
	struct epoll_event event;
	struct timespec zero = {0};

	must(prepare_epoll(s), "epoll");
	return syscall(SYS_epoll_pwait2, s->fd[2], &event, 1, &zero, NULL, 8) == 0;
}

static bool prepare_eventfd(struct slot *s)
{
	s->fd[0] = eventfd(0, 0);
	return s->fd[0] >= 0;
}

static long block_eventfd(struct slot *s)
{
	eventfd_t value;
	return eventfd_read(s->fd[0], &value) == 0 ? (long)value : -1;
}

static void feed_eventfd(struct slot *s)
{
	must(eventfd_write(s->fd[0], 1) == 0, "eventfd_write");
}

static bool prepare_timerfd(struct slot *s)
{
	struct itimerspec far = {.it_value = long_while};

	s->fd[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	return s->fd[0] >= 0 && timerfd_settime(s->fd[0], 0, &far, NULL) == 0;
}

static long block_timerfd(struct slot *s)
{
	uint64_t value;
	return read(s->fd[0], &value, sizeof(value)) == sizeof(value) ? (long)value : -1;
}

static void feed_timerfd(struct slot *s)
{
	struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
	must(timerfd_settime(s->fd[0], 0, &soon, NULL) == 0, "timerfd_settime");
}

static bool prepare_signalfd(struct slot *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	s->fd[0] = signalfd(-1, &set, 0);
	return s->fd[0] >= 0;
}

static long block_signalfd(struct slot *s)
{
	struct signalfd_siginfo info;
	return read(s->fd[0], &info, sizeof(info)) == sizeof(info) ? (long)info.ssi_signo : -1;
}

static void feed_usr2(struct slot *s)
{
	(void)s;
	must(kill(getpid(), SIGUSR2) == 0, "kill");
}

static bool prepare_inotify(struct slot *s)
{
	must(prepare_fifo(s), "mkfifo");
	s->fd[0] = inotify_init();
	return s->fd[0] >= 0 && inotify_add_watch(s->fd[0], s->path, IN_ATTRIB) >= 0;
}

static long block_inotify(struct slot *s)
{
	char buf[4096];
	return read(s->fd[0], buf, sizeof(buf)) > 0 ? 1 : -1;
}

static void feed_inotify(struct slot *s)
{
	must(chmod(s->path, 0400) == 0, "chmod");
	unlink(s->path);
}

/* Two descriptions of one file; the first holds the lock. */
static bool prepare_file(struct slot *s)
{
	FILE *file = tmpfile();

	must(file != NULL, "tmpfile");
	snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", fileno(file));
	s->fd[0] = open(s->path, O_RDWR);
	s->fd[1] = open(s->path, O_RDWR);
	return s->fd[0] >= 0 && s->fd[1] >= 0;
}

static bool prepare_flock(struct slot *s)
{
	return prepare_file(s) && flock(s->fd[0], LOCK_EX) == 0;
}

static long block_flock(struct slot *s)
{
	return flock(s->fd[1], LOCK_EX);
}

static void feed_flock(struct slot *s)
{
	must(flock(s->fd[0], LOCK_UN) == 0, "flock");
}

static bool prepare_ofd_lock(struct slot *s)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return prepare_file(s) && fcntl(s->fd[0], F_OFD_SETLK, &lock) == 0;
}

static long block_ofd_lock(struct slot *s)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(s->fd[1], F_OFD_SETLKW, &lock);
}

/* The open file description's lock conflicts with a process's lock, too. */
static long block_setlkw(struct slot *s)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(s->fd[1], F_SETLKW, &lock);
}

static void feed_ofd_lock(struct slot *s)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
	must(fcntl(s->fd[0], F_OFD_SETLK, &lock) == 0, "unlock");
}

static bool prepare_aio(struct slot *s)
{
	aio_context_t context = 0;

	must(prepare_file(s), "file");
	poke(s->fd[0]);
	if (syscall(SYS_io_setup, 4, &context) != 0)
		return false;
	s->value = (long)context;
	return true;
}

static long block_io_getevents(struct slot *s)
{
	struct io_event event;
	return syscall(SYS_io_getevents, s->value, 1, 1, &event, NULL);
}

static long block_io_getevents_timed(struct slot *s)
{
	struct io_event event;
	return syscall(SYS_io_getevents, s->value, 1, 1, &event, &long_while);
}

static long block_io_pgetevents(struct slot *s)
{
	struct io_event event;
	return syscall(SYS_io_pgetevents, s->value, 1, 1, &event, NULL, NULL);
}

static void feed_aio(struct slot *s)
{
	static char byte;
	struct iocb control = {.aio_lio_opcode = IOCB_CMD_PREAD,
			       .aio_fildes = (uint32_t)s->fd[0],
			       .aio_buf = (uintptr_t)&byte,
			       .aio_nbytes = 1};
	struct iocb *list[] = {&control};

	must(syscall(SYS_io_submit, s->value, 1, list) == 1, "io_submit");
}

static bool prepare_io_uring(struct slot *s)
{
	struct io_uring_params parameters = {0};

	s->fd[0] = (int)syscall(SYS_io_uring_setup, 4, &parameters);
	if (s->fd[0] < 0)
		return false;
	char *ring = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd[0],
			  IORING_OFF_SQ_RING);
	must(ring != MAP_FAILED, "mmap");
	s->memory =
		mmap(NULL, parameters.sq_entries * sizeof(struct io_uring_sqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd[0], IORING_OFF_SQES);
	must(s->memory != MAP_FAILED, "mmap");
	/* The entry is there; the feeder only moves the tail. */
	*(struct io_uring_sqe *)s->memory = (struct io_uring_sqe){.opcode = IORING_OP_NOP};
	*(uint32_t *)(void *)(ring + parameters.sq_off.array) = 0;
	s->memory = ring + parameters.sq_off.tail;
	return true;
}

static long block_io_uring(struct slot *s)
{
	return syscall(SYS_io_uring_enter, s->fd[0], 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static long block_io_uring_timed(struct slot *s)
{
	struct __kernel_timespec t = {.tv_sec = LONG_WHILE_S};
	struct io_uring_getevents_arg argument = {.ts = (uintptr_t)&t};

	return syscall(SYS_io_uring_enter, s->fd[0], 0, 1,
		       IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof(argument));
}

static void feed_io_uring(struct slot *s)
{
	__atomic_store_n((uint32_t *)s->memory, 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, s->fd[0], 1, 0, 0, NULL, 0) == 1, "io_uring_enter");
}

const struct blocking_row blocking_descriptor_rows[] = {
	{"read-pipe", prepare_pipe, block_pipe_read, feed_pipe},
	{"readv-pipe", prepare_pipe, block_pipe_readv, feed_pipe},
	{"write-pipe", prepare_full_pipe, block_pipe_write, feed_full_pipe},
	{"write-pipe-more", prepare_pipe, block_pipe_write_more, feed_pipe_write_more},
	{"splice", prepare_pipe, block_splice, feed_pipe},
	{"open-fifo", prepare_fifo, block_fifo_open, feed_fifo},
	{"poll", prepare_pipe, block_poll, feed_pipe},
	{"poll-timed", prepare_pipe, block_poll_timed, feed_pipe},
	{"ppoll", prepare_pipe, block_ppoll, feed_pipe},
	{"select", prepare_pipe, block_select, feed_pipe},
	{"pselect", prepare_pipe, block_pselect, feed_pipe},
	{"epoll_wait", prepare_epoll, block_epoll_wait, feed_pipe},
	{"epoll_wait-timed", prepare_epoll, block_epoll_wait_timed, feed_pipe},
	{"epoll_pwait", prepare_epoll, block_epoll_pwait, feed_pipe},
	{"epoll_pwait2", prepare_epoll_pwait2, block_epoll_pwait2, feed_pipe},
	{"read-eventfd", prepare_eventfd, block_eventfd, feed_eventfd},
	{"read-timerfd", prepare_timerfd, block_timerfd, feed_timerfd},
	{"read-signalfd", prepare_signalfd, block_signalfd, feed_usr2},
	{"read-inotify", prepare_inotify, block_inotify, feed_inotify},
	{"flock", prepare_flock, block_flock, feed_flock},
	{"fcntl-ofd-setlkw", prepare_ofd_lock, block_ofd_lock, feed_ofd_lock},
	{"fcntl-setlkw", prepare_ofd_lock, block_setlkw, feed_ofd_lock},
	{"io_getevents", prepare_aio, block_io_getevents, feed_aio},
	{"io_getevents-timed", prepare_aio, block_io_getevents_timed, feed_aio},
	{"io_pgetevents", prepare_aio, block_io_pgetevents, feed_aio},
	{"io_uring_enter", prepare_io_uring, block_io_uring, feed_io_uring},
	{"io_uring_enter-timed", prepare_io_uring, block_io_uring_timed, feed_io_uring},
	{NULL}};
