/* The order of a report, and the line over each group. */
#include "base/cleanup.h"
#include "base/duration.h"
#include "render/parts.h"
#include "render/select.h"

static const enum style suspicion_styles[] = {[SUSPICION_HIGH] = STYLE_HIGH,
					      [SUSPICION_MEDIUM] = STYLE_MEDIUM,
					      [SUSPICION_LOW] = STYLE_LOW};

/* How much of the dump was shown. */
struct tally {
	size_t shown, idle_groups, idle;
};

static void print_class(struct printer *p, const struct thread *threads, const struct group *group)
{
	const struct wait *wait = &threads[group->members.items[0]].wait;
	style_on(p,
		 group->idle ? STYLE_DIM : suspicion_styles[wait_classes[group->class].suspicion]);
	print_foreign(p, wait_name(wait));
	if (group->class == WAIT_SYSTEM_CALL && wait->has_syscall && wait->syscall.number >= 0) {
		if (wait->syscall.name)
			print(p, " ");
		else
			print_format(p, " %ld", wait->syscall.number);
		print_foreign(p, wait->syscall.name);
	}
	style_off(p);
	array_for_each (&group->members, member) {
		if (threads[*member].wait.confidence == CONFIDENCE_LIKELY) {
			print(p, " (likely)");
			return;
		}
	}
}

/* As Go writes it; a range where the members differ. */
static void print_since(struct printer *p, const struct group *group)
{
	char longest[32], shortest[32];
	if (!duration_minutes(group->since_max_ms, longest, sizeof(longest)))
		return;
	int64_t least = group->since_min_ms / 60000, most = group->since_max_ms / 60000;
	if (!duration_minutes(group->since_min_ms, shortest, sizeof(shortest)))
		print_format(p, ", up to %s", longest);
	else if (least == most)
		print_format(p, ", %s", longest);
	else
		print_format(p, ", %lld-%s", (long long)least, longest);
}

static void print_timeout(struct printer *p, const struct thread *threads,
			  const struct group *group)
{
	int64_t least = -1, most = -1;
	size_t timed = 0;
	array_for_each (&group->members, member) {
		int64_t left = threads[*member].wait.timeout_ms;
		if (left < 0)
			continue;
		least = timed == 0 || left < least ? left : least;
		most = left > most ? left : most;
		timed++;
	}
	if (!timed)
		return;
	char first[32], last[32];
	duration_short(least, first, sizeof(first));
	duration_short(most, last, sizeof(last));
	if (timed < group->members.count)
		print_format(p, ", %zu of them", timed);
	else
		print(p, ",");
	print_format(p, " %s in %s", timed == 1 ? "ends" : "end", first);
	if (least != most)
		print_format(p, " to %s", last);
}

static void print_goroutine_marks(struct printer *p, const struct goroutine *goroutine)
{
	if (!goroutine)
		return;
	if (goroutine->locked_to_thread)
		print(p, ", locked to thread");
	if (goroutine->bubble) {
		print(p, ", ");
		print_foreign(p, goroutine->bubble);
	}
}

const char *member_word(bool of_goroutines, size_t count)
{
	static const char *const words[2][2] = {{"threads", "thread"}, {"goroutines", "goroutine"}};
	return words[of_goroutines][count == 1];
}

void print_bracket(struct printer *p, const struct group *group)
{
	const struct thread *threads = group_threads_of(p->dump, group);
	print(p, "[");
	print_class(p, threads, group);
	print_since(p, group);
	print_timeout(p, threads, group);
	/* Threads that wait for work are where they should be. */
	if (!group->idle)
		print_progress(p, ", ", group);
	print_goroutine_marks(p, threads[group->members.items[0]].goroutine);
	print(p, group->idle ? ", idle]" : "]");
}

void print_group(struct printer *p, const struct group *group)
{
	const struct thread *first = &group_threads_of(p->dump, group)[group->members.items[0]];
	print_end(p);
	print_format(p, "%zu %s ", group->members.count,
		     member_word(group->of_goroutines, group->members.count));
	print_bracket(p, group);
	print(p, ": ");
	print_members(p, group);
	print_end(p);
	if (p->options->verbose)
		print_member_details(p, group);
	print_waiting_on(p, group);
	print_stack(p, first);
	print_creator(p, group);
}

static void print_left_out(struct printer *p, const struct tally *tally, bool of_goroutines)
{
	if (!tally->idle_groups)
		return;
	print_end(p);
	print_format(p, "%zu idle %s in %zu group%s left out.", tally->idle,
		     member_word(of_goroutines, tally->idle), tally->idle_groups,
		     tally->idle_groups == 1 ? "" : "s");
	print_end(p);
}

/* Those that are in no group or, with a filter, in none that it shows. */
static void print_ungrouped(struct printer *p, size_t count, bool of_goroutines)
{
	if (!count)
		return;
	print_end(p);
	print_format(p, "%zu %s %s.", count, member_word(of_goroutines, count),
		     p->options->filter ? "left out by the filter" : "in no group");
	print_end(p);
}

/* Threads and processes that are in no group yet are in the dump; tallies: threads, goroutines. */
static void print_rest(struct printer *p, const struct tally tallies[2], const bool *seen)
{
	size_t totals[2] = {p->thread_count, 0};
	for (size_t i = 0; i < p->dump->processes.count; i++) {
		const struct process *process = &p->dump->processes.items[i];
		totals[1] += process->goroutines.count;
		if (!seen[i] && p->dump->processes.count > 1 && !p->options->filter)
			print_process_header(p, process);
	}
	for (int i = 0; i < 2; i++)
		print_left_out(p, &tallies[i], i);
	for (int i = 0; i < 2; i++)
		print_ungrouped(p, totals[i] - tallies[i].shown - tallies[i].idle, i);
}

static void print_groups(struct printer *p)
{
	const struct dump *dump = p->dump;
	_cleanup_free_ bool *seen = xcalloc(dump->processes.count, sizeof(*seen));
	struct tally tallies[2] = {0};
	array_for_each (&dump->groups, group) {
		struct tally *tally = &tallies[group->of_goroutines];
		if (group->idle && p->options->no_idle) {
			tally->idle_groups++;
			tally->idle += group->members.count;
			continue;
		}
		if (dump->processes.count > 1 && !seen[group->process])
			print_process_header(p, &dump->processes.items[group->process]);
		seen[group->process] = true;
		tally->shown += group->members.count;
		print_group(p, group);
	}
	print_rest(p, tallies, seen);
}

static void print_findings_left_out(struct printer *p, size_t count)
{
	if (!count)
		return;
	print_end(p);
	print_format(p, "%zu finding%s left out by the filter.", count, count == 1 ? "" : "s");
	print_end(p);
}

void render_text(const struct dump *dump, const struct render_options *options, FILE *to)
{
	struct printer p;
	struct dump view;
	if (options->filter)
		select_view(dump, options->filter, &view);
	printer_init(&p, options->filter ? &view : dump, options, to);
	print_header(&p);
	print_who(&p);
	print_findings(&p);
	print_groups(&p);
	print_findings_left_out(&p, dump->findings.count - p.dump->findings.count);
	if (p.saw_guess) {
		print_end(&p);
		print(&p, "Frames marked ? are guesses, or stand behind one.");
		print_end(&p);
	}
	print_errors(&p);
	if (options->verbose)
		print_modules(&p);
	printer_finish(&p);
	if (options->filter)
		select_deinit(&view);
}
