/* opener: opens regular files and nothing else, and never waits longer than it may. */
#include "base/alloc.h"
#include "objects/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char dir[] = "/tmp/hangdump-opener-XXXXXX";
static struct opener *opener;

static const char *in_dir(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	opener = opener_new();
	return !mkdtemp(dir);
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return rmdir(dir);
}

static struct opened open_in_time(const char *root, const char *path)
{
	uint64_t before = monotonic_ns();
	struct opened opened = opener_open(opener, root, path, deadline_in_ms(30000));
	assert_true(monotonic_ns() - before < 25000000000u);
	return opened;
}

static void make_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_regular_file(void **state)
{
	(void)state;
	make_file("file", "words");
	struct stat st;
	char buf[8] = "";
	assert_int_equal(stat(in_dir("file"), &st), 0);
	struct opened opened = open_in_time(NULL, in_dir("file"));
	assert_int_equal(opened.result, OPEN_DONE);
	assert_null(opened_why(&opened));
	assert_int_equal(opened.inode, st.st_ino);
	assert_int_equal(opened.owner, st.st_uid);
	assert_int_equal(opened.mode, st.st_mode);
	assert_int_equal(opened.size, 5);
	assert_int_equal(read(opened.fd, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "words");
	assert_int_equal(fcntl(opened.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(opened.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(opened.fd);
	unlink(in_dir("file"));
}

static void test_missing_file(void **state)
{
	(void)state;
	struct opened opened = open_in_time(NULL, in_dir("nothing"));
	assert_int_equal(opened.result, OPEN_FAILED);
	assert_int_equal(opened.os_errno, ENOENT);
	assert_int_equal(opened.fd, -1);
	assert_string_equal(opened_why(&opened), "No such file or directory");
}

static void test_path_too_long(void **state)
{
	(void)state;
	char *path = xmalloc(10000);
	memset(path, '/', 9999);
	path[9999] = '\0';
	assert_int_equal(open_in_time(NULL, path).result, OPEN_FAILED);
	free(path);
}

/* A writer that waits for a reader goes on waiting: we are none. */
static void test_fifo_is_refused_and_not_touched(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	pid_t writer = fork();
	if (writer == 0) {
		alarm(60);
		close(open(in_dir("fifo"), O_WRONLY));
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		struct opened opened = open_in_time(NULL, in_dir("fifo"));
		assert_int_equal(opened.result, OPEN_NOT_REGULAR);
		assert_int_equal(opened.fd, -1);
	}
	assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	unlink(in_dir("fifo"));
}

static void test_no_devices_directories_sockets(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(open_in_time(NULL, "/dev/zero").result, OPEN_NOT_REGULAR);
	assert_int_equal(open_in_time(NULL, dir).result, OPEN_NOT_REGULAR);
	assert_int_equal(open_in_time(NULL, address.sun_path).result, OPEN_NOT_REGULAR);
	close(fd);
	unlink(address.sun_path);
}

static void test_links_stay_in_the_root(void **state)
{
	(void)state;
	make_file("inside", "inside");
	assert_int_equal(symlink("/inside", in_dir("absolute")), 0);
	assert_int_equal(symlink("../../../inside", in_dir("upwards")), 0);
	assert_int_equal(symlink("/etc/passwd", in_dir("out")), 0);
	char buf[8] = "";
	struct opened opened = open_in_time(dir, "/absolute");
	assert_int_equal(opened.result, OPEN_DONE);
	assert_int_equal(read(opened.fd, buf, 6), 6);
	assert_string_equal(buf, "inside");
	close(opened.fd);
	opened = open_in_time(dir, "/upwards");
	assert_int_equal(opened.result, OPEN_DONE);
	close(opened.fd);
	opened = open_in_time(dir, "/out");
	assert_int_equal(opened.result, OPEN_FAILED);
	unlink(in_dir("inside"));
	unlink(in_dir("absolute"));
	unlink(in_dir("upwards"));
	unlink(in_dir("out"));
}

static void test_stuck_helper_is_given_up(void **state)
{
	(void)state;
	make_file("file", "");
	close(open_in_time(NULL, in_dir("file")).fd);
	pid_t stuck = opener_helper(opener);
	assert_true(stuck > 0);
	assert_int_equal(kill(stuck, SIGSTOP), 0);
	uint64_t before = monotonic_ns();
	struct opened opened = opener_open(opener, NULL, in_dir("file"), deadline_in_ms(100));
	uint64_t took = monotonic_ns() - before;
	assert_int_equal(opened.result, OPEN_TIMED_OUT);
	assert_true(took >= 100000000u && took < 10000000000u);
	/* And the next file has a helper again. */
	opened = open_in_time(NULL, in_dir("file"));
	assert_int_equal(opened.result, OPEN_DONE);
	assert_int_not_equal(opener_helper(opener), stuck);
	close(opened.fd);
	unlink(in_dir("file"));
}

static void test_killed_helper_is_replaced(void **state)
{
	(void)state;
	make_file("file", "");
	close(open_in_time(NULL, in_dir("file")).fd);
	pid_t first = opener_helper(opener);
	assert_int_equal(kill(first, SIGKILL), 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	struct opened opened = open_in_time(NULL, in_dir("file"));
	assert_int_equal(opened.result, OPEN_DONE);
	close(opened.fd);
	unlink(in_dir("file"));
}

static void test_no_helper_is_left(void **state)
{
	(void)state;
	struct opener *other = opener_new();
	assert_int_equal(opener_helper(other), 0);
	struct opened opened = opener_open(other, NULL, "/proc/self/exe", deadline_in_ms(30000));
	assert_int_equal(opened.result, OPEN_DONE);
	close(opened.fd);
	pid_t helper = opener_helper(other);
	opener_free(other);
	assert_int_equal(kill(helper, 0), -1);
	assert_int_equal(errno, ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regular_file),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_path_too_long),
		cmocka_unit_test(test_fifo_is_refused_and_not_touched),
		cmocka_unit_test(test_no_devices_directories_sockets),
		cmocka_unit_test(test_links_stay_in_the_root),
		cmocka_unit_test(test_stuck_helper_is_given_up),
		cmocka_unit_test(test_killed_helper_is_replaced),
		cmocka_unit_test(test_no_helper_is_left),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
