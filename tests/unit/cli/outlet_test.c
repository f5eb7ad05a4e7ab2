/* cli: writing where somebody may hold us up. */
#include "cli/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_MS = 30000, SHORT_MS = 200 };

static char directory[] = "/tmp/hangdump-outlet-XXXXXX";

static int enter_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
	(void)state;
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static struct error *write_words(void *context, FILE *to)
{
	fputs(context, to);
	return NULL;
}

static char *content_of(const char *path)
{
	char *text = calloc(1, 100);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, 99, file)] = '\0';
	fclose(file);
	return text;
}

static void assert_written(const char *name, const char *real)
{
	char words[64], path[256], *ret = NULL;
	struct stat st;
	snprintf(words, sizeof(words), "for %s", real);
	snprintf(path, sizeof(path), "%s/%s", directory, real);
	assert_null(outlet_file(name, write_words, words, deadline_in_ms(LONG_MS), &ret));
	assert_string_equal(ret, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	char *content = content_of(path);
	assert_string_equal(content, words);
	free(content);
	free(ret);
}

static void nothing_is_ever_overwritten(void **state)
{
	(void)state;
	umask(0);
	assert_written("a.json", "a.json");
	assert_written("a.json", "a-1.json");
	assert_written("a.json", "a-2.json");
	char *content = content_of("a.json");
	assert_string_equal(content, "for a.json");
	free(content);
}

static void directories_are_made(void **state)
{
	(void)state;
	assert_written("d/e//f/a", "d/e/f/a");
	assert_written("./d/b", "d/b");
}

/* What a link points at, there or not, is somebody's. */
static void a_link_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", "link"), 0);
	assert_written("link", "link-1");
	assert_int_equal(access("nowhere", F_OK), -1);
}

static void assert_fails(const char *name, int os_errno)
{
	char words[] = "x", *ret = NULL;
	struct error *error = outlet_file(name, write_words, words, deadline_in_ms(LONG_MS), &ret);
	assert_non_null(error);
	assert_int_equal(error->reason, ERROR_UNWRITABLE);
	assert_int_equal(error->os_errno, os_errno);
	assert_string_equal(error->subject, name);
	assert_null(ret);
	error_free(error);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	(void)state;
	assert_written("file", "file");
	assert_fails("file/a", ENOTDIR);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_fails("fifo", ENXIO);
	assert_fails("/dev/full", ENOSPC);
}

static struct error *write_much(void *context, FILE *to)
{
	(void)context;
	for (int i = 0; i < 100000; i++) {
		if (fputs("words\n", to) < 0)
			return error_new(ERROR_UNWRITABLE, errno, "words", NULL);
	}
	return NULL;
}

static void nothing_unfinished_is_left_on_a_full_disk(void **state)
{
	(void)state;
	struct rlimit before, limit;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 8192;
	setrlimit(RLIMIT_FSIZE, &limit);
	char *ret = NULL;
	struct error *error = outlet_file("big", write_much, NULL, deadline_in_ms(LONG_MS), &ret);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_non_null(error);
	assert_int_equal(error->os_errno, EFBIG);
	assert_int_equal(access("big", F_OK), -1);
	error_free(error);
}

static struct error *write_for_ever(void *context, FILE *to)
{
	(void)to;
	for (;;)
		pause();
	return context;
}

static void a_writer_that_gets_stuck_is_given_up(void **state)
{
	(void)state;
	char *ret = NULL;
	struct error *error =
		outlet_file("stuck", write_for_ever, NULL, deadline_in_ms(SHORT_MS), &ret);
	assert_non_null(error);
	assert_int_equal(error->reason, ERROR_UNWRITABLE);
	assert_null(ret);
	error_free(error);
}

/* With this descriptor in place of standard error. */
static struct error *say_to(int fd, const char *bytes, size_t n, uint64_t ms)
{
	int saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	struct error *error = outlet_standard_error(bytes, n, deadline_in_ms(ms));
	dup2(saved, STDERR_FILENO);
	close(saved);
	return error;
}

