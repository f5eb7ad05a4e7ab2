/* The report for a log: what matters first, within bounds, and what is left out. */
#include "base/cleanup.h"
#include "render/parts.h"

#include <string.h>

enum {
	TAIL_BYTES = 320,      /* for what is left out */
	CUT_BYTES = 32,	       /* for "... +12 lines" */
	GROUP_LINES_MOST = 60, /* its outermost frames go */
	GROUP_LINES_LEAST = 6, /* with fewer it is of no use */
};

struct brief {
	struct printer p;
	size_t room;		       /* for all but the end */
	bool full;		       /* something did not fit */
	const struct process *process; /* the last whose header was printed */
	struct thread_id *suspects;    /* sorted */
	size_t suspect_count;
	size_t findings; /* left out, as the following */
	struct left_out {
		size_t groups, members;
	} left_out[2][2]; /* threads, goroutines; each: suspicious, idle */
};

static int compare_ids(const void *a, const void *b)
{
	const struct thread_id *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void collect_suspects(struct brief *brief)
{
	array(struct thread_id) all = {0};
	array_for_each (&brief->p.dump->findings, finding) {
		array_for_each (&finding->threads, id)
			*array_append(&all) = *id;
	}
	array_sort(&all, compare_ids);
	brief->suspects = all.items;
	brief->suspect_count = all.count;
}

static bool is_suspect(const struct brief *brief, const struct group *group)
{
	const struct process *process = &brief->p.dump->processes.items[group->process];
	const struct thread *threads = group_threads_of(brief->p.dump, group);
	array_for_each (&group->members, member) {
		struct thread_id id = {process->pid, threads[*member].tid};
		if (brief->suspect_count &&
		    bsearch(&id, brief->suspects, brief->suspect_count, sizeof(id), compare_ids))
			return true;
	}
	return false;
}

static size_t count_lines(const char *s)
{
	size_t lines = 0;
	while ((s = strchr(s, '\n'))) {
		lines++;
		s++;
	}
	return lines;
}

/*
 * What was printed from there on, cut to so many whole lines, and to what there is room for; the
 * lines that are cut are counted.  Returns how many lines there are.
 */
static size_t cut_lines(struct brief *brief, size_t from, size_t most)
{
	struct text *text = &brief->p.text;
	size_t end = from, kept = 0, lines = count_lines(text->bytes + from);
	if (lines <= most && text->length <= brief->room)
		return lines;
	for (; kept < most && kept < lines; kept++) {
		const char *line_end = strchr(text->bytes + end, '\n');
		size_t next = (size_t)(line_end - text->bytes) + 1;
		if (next + CUT_BYTES > brief->room)
			break;
		end = next;
	}
	brief->full = kept < most;
	text->length = end;
	text->bytes[end] = '\0';
	print_format(&brief->p, "... +%zu lines", lines - kept);
	print_end(&brief->p);
	return kept;
}

static void take_back(struct brief *brief, size_t from)
{
	brief->p.text.length = from;
	brief->p.text.bytes[from] = '\0';
}

static void print_first_line(struct brief *brief, const char *headline)
{
	struct printer *p = &brief->p;
	size_t processes = p->dump->processes.count;
	style_on(p, STYLE_TITLE);
	print_format(p, "hangdump: %s; %zu process%s, %zu thread%s", headline, processes,
		     processes == 1 ? "" : "es", p->thread_count, p->thread_count == 1 ? "" : "s");
	style_off(p);
	print_end(p);
}

/* Beyond the first one, stacks have their half of the room. */
static void print_brief_findings(struct brief *brief)
{
	const struct dump *dump = brief->p.dump;
	for (size_t i = 0; i < dump->findings.count; i++) {
		size_t from = brief->p.text.length;
		print_finding(&brief->p, "", &dump->findings.items[i]);
		if (i == 0) {
			cut_lines(brief, from, SIZE_MAX);
		} else if (brief->p.text.length > brief->room / 2) {
			take_back(brief, from);
			brief->findings = dump->findings.count - i;
			return;
		}
	}
}

static void leave_out(struct brief *brief, const struct group *group)
{
	struct left_out *left_out = &brief->left_out[group->of_goroutines][group->idle];
	left_out->groups++;
	left_out->members += group->members.count;
}

static void print_brief_group(struct brief *brief, const struct group *group)
{
	struct printer *p = &brief->p;
	const struct process *process = &p->dump->processes.items[group->process];
	const struct process *before = brief->process;
	size_t from = p->text.length;
	if (brief->full) {
		leave_out(brief, group);
		return;
	}
	if (process != before)
		print_process_header(p, process);
	brief->process = process;
	size_t head = p->text.length;
	print_group(p, group);
	if (brief->room == SIZE_MAX ||
	    cut_lines(brief, head, GROUP_LINES_MOST) >= GROUP_LINES_LEAST || !brief->full)
		return;
	brief->process = before;
	take_back(brief, from);
	leave_out(brief, group);
}

static void print_brief_groups(struct brief *brief)
{
	for (int suspects = 1; suspects >= 0; suspects--) {
		array_for_each (&brief->p.dump->groups, group) {
			if (is_suspect(brief, group) != (suspects == 1))
				continue;
			if (!suspects && group->idle && brief->p.options->no_idle)
				leave_out(brief, group);
			else
				print_brief_group(brief, group);
		}
	}
}

static void print_brief_errors(struct brief *brief)
{
	size_t from = brief->p.text.length;
	print_errors(&brief->p);
	if (brief->p.text.length <= brief->room)
		return;
	take_back(brief, from);
	print_end(&brief->p);
	print_format(&brief->p, "%zu things could not be read, and are not listed here.",
		     brief->p.dump->errors.count);
	print_end(&brief->p);
}

static void print_left_out(struct brief *brief)
{
	static const char *const words[2][2] = {{"thread", "idle thread"},
						{"goroutine", "idle goroutine"}};
	struct printer *p = &brief->p;
	const char *before = "\nLeft out: ";
	if (brief->findings) {
		print_format(p, "%s%zu finding%s", before, brief->findings,
			     brief->findings == 1 ? "" : "s");
		before = ", ";
	}
	for (int i = 0; i < 4; i++) {
		const struct left_out *left_out = &brief->left_out[i / 2][i % 2];
		if (!left_out->groups)
			continue;
		print_format(p, "%s%zu %s%s in %zu group%s", before, left_out->members,
			     words[i / 2][i % 2], left_out->members == 1 ? "" : "s",
			     left_out->groups, left_out->groups == 1 ? "" : "s");
		before = ", ";
	}
	if (*before == ',') {
		print(p, ".");
		print_end(p);
	}
}

void render_brief(const struct dump *dump, const struct brief_options *options, struct text *ret)
{
	struct brief brief = {.room = SIZE_MAX};
	if (options->most_bytes)
		brief.room =
			options->most_bytes > TAIL_BYTES ? options->most_bytes - TAIL_BYTES : 0;
	printer_init(&brief.p, dump, options->render, NULL);
	collect_suspects(&brief);
	print_first_line(&brief, options->headline);
	print_brief_findings(&brief);
	print_brief_groups(&brief);
	print_brief_errors(&brief);
	print_left_out(&brief);
	if (brief.p.saw_guess) {
		print(&brief.p, "Frames marked ? are guesses, or stand behind one.");
		print_end(&brief.p);
	}
	text_add_n(ret, brief.p.text.bytes, brief.p.text.length);
	printer_finish(&brief.p);
	free(brief.suspects);
}
