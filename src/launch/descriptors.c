#include "launch/descriptors.h"

#include "base/array.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

void descriptors_guard(void)
{
	/* open(2) takes the lowest free one. */
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

/* There may be a limit of a thousand million, and ten descriptors. */
static void close_listed(unsigned first, unsigned last)
{
	array(unsigned) found = {0};
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		unsigned fd;
		if (sscanf(entry->d_name, "%u", &fd) == 1 && fd >= first && fd <= last &&
		    (int)fd != dirfd(dir))
			*array_append(&found) = fd;
	}
	if (dir)
		closedir(dir);
	array_for_each (&found, fd)
		close((int)*fd);
	array_deinit(&found);
}

static void close_between(unsigned first, unsigned last)
{
	/* Before Linux 5.9 there is none. */
	if (close_range(first, last, 0) != 0)
		close_listed(first, last);
}

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

void descriptors_drop(const int *kept, size_t count)
{
	array(int) sorted = {0};
	for (size_t i = 0; i < count; i++) {
		if (kept[i] > STDERR_FILENO)
			*array_append(&sorted) = kept[i];
	}
	array_sort(&sorted, by_number);
	unsigned from = STDERR_FILENO + 1;
	array_for_each (&sorted, fd) {
		if ((unsigned)*fd > from)
			close_between(from, (unsigned)*fd - 1);
		from = (unsigned)*fd + 1;
	}
	close_between(from, UINT_MAX);
	array_deinit(&sorted);

	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup3(null, STDIN_FILENO, O_CLOEXEC);
		dup3(null, STDOUT_FILENO, O_CLOEXEC);
		close(null);
	}
}
