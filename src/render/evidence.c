/* The facts that a finding rests on, a sentence each. */
#include "base/cleanup.h"
#include "base/duration.h"
#include "render/parts.h"
#include "render/words.h"

#include <inttypes.h>

/* Beyond that they are counted: the dump has them all. */
#define MOST_SENTENCES 50

/* Where it stands that somebody has to act. */
static const char *source_of(enum wait_class class)
{
	switch (class) {
	case WAIT_FILE_LOCK:
		return "as /proc/locks says";
	case WAIT_PIPE_READ:
	case WAIT_PIPE_WRITE:
	case WAIT_FIFO_OPEN:
	case WAIT_SOCKET_READ:
	case WAIT_SOCKET_WRITE:
	case WAIT_SOCKET_ACCEPT:
	case WAIT_SOCKET_CONNECT:
	case WAIT_EVENTFD_READ:
	case WAIT_EVENTFD_WRITE:
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
		return "as the open file descriptors say";
	case WAIT_CHILD:
	case WAIT_VFORK:
		return "as the process table says";
	default:
		return "as memory says";
	}
}

static void print_seconds(struct printer *p, int64_t ms)
{
	print_format(p, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms / 100 % 10);
}

static void tell_sleep(struct printer *p, const struct thread *thread)
{
	const struct wait *wait = &thread->wait;
	print_format(p, ": %s", wait_name(wait));
	if (wait->has_syscall && wait->syscall.name) {
		print(p, " in ");
		print_foreign(p, wait->syscall.name);
	}
	print(p, thread->steady ? ", asleep from the first look to the last"
				: ", not seen to stay there");
	if (wait->since_ms >= 0) {
		print(p, ", since ");
		print_seconds(p, wait->since_ms);
	}
	if (wait->timeout_ms >= 0) {
		print(p, ", ends by itself in ");
		print_seconds(p, wait->timeout_ms);
	}
	if (!wait->resource.kind)
		return;
	print(p, "; ");
	print_resource(p, &wait->resource, true);
	print_owners(p, ", ", wait, 0, true);
	if (wait->owners.count)
		print_format(p, ", %s", source_of(wait->class));
	if (wait->overdue)
		print(p, "; its memory says that the thread should have been woken");
}

static void tell_second_look(struct printer *p, const struct thread *thread)
{
	print(p, ": ran for ");
	print_seconds(p, thread->look_cpu_ns / 1000000);
	print(p, " and waited for a CPU for ");
	print_seconds(p, thread->look_delay_ns < 0 ? 0 : thread->look_delay_ns / 1000000);
	print(p, " of the ");
	print_seconds(p, thread->look_ns / 1000000);
	print(p, " between two looks");
	const struct stack *stack = &thread->stack;
	if (thread->look_frame >= stack->count || !stack->frames[thread->look_frame].function)
		return;
	print(p, ", which both met it in ");
	print_foreign(p, stack->frames[thread->look_frame].function);
}

void tell_evidence(struct printer *p, const struct finding *finding, add_sentence_fn *add,
		   void *context)
{
	size_t told = 0, left = 0;
	array_for_each (&finding->threads, id) {
		const struct thread_entry *entry = printer_thread(p, *id);
		if (!entry)
			continue;
		if (told == MOST_SENTENCES) {
			left++;
			continue;
		}
		told++;
		print_thread_id(p, *id, 0, true);
		if (finding->kind == FINDING_SPINNING)
			tell_second_look(p, entry->thread);
		else
			tell_sleep(p, entry->thread);
		_cleanup_free_ char *sentence = text_steal(&p->text);
		add(context, sentence);
	}
	if (!left)
		return;
	print_format(p, "and so on for %zu more threads", left);
	_cleanup_free_ char *sentence = text_steal(&p->text);
	add(context, sentence);
}
