/*
 * libelf maps files, and a page of a mapped file that was cut short raises SIGBUS.  The guard puts
 * zeroes there and behind it instead: ELF and DWARF readers must cope with any bytes anyway.  It acts
 * on nothing but mappings of the kind that libelf makes (private, writable, a file's from offset 0
 * on); every other SIGBUS ends the program as before.
 */
#include "objects/sigbus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

/* "start-end rw-p 00000000 major:minor inode": no library function is safe here. */
static const char *parse_hex(const char *s, uint64_t *ret)
{
	for (*ret = 0;; s++) {
		if (*s >= '0' && *s <= '9')
			*ret = *ret << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*ret = *ret << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return s;
	}
}

/* *ret_end: where the mapping ends. */
static bool line_is_ours(const char *line, uint64_t address, uint64_t *ret_end)
{
	uint64_t start, end, offset;
	line = parse_hex(line, &start);
	if (*line++ != '-')
		return false;
	line = parse_hex(line, &end);
	if (address - start >= end - start || strncmp(line, " rw-p ", 6) != 0)
		return false;
	line = parse_hex(line + 6, &offset);
	*ret_end = end;
	/* Anonymous memory has device 00:00; and never gets here. */
	return offset == 0 && strncmp(line, " 00:00 0 ", 9) != 0;
}

static bool is_libelfs(uint64_t address, uint64_t *ret_end)
{
	char buf[512];
	size_t kept = 0;
	bool found = false;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	for (ssize_t n; !found && (n = read(fd, buf + kept, sizeof(buf) - 1 - kept)) > 0;) {
		size_t length = kept + (size_t)n;
		buf[length] = '\0';
		char *line = buf;
		for (char *end; !found && (end = strchr(line, '\n')); line = end + 1)
			found = line_is_ours(line, address, ret_end);
		kept = length - (size_t)(line - buf);
		/* The rest of a line with a long path: only its beginning counts. */
		if (kept == sizeof(buf) - 1) {
			found = line_is_ours(line, address, ret_end);
			buf[0] = 'x';
			kept = 1;
		} else {
			memmove(buf, line, kept);
		}
	}
	close(fd);
	return found;
}

static void on_sigbus(int signal_number, siginfo_t *info, void *context)
{
	uint64_t page = (uint64_t)info->si_addr & ~(uint64_t)(PAGE - 1), end;
	int saved = errno;
	(void)context;
	if (info->si_code == BUS_ADRERR && is_libelfs(page, &end) &&
	    mmap((void *)page, end - page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)page) {
		errno = saved;
		return;
	}
	/* Returning runs the instruction again, which now ends the program. */
	signal(signal_number, SIG_DFL);
}

void sigbus_guard(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	sigaction(SIGBUS, &action, NULL);
}
