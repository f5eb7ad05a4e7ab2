/* What `hangdump run` does when it is time for a dump: dumps, reports, writes.  Never fails. */
#ifndef HANGDUMP_CLI_RUN_REPORT_H
#define HANGDUMP_CLI_RUN_REPORT_H

#include "cli/live_options.h"
#include "cli/report_options.h"
#include "launch/launch.h"

#include <argp.h>

struct run_report_options {
	unsigned samples;
	uint64_t sample_interval_ms;
	unsigned max_bytes; /* on standard error; 0: by where the rest goes */
};

/* A child parser; its input is a struct run_report_options. */
extern const struct argp run_report_argp;
#define RUN_REPORT_OPTIONS_DEFAULT                                                                 \
	((struct run_report_options){.samples = 2, .sample_interval_ms = 1000})

struct run_report {
	const struct run_report_options *options;
	const struct live_options *live;
	const struct report_options *report;
	char *const *command;
	unsigned number; /* of dumps made */
};

/* How long all of it may take: each sample the options' deadline; 0: no limit. */
uint64_t run_report_budget_ms(const struct run_report_options *options,
			      const struct live_options *live);

/* Is --output one that a command run by us may have? */
struct error *run_report_check(const struct report_options *report);

/*
 * The dump of launch_ops.  All writing is done by processes of their own, each with a deadline
 * before the event's budget is used up, and nothing goes to standard output.
 */
void run_report(struct run_report *run, const struct launch_event *event);

#endif
