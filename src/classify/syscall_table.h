/* What each system call of Linux on x86-64 can wait on. */
#ifndef HANGDUMP_CLASSIFY_SYSCALL_TABLE_H
#define HANGDUMP_CLASSIFY_SYSCALL_TABLE_H

#include "model/wait.h"

/* How a wait in the call is looked into. */
enum syscall_family {
	FAMILY_OTHER, /* waits on nothing that we could name: `system call` */
	FAMILY_FUTEX,
	FAMILY_FUTEX_WAITV,
	FAMILY_SLEEP,
	FAMILY_POLL,
	FAMILY_SELECT,
	FAMILY_EPOLL,
	FAMILY_IO_URING,
	FAMILY_AIO,
	FAMILY_READ,   /* what the descriptor is decides */
	FAMILY_WRITE,  /* likewise */
	FAMILY_SOCKET, /* the descriptor is a socket, and .class the class */
	FAMILY_CONNECT,
	FAMILY_TRANSFER, /* from one descriptor to another: splice, sendfile */
	FAMILY_IOCTL,
	FAMILY_FCNTL,
	FAMILY_FLOCK,
	FAMILY_OPEN,
	FAMILY_FILE,   /* a file system's work: it waits for a disk, if at all */
	FAMILY_MEMORY, /* takes the address-space lock */
	FAMILY_CHILD,
	FAMILY_CLONE, /* with CLONE_VFORK: until the child lets go */
	FAMILY_SIGNAL,
	FAMILY_SEMAPHORE, /* System V */
	FAMILY_SYSV_MESSAGE,
	FAMILY_MESSAGE_QUEUE,
	FAMILY_EXEC,
	FAMILY_EXIT,
	SYSCALL_FAMILIES
};

/* What kind of time limit an argument is; .timeout says which one. */
enum syscall_timeout {
	TIMEOUT_NONE,
	TIMEOUT_MS,		   /* an int of milliseconds; negative: none */
	TIMEOUT_TIMESPEC,	   /* relative, left alone by the kernel */
	TIMEOUT_TIMESPEC_UPDATED,  /* relative; what is left is written back on interruption */
	TIMEOUT_TIMEVAL_UPDATED,   /* likewise, a struct timeval */
	TIMEOUT_ABSOLUTE_REALTIME, /* a timespec */
	TIMEOUT_SPECIAL,	   /* by the family: time.c */
};

struct syscall_row {
	const char *name; /* only where libseccomp may be too old to know it */
	bool known;
	uint8_t arguments; /* how many it takes */
	uint8_t fd[2];	   /* 1 + the argument that is a file descriptor it may wait on; 0: none */
	uint8_t path;	   /* 1 + the argument that names a file; 0: none */
	uint8_t timeout;   /* 1 + the argument that limits the wait; 0: none */
	enum syscall_timeout timeout_kind;
	enum syscall_family family;
	enum wait_class class; /* for families that have but one */
};

/* NULL: the number is not known to us. */
const struct syscall_row *syscall_row(long number);

#endif
