#include "base/helper_thread.h"

#include "base/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	STACK_SIZE = 1 << 20,
	GUARD_SIZE = 65536, /* of any page size */
	GRACE_MS = 200,	    /* to be ended */
	/* Nobody sends it: the coprocessor that it was made for is gone. */
	END_SIGNAL = SIGSTKFLT,
};

struct job {
	void (*work)(void *context);
	void *context;
	/* Not the C library's: that would give it, as the thread has left it, to the next one. */
	char *stack;
	bool ends; /* at once */
	bool done;
};

static __thread struct job *own_job;

static void end_if_told(void)
{
	/* Of this thread alone, and without a word to anybody. */
	if (own_job && __atomic_load_n(&own_job->ends, __ATOMIC_SEQ_CST))
		syscall(SYS_exit, 0);
}

static void handle_end(int signal_number)
{
	(void)signal_number;
	end_if_told();
}

static void *run(void *context)
{
	struct job *job = context;
	own_job = job;
	/* The signal may have come before there was a job. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	end_if_told();
	job->work(job->context);
	__atomic_store_n(&job->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static struct job *job_new(void (*work)(void *context), void *context)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return NULL;
	mprotect(stack, GUARD_SIZE, PROT_NONE);
	struct job *job = xcalloc(1, sizeof(*job));
	*job = (struct job){.work = work, .context = context, .stack = stack};
	return job;
}

static void job_free(struct job *job)
{
	munmap(job->stack, STACK_SIZE);
	free(job);
}

/* Signals are for the thread that waits; but those of its own faults are no thread's to block. */
static bool start(struct job *job, pthread_t *ret)
{
	static const int kept[] = {END_SIGNAL, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	sigset_t blocked, before;
	pthread_attr_t attributes;
	sigfillset(&blocked);
	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		sigdelset(&blocked, kept[i]);
	sigaction(END_SIGNAL, &(struct sigaction){.sa_handler = handle_end}, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, job->stack, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int refused = pthread_create(ret, &attributes, run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return !refused;
}

/* The kernel's word for its end is what pthread_join waits for: however it came about. */
static bool join(pthread_t thread, struct deadline deadline)
{
	const struct timespec when = {(time_t)(deadline.at_ns / 1000000000),
				      (long)(deadline.at_ns % 1000000000)};
	if (!deadline.at_ns)
		return pthread_join(thread, NULL) == 0;
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &when) == 0;
}

enum helper_end helper_run_thread(void (*work)(void *context), void *context,
				  struct deadline deadline, bool *ret_left_behind)
{
	pthread_t thread;
	struct job *job = job_new(work, context);
	if (!job)
		return HELPER_FAILED;
	if (!start(job, &thread)) {
		job_free(job);
		return HELPER_FAILED;
	}
	bool joined = join(thread, deadline);
	if (!joined) {
		__atomic_store_n(&job->ends, true, __ATOMIC_SEQ_CST);
		pthread_kill(thread, END_SIGNAL);
		/* Once that is pending, not an instruction of ours is run but in a few moments. */
		joined = join(thread, deadline_in_ms(GRACE_MS));
	}
	if (!joined) {
		*ret_left_behind = true;
		return HELPER_TIMED_OUT;
	}
	bool done = job->done;
	job_free(job);
	return done ? HELPER_DONE : HELPER_TIMED_OUT;
}
