/*
 * What /proc tells of a process to whoever asks: reading a file of it, and taking apart those that
 * more than one room needs.  The text has names with any byte in it: parsers return false rather
 * than believe it.
 *
 * Sources: Documentation/filesystems/proc.rst and fs/proc/array.c of Linux 6.12.
 */
#ifndef HANGDUMP_BASE_PROC_H
#define HANGDUMP_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads a file below dirfd (AT_FDCWD for a full path) into buf, cut at size - 1, and
 * NUL-terminates it.  Returns its length, or -errno.  Not for maps, which come in many pieces.
 */
ssize_t proc_read(int dirfd, const char *path, char *buf, size_t size);

/*
 * The same of a status file, but for the ids after "Groups:": there may be 65,536 of them, and what
 * comes after would be cut.
 */
ssize_t proc_read_status(int dirfd, const char *path, char *buf, size_t size);

struct proc_stat {
	char name[64]; /* kernel threads have up to 63 bytes */
	char state;
	pid_t ppid, group, session;
	uint64_t flags, utime, stime, start_time; /* times in clock ticks */
	uint64_t start_stack; /* where execve(2) put it; 0: not for us to know */
	unsigned threads;
	int exit_signal, processor; /* -1: none, not known */
};
bool parse_stat(const char *text, struct proc_stat *ret);

/* What follows "name:" and blanks at the start of a line, as in status and fdinfo; or NULL. */
const char *proc_field(const char *text, const char *name);
/* The number there. */
bool parse_number(const char *text, const char *name, int base, uint64_t *ret);

/* Name of a process for messages ("gdb"), or "?". */
void proc_name(pid_t pid, char *buf, size_t size);

#endif
