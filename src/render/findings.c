/* What hangs, before anything else is said. */
#include "base/cleanup.h"
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
	bool known = wait->owners.count && is_of_finding(finding, &wait->owners.items[0]);
	print_owners(p, ", ", wait, home, !known);
}

/* Among several processes, each thread says whose it is. */
static pid_t home_of(const struct dump *dump)
{
	return dump->processes.count == 1 ? dump->processes.items[0].pid : 0;
}

static const char *const state_words[] = {
	['R'] = "runs",
	['S'] = "sleeps",
	['D'] = "waits for I/O",
	['T'] = "is stopped",
	['t'] = "is stopped by a tracer",
	['Z'] = "is a zombie",
	['X'] = "is ending",
};

/* What is known of somebody who is no thread of the dump. */
static void print_state(struct printer *p, struct thread_id id)
{
	const struct neighbour *neighbour = printer_neighbour(p, id);
	const struct process *process = printer_process(p, id.pid);
	if (process) {
		print_format(p, " has %zu threads", process->threads.count);
		return;
	}
	size_t state = neighbour ? (unsigned char)neighbour->state : 0;
	if (state < ARRAY_SIZE(state_words) && state_words[state])
		print_format(p, " %s, and", state_words[state]);
	print(p, " was not dumped");
}

static void print_doing(struct printer *p, const struct finding *finding, struct thread_id id)
{
	const struct thread_entry *entry = printer_thread(p, id);
	if (entry)
		print_wait(p, finding, entry->thread, home_of(p->dump));
	else
		print_state(p, id);
}

/* "9 threads wait, directly or through others, for thread 7 (io), which reads from a pipe". */
static void print_chain(struct printer *p, const struct finding *finding)
{
	size_t waiting = finding->threads.count - 1;
	print_format(p, "%zu %s, directly or through others, for ", waiting,
		     waiting == 1 ? "thread waits" : "threads wait");
	print_thread_id(p, finding->threads.items[0], home_of(p->dump), true);
	print(p, ", which");
	print_doing(p, finding, finding->threads.items[0]);
}

void print_summary(struct printer *p, const struct finding *finding)
{
	size_t n = finding->threads.count;
	if (finding->kind == FINDING_BLOCKED_CHAIN && n > 1)
		print_chain(p, finding);
	else
		print_format(p, "%zu %s", n, plural(finding_words[finding->kind].sentence, n));
}

/* Everything in the pool, as all strings of a dump. */
struct pooled {
	struct finding *finding;
	struct strpool *strings;
};

static void add_pooled(void *context, const char *sentence)
{
	struct pooled *pooled = context;
	*array_append(&pooled->finding->evidence) = strpool_add(pooled->strings, sentence);
}

void render_describe_findings(struct dump *dump)
{
	static const struct render_options plain = {0};
	struct printer p;
	if (!dump->findings.count)
		return;
	printer_init(&p, dump, &plain, NULL);
	array_for_each (&dump->findings, finding) {
		struct pooled pooled = {finding, &dump->strings};
		print_summary(&p, finding);
		_cleanup_free_ char *summary = text_steal(&p.text);
		finding->summary = strpool_add(&dump->strings, summary);
		tell_evidence(&p, finding, add_pooled, &pooled);
	}
	printer_finish(&p);
}

static void print_thread_line(struct printer *p, const struct finding *finding, struct thread_id id)
{
	print(p, "  ");
	print_thread_id(p, id, home_of(p->dump), true);
	print_doing(p, finding, id);
	print_end(p);
}

static void print_threads(struct printer *p, const struct finding *finding)
{
	size_t count = finding->threads.count;
	size_t most = p->options->verbose || count <= MOST_THREADS ? count : MOST_THREADS;
	for (size_t i = 0; i < most; i++)
		print_thread_line(p, finding, finding->threads.items[i]);
	if (most < count) {
		print_format(p, "  and %zu more", count - most);
		print_end(p);
	}
}

static void print_behind(struct printer *p, const struct finding *finding)
{
	if (!finding->behind)
		return;
	print_format(p, "  %zu more thread%s behind %s.", finding->behind,
		     finding->behind == 1 ? " waits" : "s wait",
		     finding->threads.count == 1 ? "it" : "them");
	print_end(p);
}

static void print_doubts(struct printer *p, const struct finding *finding)
{
	const char *before = "  Not certain: ";
	for (unsigned i = 0; i < FINDING_DOUBTS; i++) {
		if (finding->confidence == CONFIDENCE_CERTAIN || !(finding->doubts & 1u << i))
			continue;
		print(p, before);
		print(p, doubt_words[i]);
		before = "; ";
	}
	if (*before == ';') {
		print(p, ".");
		print_end(p);
	}
}

static void print_title(struct printer *p, const char *before, const struct finding *finding)
{
	style_on(p, STYLE_FINDING);
	print(p, before);
	print(p, finding_words[finding->kind].title);
	style_off(p);
	print(p, finding->confidence == CONFIDENCE_LIKELY ? " (likely): " : ": ");
	if (finding->summary)
		print_foreign(p, finding->summary);
	else
		print_summary(p, finding);
}

void print_finding(struct printer *p, const char *before, const struct finding *finding)
{
	print_end(p);
	print_title(p, before, finding);
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
	print_doubts(p, finding);
	print_finding_progress(p, finding);
	if (!p->options->verbose)
		return;
	array_for_each (&finding->evidence, sentence) {
		print(p, "  - ");
		print_foreign(p, *sentence);
		print_end(p);
	}
}

void print_findings(struct printer *p)
{
	array_for_each (&p->dump->findings, finding)
		print_finding(p, "", finding);
}

void render_verdict(const struct dump *dump, struct text *ret)
{
	static const struct render_options plain = {0};
	struct printer p;
	size_t count = dump->findings.count;
	printer_init(&p, dump, &plain, NULL);
	if (count)
		print_title(&p, "", &dump->findings.items[0]);
	else
		print(&p, dump->processes.count ? "no finding" : "nothing could be dumped");
	if (count > 1)
		print_format(&p, ", and %zu more finding%s", count - 1, count == 2 ? "" : "s");
	text_add_n(ret, p.text.bytes, p.text.length);
	printer_finish(&p);
}
