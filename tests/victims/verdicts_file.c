/* File locks: who has them is not always who asked for them. */
#include "verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static const char left[] = "left.lock", right[] = "right.lock";

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0, path);
	return fd;
}

static void lock_fd(int fd)
{
	while (flock(fd, LOCK_EX) < 0)
		must(errno == EINTR, "flock");
}

/* Each takes the file through an open of its own. */
static void take_flock(void *path)
{
	lock_fd(open_file(path));
}

static void take_record(const char *path, int command)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	int fd = open_file(path);
	while (fcntl(fd, command, &lock) < 0) {
		if (errno == EDEADLK)
			unsupported("F_SETLKW");
		must(errno == EINTR, "fcntl");
	}
}

static void take_posix(void *path)
{
	take_record(path, F_SETLKW);
}

static void take_ofd(void *path)
{
	take_record(path, F_OFD_SETLKW);
}

static void stop_oneself(void *unused)
{
	(void)unused;
	raise(SIGSTOP);
}

static void wait_for_child(pid_t child)
{
	while (waitpid(child, NULL, 0) < 0)
		must(errno == EINTR, "waitpid");
	sleep_for_ever();
}

static void cycle_of(void (*lock)(void *))
{
	const struct actor actors[] = {
		{"a", {lock, left}, {lock, right}},
		{"b", {lock, right}, {lock, left}},
	};
	play_processes(actors, 2);
}

static void flock_cycle(void)
{
	cycle_of(take_flock);
}

static void ofd_cycle(void)
{
	cycle_of(take_ofd);
}

static void chain_of(void (*lock)(void *), void (*then)(void *))
{
	const struct actor actors[] = {
		{"a", {NULL, NULL}, {lock, left}},
		{"b", {lock, left}, {then, NULL}},
	};
	play_processes(actors, 2);
}

static void flock_chain(void)
{
	chain_of(take_flock, take_sleep);
}

static void posix_chain(void)
{
	chain_of(take_posix, take_sleep);
}

static void ofd_chain(void)
{
	chain_of(take_ofd, take_sleep);
}

static void flock_stopped(void)
{
	chain_of(take_flock, stop_oneself);
}

static void flock_self(void)
{
	stage(1, 0);
	take_flock((void *)left);
	arrive("a");
	take_flock((void *)left);
	sleep_for_ever();
}

/* In one process the locks belong to the files that are open, not to threads. */
static void flock_threads(void)
{
	const struct actor actors[] = {
		{"a", {take_flock, left}, {take_flock, right}},
		{"b", {take_flock, right}, {take_flock, left}},
	};
	play_threads(actors, 2);
}

static void arrive_and_sleep(void *role)
{
	arrive(role);
	sleep_for_ever();
}

static void want_flock(void *role)
{
	arrive(role);
	take_flock((void *)left);
	sleep_for_ever();
}

static void want_ofd(void *role)
{
	arrive(role);
	take_ofd((void *)left);
	sleep_for_ever();
}

/*
 * Who locked the file has closed it; the lock lives on in the child that it forked, though the
 * kernel still names the parent as its owner.  And the parent waits for the one who waits.
 */
static void inherited(int (*lock)(void), void (*wanted)(void *))
{
	stage(3, 0);
	int fd = lock();
	play_process(arrive_and_sleep, "heir");
	close(fd);
	pid_t waiter = play_process(wanted, "a");
	arrive("main");
	wait_for_child(waiter);
}

static int lock_left_flock(void)
{
	int fd = open_file(left);
	lock_fd(fd);
	return fd;
}

static int lock_left_ofd(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	int fd = open_file(left);
	must(fcntl(fd, F_OFD_SETLKW, &lock) == 0, "fcntl");
	return fd;
}

static void flock_inherited(void)
{
	inherited(lock_left_flock, want_flock);
}

static void ofd_inherited(void)
{
	inherited(lock_left_ofd, want_ofd);
}

static int held;

static void close_and_want_flock(void *role)
{
	close(held);
	want_flock(role);
}

/* Locks a file, and waits for a child that wants the same. */
static void flock_and_child(void)
{
	stage(2, 0);
	held = lock_left_flock();
	pid_t child = play_process(close_and_want_flock, "child");
	arrive("parent");
	wait_for_child(child);
}

const struct verdict_row verdict_file_rows[] = {
	{"flock-cycle", flock_cycle},
	{"ofd-cycle", ofd_cycle},
	{"flock-chain", flock_chain},
	{"posix-chain", posix_chain},
	{"ofd-chain", ofd_chain},
	{"flock-stopped", flock_stopped},
	{"flock-self", flock_self},
	{"flock-threads", flock_threads},
	{"flock-inherited", flock_inherited},
	{"ofd-inherited", ofd_inherited},
	{"flock-and-child", flock_and_child},
	{0},
};
