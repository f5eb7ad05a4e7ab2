#include "cli/output.h"

#include "base/array.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For the signal handler: the unfinished files; "" is free. */
static char unfinished[MOST_OUTPUTS][PATH_MAX];

void output_abandon(void)
{
	for (size_t i = 0; i < MOST_OUTPUTS; i++) {
		if (unfinished[i][0])
			unlink(unfinished[i]);
	}
}

static void remove_and_die(int signal_number)
{
	output_abandon();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static const int signals_that_end_us[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* NULL when there are too many. */
static char *free_slot(void)
{
	for (size_t i = 0; i < MOST_OUTPUTS; i++) {
		if (!unfinished[i][0])
			return unfinished[i];
	}
	return NULL;
}

static void remove_at_end(struct output *output)
{
	strcpy(output->unfinished, output->temporary);
	for (unsigned i = 0; i < ARRAY_SIZE(signals_that_end_us); i++) {
		/* nohup(1) and shells' background jobs ignore some of them: so do we then. */
		if (signal(signals_that_end_us[i], remove_and_die) == SIG_IGN)
			signal(signals_that_end_us[i], SIG_IGN);
	}
}

static struct error *unwritable(const char *path, int os_errno)
{
	return error_new(ERROR_UNWRITABLE, os_errno, path, NULL);
}

/* A device or a FIFO is written to as it is: it must not be replaced by a file. */
static struct error *begin_in_place(struct output *output, const char *path)
{
	/* Without a reader, opening a FIFO would wait for ever. */
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return unwritable(path, errno);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	output->stream = fdopen(fd, "w");
	return output->stream ? NULL : unwritable(path, errno);
}

static struct error *begin_beside(struct output *output, const char *path)
{
	/* A symbolic link stays: the file behind it is what gets replaced. */
	char *real = realpath(path, NULL);
	output->final = real ? real : xstrdup(path);
	const char *slash = strrchr(output->final, '/');
	int directory = slash ? (int)(slash - output->final) + 1 : 0;
	output->temporary =
		xasprintf("%.*s.%s.XXXXXX", directory, output->final, output->final + directory);
	output->unfinished = free_slot();
	if (strlen(output->temporary) >= PATH_MAX || !output->unfinished)
		return unwritable(path, output->unfinished ? ENAMETOOLONG : EMFILE);
	/* From its first moment on, a signal that ends us takes the file along. */
	sigset_t ends_us, before;
	sigemptyset(&ends_us);
	for (unsigned i = 0; i < ARRAY_SIZE(signals_that_end_us); i++)
		sigaddset(&ends_us, signals_that_end_us[i]);
	sigprocmask(SIG_BLOCK, &ends_us, &before);
	int fd = mkostemp(output->temporary, O_CLOEXEC), os_errno = errno;
	if (fd >= 0)
		remove_at_end(output);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return unwritable(path, os_errno);
	}
	output->stream = fdopen(fd, "w");
	return output->stream ? NULL : unwritable(path, errno);
}

struct error *output_begin(struct output *output, const char *path)
{
	struct stat st;
	*output = (struct output){0};
	if (!path || strcmp(path, "-") == 0) {
		output->stream = stdout;
		return NULL;
	}
	output->path = xstrdup(path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return begin_in_place(output, path);
	return begin_beside(output, path);
}

static void forget(struct output *output)
{
	if (output->unfinished)
		output->unfinished[0] = '\0';
	output->unfinished = NULL;
}

struct error *output_finish(struct output *output)
{
	const char *path = output->path ? output->path : "standard output";
	errno = 0;
	bool failed = ferror(output->stream) != 0;
	int os_errno = failed ? EIO : 0;
	if (fflush(output->stream) != 0) {
		failed = true;
		os_errno = errno;
	}
	if (!output->path) {
		clearerr(output->stream); /* said once is enough */
		return failed ? unwritable(path, os_errno) : NULL;
	}
	if (fclose(output->stream) != 0 && !failed) {
		failed = true;
		os_errno = errno;
	}
	output->stream = NULL;
	if (!failed && output->final && rename(output->temporary, output->final) != 0) {
		failed = true;
		os_errno = errno;
	}
	if (!failed) {
		free(output->temporary);
		output->temporary = NULL;
		forget(output);
	}
	return failed ? unwritable(path, os_errno) : NULL;
}

void output_deinit(struct output *output)
{
	if (output->stream && output->path)
		fclose(output->stream);
	if (output->temporary)
		unlink(output->temporary);
	forget(output);
	free(output->path);
	free(output->final);
	free(output->temporary);
	*output = (struct output){0};
}
