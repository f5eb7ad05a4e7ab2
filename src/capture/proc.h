/*
 * What /proc tells, read and taken apart.  The parse_* functions are pure and take text that the
 * target has a say in (names with any byte): they return false, or leave a field as "not known",
 * rather than believe it.
 *
 * Sources: Documentation/filesystems/proc.rst and fs/proc/array.c of Linux 6.12.
 */
#ifndef HANGDUMP_CAPTURE_PROC_H
#define HANGDUMP_CAPTURE_PROC_H

#include "base/pid.h"
#include "capture/reader.h"

/*
 * Reads a file below dirfd (AT_FDCWD for a full path) into buf, cut at size - 1, and
 * NUL-terminates it.  Returns its length, or -errno.  Not for maps, which come in many pieces.
 */
ssize_t proc_read(int dirfd, const char *path, char *buf, size_t size);

struct proc_stat {
	char name[64]; /* kernel threads have up to 63 bytes */
	char state;
	pid_t ppid, group, session;
	uint64_t flags, utime, stime, start_time; /* times in clock ticks */
	unsigned threads;
	int exit_signal, processor; /* -1: none, not known */
};
bool parse_stat(const char *text, struct proc_stat *ret);

enum { NS_LEVELS_MOST = 33 }; /* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h, and ours */

struct proc_status {
	pid_t tgid, ns_tid, tracer;
	uid_t uid[4]; /* real, effective, saved, filesystem */
	uint64_t signals_pending, signals_caught, capabilities_permitted;
	int seccomp;
	int64_t switches_voluntary, switches_involuntary; /* -1: not there */
};
void parse_status(const char *text, struct proc_status *ret);

/*
 * The ids in a line of status ("NSpid", "NSpgid"): one for each pid namespace from that of /proc's
 * mount inwards.  Returns how many, at most `most`.
 */
unsigned parse_status_ids(const char *text, const char *name, pid_t *ret, unsigned most);

/* The number after "name:" at the start of a line, as in status and fdinfo. */
bool parse_number(const char *text, const char *name, int base, uint64_t *ret);

/* Does a timer of /proc/PID/timers send a signal?  Its lines: fs/proc/base.c, show_timer(). */
bool parse_timers(const char *text);

/* Times in stat are in clock ticks. */
int64_t proc_ticks_to_ns(uint64_t ticks);

void parse_syscall(const char *text, struct raw_syscall *ret);

/* A time in the sched file ("se.exec_start") in nanoseconds; -1 when it is not there. */
int64_t parse_sched_ns(const char *text, const char *name);

/* One line of maps; path is within text, not terminated. */
struct proc_map {
	struct capture_mapping mapping;
	const char *path;
	size_t path_length;
};
/* Returns the start of the next line, or NULL at the end.  *ret_ok: the line made sense. */
const char *parse_maps_line(const char *text, struct proc_map *ret, bool *ret_ok);

/* Name of a process for messages ("gdb"), or "?". */
void proc_name(pid_t pid, char *buf, size_t size);

#endif
