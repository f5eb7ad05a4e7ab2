/*
 * Usage: progress [NAME]
 *
 * Threads for each thing that can happen between two dumps, and threads that leak, on command.
 *
 * Says `ready PID`, then heeds lines on standard input, and answers each with `done`:
 *   move     "moving" goes to another place, "leaving" ends, "newborn" begins
 *   leak     three threads, "sender" or NAME, begin to send where nobody receives
 *   linger   "lingering" begins
 *   end      "lingering" ends
 *   exec     the program begins anew
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static sem_t never_posted, go_on, leave, born, linger_end, receivers;
static int nobody_writes[2];
static volatile unsigned long turns;
static const char *sender_name = "sender";

static __attribute__((noinline)) void wait_for_ever(void)
{
	sem_wait(&never_posted);
	turns++;
}

static __attribute__((noinline)) void poll_for_ever(void)
{
	for (;;) {
		poll(NULL, 0, 200);
		turns++;
	}
}

static __attribute__((noinline)) void spin_for_ever(void)
{
	for (;;)
		turns++;
}

static __attribute__((noinline)) void first_place(void)
{
	sem_wait(&go_on);
	turns++;
}

static __attribute__((noinline)) void second_place(void)
{
	char byte;
	if (read(nobody_writes[0], &byte, 1) < 0)
		turns++;
	turns++;
}

static void *stuck(void *unused)
{
	prctl(PR_SET_NAME, "stuck");
	wait_for_ever();
	return unused;
}

static void *cycling(void *unused)
{
	prctl(PR_SET_NAME, "cycling");
	poll_for_ever();
	return unused;
}

static void *spinning(void *unused)
{
	prctl(PR_SET_NAME, "spinning");
	spin_for_ever();
	return unused;
}

static void *moving(void *unused)
{
	prctl(PR_SET_NAME, "moving");
	first_place();
	second_place();
	return unused;
}

static void *leaving(void *unused)
{
	prctl(PR_SET_NAME, "leaving");
	sem_wait(&leave);
	return unused;
}

static void *newborn(void *unused)
{
	prctl(PR_SET_NAME, "newborn");
	sem_wait(&born);
	return unused;
}

static void *lingering(void *unused)
{
	prctl(PR_SET_NAME, "lingering");
	sem_wait(&linger_end);
	return unused;
}

/* As a goroutine that sends the exit status of a command on a channel that nobody receives from. */
static __attribute__((noinline)) void send_exit_status(void)
{
	sem_wait(&receivers);
	turns++;
}

static void *sender(void *unused)
{
	prctl(PR_SET_NAME, sender_name);
	send_exit_status();
	return unused;
}

static pthread_t begin(void *(*function)(void *))
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, function, NULL) != 0)
		exit(1);
	return thread;
}

int main(int argc, char **argv)
{
	char line[32];
	pthread_t leaver, lingerer = 0;
	if (argc > 1)
		sender_name = argv[1];
	sem_init(&never_posted, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&leave, 0, 0);
	sem_init(&born, 0, 0);
	sem_init(&linger_end, 0, 0);
	sem_init(&receivers, 0, 0);
	if (pipe(nobody_writes) != 0)
		return 1;
	begin(stuck);
	begin(cycling);
	begin(spinning);
	begin(moving);
	leaver = begin(leaving);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "move") == 0) {
			sem_post(&go_on);
			sem_post(&leave);
			pthread_join(leaver, NULL);
			begin(newborn);
		} else if (strcmp(line, "leak") == 0) {
			for (int i = 0; i < 3; i++)
				begin(sender);
		} else if (strcmp(line, "linger") == 0) {
			lingerer = begin(lingering);
		} else if (strcmp(line, "end") == 0) {
			sem_post(&linger_end);
			pthread_join(lingerer, NULL);
		} else if (strcmp(line, "exec") == 0) {
			execl("/proc/self/exe", argv[0], (char *)NULL);
		}
		printf("done\n");
		fflush(stdout);
	}
	return 0;
}
