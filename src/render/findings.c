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
		if (!wait->resource.name && !wait->resource.address)
			print_detail(p, &wait->resource);
	} else {
		print_format(p, " %s", wait_words[wait->class].alone);
	}
	const char *function = wait->class == WAIT_RUNNING ? user_function(&thread->stack) : NULL;
	if (function) {
		print(p, " in ");
		print_foreign(p, function);
	}
	if (wait->owners.count) {
		print(p, ", ");
		print_owners(p, wait, home, !is_of_finding(finding, &wait->owners.items[0]));
	}
}

/* Among several processes, each thread says whose it is. */
static pid_t home_of(const struct dump *dump)
{
	return dump->processes.count == 1 ? dump->processes.items[0].pid : 0;
}

/* "9 threads wait, directly or through others, for thread 7 (io), which reads from a pipe". */
static bool print_chain(struct printer *p, const struct finding *finding)
{
	size_t waiting = finding->threads.count - 1;
	if (finding->threads.count < 2)
		return false;
	const struct thread_entry *root = printer_thread(p, finding->threads.items[0]);
	if (!root)
		return false;
	print_format(p, "%zu %s, directly or through others, for ", waiting,
		     waiting == 1 ? "thread waits" : "threads wait");
	print_thread_id(p, finding->threads.items[0], home_of(p->dump), true);
	print(p, ", which");
	print_wait(p, finding, root->thread, home_of(p->dump));
	return true;
}

char *render_summary(const struct dump *dump, const struct finding *finding)
{
	static const struct render_options plain = {0};
	struct printer p;
	size_t n = finding->threads.count;
	printer_init(&p, dump, &plain, NULL);
	if (finding->kind != FINDING_BLOCKED_CHAIN || !print_chain(&p, finding))
		print_format(&p, "%zu %s", n, plural(finding_words[finding->kind].sentence, n));
	char *summary = text_steal(&p.text);
	printer_finish(&p);
	return summary;
}

static void print_thread_line(struct printer *p, const struct finding *finding,
			      const struct thread_id *id)
{
	const struct thread_entry *entry = printer_thread(p, *id);
	pid_t home = home_of(p->dump);
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
	if (finding->summary) {
		print_foreign(p, finding->summary);
	} else {
		_cleanup_free_ char *summary = render_summary(p->dump, finding);
		print(p, summary);
	}
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
