#include "capture/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RANGES_AT_ONCE = 16, PEEK_MOST = 4096 };

void copier_init(struct copier *copier, pid_t tid, int memory_fd, bool stopped)
{
	*copier = (struct copier){.tid = tid,
				  .mem_fd = memory_fd,
				  .lent = memory_fd >= 0,
				  .no_process_vm = memory_fd >= 0,
				  .stopped = stopped};
}

void copier_deinit(struct copier *copier)
{
	if (copier->mem_fd >= 0 && !copier->lent)
		close(copier->mem_fd);
	copier->mem_fd = -1;
}

static size_t copy_by_file(struct copier *copier, uint64_t address, char *to, size_t n)
{
	if (copier->mem_fd == -1) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/mem", copier->tid);
		copier->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (copier->mem_fd < 0)
			copier->mem_fd = -2;
	}
	if (copier->mem_fd < 0 || address > INT64_MAX)
		return 0;
	ssize_t got = pread(copier->mem_fd, to, n, (off_t)address);
	return got > 0 ? (size_t)got : 0;
}

/* A word a call: for lock words, never for stacks. */
static size_t copy_by_peeking(struct copier *copier, uint64_t address, char *to, size_t n)
{
	size_t done = 0;
	if (!copier->stopped || n > PEEK_MOST)
		return 0;
	while (done < n) {
		uint64_t at = (address + done) & ~(uint64_t)7, skip = (address + done) - at;
		errno = 0;
		long word = ptrace(PTRACE_PEEKDATA, copier->tid, (void *)at, NULL);
		if (errno)
			break;
		size_t part = 8 - skip < n - done ? 8 - skip : n - done;
		memcpy(to + done, (char *)&word + skip, part);
		done += part;
	}
	return done;
}

static size_t copy_range(struct copier *copier, uint64_t address, char *to, size_t n)
{
	if (!copier->no_process_vm) {
		struct iovec local = {to, n}, remote = {(void *)address, n};
		ssize_t got = process_vm_readv(copier->tid, &local, 1, &remote, 1, 0);
		if (got > 0)
			return (size_t)got;
		if (errno != EPERM && errno != ENOSYS)
			return 0;
		copier->no_process_vm = true;
	}
	size_t got = copy_by_file(copier, address, to, n);
	return got ? got : copy_by_peeking(copier, address, to, n);
}

void copier_copy(struct copier *copier, struct copy_range *ranges, unsigned count)
{
	struct iovec local[RANGES_AT_ONCE], remote[RANGES_AT_ONCE];
	ssize_t left = 0;
	if (count > RANGES_AT_ONCE)
		count = RANGES_AT_ONCE;
	if (!copier->no_process_vm) {
		for (unsigned i = 0; i < count; i++) {
			local[i] = (struct iovec){ranges[i].to, ranges[i].length};
			remote[i] = (struct iovec){(void *)ranges[i].address, ranges[i].length};
		}
		left = process_vm_readv(copier->tid, local, count, remote, count, 0);
	}
	/* The call stops at the first hole; what comes after it is asked for one by one. */
	for (unsigned i = 0; i < count; i++) {
		struct copy_range *range = &ranges[i];
		if (left >= (ssize_t)range->length) {
			range->copied = range->length;
			left -= (ssize_t)range->length;
			continue;
		}
		left = 0;
		range->copied = copy_range(copier, range->address, range->to, range->length);
	}
}
