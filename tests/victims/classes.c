#include "classes.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void must(bool done, const char *what)
{
	if (done)
		return;
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

void unsupported(const char *what)
{
	printf("unsupported: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(77);
}

/* By write alone: some victims hold stdio's own locks. */
void ready_for(pid_t pid, pid_t tid)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "ready %d %d\n", (int)pid, (int)tid);
	must(write(STDOUT_FILENO, line, (size_t)n) == n, "write");
}

void ready(void)
{
	ready_for(getpid(), (pid_t)syscall(SYS_gettid));
}

void wait_for_ever(void)
{
	for (;;)
		pause();
}

struct beside {
	void (*f)(void *argument);
	void *argument;
	sem_t done;
};

static void *beside_main(void *data)
{
	struct beside *beside = data;
	beside->f(beside->argument);
	sem_post(&beside->done);
	wait_for_ever();
}

void run_beside(void (*f)(void *argument), void *argument)
{
	static struct beside beside; /* outlives this call: the thread never ends */
	pthread_t thread;
	beside.f = f;
	beside.argument = argument;
	must(sem_init(&beside.done, 0, 0) == 0, "sem_init");
	must(pthread_create(&thread, NULL, beside_main, &beside) == 0, "pthread_create");
	while (sem_wait(&beside.done) < 0)
		;
}

struct starting {
	void *(*f)(void *argument);
	void *argument;
	pid_t tid;
	sem_t done;
};

static void *thread_main(void *data)
{
	struct starting *starting = data;
	void *(*f)(void *argument) = starting->f;
	void *argument = starting->argument;
	starting->tid = (pid_t)syscall(SYS_gettid);
	sem_post(&starting->done);
	return f(argument);
}

pid_t run_thread(void *(*f)(void *argument), void *argument)
{
	struct starting starting = {.f = f, .argument = argument};
	pthread_t thread;
	must(sem_init(&starting.done, 0, 0) == 0, "sem_init");
	must(pthread_create(&thread, NULL, thread_main, &starting) == 0, "pthread_create");
	while (sem_wait(&starting.done) < 0)
		;
	return starting.tid;
}

static const struct class_row *const tables[] = {class_lock_rows, class_descriptor_rows,
						 class_process_rows};

int main(int argc, char **argv)
{
	bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
	prctl(PR_SET_PDEATHSIG, 9);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct class_row *row = tables[i]; row->name; row++) {
			if (list)
				printf("%s\t%s\t%s\t%s\n", row->name, row->class, row->kind,
				       row->owner ? row->owner : "-");
			else if (argc == 2 && strcmp(argv[1], row->name) == 0)
				row->run();
		}
	}
	if (list)
		return 0;
	fprintf(stderr, "usage: classes NAME | --list\n");
	return 2;
}
