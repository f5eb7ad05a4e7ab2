#include "base/proc.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ssize_t proc_read(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	/* These files are made in one piece: one read has all of it. */
	ssize_t n;
	do {
		n = read(fd, buf, size - 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

ssize_t proc_read_status(int dirfd, const char *path, char *buf, size_t size)
{
	static const char groups[] = "\nGroups:";
	const size_t length = sizeof(groups) - 1;
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;
	bool leaves_out = false;
	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	for (;;) {
		char piece[4096];
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (ssize_t i = 0; i < n; i++) {
			leaves_out = leaves_out && piece[i] != '\n';
			if (leaves_out || used + 1 == size)
				continue;
			buf[used++] = piece[i];
			leaves_out = piece[i] == ':' && used >= length &&
				     memcmp(buf + used - length, groups, length) == 0;
		}
		buf[used] = '\0';
		if (n == 0)
			return (ssize_t)used;
	}
}

bool parse_stat(const char *text, struct proc_stat *ret)
{
	/* The name may hold blanks and parentheses: it ends at the last one. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!open || !close || close < open)
		return false;
	struct proc_stat stat = {.processor = -1};
	size_t n = (size_t)(close - open - 1);
	if (n >= sizeof(stat.name))
		n = sizeof(stat.name) - 1;
	memcpy(stat.name, open + 1, n);

	/* Fields 3 (state) to 39 (processor). */
	uint64_t fields[40] = {0};
	char *at = (char *)close + 1;
	while (*at == ' ')
		at++;
	stat.state = *at;
	if (!*at)
		return false;
	at++;
	for (int i = 4; i < 40; i++) {
		char *end;
		fields[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	stat.ppid = (pid_t)fields[4];
	stat.group = (pid_t)fields[5];
	stat.session = (pid_t)fields[6];
	stat.flags = fields[9];
	stat.utime = fields[14];
	stat.stime = fields[15];
	stat.threads = fields[20] <= INT_MAX ? (unsigned)fields[20] : 0;
	stat.start_time = fields[22];
	stat.start_stack = fields[28];
	stat.exit_signal = fields[38] <= INT_MAX ? (int)fields[38] : -1;
	stat.processor = fields[39] <= INT_MAX ? (int)fields[39] : -1;
	*ret = stat;
	return true;
}

const char *proc_field(const char *text, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = text; (at = strstr(at, name)); at += n) {
		if ((at == text || at[-1] == '\n') && at[n] == ':')
			return at + n + 1 + strspn(at + n + 1, " \t");
	}
	return NULL;
}

bool parse_number(const char *text, const char *name, int base, uint64_t *ret)
{
	const char *at = proc_field(text, name);
	char *end;
	if (!at)
		return false;
	uint64_t value = strtoull(at, &end, base);
	if (end == at)
		return false;
	*ret = value;
	return true;
}

void proc_name(pid_t pid, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	ssize_t n = proc_read(AT_FDCWD, path, buf, size);
	if (n <= 0)
		snprintf(buf, size, "?");
	else if (buf[n - 1] == '\n')
		buf[n - 1] = '\0';
}
