/*
 * Memory that never comes: pages under userfaultfd(2) that nobody serves.
 * Says `ready PID FAULTING SLEEPING`, where
 *	FAULTING	is asleep in a page fault on such a page
 *	SLEEPING	is asleep in pause(2), with such a page further up in its stack
 * Whoever reads one of those pages, through /proc or process_vm_readv(2), sleeps as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	   4096UL
#define STACK_SIZE (64 * PAGE)

static int faults;
static sem_t started;
static pid_t tids[2];
static char *hole, *stack;

static int watch(void *address, size_t size)
{
	struct uffdio_register request = {.range = {(uintptr_t)address, size},
					  .mode = UFFDIO_REGISTER_MODE_MISSING};
	return ioctl(faults, UFFDIO_REGISTER, &request);
}

__attribute__((noinline)) static void touch(void)
{
	*(volatile char *)hole = 1;
}

static void *faulting_thread(void *unused)
{
	tids[0] = (pid_t)syscall(SYS_gettid);
	sem_post(&started);
	touch();
	return unused;
}

/* Alone at the bottom of a deep stack, drops a page between itself and its callers. */
__attribute__((noinline)) static void drop_page_above(void)
{
	char *here = __builtin_frame_address(0);
	char *page = (char *)(((uintptr_t)here + 3 * PAGE) & ~(PAGE - 1));

	if (watch(page, PAGE) != 0 || madvise(page, PAGE, MADV_DONTNEED) != 0)
		tids[1] = -1;
	sem_post(&started);
	for (;;)
		syscall(SYS_pause);
}

__attribute__((noinline)) static void with_a_big_frame(void)
{
	volatile char frame[8 * PAGE];

	for (size_t i = 0; i < sizeof(frame); i += PAGE)
		frame[i] = 1;
	drop_page_above();
	frame[0] = 2;
}

static void *sleeping_thread(void *unused)
{
	tids[1] = (pid_t)syscall(SYS_gettid);
	with_a_big_frame();
	return unused;
}

int main(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	pthread_attr_t attributes;
	pthread_t thread;

	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0) {
		printf("unsupported userfaultfd: %s\n", strerror(errno));
		return 0;
	}
	sem_init(&started, 0, 0);
	hole = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (hole == MAP_FAILED || stack == MAP_FAILED || watch(hole, PAGE) != 0)
		return 1;
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, STACK_SIZE);
	if (pthread_create(&thread, NULL, faulting_thread, NULL) != 0 ||
	    pthread_create(&thread, &attributes, sleeping_thread, NULL) != 0)
		return 1;
	sem_wait(&started);
	sem_wait(&started);
	if (tids[1] < 0)
		return 1;
	printf("ready %d %d %d\n", getpid(), tids[0], tids[1]);
	fflush(stdout);
	for (;;)
		pause();
}
