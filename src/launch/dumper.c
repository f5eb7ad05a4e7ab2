#include "launch/dumper.h"

#include "base/cleanup.h"
#include "launch/tree.h"

#include <fcntl.h>
#include <unistd.h>

bool dumper_init(struct dumper *dumper, const struct launch_ops *ops, void *context)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	*dumper = (struct dumper){
		.ops = ops, .context = context, .done = ends[0], .done_write = ends[1]};
	return true;
}

static void *work(void *argument)
{
	struct dumper *dumper = argument;
	__atomic_store_n(&dumper->tid, gettid(), __ATOMIC_RELEASE);
	dumper->ops->dump(dumper->context, &dumper->event);
	ssize_t n = write(dumper->done_write, "", 1);
	(void)n;
	return NULL;
}

bool dumper_begin(struct dumper *dumper, pid_t command, const struct message *order)
{
	const struct tree tree = {.root = getpid(), .command = command};
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count = tree_list(&tree, &relatives);
	dumper->tree.count = 0;
	for (size_t i = 0; i < count; i++)
		*array_append(&dumper->tree) = relatives[i].pid;
	dumper->event = (struct launch_event){.reason = order->reason,
					      .signal = order->signal,
					      .command = command,
					      .tree = dumper->tree.items,
					      .count = dumper->tree.count,
					      .elapsed_ms = order->elapsed_ms,
					      .limit_ms = order->limit_ms,
					      .budget = deadline_in_ms(order->budget_ms)};
	dumper->order = order->number;
	dumper->tid = 0;
	dumper->busy = pthread_create(&dumper->thread, NULL, work, dumper) == 0;
	return dumper->busy;
}

int dumper_finish(struct dumper *dumper)
{
	char byte;
	ssize_t n = read(dumper->done, &byte, 1);
	(void)n;
	pthread_join(dumper->thread, NULL);
	dumper->busy = false;
	return dumper->order;
}

void dumper_hurry(const struct dumper *dumper)
{
	pid_t tid = __atomic_load_n(&dumper->tid, __ATOMIC_ACQUIRE);
	_cleanup_free_ pid_t *children = NULL;
	size_t count;
	if (!dumper->busy || !tid || !children_of(getpid(), tid, &children, &count))
		return;
	/* They are reaped by that thread alone, so these can be nobody else's ids for long. */
	for (size_t i = 0; i < count; i++)
		kill(children[i], SIGKILL);
}
