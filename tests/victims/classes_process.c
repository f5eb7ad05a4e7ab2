/* Waits for time, signals, children and queues; states that are no waits of the thread's own. */
#include "classes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_relative(void)
{
	struct timespec time = {.tv_sec = 100000};
	ready();
	nanosleep(&time, NULL);
}

static void sleep_absolute(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += 100000;
	ready();
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void signal_pause(void)
{
	ready();
	pause();
}

static void signal_suspend(void)
{
	sigset_t set;
	sigemptyset(&set);
	ready();
	sigsuspend(&set);
}

static void signal_wait(void)
{
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ready();
	sigwait(&set, &number);
}

/* In a child: nothing of us may outlive a victim that is killed, nor hold its output open. */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

static pid_t child_that_stays(void)
{
	pid_t parent = getpid(), child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		die_with(parent);
		wait_for_ever();
	}
	return child;
}

/* A child that ends after its parent, and calls f then: System V's objects outlive us otherwise. */
static void when_we_are_gone(void (*f)(int id), int id)
{
	int fds[2];
	must(pipe(fds) == 0, "pipe");
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		char byte;
		close(fds[1]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		while (read(fds[0], &byte, 1) < 0)
			;
		f(id);
		_exit(0);
	}
	close(fds[0]);
}

static void child_one(void)
{
	pid_t child = child_that_stays();
	ready();
	waitpid(child, NULL, 0);
}

static void child_any(void)
{
	child_that_stays();
	ready();
	wait(NULL);
}

static void child_waitid(void)
{
	siginfo_t info;
	pid_t child = child_that_stays();
	ready();
	waitid(P_PID, (id_t)child, &info, WEXITED);
}

static void vfork_wait(void)
{
	/* Nothing but calls into the kernel: the stack is shared. */
	pid_t parent = getpid();
	if (vfork() == 0) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
		if (syscall(SYS_getppid) != parent)
			_exit(0);
		ready_for(parent, parent);
		for (;;)
			syscall(SYS_pause);
	}
}

static void remove_semaphore(int id)
{
	semctl(id, 0, IPC_RMID);
}

static void semaphore_op(void)
{
	struct sembuf operation = {.sem_op = -1};
	int id = semget(IPC_PRIVATE, 1, 0600);
	if (id < 0)
		unsupported("semget");
	when_we_are_gone(remove_semaphore, id);
	ready();
	semop(id, &operation, 1);
}

static void remove_queue(int id)
{
	msgctl(id, IPC_RMID, NULL);
}

static int queue(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	if (id < 0)
		unsupported("msgget");
	when_we_are_gone(remove_queue, id);
	return id;
}

static struct {
	long type;
	char text[1024];
} message = {.type = 1};

static void message_receive(void)
{
	int id = queue();
	ready();
	(void)!msgrcv(id, &message, sizeof(message.text), 0, 0);
}

static void message_send(void)
{
	int id = queue();
	while (msgsnd(id, &message, sizeof(message.text), IPC_NOWAIT) == 0)
		;
	ready();
	msgsnd(id, &message, sizeof(message.text), 0);
}

static void mq_receive_wait(void)
{
	char name[64], text[8192];
	snprintf(name, sizeof(name), "hangdump-classes-%d", (int)getpid());
	/* mq_open without its slash, and without the library for it. */
	int fd = (int)syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, NULL);
	if (fd < 0)
		unsupported("mq_open");
	syscall(SYS_mq_unlink, name);
	ready();
	syscall(SYS_mq_timedreceive, fd, text, sizeof(text), NULL, NULL);
}

static void spin(void)
{
	ready();
	for (volatile unsigned long i = 0;; i++)
		;
}

static void stop(void)
{
	ready();
	raise(SIGSTOP);
	wait_for_ever();
}

/* The one to look at is our child. */
static void traced(void)
{
	pid_t parent = getpid(), child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		die_with(parent);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(77);
		raise(SIGSTOP);
		wait_for_ever();
	}
	int status;
	must(waitpid(child, &status, WUNTRACED) == child, "waitpid");
	if (!WIFSTOPPED(status)) {
		errno = EPERM;
		unsupported("PTRACE_TRACEME");
	}
	ready_for(child, child);
	wait_for_ever();
}

static void *stay(void *argument)
{
	(void)argument;
	wait_for_ever();
}

static void zombie_leader(void)
{
	run_thread(stay, NULL);
	ready();
	pthread_exit(NULL);
}

static void page_fault(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
		unsupported("userfaultfd");
	volatile char *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(page != MAP_FAILED, "mmap");
	struct uffdio_register range = {.range = {(uintptr_t)page, size},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	must(ioctl(fd, UFFDIO_REGISTER, &range) == 0, "UFFDIO_REGISTER");
	ready();
	page[0] = 1;
}

static void userfault_read(void)
{
	struct uffd_msg event;
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
		unsupported("userfaultfd");
	ready();
	(void)!read(fd, &event, sizeof(event));
}

const struct class_row class_process_rows[] = {
	{"sleep", "sleep", "-", sleep_relative},
	{"sleep-absolute", "sleep", "-", sleep_absolute},
	{"pause", "signal wait", "-", signal_pause},
	{"sigsuspend", "signal wait", "signals", signal_suspend},
	{"sigwait", "signal wait", "signals", signal_wait},
	{"waitpid", "child wait", "child process", child_one},
	{"wait-any", "child wait", "child process", child_any},
	{"waitid", "child wait", "child process", child_waitid},
	{"vfork", "vfork wait", "child process", vfork_wait},
	{"semop", "semaphore wait", "system v semaphore", semaphore_op},
	{"msgrcv", "message receive", "system v message queue", message_receive},
	{"msgsnd", "message send", "system v message queue", message_send},
	{"mq-receive", "message receive", "message queue", mq_receive_wait},
	{"spin", "running", "-", spin},
	{"stopped", "stopped", "-", stop},
	{"traced", "traced", "debugger", traced},
	{"zombie-leader", "exited", "-", zombie_leader},
	{"page-fault", "page fault", "-", page_fault},
	{"userfaultfd-read", "file read", "userfaultfd", userfault_read},
	{0},
};
