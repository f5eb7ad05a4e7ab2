#include "capture/proc.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static int64_t number(const char *text, const char *name, int base, int64_t absent)
{
	const char *at = proc_field(text, name);
	return at ? (int64_t)strtoull(at, NULL, base) : absent;
}

void parse_status(const char *text, struct proc_status *ret)
{
	*ret = (struct proc_status){0};
	/* "Name:" comes first and may hold anything but a newline, which the kernel escapes. */
	ret->tgid = (pid_t)number(text, "Tgid", 10, 0);
	ret->tracer = (pid_t)number(text, "TracerPid", 10, 0);
	ret->signals_pending =
		(uint64_t)(number(text, "SigPnd", 16, 0) | number(text, "ShdPnd", 16, 0));
	ret->signals_caught = (uint64_t)number(text, "SigCgt", 16, 0);
	ret->capabilities_permitted = (uint64_t)number(text, "CapPrm", 16, 0);
	ret->seccomp = (int)number(text, "Seccomp", 10, 0);
	ret->switches_voluntary = number(text, "voluntary_ctxt_switches", 10, -1);
	ret->switches_involuntary = number(text, "nonvoluntary_ctxt_switches", 10, -1);
	const char *uids = proc_field(text, "Uid");
	if (uids)
		sscanf(uids, "%u %u %u %u", &ret->uid[0], &ret->uid[1], &ret->uid[2], &ret->uid[3]);
	/* The last column is the id in the innermost namespace. */
	pid_t ids[NS_LEVELS_MOST];
	unsigned levels = parse_status_ids(text, "NSpid", ids, NS_LEVELS_MOST);
	if (levels)
		ret->ns_tid = ids[levels - 1];
}

unsigned parse_status_ids(const char *text, const char *name, pid_t *ret, unsigned most)
{
	unsigned count = 0;
	const char *at = proc_field(text, name);
	while (at && *at && *at != '\n' && count < most) {
		char *end;
		long id = strtol(at, &end, 10);
		if (end == at)
			break;
		ret[count++] = (pid_t)id;
		at = end + strspn(end, " \t");
	}
	return count;
}

bool parse_timers(const char *text)
{
	/* "notify: signal/pid.4242", "thread/tid.9", "none/pid.4242". */
	const char *at = text;
	while ((at = proc_field(at, "notify"))) {
		if (strncmp(at, "none", 4) != 0)
			return true;
	}
	return false;
}

int64_t proc_ticks_to_ns(uint64_t ticks)
{
	static long per_second;
	if (!per_second)
		per_second = sysconf(_SC_CLK_TCK);
	return (int64_t)(ticks * (1000000000u / (uint64_t)per_second));
}

void parse_syscall(const char *text, struct raw_syscall *ret)
{
	*ret = (struct raw_syscall){.state = SYSCALL_UNREADABLE, .number = -1};
	if (strncmp(text, "running", 7) == 0) {
		ret->state = SYSCALL_RUNNING;
		return;
	}
	long nr;
	uint64_t a[6], sp, pc;
	int n = sscanf(text,
		       "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		       " %" SCNx64 " %" SCNx64,
		       &nr, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &sp, &pc);
	if (n == 9 && nr >= 0) {
		*ret = (struct raw_syscall){SYSCALL_INSIDE, nr, {0}, sp, pc};
		memcpy(ret->arguments, a, sizeof(a));
	} else if (n == 3 && nr == -1) {
		*ret = (struct raw_syscall){SYSCALL_NONE, -1, {0}, a[0], a[1]};
	}
}

int64_t parse_sched_ns(const char *text, const char *name)
{
	/* "se.exec_start                   :    1091911.983090", in milliseconds. */
	size_t n = strlen(name);
	for (const char *at = text; (at = strstr(at, name)); at += n) {
		uint64_t ms;
		char fraction[7];
		const char *colon = at + n + strspn(at + n, " ");
		if (at == text || at[-1] != '\n' || *colon != ':')
			continue;
		if (sscanf(colon + 1, "%" SCNu64 ".%6[0-9]", &ms, fraction) != 2 ||
		    strlen(fraction) != 6 || ms > INT64_MAX / 1000000 - 1)
			return -1;
		return (int64_t)(ms * 1000000 + strtoull(fraction, NULL, 10));
	}
	return -1;
}

const char *parse_maps_line(const char *text, struct proc_map *ret, bool *ret_ok)
{
	if (!*text)
		return NULL;
	const char *end = strchrnul(text, '\n');
	*ret = (struct proc_map){0};
	struct capture_mapping *map = &ret->mapping;
	char perm[5] = "";
	int at = 0;
	int n = sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n",
		       &map->start, &map->end, perm, &map->offset, &map->device_major,
		       &map->device_minor, &map->inode, &at);
	*ret_ok = n == 7 && map->end > map->start && text + at <= end;
	if (*ret_ok) {
		map->readable = perm[0] == 'r';
		map->writable = perm[1] == 'w';
		map->executable = perm[2] == 'x';
		map->shared = perm[3] == 's';
		ret->path = text + at;
		while (ret->path < end && *ret->path == ' ')
			ret->path++;
		ret->path_length = (size_t)(end - ret->path);
		static const char deleted[] = " (deleted)";
		size_t tail = sizeof(deleted) - 1;
		if (ret->path_length > tail && ret->path[0] == '/' &&
		    memcmp(end - tail, deleted, tail) == 0) {
			map->deleted = true;
			ret->path_length -= tail;
		}
	}
	return *end ? end + 1 : end;
}

bool thread_is_surely_gone(pid_t tid)
{
	return sched_getscheduler(tid) < 0 && errno == ESRCH;
}
