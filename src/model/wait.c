#include "model/wait.h"

#include <stdlib.h>
#include <string.h>

#define HIGH   SUSPICION_HIGH
#define MEDIUM SUSPICION_MEDIUM
#define LOW    SUSPICION_LOW

const struct wait_class_row wait_classes[WAIT_CLASSES] = {
	[WAIT_UNKNOWN] = {"unknown", MEDIUM, "the facts could not be read; an error says why"},
	[WAIT_RUNNING] = {"running", MEDIUM, "on a CPU or ready for one, in user or kernel code"},
	[WAIT_MUTEX_LOCK] = {"mutex lock", HIGH,
			     "a mutex of any kind or maker, low-level libc locks included"},
	[WAIT_RWLOCK_READ] = {"rwlock read", HIGH, "a read-write lock, to read"},
	[WAIT_RWLOCK_WRITE] = {"rwlock write", HIGH, "a read-write lock, to write"},
	[WAIT_COND] = {"cond wait", MEDIUM, "a condition variable, timed or not"},
	[WAIT_SEMAPHORE] = {"semaphore wait", MEDIUM, "a POSIX, System V or C++20 semaphore"},
	[WAIT_BARRIER] = {"barrier wait", HIGH, "a pthread, C++20 or OpenMP barrier, or a latch"},
	[WAIT_ONCE] =
		{"once wait", HIGH,
		 "another thread's one-time initialisation: pthread_once, C++ static, Rust Once"},
	[WAIT_JOIN] = {"thread join", MEDIUM, "the end of another thread"},
	[WAIT_PARK] = {"park", MEDIUM, "a runtime's parked thread"},
	[WAIT_FUTURE] = {"future wait", MEDIUM, "std::future and the like"},
	[WAIT_ATOMIC] = {"atomic wait", MEDIUM, "a C++20 atomic wait"},
	[WAIT_GIL] = {"gil wait", HIGH, "the Python interpreter lock"},
	[WAIT_FUTEX] = {"futex wait", MEDIUM, "a futex whose maker is not known"},
	[WAIT_SLEEP] = {"sleep", LOW, "a time: the nanosleep family"},
	[WAIT_POLL] = {"poll", LOW, "events on file descriptors, through poll(2)"},
	[WAIT_SELECT] = {"select", LOW, "events on file descriptors, through select(2)"},
	[WAIT_EPOLL] = {"epoll wait", LOW, "events on file descriptors, through epoll(7)"},
	[WAIT_IO_URING] = {"io_uring wait", LOW, "completions of an io_uring"},
	[WAIT_AIO] = {"aio wait", MEDIUM, "completions of native asynchronous I/O"},
	[WAIT_PIPE_READ] = {"pipe read", MEDIUM, "data in a pipe or FIFO"},
	[WAIT_PIPE_WRITE] = {"pipe write", HIGH, "room in a pipe or FIFO"},
	[WAIT_FIFO_OPEN] = {"fifo open", HIGH, "the other end of a FIFO to be opened"},
	[WAIT_SOCKET_READ] = {"socket read", MEDIUM, "data on a socket of any family"},
	[WAIT_SOCKET_WRITE] = {"socket write", HIGH, "room in a socket of any family"},
	[WAIT_SOCKET_ACCEPT] = {"socket accept", LOW, "a connection to come in"},
	[WAIT_SOCKET_CONNECT] = {"socket connect", HIGH, "a connection to be taken"},
	[WAIT_EVENTFD_READ] = {"eventfd read", MEDIUM, "an eventfd above zero"},
	[WAIT_EVENTFD_WRITE] = {"eventfd write", HIGH, "room in an eventfd"},
	[WAIT_TIMERFD_READ] = {"timerfd read", LOW, "a timerfd to expire"},
	[WAIT_SIGNALFD_READ] = {"signalfd read", LOW, "a signal, through a signalfd"},
	[WAIT_INOTIFY_READ] = {"inotify read", LOW, "a file event"},
	[WAIT_TTY_READ] = {"tty read", LOW, "input on a terminal"},
	[WAIT_TTY_WRITE] = {"tty write", HIGH, "room in a terminal"},
	[WAIT_FILE_READ] = {"file read", MEDIUM, "data of a file or device"},
	[WAIT_FILE_WRITE] = {"file write", MEDIUM, "a write to a file or device"},
	[WAIT_FILE_LOCK] = {"file lock", HIGH, "a flock, fcntl or OFD lock"},
	[WAIT_MESSAGE_RECEIVE] = {"message receive", MEDIUM, "a System V or POSIX message"},
	[WAIT_MESSAGE_SEND] = {"message send", HIGH, "room in a message queue"},
	[WAIT_CHILD] = {"child wait", MEDIUM, "a child process to end"},
	[WAIT_VFORK] = {"vfork wait", HIGH, "a vfork child to exec or exit"},
	[WAIT_SIGNAL] = {"signal wait", LOW, "a signal: pause, sigsuspend, the sigwait family"},
	[WAIT_DISK] = {"disk wait", HIGH, "I/O, in uninterruptible sleep"},
	[WAIT_PAGE_FAULT] = {"page fault", HIGH, "a page: userfaultfd, swap, network file"},
	[WAIT_MEMORY_MAP_LOCK] = {"memory map lock", HIGH, "the kernel's address-space lock"},
	[WAIT_STOPPED] = {"stopped", HIGH, "SIGCONT: it was stopped by job control"},
	[WAIT_TRACED] = {"traced", HIGH, "its debugger"},
	[WAIT_FROZEN] = {"frozen", HIGH, "its cgroup to be thawed"},
	[WAIT_EXITED] = {"exited", LOW, "nothing: a zombie"},
	[WAIT_EXITING] = {"exiting", HIGH, "its own end, being torn down"},
	[WAIT_IO_URING_WORKER] = {"io_uring worker", LOW, "work: a kernel helper in the task list"},
	[WAIT_CHANNEL_RECEIVE] = {"channel receive", MEDIUM, "a message on a native channel"},
	[WAIT_CHANNEL_SEND] = {"channel send", HIGH, "room in a native channel"},
	[WAIT_CHANNEL_SELECT] = {"channel select", MEDIUM, "one of several channels"},
	[WAIT_MONITOR_ENTER] = {"monitor enter", HIGH, "a Java monitor"},
	[WAIT_OBJECT] = {"object wait", MEDIUM, "Object.wait in Java"},
	[WAIT_SYSTEM_CALL] = {"system call", MEDIUM, "some other system call, which is named"},
};

