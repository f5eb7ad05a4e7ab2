/*
 * Private to this room: the look beyond the dumped processes.  It is planned in our own process
 * from what their waits need, made in one helper process, and what it finds lies in the arena as
 * lists, each item of which counts only once it is complete.
 */
#ifndef HANGDUMP_CAPTURE_AROUND_H
#define HANGDUMP_CAPTURE_AROUND_H

#include "base/array.h"
#include "capture/raw.h"

#include <stddef.h>

struct around_item {
	struct around_item *next;
	_Alignas(max_align_t) char payload[];
};
struct around_list {
	struct around_item *first; /* the youngest first */
};

/* Two loops in one: `break` ends the inner one, which is `continue`. */
#define around_for_each(type, list, item)                                                          \
	for (struct around_item *item##_at = (list)->first; item##_at;                             \
	     item##_at = item##_at->next)                                                          \
		for (type *item = (void *)item##_at->payload; item; item = NULL)

/* What was found, in the arena. */
struct around_found {
	struct around_list processes; /* of struct capture_neighbour, and so on */
	struct around_list ends, sockets, file_locks, lock_holders, semaphores;
	struct around_list errors; /* of struct capture_error */
	bool processes_done, ends_done, sockets_done, file_locks_done;
	unsigned ends_refused, ends_late; /* processes */
	unsigned ends_unsettled;	  /* that ran all the while, or may have been born */
	bool hidden, contained;
	bool full; /* the arena: something is missing */
};

/* A descriptor that a wait names. */
struct around_file {
	struct raw_process *process;
	int fd;
	/*
	 * Those of one wait have one number.  Their ends are of use together only: who could end a
	 * wait on several is known when it is known for each.
	 */
	unsigned wait;
	enum capture_end_kind kind;
	uint64_t device, inode;
	uint64_t net;  /* inode of its process's network namespace; 0 not known */
	uint64_t peer; /* of a socket: the one whose holders are wanted; 0 none */
	/* What a unix socket connects or sends to; of length 0: nothing. */
	char name[CAPTURE_NAME_MOST];
	size_t name_length;
};

struct around_thread {
	pid_t pid, tid;
};

/* A thread that waits for a file lock. */
struct around_lock_waiter {
	struct around_thread id;
	long number; /* of its call */
	struct capture_file_lock request;
	bool seen; /* among those that wait, by the kernel's list */
};

struct around_semaphore {
	struct raw_process *process;
	int id;
	unsigned number;
};

struct around {
	struct raw_capture *raw;
	struct around_found *found;
	struct deadline deadline; /* for the helper to end by itself */
	/* The plan. */
	array(struct around_file) files; /* by process, then fd */
	array(struct around_semaphore) semaphores;
	array(struct around_lock_waiter) lock_waiters;
	array(struct around_thread) vfork_parents; /* tid: one that lives */
	bool children;
	unsigned wait_count;
	size_t files_left_out; /* of `files`: there was no room for what they are */
	/* What the helper makes of it. */
	array(struct capture_end) sought;     /* by kind, inode, device; pid and fd mean nothing */
	pid_t born;			      /* the newest id at the last look at the processes */
	unsigned lock_count;		      /* locks that are held: the last one's id */
	array(struct capture_file_lock) held; /* whose open files are sought */
};

/* A copy in the arena, which counts from then on. */
void around_add(struct around *around, struct around_list *list, const void *item, size_t size);

/* By kind, inode, device: what makes two ends one file's. */
int around_compare_files(const void *a, const void *b);

/* what, why_format: as in raw_add_error(). */
void around_error(struct around *around, const char *what, const char *why_format, ...)
	__attribute__((format(printf, 3, 4)));

/* around_processes.c: the process table, once. */
void around_processes(struct around *around);
/* Adds those that have been born since.  Returns whether nobody can have been. */
bool around_newborn(struct around *around);

/* around_files.c: sorts them; room in the arena for what the survey has not read. */
void around_prepare_files(struct around *around);
/* What they are; reads those that the survey did not. */
void around_resolve_files(struct around *around);
/* Puts what was read in its place among the survey's; when the helper has ended. */
void around_sort_descriptors(struct around *around);
/* Which files' ends are worth a look: fills `sought`. */
void around_choose_ends(struct around *around);

/* around_sockets.c: the sockets among the files, and those that they lead to: fills `peer`. */
void around_sockets(struct around *around);

/* around_ends.c: who has the files in `sought` open, and the open files of the locks in `held`. */
void around_ends(struct around *around);

/* around_locks.c */
void around_file_locks(struct around *around);
/* A line of /proc/locks, or of fdinfo after "lock:"; kind is within text, not terminated. */
struct lock_line {
	struct capture_file_lock lock;
	unsigned depth; /* 0: it is held */
	size_t kind_length;
};
bool parse_lock_line(const char *line, struct lock_line *ret);

/* around_semaphores.c */
void around_semaphores(struct around *around);

/*
 * namespace.c: makes the namespace ("net", "ipc") of a thread the caller's own, for good: whoever
 * needs another one enters that.  An errno, or 0.
 */
int namespace_enter(pid_t tid, const char *name);
/* Its inode; 0: it may not be looked at. */
/* pid: 0 for our own. */
uint64_t namespace_of(pid_t pid, const char *name);

#endif
