/*
 * Opens files that may not answer.  A helper process does the opening and hands the descriptor
 * back; when it gives no answer in time it is killed and left to itself (it may be stuck in the
 * kernel), and a fresh one serves the next file.
 *
 * Only regular files are opened, and nothing else is touched: opening a FIFO or a device has
 * effects on others.  Files on network and user-space file systems come as a private copy, so that
 * no later page fault can wait for a server.
 */
#ifndef HANGDUMP_OBJECTS_OPENER_H
#define HANGDUMP_OBJECTS_OPENER_H

#include "base/deadline.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum open_result {
	OPEN_DONE,
	OPEN_FAILED, /* os_errno */
	OPEN_NOT_REGULAR,
	OPEN_TOO_LARGE, /* to be copied from where it lies */
	OPEN_TIMED_OUT,
	OPEN_NO_HELPER, /* os_errno */
};

struct opened {
	enum open_result result;
	int os_errno;
	int fd; /* the caller's; -1 unless OPEN_DONE */
	uint64_t inode, device, size;
	uint64_t changed_ns; /* CLOCK_REALTIME */
	/* Whose it is and who may write it: also of a copy, which does not show that itself. */
	uid_t owner;
	mode_t mode;
	bool copied;
};

struct opener;

/* Starts no helper before the first file. */
struct opener *opener_new(void);
void opener_free(struct opener *opener);

/*
 * `root` is a directory beyond which no link leads, or NULL for our own root and for the links
 * of /proc, which are followed.
 */
struct opened opener_open(struct opener *opener, const char *root, const char *path,
			  struct deadline deadline);

/* In a child that fork() made: leaves the parent's helper to the parent. */
void opener_in_child(struct opener *opener);

/* "is not a regular file", "could not be opened in time", ...: static. */
const char *opened_why(const struct opened *opened);

/* The helper's pid, 0 when there is none: for tests. */
pid_t opener_helper(const struct opener *opener);

#endif
