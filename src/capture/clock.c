/*
 * How long has a thread slept?  /proc/PID/task/TID/sched has se.exec_start, the moment when it
 * last ran, on the clock of the CPU that it ran on.  That clock is nobody else's (it excludes
 * stolen and interrupt time), so it is compared with our own exec_start on the same CPU.
 */
#include "base/cleanup.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CPUS_MOST = 4096, SCHED_FILE_MOST = 8192 };

/* The CPU's clock minus CLOCK_MONOTONIC into *ret. */
static bool measure(int cpu, int64_t *ret)
{
	cpu_set_t *set = CPU_ALLOC(CPUS_MOST);
	if (!set)
		return false;
	CPU_ZERO_S(CPU_ALLOC_SIZE(CPUS_MOST), set);
	CPU_SET_S((size_t)cpu, CPU_ALLOC_SIZE(CPUS_MOST), set);
	int refused = sched_setaffinity(0, CPU_ALLOC_SIZE(CPUS_MOST), set);
	CPU_FREE(set);
	if (refused)
		return false;
	/* Our own exec_start is set when we are put on the CPU: sleep, so as to be put there now. */
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	int64_t now = (int64_t)monotonic_ns();
	char text[SCHED_FILE_MOST], path[64];
	snprintf(path, sizeof(path), "/proc/self/task/%d/sched", gettid());
	int64_t own = proc_read(AT_FDCWD, path, text, sizeof(text)) > 0
			      ? parse_sched_ns(text, "se.exec_start")
			      : -1;
	*ret = own - now;
	return own >= 0;
}

void clock_fill_slept(struct raw_capture *raw)
{
	struct {
		bool tried, known;
		int64_t offset_ns;
	} *cpus = calloc(CPUS_MOST, sizeof(*cpus));
	for (size_t i = 0; cpus && i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		for (size_t j = 0; j < process->thread_count; j++) {
			struct raw_thread *thread = &process->threads[j];
			int cpu = thread->facts.processor;
			/* 0: moved to another CPU, and has not run there yet. */
			if (cpu < 0 || cpu >= CPUS_MOST || thread->exec_start_ns <= 0)
				continue;
			if (!cpus[cpu].tried) {
				cpus[cpu].tried = true;
				cpus[cpu].known = measure(cpu, &cpus[cpu].offset_ns);
			}
			if (!cpus[cpu].known)
				continue;
			int64_t slept = (int64_t)thread->looked_at_ns + cpus[cpu].offset_ns -
					thread->exec_start_ns;
			thread->facts.slept_ms = slept > 0 ? slept / 1000000 : 0;
		}
	}
	free(cpus);
}
