/*
 * Threads whose names are meant to harm who prints them; see the table.  The process calls itself
 * likewise.  Says `ready PID TID...` in the table's order.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[] = {
	"\033[31mred\033]0;x\a", /* a terminal's colour and title */
	"two\nlines",		 /* would forge a line of the report */
	"a) R 1 (b",		 /* would confuse a reader of /proc/PID/stat */
	"\xff\xfe\xc3(",	 /* not UTF-8 */
	"\xc2\x9b"
	"31m", /* a control character in UTF-8: CSI */
	"tab\tcr\rdel\x7f",
	"\xe2\x80\xaetxet", /* right-to-left override */
	"",
	"fifteen bytes..",
};
#define COUNT (sizeof(names) / sizeof(names[0]))

static pid_t tids[COUNT];
static sem_t started;

static void *named(void *index)
{
	size_t i = (size_t)index;

	prctl(PR_SET_NAME, names[i]);
	tids[i] = (pid_t)syscall(SYS_gettid);
	sem_post(&started);
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	pthread_t thread;

	sem_init(&started, 0, 0);
	for (size_t i = 0; i < COUNT; i++) {
		if (pthread_create(&thread, NULL, named, (void *)i) != 0)
			return 1;
		sem_wait(&started);
	}
	prctl(PR_SET_NAME, "\033[2J) Z (\n");
	printf("ready %d", getpid());
	for (size_t i = 0; i < COUNT; i++)
		printf(" %d", tids[i]);
	printf("\n");
	fflush(stdout);
	for (;;)
		pause();
}
