#include "cli/outlet.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/helper.h"
#include "cli/file_template.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBERS_MOST = 10000 };

/* Shared with the process that writes. */
struct result {
	bool begun;
	int os_errno;
	bool internal; /* it is not the file's fault */
	char name[PATH_MAX];
};

struct task {
	struct result *result;
	const char *name;
	const char *bytes;
	size_t size;
	outlet_write_fn *write;
	outlet_make_fn *make;
	void *context;
	bool was_begun;
};

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		/* Whoever shares the file with us has made it so; our deadline counts. */
		if (n < 0 && errno == EAGAIN && poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1) >= 0)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static struct error *run(struct task *task, void (*work)(void *task), const char *subject,
			 struct deadline deadline, char **ret)
{
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		return error_new(ERROR_INTERNAL, errno, subject, NULL);
	task->result = result;
	task->was_begun = false;
	enum helper_end end = helper_run(work, task, deadline);
	struct error *error = NULL;
	task->was_begun = result->begun;
	if (end == HELPER_TIMED_OUT)
		error = error_new(ERROR_UNWRITABLE, 0, subject, "in time");
	else if (end == HELPER_FAILED || result->internal)
		error = error_new(ERROR_INTERNAL, 0, subject, "while it was written");
	else if (result->os_errno)
		error = error_new(ERROR_UNWRITABLE, result->os_errno, subject, NULL);
	else if (ret)
		*ret = xstrdup(result->name);
	munmap(result, sizeof(*result));
	return error;
}

/*
 * A reader that is gone and a limit on file sizes are errors like others; a terminal that stops who
 * writes in the background (stty tostop) does not stop us.
 */
static void take_errors(void)
{
	signal(SIGTTOU, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void write_standard_error(void *context)
{
	struct task *task = context;
	task->result->begun = true;
	take_errors();
	if (!write_all(STDERR_FILENO, task->bytes, task->size))
		task->result->os_errno = errno;
}

struct error *outlet_standard_error(const char *bytes, size_t n, struct deadline deadline)
{
	struct task task = {.bytes = bytes, .size = n};
	struct pollfd poller = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct error *error = run(&task, write_standard_error, "standard error", deadline, NULL);
	if (!error || task.was_begun || poll(&poller, 1, 0) != 1)
		return error;
	/* There is no process to be had: so much goes out at once, or not at all. */
	if (write(STDERR_FILENO, bytes, n < PIPE_BUF ? n : PIPE_BUF) == (ssize_t)n) {
		error_free(error);
		error = NULL;
	}
	return error;
}

/* Those above the file; mkdir says soon enough what is wrong with any of them. */
static void make_directories(const char *name)
{
	_cleanup_free_ char *path = xstrdup(name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
}

/* A device or a FIFO: the latter only where somebody reads. */
static int open_in_place(const char *name)
{
	int fd = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

/* *ret_name is what it is called, to be freed; *ret_new: it was not there. */
static int open_new(const char *name, char **ret_name, bool *ret_new)
{
	struct stat st;
	*ret_new = false;
	*ret_name = xstrdup(name);
	if (stat(name, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return open_in_place(name);
	*ret_new = true;
	make_directories(name);
	for (unsigned number = 1;; number++) {
		int fd = open(*ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST || number == NUMBERS_MOST)
			return fd;
		free(*ret_name);
		*ret_name = file_template_numbered(name, number);
	}
}

static void write_file(void *context)
{
	struct task *task = context;
	struct result *result = task->result;
	_cleanup_free_ char *name = NULL;
	bool is_new;
	take_errors();
	int fd = open_new(task->name, &name, &is_new);
	_cleanup_fclose_ FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!to) {
		result->os_errno = errno;
		return;
	}
	if (!realpath(name, result->name))
		result->os_errno = errno;
	struct error *error = task->write(task->context, to);
	if (!error && fflush(to) != 0)
		error = error_new(ERROR_UNWRITABLE, errno, name, NULL);
	if (!error)
		return;
	result->os_errno = error->os_errno ? error->os_errno : EIO;
	result->internal = error->reason == ERROR_INTERNAL;
	if (is_new)
		unlink(name);
	error_free(error);
}

struct error *outlet_file(const char *name, outlet_write_fn *write, void *context,
			  struct deadline deadline, char **ret)
{
	struct task task = {.name = name, .write = write, .context = context};
	return run(&task, write_file, name, deadline, ret);
}

static void append(void *context)
{
	struct task *task = context;
	struct stat st;
	_cleanup_close_ int fd =
		open(task->name, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		task->result->os_errno = errno;
		return;
	}
	_cleanup_free_ char *bytes = task->make(task->context, (size_t)st.st_size);
	take_errors();
	if (bytes && !write_all(fd, bytes, strlen(bytes)))
		task->result->os_errno = errno;
}

struct error *outlet_append(const char *name, outlet_make_fn *make, void *context,
			    struct deadline deadline)
{
	struct task task = {.name = name, .make = make, .context = context};
	return run(&task, append, name, deadline, NULL);
}
