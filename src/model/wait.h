/*
 * What a thread is blocked on.  Plain data: filled by classify, read by everybody after it.
 */
#ifndef HANGDUMP_MODEL_WAIT_H
#define HANGDUMP_MODEL_WAIT_H

#include "base/array.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The words of each class, and what a person should know of it, are rows of wait.c. */
enum wait_class {
	WAIT_UNKNOWN, /* the facts could not be read */
	WAIT_RUNNING,
	WAIT_MUTEX_LOCK,
	WAIT_RWLOCK_READ,
	WAIT_RWLOCK_WRITE,
	WAIT_COND,
	WAIT_SEMAPHORE,
	WAIT_BARRIER,
	WAIT_ONCE,
	WAIT_JOIN,
	WAIT_PARK,
	WAIT_FUTURE,
	WAIT_ATOMIC,
	WAIT_GIL,
	WAIT_FUTEX,
	WAIT_SLEEP,
	WAIT_POLL,
	WAIT_SELECT,
	WAIT_EPOLL,
	WAIT_IO_URING,
	WAIT_AIO,
	WAIT_PIPE_READ,
	WAIT_PIPE_WRITE,
	WAIT_FIFO_OPEN,
	WAIT_SOCKET_READ,
	WAIT_SOCKET_WRITE,
	WAIT_SOCKET_ACCEPT,
	WAIT_SOCKET_CONNECT,
	WAIT_EVENTFD_READ,
	WAIT_EVENTFD_WRITE,
	WAIT_TIMERFD_READ,
	WAIT_SIGNALFD_READ,
	WAIT_INOTIFY_READ,
	WAIT_TTY_READ,
	WAIT_TTY_WRITE,
	WAIT_FILE_READ,
	WAIT_FILE_WRITE,
	WAIT_FILE_LOCK,
	WAIT_MESSAGE_RECEIVE,
	WAIT_MESSAGE_SEND,
	WAIT_CHILD,
	WAIT_VFORK,
	WAIT_SIGNAL,
	WAIT_DISK,
	WAIT_PAGE_FAULT,
	WAIT_MEMORY_MAP_LOCK,
	WAIT_STOPPED,
	WAIT_TRACED,
	WAIT_FROZEN,
	WAIT_EXITED,
	WAIT_EXITING,
	WAIT_IO_URING_WORKER,
	WAIT_CHANNEL_RECEIVE,
	WAIT_CHANNEL_SEND,
	WAIT_CHANNEL_SELECT,
	WAIT_MONITOR_ENTER,
	WAIT_OBJECT,
	WAIT_SYSTEM_CALL, /* any other: wait.syscall names it */
	WAIT_CLASSES
};

/* How suspicious a thread in this class is when nothing more is known of it: report order. */
enum suspicion {
	SUSPICION_HIGH,	  /* waits for one thread or lock to act: lock, join, D state, full pipe */
	SUSPICION_MEDIUM, /* waits for an event that somebody must make */
	SUSPICION_LOW,	  /* may well be at rest: event loops, sleeps, accept */
};

struct wait_class_row {
	const char *name; /* the contract's word */
	enum suspicion suspicion;
	const char *meaning; /* one clause, for the manual */
};
extern const struct wait_class_row wait_classes[WAIT_CLASSES];

/* WAIT_UNKNOWN and false when there is no such name. */
bool wait_class_from_name(const char *name, enum wait_class *ret);

enum confidence {
	CONFIDENCE_CERTAIN, /* read from the kernel or from memory that says so */
	CONFIDENCE_LIKELY,  /* inferred */
};
extern const char *const confidence_names[2];

/* A thread of a process.  tid 0: the process as a whole. */
struct thread_id {
	pid_t pid, tid;
};

/* What is known of those who must act for a wait to end. */
enum owner_state {
	OWNER_NOBODY, /* nobody in particular has to act */
	OWNER_ALIVE,  /* the owners are threads or processes that exist */
	OWNER_EXITED, /* the owner's id is no thread's any more: its tid is as memory has it */
	/*
	 * A thread of the process that this one was forked from: whatever it does there, the copy of
	 * the lock that this process has stays locked.
	 */
	OWNER_LEFT_BY_FORK,
	OWNER_NOT_RECORDED, /* the lock does not say who holds it */
	OWNER_READERS,	    /* held by readers, whom the lock only counts */
	OWNER_UNREADABLE,   /* it could not be read, or is a value that cannot be */
	OWNER_STATES
};
extern const char *const owner_state_names[OWNER_STATES]; /* NULL for OWNER_NOBODY */

/* Who could end a wait, apart from time and signals. */
enum wait_reach {
	REACH_ANYBODY, /* something outside of the process too, or it is not known */
	REACH_PROCESS, /* the threads of its own process only */
	REACH_OWNERS,  /* its owners only: they are all known, or see owners_by_search */
	REACHES
};
extern const char *const wait_reach_names[REACHES];

struct syscall_fact {
	long number; /* -1: not in a system call */
	const char *name;
	uint64_t arguments[6];
	unsigned argument_count; /* how many the call takes */
};

/* What is waited for.  Strings are in the dump's pool. */
struct resource {
	const char *kind;   /* "mutex", "pipe", "tcp socket": NULL when there is no resource */
	uint64_t address;   /* 0: none (a file descriptor, a process) */
	const char *name;   /* symbol or path, or NULL */
	int fd;		    /* -1: none */
	const char *detail; /* endpoints, counts, watched descriptors; or NULL */
	const char *
		identity; /* what makes two resources one: "pipe:[1234]"; NULL: address and fd do */
};

/* Is it one thing?  Within one process, or by what is the same in all. */
bool resource_is(const struct resource *a, const struct resource *b);

struct wait {
	enum wait_class class;
	/* The runtime's own for it, "chan send"; NULL: wait_classes[] has the name. */
	const char *words;
	int64_t since_ms;   /* -1: not known */
	int64_t timeout_ms; /* time left; -1: none, or not known */
	bool limited;	    /* it ends by itself, in however much time */
	bool idle;	    /* waits for work by design */
	enum confidence confidence;
	bool has_syscall;
	struct syscall_fact syscall;
	struct resource resource;
	/* Who must act for this wait to end: any one of these. */
	array(struct thread_id) owners;
	enum owner_state owner_state;
	enum confidence owner_confidence; /* certain: memory or the kernel names them */
	/*
	 * The owners are those that were found to have a descriptor of it, in one process after the
	 * other, later than the wait was seen: one may have been on its way from here to there.
	 */
	bool owners_by_search;
	enum wait_reach reach;
	bool overdue;	  /* memory says that it should have been woken: see FINDING_LOST_WAKEUP */
	const char *rule; /* which row decided, for -v and for tests; static */
};

/* What the report calls it. */
const char *wait_name(const struct wait *wait);

void wait_init(struct wait *wait);
void wait_deinit(struct wait *wait);

#endif
