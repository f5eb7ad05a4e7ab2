/* What hangs, before anything else is said. */
#include "base/cleanup.h"
#include "render/behind.h"
#include "render/parts.h"
#include "render/words.h"

#include <string.h>

#define MOST_THREADS 20

static const char *plural(const char *const words[2], size_t n)
{
	return words[n != 1];
}

char *render_summary(const struct dump *dump, const struct finding *finding)
{
	(void)dump;
	size_t n = finding->threads.count;
	return xasprintf("%zu %s", n, plural(finding_words[finding->kind].sentence, n));
}

static bool is_of_finding(const struct finding *finding, const struct thread_id *id)
{
	array_for_each (&finding->threads, own) {
		if (own->pid == id->pid && own->tid == id->tid)
			return true;
	}
	return false;
}

/* The innermost function that is the program's: where a thread runs. */
static const char *user_function(const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (stack->frames[i].kind == FRAME_NATIVE)
			return stack->frames[i].function;
	}
	return NULL;
}

static void print_wait(struct printer *p, const struct finding *finding,
		       const struct thread *thread, pid_t home)
{
	const struct wait *wait = &thread->wait;
	if (wait->resource.kind) {
		print_format(p, " %s ", wait_words[wait->class].doing);
		print_resource(p, &wait->resource, false);
	} else {
		print_format(p, " %s", wait_words[wait->class].alone);
	}
	const char *function = wait->class == WAIT_RUNNING ? user_function(&thread->stack) : NULL;
	if (function) {
		print(p, " in ");
		print_foreign(p, function);
	}
	if (wait->owner_count) {
		print(p, ", ");
		print_owners(p, wait, home, !is_of_finding(finding, &wait->owners[0]));
	}
}

static void print_thread_line(struct printer *p, const struct finding *finding,
			      const struct thread_id *id)
{
	const struct thread_entry *entry = printer_thread(p, *id);
	/* Among several processes, each thread says whose it is. */
	pid_t home = p->dump->processes.count == 1 ? p->dump->processes.items[0].pid : 0;
	print(p, "  ");
	print_thread_id(p, *id, home, true);
	if (entry)
		print_wait(p, finding, entry->thread, home);
	print_end(p);
}

static void print_threads(struct printer *p, const struct finding *finding)
{
	size_t count = finding->threads.count;
	size_t most = p->options->verbose || count <= MOST_THREADS ? count : MOST_THREADS;
	for (size_t i = 0; i < most; i++)
		print_thread_line(p, finding, &finding->threads.items[i]);
	if (most < count) {
		print_format(p, "  and %zu more", count - most);
		print_end(p);
	}
}

static void print_behind(struct printer *p, const struct finding *finding)
{
	if (!finding_words[finding->kind].counts_threads_behind)
		return;
	size_t behind = count_threads_behind(p, finding);
	if (!behind)
		return;
	print_format(p, "  %zu more thread%s behind %s.", behind, behind == 1 ? " waits" : "s wait",
		     finding->threads.count == 1 ? "it" : "them");
	print_end(p);
}

static void print_finding(struct printer *p, const struct finding *finding)
{
	print_end(p);
	style_on(p, STYLE_FINDING);
	print(p, finding_words[finding->kind].title);
	style_off(p);
	print(p, finding->confidence == CONFIDENCE_LIKELY ? " (likely): " : ": ");
	_cleanup_free_ char *sentence = render_summary(p->dump, finding);
	print_foreign(p, finding->summary ? finding->summary : sentence);
	print_end(p);
	print_threads(p, finding);
	if (!finding->threads.count) {
		array_for_each (&finding->resources, resource) {
			print(p, "  ");
			print_resource(p, resource, true);
			print_end(p);
		}
	}
	print_behind(p, finding);
}

void print_findings(struct printer *p)
{
	array_for_each (&p->dump->findings, finding)
		print_finding(p, finding);
}
