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
#include "base/proc.h"
#include "capture/reader.h"

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

/* Is there no thread with this id, or may we only not see it? */
bool thread_is_surely_gone(pid_t tid);

#endif
