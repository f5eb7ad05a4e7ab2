/* The options of commands that dump live processes: which of them, and how. */
#ifndef HANGDUMP_CLI_LIVE_OPTIONS_H
#define HANGDUMP_CLI_LIVE_OPTIONS_H

#include "cli/report_options.h"
#include "pipeline/pipeline.h"

#include <argp.h>

struct live_options {
	struct pipeline_options pipeline;
	uint64_t deadline_ms; /* for a dump in all; 0: none */
};

/* A child parser; its input is a struct live_options. */
extern const struct argp live_argp;
#define LIVE_OPTIONS_DEFAULT ((struct live_options){.deadline_ms = 10000})

/* What the pipeline has to know of the report; its deadline begins now. */
void live_options_settle(struct live_options *live, const struct report_options *report);

/*
 * The last resort, should something that has no deadline of its own get stuck: long after the
 * deadline the program ends with a line and the status EXIT_NOTHING, until stopped.
 */
void watchdog_start(const struct live_options *live);
void watchdog_stop(void);

#endif
