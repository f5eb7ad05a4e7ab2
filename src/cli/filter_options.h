/* The options that choose which threads the text shows. */
#ifndef HANGDUMP_CLI_FILTER_OPTIONS_H
#define HANGDUMP_CLI_FILTER_OPTIONS_H

#include "cli/report_options.h"

#include <argp.h>

struct filter_options {
	struct render_filter filter;
	bool given;
};

/* A child parser; its input is a struct filter_options, all zero. */
extern const struct argp filter_argp;

/* After report_options_settle(), whose texts are filtered then; an error where there is no text. */
struct error *filter_settle(const struct filter_options *options, struct report_options *report);
/* An error, once there is a dump, where nothing in it is to be shown. */
struct error *filter_check(const struct filter_options *options, const struct dump *dump);
void filter_options_deinit(struct filter_options *options);

#endif
