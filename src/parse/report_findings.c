#include "parse/report_findings.h"

#include "base/address_map.h"
#include "parse/report_lines.h"
#include "render/words.h"

#include <limits.h>
#include <string.h>

bool report_findings_begin(struct report_findings *findings, struct draft *draft, struct piece line)
{
	for (int i = 0; i < FINDING_KINDS; i++) {
		struct piece rest = line;
		if (!piece_take(&rest, finding_words[i].title))
			continue;
		bool is_likely = piece_take(&rest, " (likely)");
		if (!piece_take(&rest, ": "))
			continue;
		struct finding *finding = array_append(&draft->dump.findings);
		finding->kind = (enum finding_kind)i;
		finding->confidence = is_likely ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;
		finding->summary = draft_string(draft, rest);
		findings->is_open = true;
		return true;
	}
	return false;
}

/* "a thread was not seen to stay where it was; a wait ends by itself." */
static void take_doubts(struct finding *finding, struct piece rest)
{
	piece_take_end(&rest, ".");
	for (unsigned i = 0; i < FINDING_DOUBTS; i++) {
		if (piece_find(rest, doubt_words[i]) < rest.n)
			finding->doubts |= 1u << i;
	}
}

static bool take_behind(struct finding *finding, struct piece rest)
{
	uint64_t behind;
	if (!piece_take_number(&rest, INT32_MAX, &behind) || !piece_take(&rest, " more thread") ||
	    piece_find(rest, " behind ") == rest.n)
		return false;
	finding->behind = (size_t)behind;
	return true;
}

bool report_findings_take(struct report_findings *findings, struct draft *draft, struct piece line)
{
	struct dump *dump = &draft->dump;
	uint64_t more;
	if (!findings->is_open || !piece_take(&line, "  "))
		return false;
	struct finding *finding = &dump->findings.items[dump->findings.count - 1];
	struct piece rest = line;
	if (piece_take(&rest, "Not certain: ")) {
		take_doubts(finding, rest);
	} else if (piece_take(&rest, "- ")) {
		*array_append(&finding->evidence) = draft_string(draft, rest);
	} else if (piece_starts(line, "thread ") || piece_starts(line, "process ")) {
		struct finding_thread *thread = array_append(&findings->threads);
		thread->finding = dump->findings.count - 1;
		thread->line = draft_string(draft, line);
	} else if (piece_take(&rest, "and ") && piece_take_number(&rest, INT32_MAX, &more) &&
		   piece_equals(rest, " more")) {
		dump_add_error(dump, 0, 0, "threads of a finding", "the text leaves out %d",
			       (int)more);
	} else if (!take_behind(finding, line) && !piece_starts(line, "Over ")) {
		return false;
	}
	return true;
}

/* A tid is one thread's only; values are indexes plus 1: of the process, and of the thread there. */
struct index {
	struct address_map pids, tids;
};

static void index_dump(const struct dump *dump, struct index *index)
{
	for (size_t i = 0; i < dump->processes.count; i++) {
		const struct process *process = &dump->processes.items[i];
		uint64_t pid = (uint64_t)process->pid;
		if (pid && !address_map_get(&index->pids, pid))
			address_map_put(&index->pids, pid, (void *)(uintptr_t)(i + 1));
		for (size_t j = 0; j < process->threads.count; j++) {
			uint64_t tid = (uint64_t)process->threads.items[j].tid;
			uintptr_t value = (uintptr_t)(i << 32 | j) + 1;
			if (tid && !address_map_get(&index->tids, tid))
				address_map_put(&index->tids, tid, (void *)value);
		}
	}
}

static struct process *find_process(struct dump *dump, const struct index *index, pid_t pid)
{
	uintptr_t place = (uintptr_t)address_map_get(&index->pids, (uint64_t)pid);
	return place ? &dump->processes.items[place - 1] : NULL;
}

static struct thread *find_thread(struct dump *dump, const struct index *index, pid_t tid,
				  struct process **ret)
{
	uintptr_t place = (uintptr_t)address_map_get(&index->tids, (uint64_t)tid);
	if (!place)
		return NULL;
	*ret = &dump->processes.items[(place - 1) >> 32];
	return &(*ret)->threads.items[(place - 1) & UINT32_MAX];
}

static void add_thread(struct draft *draft, const struct index *index,
		       const struct finding_thread *told)
{
	struct dump *dump = &draft->dump;
	struct piece line = {told->line, strlen(told->line)}, name;
	struct thread_id id;
	struct process *process;
	if (!thread_id_take(&line, 0, &id, &name))
		return;
	if (id.tid) {
		/* Of which process is not said where there is only one. */
		if (!id.pid && find_thread(dump, index, id.tid, &process))
			id.pid = process->pid;
		else if (!id.pid && dump->processes.count)
			id.pid = dump->processes.items[0].pid;
	} else {
		/* The one thread of another process is called a process. */
		process = find_process(dump, index, id.pid);
		if (process && process->threads.count == 1 && !piece_starts(line, " has "))
			id.tid = process->threads.items[0].tid;
	}
	*array_append(&dump->findings.items[told->finding].threads) = id;
	struct neighbour *neighbour = array_append(&dump->neighbours);
	neighbour->id = id;
	neighbour->name = draft_string(draft, name);
}

static int compare_neighbours(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;
	if (x->id.pid != y->id.pid)
		return x->id.pid < y->id.pid ? -1 : 1;
	if (x->id.tid != y->id.tid)
		return x->id.tid < y->id.tid ? -1 : 1;
	return (x->name == NULL) - (y->name == NULL);
}

/* Each once, with a name where one was told. */
static void settle_neighbours(struct dump *dump)
{
	size_t kept = 0;
	array_sort(&dump->neighbours, compare_neighbours);
	for (size_t i = 0; i < dump->neighbours.count; i++) {
		struct neighbour neighbour = dump->neighbours.items[i], *last;
		last = kept ? &dump->neighbours.items[kept - 1] : NULL;
		if (last && last->id.pid == neighbour.id.pid && last->id.tid == neighbour.id.tid)
			continue;
		dump->neighbours.items[kept++] = neighbour;
	}
	dump->neighbours.count = kept;
}

/* Names of those in the dump go to them; the others stay. */
static void name_threads(struct dump *dump, const struct index *index)
{
	size_t kept = 0;
	for (size_t i = 0; i < dump->neighbours.count; i++) {
		struct neighbour neighbour = dump->neighbours.items[i];
		struct thread_id id = neighbour.id;
		struct process *process = NULL;
		struct thread *thread = id.tid ? find_thread(dump, index, id.tid, &process) : NULL;
		if (!id.tid)
			process = find_process(dump, index, id.pid);
		size_t length = thread && thread->name ? strlen(thread->name) : 0;
		if (thread && neighbour.name && (!length || thread->name[length - 1] == '*'))
			thread->name = neighbour.name;
		if (!process)
			dump->neighbours.items[kept++] = neighbour;
	}
	dump->neighbours.count = kept;
}

void report_findings_finish(struct report_findings *findings, struct draft *draft)
{
	struct index index = {0};
	index_dump(&draft->dump, &index);
	array_for_each (&findings->threads, told)
		add_thread(draft, &index, told);
	settle_neighbours(&draft->dump);
	name_threads(&draft->dump, &index);
	address_map_deinit(&index.pids, NULL);
	address_map_deinit(&index.tids, NULL);
	report_findings_forget(findings);
}

void report_findings_forget(struct report_findings *findings)
{
	array_deinit(&findings->threads);
	findings->is_open = false;
}
