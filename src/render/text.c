/* The order of a report, and the line over each group. */
#include "base/cleanup.h"
#include "base/duration.h"
#include "render/parts.h"

static const enum style suspicion_styles[] = {[SUSPICION_HIGH] = STYLE_HIGH,
					      [SUSPICION_MEDIUM] = STYLE_MEDIUM,
					      [SUSPICION_LOW] = STYLE_LOW};

/* How much of the dump was shown. */
struct tally {
	size_t threads, idle_groups, idle_threads;
	bool *seen; /* by process */
};

static void print_class(struct printer *p, const struct process *process, const struct group *group)
{
	const struct wait *wait = &process->threads.items[group->members.items[0]].wait;
	style_on(p,
		 group->idle ? STYLE_DIM : suspicion_styles[wait_classes[group->class].suspicion]);
	print(p, wait_classes[group->class].name);
	if (group->class == WAIT_SYSTEM_CALL && wait->has_syscall && wait->syscall.number >= 0) {
		if (wait->syscall.name)
			print(p, " ");
		else
			print_format(p, " %ld", wait->syscall.number);
		print_foreign(p, wait->syscall.name);
	}
	style_off(p);
	array_for_each (&group->members, member) {
		if (process->threads.items[*member].wait.confidence == CONFIDENCE_LIKELY) {
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

static void print_timeout(struct printer *p, const struct process *process,
			  const struct group *group)
{
	int64_t least = -1, most = -1;
	size_t timed = 0;
	array_for_each (&group->members, member) {
		int64_t left = process->threads.items[*member].wait.timeout_ms;
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

static void print_group(struct printer *p, const struct process *process, const struct group *group)
{
	print_end(p);
	print_format(p, "%zu thread%s [", group->members.count,
		     group->members.count == 1 ? "" : "s");
	print_class(p, process, group);
	print_since(p, group);
	print_timeout(p, process, group);
	print(p, group->idle ? ", idle]: " : "]: ");
	print_members(p, process, group);
	print_end(p);
	if (p->options->verbose)
		print_member_details(p, process, group);
	print_waiting_on(p, process, group);
	print_stack(p, &process->threads.items[group->members.items[0]]);
}

/* Threads and processes that are in no group yet are in the dump. */
static void print_rest(struct printer *p, const struct tally *tally)
{
	bool several = p->dump->processes.count > 1;
	for (size_t i = 0; several && i < p->dump->processes.count; i++) {
		if (!tally->seen[i])
			print_process_header(p, &p->dump->processes.items[i]);
	}
	if (tally->idle_groups) {
		print_end(p);
		print_format(p, "%zu idle thread%s in %zu group%s left out.", tally->idle_threads,
			     tally->idle_threads == 1 ? "" : "s", tally->idle_groups,
			     tally->idle_groups == 1 ? "" : "s");
		print_end(p);
	}
	size_t rest = p->thread_count - tally->threads - tally->idle_threads;
	if (rest) {
		print_end(p);
		print_format(p, "%zu thread%s in no group.", rest, rest == 1 ? "" : "s");
		print_end(p);
	}
}

static void print_groups(struct printer *p)
{
	const struct dump *dump = p->dump;
	_cleanup_free_ bool *seen = xcalloc(dump->processes.count, sizeof(*seen));
	struct tally tally = {.seen = seen};
	array_for_each (&dump->groups, group) {
		const struct process *process = &dump->processes.items[group->process];
		if (group->idle && p->options->no_idle) {
			tally.idle_groups++;
			tally.idle_threads += group->members.count;
			continue;
		}
		if (dump->processes.count > 1 && !seen[group->process])
			print_process_header(p, process);
		seen[group->process] = true;
		tally.threads += group->members.count;
		print_group(p, process, group);
	}
	print_rest(p, &tally);
}

void render_text(const struct dump *dump, const struct render_options *options, FILE *to)
{
	struct printer p;
	printer_init(&p, dump, options, to);
	print_header(&p);
	print_findings(&p);
	print_groups(&p);
	if (p.saw_guess) {
		print_end(&p);
		print(&p, "Frames marked ? are guesses, or stand behind one.");
		print_end(&p);
	}
	print_errors(&p);
	if (options->verbose)
		print_modules(&p);
	printer_finish(&p);
}
