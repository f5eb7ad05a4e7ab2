/*
 * Usage: blocking [--forbid-restart] [--again] ROW
 *
 * Blocks in one system call and reports each return of it, so that a test can see whether
 * somebody else disturbed it.  On standard output, a line each:
 *	ready ROW TID		about to block
 *	unsupported ROW: WHY	this kernel has no such call
 *	returned ROW VALUE errno=N handled=N elapsed_ms=N
 * where N handled counts the SIGUSR1 that the blocked thread took.  On standard input, `feed` ends
 * the call properly.  With --again, a return begins the call anew.  With --forbid-restart, a
 * seccomp filter kills the process when it makes the system call restart_syscall.
 */
#include "blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct slot slot = {.fd = {-1, -1, -1}};
static const struct blocking_row *row;
static bool again;
static volatile sig_atomic_t handled;

void must(bool done, const char *what)
{
	if (done)
		return;
	printf("failed %s: %s\n", what, strerror(errno));
	_exit(1);
}

void poke(int fd)
{
	must(write(fd, "x", 1) == 1, "write");
}

static void handle(int signal)
{
	(void)signal;
	handled++;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *blocked_thread(void *unused)
{
	(void)unused;
	slot.tid = (pid_t)syscall(SYS_gettid);
	do {
		printf("ready %s %d\n", row->name, slot.tid);
		double begun = now();
		errno = 0;
		long value = row->block(&slot);
		int error = errno;
		printf("returned %s %ld errno=%d handled=%d elapsed_ms=%.0f\n", row->name, value,
		       value >= 0 ? 0 : error, (int)handled, (now() - begun) * 1e3);
	} while (again);
	for (;;)
		pause();
	return NULL;
}

static void forbid_restart(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_restart_syscall, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

static const struct blocking_row *find_row(const char *name)
{
	const struct blocking_row *tables[] = {blocking_descriptor_rows, blocking_socket_rows,
					       blocking_ipc_rows, blocking_timed_rows};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct blocking_row *r = tables[i]; r->name; r++)
			if (strcmp(r->name, name) == 0)
				return r;
	return NULL;
}

int main(int argc, char **argv)
{
	bool forbid = false;
	pthread_t thread;
	char line[64];
	int i = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--forbid-restart") == 0)
			forbid = true;
		else if (strcmp(argv[i], "--again") == 0)
			again = true;
	}
	row = i < argc ? find_row(argv[i]) : NULL;
	if (!row) {
		fprintf(stderr, "blocking: no such row\n");
		return 2;
	}

	struct sigaction action = {.sa_handler = handle};
	must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	/* SIGUSR2 is the one that rows wait for; SIGUSR1 belongs to the blocked thread. */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);

	if (row->prepare && !row->prepare(&slot)) {
		printf("unsupported %s: %s\n", row->name, strerror(errno));
		return 0;
	}
	if (forbid)
		forbid_restart();
	must(pthread_create(&thread, NULL, blocked_thread, NULL) == 0, "pthread_create");
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	while (fgets(line, sizeof(line), stdin))
		if (strcmp(line, "feed\n") == 0)
			row->feed(&slot);
	return 0;
}