static void a_pipe_that_nobody_reads_holds_nobody_up(void **state)
{
	(void)state;
	int ends[2];
	static char much[1 << 20];
	assert_int_equal(pipe(ends), 0);
	assert_null(say_to(ends[1], "words", 5, LONG_MS));
	int flags = fcntl(ends[1], F_GETFL);
	struct error *error = say_to(ends[1], much, sizeof(much), SHORT_MS);
	assert_non_null(error);
	error_free(error);
	assert_int_equal(fcntl(ends[1], F_GETFL), flags);
	char got[6] = "";
	assert_int_equal(read(ends[0], got, 5), 5);
	assert_string_equal(got, "words");
	close(ends[0]);
	error = say_to(ends[1], "x", 1, LONG_MS);
	assert_non_null(error);
	assert_int_equal(error->os_errno, EPIPE);
	error_free(error);
	close(ends[1]);
}

/* Node and other event loops leave the files that they share with their children so. */
static void a_full_pipe_that_does_not_block_gets_all(void **state)
{
	(void)state;
	int ends[2];
	static char much[1 << 20];
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	pid_t reader = fork();
	if (reader == 0) {
		size_t got = 0;
		ssize_t n;
		close(ends[1]);
		fcntl(ends[0], F_SETFL, 0);
		while ((n = read(ends[0], much, sizeof(much))) > 0)
			got += (size_t)n;
		_exit(got == sizeof(much) ? 0 : 1);
	}
	close(ends[0]);
	assert_null(say_to(ends[1], much, sizeof(much), LONG_MS));
	close(ends[1]);
	int status;
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
}

static void without_a_process_to_be_had_a_line_is_written_all_the_same(void **state)
{
	(void)state;
	int ends[2], status;
	/* Somebody who has no other process: root may have as many as it likes. */
	const uid_t nobody_else = 54321;
	const struct rlimit none = {0};
	if (getuid() != 0)
		skip();
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		bool is_set = setrlimit(RLIMIT_NPROC, &none) == 0 && setuid(nobody_else) == 0;
		struct error *error = say_to(ends[1], "words", 5, LONG_MS);
		_exit(is_set && !error ? 0 : 1);
	}
	close(ends[1]);
	char got[6] = "";
	assert_int_equal(read(ends[0], got, 5), 5);
	assert_string_equal(got, "words");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ends[0]);
}

static char *make_words(void *context, size_t size)
{
	size_t *seen = context;
	return size == *seen ? strdup("more") : NULL;
}

static void a_summary_is_appended_to(void **state)
{
	(void)state;
	FILE *file = fopen("summary", "w");
	fputs("words ", file);
	fclose(file);
	size_t size = 6;
	assert_null(outlet_append("summary", make_words, &size, deadline_in_ms(LONG_MS)));
	assert_null(outlet_append("summary", make_words, &size, deadline_in_ms(LONG_MS)));
	char *content = content_of("summary");
	assert_string_equal(content, "words more");
	free(content);
	struct error *error = outlet_append("no such", make_words, &size, deadline_in_ms(LONG_MS));
	assert_int_equal(error->os_errno, ENOENT);
	error_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_ever_overwritten),
		cmocka_unit_test(directories_are_made),
		cmocka_unit_test(a_link_is_not_followed),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
		cmocka_unit_test(nothing_unfinished_is_left_on_a_full_disk),
		cmocka_unit_test(a_writer_that_gets_stuck_is_given_up),
		cmocka_unit_test(a_pipe_that_nobody_reads_holds_nobody_up),
		cmocka_unit_test(a_full_pipe_that_does_not_block_gets_all),
		cmocka_unit_test(without_a_process_to_be_had_a_line_is_written_all_the_same),
		cmocka_unit_test(a_summary_is_appended_to),
	};
	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
