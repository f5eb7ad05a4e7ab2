/* The options of all commands that print a report: what it looks like, and where it goes. */
#ifndef HANGDUMP_CLI_REPORT_OPTIONS_H
#define HANGDUMP_CLI_REPORT_OPTIONS_H

#include "cli/output.h"
#include "model/dump.h"
#include "pipeline/pipeline.h"
#include "render/render.h"

#include <argp.h>
#include <stdbool.h>

enum format { FORMAT_UNSET, FORMAT_TEXT, FORMAT_JSON };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct report_options {
	enum format format; /* of the first output */
	bool format_given;  /* and of all others too, whatever their suffix */
	enum color color;
	const char *output; /* the first; NULL: standard output */
	const char *outputs[MOST_OUTPUTS];
	size_t output_count;
	unsigned max_frames; /* of a stack; 0: no limit */
	enum kernel_stacks kernel_stacks;
	bool quiet;
	struct render_options render;
};

/* A child parser; its input is a struct report_options. */
extern const struct argp report_argp;
#define REPORT_OPTIONS_DEFAULT ((struct report_options){.max_frames = 256})

/* After the command line: the format by the output's suffix, colours by terminal and environment. */
void report_options_settle(struct report_options *options);

/* Of what is written to `output`: as given, or by its suffix.  NULL: standard output. */
enum format report_format_for(const struct report_options *options, const char *output);

/* Is one of the outputs text? */
bool report_has_text(const struct report_options *options);

/* Are there to be colours on this descriptor: by options, environment and terminal? */
bool report_wants_color(const struct report_options *options, int fd);

/* Writes the dump in its format and finishes the output. */
struct error *report_write(const struct dump *dump, const struct report_options *options,
			   struct output *output);

/* The same in all places that were asked for, each in the format of its suffix, if it has one. */
struct reports {
	struct output outputs[MOST_OUTPUTS];
	size_t count;
};
struct error *reports_begin(struct reports *reports, const struct report_options *options);
/* Those that come after one that fails are not written. */
struct error *reports_write(const struct dump *dump, const struct report_options *options,
			    struct reports *reports);
/* Accepts zeroed storage; removes what was not finished. */
void reports_deinit(struct reports *reports);

#endif
