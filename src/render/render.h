/* A dump, or what changed between two, as text for people.  All sentences about results live in this room. */
#ifndef HANGDUMP_RENDER_RENDER_H
#define HANGDUMP_RENDER_RENDER_H

#include "base/text.h"
#include "model/diff.h"
#include "model/glance.h"

#include <stdbool.h>
#include <stdio.h>

enum render_only { ONLY_ANY, ONLY_STUCK, ONLY_IDLE };

/* All of what is given must be true of a thread. */
struct render_filter {
	enum render_only only;
	const char *function; /* glob: one of its functions; NULL: any */
	uint64_t *threads;    /* tids and goids */
	size_t thread_count;  /* 0: any */
	/*
	 * What it waits for, or is waited for to let go of: "0x7f..." is an address, else it is a
	 * glob for the resource's name.  NULL: anything.
	 */
	const char *who;
};

/* Is there a thread or goroutine that it shows? */
bool render_filter_matches(const struct dump *dump, const struct render_filter *filter);

struct render_options {
	bool color;
	bool no_idle; /* leave idle groups out (they are still counted) */
	bool verbose; /* pcs, build ids, how each frame was found, rules, every error */
	/*
	 * Kernel frames that the dump has: all, none, or (neither) those of threads about which
	 * the user's frames say little.  never wins.
	 */
	bool kernel_stacks_always, kernel_stacks_never;
	const struct render_filter *filter; /* NULL: everything; what it leaves out is counted */
};

/*
 * The report.  Findings first, then the groups in their order in dump->groups: idle ones must
 * come last in each process, and each process's groups together.  What comes from the target is
 * escaped.  Linear in threads and frames.  The caller checks the stream.
 */
void render_text(const struct dump *dump, const struct render_options *options, FILE *to);

struct brief_options {
	const struct render_options *render;
	const char *headline; /* what the first line begins with; it is ours, and escaped */
	size_t most_bytes;    /* 0: no limit */
};

/*
 * The same for a log, appended to *ret: the headline and how much was dumped, the findings, and
 * groups as far as there is room: those of the findings' threads first, then the others in
 * their order.  What is left out is counted.
 */
void render_brief(const struct dump *dump, const struct brief_options *options, struct text *ret);

/* No end of line: "DEADLOCK: 2 threads wait for each other, and 1 more finding", or "no finding". */
void render_verdict(const struct dump *dump, struct text *ret);

/*
 * A line for all threads of a process that show the same, and one for all processes of one name
 * and one thread that do, appended to *ret; escaped.
 */
void render_glance(const struct glance *glance, struct text *ret);

struct render_diff_options {
	struct render_options report; /* no_idle: without groups that wait for work all the time */
	bool stat;		      /* one line a group, without stacks */
	const char *old_name, *new_name; /* what was compared: a file, "process 4242" */
};

/*
 * What changed, in the order of diff->groups; after a search for leaks, those only.  Otherwise as
 * render_text().
 */
void render_diff(const struct diff *diff, const struct render_diff_options *options, FILE *to);

/*
 * Gives each finding its words, because analysis has none: the summary, one sentence without its
 * kind ("2 threads wait for each other"), and the evidence.  Escaped, as the report is.
 */
void render_describe_findings(struct dump *dump);

#endif
