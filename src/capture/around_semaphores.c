/* System V semaphores, in the IPC namespace of the process that waits. */
#include "capture/around.h"

#include <errno.h>
#include <string.h>
#include <sys/sem.h>

static bool look_at(struct around *around, const struct around_semaphore *wanted)
{
	struct capture_semaphore semaphore = {
		.pid = wanted->process->pid, .id = wanted->id, .number = wanted->number};
	/* Ids of processes are told in our pid namespace, whatever the semaphores' namespace is. */
	int number = (int)wanted->number;
	semaphore.value = semctl(wanted->id, number, GETVAL);
	semaphore.last = semctl(wanted->id, number, GETPID);
	semaphore.waits_to_take = semctl(wanted->id, number, GETNCNT);
	semaphore.waits_for_zero = semctl(wanted->id, number, GETZCNT);
	if (semaphore.value < 0 || semaphore.last < 0 || semaphore.waits_to_take < 0 ||
	    semaphore.waits_for_zero < 0)
		return false;
	around_add(around, &around->found->semaphores, &semaphore, sizeof(semaphore));
	return true;
}

static int by_process_and_number(const void *a, const void *b)
{
	const struct around_semaphore *x = a, *y = b;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

void around_semaphores(struct around *around)
{
	int why = 0;
	const struct around_semaphore *last = NULL;
	array_sort(&around->semaphores, by_process_and_number);
	array_for_each (&around->semaphores, wanted) {
		/* Many threads may wait for one. */
		bool done = last && by_process_and_number(last, wanted) == 0;
		last = wanted;
		if (done)
			continue;
		int trouble = namespace_enter(wanted->process->live_tid, "ipc");
		if (!trouble && !look_at(around, wanted))
			trouble = errno;
		/* Removed meanwhile: the wait is over too. */
		if (!why && trouble != EIDRM && trouble != EINVAL)
			why = trouble;
	}
	if (why)
		around_error(around, "semaphores", "%s", strerrordesc_np(why));
}
