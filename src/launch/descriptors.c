#include "launch/descriptors.h"

#include "base/array.h"

#include <fcntl.h>
#include <limits.h>
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

static void close_between(unsigned first, unsigned last)
{
	if (close_range(first, last, 0) == 0)
		return;
	/* Before Linux 5.9. */
	for (unsigned fd = first; fd <= last && fd < (unsigned)getdtablesize(); fd++)
		close((int)fd);
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
