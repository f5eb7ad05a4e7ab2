/*
 * System V semaphores.  The kernel remembers who changed one last.  Where it is used as a lock that
 * is who holds it; where it counts work, it is whoever took the last piece, who need not be the one
 * to bring more: likely at best, and nobody is kept from it.
 */
#include "base/array.h"
#include "classify/peers.h"

enum { OPERATIONS_MOST = 16 };

size_t read_semaphore_operations(const struct subject *subject, struct semaphore_operation *ret,
				 size_t most)
{
	uint64_t count = argument(subject, 2);
	size_t n = count < most ? (size_t)count : most;
	return n && subject_read(subject, argument(subject, 1), ret, n * sizeof(*ret)) ? n : 0;
}

static int by_semaphore(const void *a, const void *b)
{
	const struct capture_semaphore *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static const struct capture_semaphore *semaphore_of(const struct subject *subject, unsigned number)
{
	const struct capture_surroundings *around = &subject->context->capture->surroundings;
	const struct capture_semaphore key = {
		.pid = subject->process->pid, .id = argument_int(subject, 0), .number = number};
	if (!around->semaphores.count)
		return NULL;
	return bsearch(&key, around->semaphores.items, around->semaphores.count, sizeof(key),
		       by_semaphore);
}

/* The first operation that cannot be done is the one that it waits for. */
static const struct capture_semaphore *semaphore_in_the_way(const struct subject *subject)
{
	struct semaphore_operation operations[OPERATIONS_MOST];
	size_t count = read_semaphore_operations(subject, operations, ARRAY_SIZE(operations));
	for (size_t i = 0; i < count; i++) {
		const struct capture_semaphore *semaphore =
			semaphore_of(subject, operations[i].number);
		int change = operations[i].operation;
		if (semaphore &&
		    (change < 0 ? semaphore->value < -change : change == 0 && semaphore->value > 0))
			return semaphore;
	}
	return NULL;
}

void peers_of_semaphore(struct subject *subject, struct peers *peers)
{
	const struct capture_semaphore *semaphore = semaphore_in_the_way(subject);
	if (!semaphore)
		return;
	subject->wait->owner_state = OWNER_NOT_RECORDED;
	const char *who = "nobody has changed it yet";
	if (semaphore->last == subject->process->pid) {
		/* It may have taken from it before, and waits for more. */
		who = "last changed by this process";
	} else if (semaphore->last &&
		   !capture_neighbour_of(subject->context->capture, semaphore->last)) {
		who = subject_printf(subject, "last changed by process %d, which is gone",
				     (int)semaphore->last);
	} else if (semaphore->last) {
		who = subject_printf(subject, "last changed by %s",
				     peers_name(subject, semaphore->last));
		peers_add(peers, semaphore->last);
	}
	peers->confidence = CONFIDENCE_LIKELY;
	peers_say(subject, subject_printf(subject, "value %d, %s", semaphore->value, who));
}