const char *const confidence_names[2] = {
	[CONFIDENCE_CERTAIN] = "certain", [CONFIDENCE_LIKELY] = "likely"};

const char *const owner_state_names[OWNER_STATES] = {
	[OWNER_ALIVE] = "alive",
	[OWNER_EXITED] = "exited",
	[OWNER_LEFT_BY_FORK] = "left by fork",
	[OWNER_NOT_RECORDED] = "not recorded",
	[OWNER_READERS] = "readers",
	[OWNER_UNREADABLE] = "unreadable",
};

const char *const wait_reach_names[REACHES] = {
	[REACH_ANYBODY] = "anybody",
	[REACH_PROCESS] = "process",
	[REACH_OWNERS] = "owners",
};

bool wait_class_from_name(const char *name, enum wait_class *ret)
{
	for (int i = 0; i < WAIT_CLASSES; i++) {
		if (strcmp(wait_classes[i].name, name) == 0) {
			*ret = (enum wait_class)i;
			return true;
		}
	}
	return false;
}

/* Mostly equal pointers, out of one pool; a dump that was put together otherwise works as well. */
static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool resource_is(const struct resource *a, const struct resource *b)
{
	if (!same_string(a->kind, b->kind))
		return false;
	if (!a->kind)
		return true;
	if (a->identity || b->identity)
		return same_string(a->identity, b->identity);
	if (a->address || b->address)
		return a->address == b->address;
	if (a->fd != b->fd || !same_string(a->name, b->name))
		return false;
	return a->fd >= 0 || a->name || same_string(a->detail, b->detail);
}

const char *wait_name(const struct wait *wait)
{
	return wait->words ? wait->words : wait_classes[wait->class].name;
}

void wait_init(struct wait *wait)
{
	*wait = (struct wait){.since_ms = -1, .timeout_ms = -1, .resource.fd = -1};
}

void wait_deinit(struct wait *wait)
{
	array_deinit(&wait->owners);
}
