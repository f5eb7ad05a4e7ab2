/* What /proc shows of processes at a glance: where each thread is in the kernel, and no more. */
#ifndef HANGDUMP_MODEL_GLANCE_H
#define HANGDUMP_MODEL_GLANCE_H

#include "base/array.h"
#include "base/strpool.h"

#include <stdbool.h>
#include <sys/types.h>

/* Strings are in the glance's pool, or NULL where they are not known. */
struct glance_thread {
	pid_t tid;
	const char *name;
	char state;   /* as in /proc/PID/stat; 0 not known */
	long syscall; /* -1: in none, or not known */
	const char *syscall_name;
	const char *wait_channel; /* NULL also when it does not sleep */
};

struct glance_process {
	pid_t pid;
	const char *name;
	array(struct glance_thread) threads;
};

struct glance {
	struct strpool strings;
	array(struct glance_process) processes;
	bool cut; /* there was no time for all threads */
};

void glance_init(struct glance *glance);
void glance_deinit(struct glance *glance);

#endif
