#include "cli/run_report.h"

#include "base/cleanup.h"
#include "base/duration.h"
#include "cli/ci.h"
#include "cli/file_template.h"
#include "cli/outlet.h"
#include "cli/report.h"
#include "cli/run_headline.h"
#include "cli/words.h"
#include "pipeline/samples.h"
#include "store/store.h"
#include "symbolize/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	WRITE_MS = 5000,	/* for each thing that is written, where nobody is in a hurry */
	GLANCE_MS = 200,	/* some runners leave half a second */
	GLANCE_WRITE_MS = 1000, /* where nobody reads; else it is done at once */
	FULL_BYTES = 65536,	/* on standard error, when all there is goes there */
	BRIEF_BYTES = 4096,	/* beside a file: within the last 100 lines, which Meson shows */
	COMMAND_BYTES = 200,	/* of the command line, in one line with the rest */
	FAILURES_MOST = 10,
};

enum {
	OPTION_SAMPLES = 0x4000,
	OPTION_SAMPLE_INTERVAL,
	OPTION_MAX_BYTES,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "The dump when the time is over:", 4},
	{"samples", OPTION_SAMPLES, "N", 0,
	 "dump N times to tell what is stuck from what is slow (default 2)", 4},
	{"sample-interval", OPTION_SAMPLE_INTERVAL, "DURATION", 0,
	 "between two of them (default 1s)", 4},
	{"max-bytes", OPTION_MAX_BYTES, "N", 0,
	 "on standard error (default 4096 with --output, else 65536)", 4},
	{0}};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct run_report_options *options = state->input;
	switch (key) {
	case OPTION_SAMPLES:
		options->samples = count_or_die(state, "samples", word);
		return 0;
	case OPTION_SAMPLE_INTERVAL:
		options->sample_interval_ms = duration_or_die(state, "sample-interval", word);
		return 0;
	case OPTION_MAX_BYTES:
		options->max_bytes = count_or_die(state, "max-bytes", word);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp run_report_argp = {argp_options, parse, NULL, NULL, NULL, NULL, NULL};

uint64_t run_report_budget_ms(const struct run_report_options *options,
			      const struct live_options *live)
{
	uint64_t samples = options->samples ? options->samples : 1;
	if (!live->deadline_ms)
		return 0;
	return samples * live->deadline_ms + (samples - 1) * options->sample_interval_ms +
	       3 * WRITE_MS;
}

struct error *run_report_check(const struct report_options *report)
{
	for (size_t i = 0; i < report->output_count; i++) {
		const char *output = report->outputs[i];
		if (strcmp(output, "-") == 0)
			return error_new(ERROR_USAGE, 0, output,
					 "of --output: standard output is the command's");
		const char *fault = file_template_fault(output);
		if (fault)
			return error_new(ERROR_USAGE, 0, output,
					 "of --output: no %%p %%e %%h %%t %%n %%%% at '%s'", fault);
	}
	return NULL;
}

/* One dump on its way out. */
struct job {
	struct run_report *run;
	const struct launch_event *event;
	struct ci ci;
	char *headline;
	struct dump dump;
	struct answers *answers; /* of the samples so far */
	struct text notes;	 /* lines about what failed */
	struct saved {
		char *path;
		enum format format;
	} files[MOST_OUTPUTS]; /* where the dump is */
	size_t file_count;
};

static struct deadline within(struct deadline deadline, uint64_t ms)
{
	struct deadline own = deadline_in_ms(ms);
	return deadline.at_ns && deadline.at_ns < own.at_ns ? deadline : own;
}

static void note_error(struct job *job, struct error *error)
{
	report_add_error(&job->notes, error);
	error_free(error);
}

/* The text has words of the tree's in it; before and after are ours alone. */
static void say(const struct job *job, const struct text *text, const char *before,
		const char *after, uint64_t ms)
{
	struct text all = {0};
	text_add(&all, before);
	ci_add_foreign(&job->ci, &all, text->bytes, text->length);
	text_add(&all, after);
	/* There is nobody to tell when it fails. */
	error_free(outlet_standard_error(all.bytes, all.length, within(job->event->budget, ms)));
	text_deinit(&all);
}

static void add_glance(const struct job *job, struct text *text)
{
	struct glance glance;
	glance_init(&glance);
	pipeline_glance(job->event->tree, job->event->count, deadline_in_ms(GLANCE_MS), &glance);
	render_glance(&glance, text);
	glance_deinit(&glance);
}

/* Before anything that takes time: whoever ends us may not leave us any. */
static void say_glance(const struct job *job)
{
	struct text text = {0};
	text_printf(&text, "hangdump: %s; from /proc alone:\n", job->headline);
	add_glance(job, &text);
	say(job, &text, "", "", GLANCE_WRITE_MS);
	text_deinit(&text);
}

static void note_failures(struct job *job, struct dump *dump, struct error **failures)
{
	size_t told = 0;
	for (size_t i = 0; i < job->event->count; i++) {
		struct error *error = failures[i];
		if (!error)
			continue;
		/* Trees move: what has ended by now is no part of what hangs. */
		bool has_ended = error->reason == ERROR_ENDED ||
				 error->reason == ERROR_NO_SUCH_PROCESS ||
				 error->reason == ERROR_ZOMBIE;
		if (dump->processes.count && !has_ended) {
			_cleanup_free_ char *why = error_why(error);
			dump_add_error(dump, job->event->tree[i], 0, "process", "%s", why);
		} else if (!dump->processes.count && !has_ended && told++ < FAILURES_MOST) {
			note_error(job, error);
			continue;
		}
		error_free(error);
	}
}

static void take_sample(struct job *job, struct deadline deadline, struct dump *dump)
{
	size_t count = job->event->count;
	_cleanup_free_ struct error **failures = xcalloc(count + 1, sizeof(*failures));
	struct pipeline_options pipeline = job->run->live->pipeline;
	pipeline.deadline = deadline;
	pipeline.tree = true;
	pipeline.answers = job->answers;
	dump_init(dump);
	if (!count)
		return;
	struct error *error =
		pipeline_dump_live(job->event->tree, count, &pipeline, failures, dump);
	note_failures(job, dump, failures);
	if (error)
		note_error(job, error);
}

/* The first, and where there is time the others, each of which takes the place of that before. */
static void take_samples(struct job *job)
{
	const struct run_report_options *options = job->run->options;
	bool is_signal = job->event->reason == LAUNCH_SIGNALLED;
	uint64_t each_ms = job->run->live->deadline_ms;
	unsigned samples = is_signal ? 1 : options->samples;
	struct deadline last = deadline_share(job->event->budget, 60);
	take_sample(job, each_ms ? within(last, each_ms) : last, &job->dump);
	for (unsigned i = 1; i < samples && job->dump.processes.count; i++) {
		struct dump next;
		uint64_t at = job->dump.monotonic_ns + options->sample_interval_ms * 1000000;
		if (last.at_ns && at > last.at_ns)
			return;
		sleep_until_ns(at);
		take_sample(job, each_ms ? within(last, each_ms) : last, &next);
		if (!next.processes.count) {
			dump_deinit(&next);
			return;
		}
		pipeline_take_sample(&job->dump, &next);
	}
}

static struct error *write_text(const struct job *job, FILE *to)
{
	struct render_options options = job->run->report->render;
	char *bytes = NULL;
	size_t size = 0;
	options.color = false;
	FILE *memory = open_memstream(&bytes, &size);
	if (!memory)
		return error_new(ERROR_INTERNAL, errno, "text", NULL);
	render_text(&job->dump, &options, memory);
	fclose(memory);
	bool written = fwrite(bytes, 1, size, to) == size;
	free(bytes);
	return written ? NULL : error_new(ERROR_UNWRITABLE, errno, "text", NULL);
}

static struct error *write_as_json(void *context, FILE *to)
{
	const struct job *job = context;
	return store_write_json(&job->dump, to);
}

static struct error *write_as_text(void *context, FILE *to)
{
	return write_text(context, to);
}

static void save_as(struct job *job, const char *output, const struct file_template_values *values)
{
	_cleanup_free_ char *path = file_template_expand(output, values);
	struct deadline deadline = within(deadline_share(job->event->budget, 50), WRITE_MS);
	struct saved *saved = &job->files[job->file_count];
	saved->format = report_format_for(job->run->report, output);
	struct error *error =
		outlet_file(path, saved->format == FORMAT_JSON ? write_as_json : write_as_text, job,
			    deadline, &saved->path);
	if (error)
		note_error(job, error);
	else
		job->file_count++;
}

static void save(struct job *job)
{
	const struct launch_event *event = job->event;
	char host[256] = "";
	const char *name = NULL;
	gethostname(host, sizeof(host) - 1);
	array_for_each (&job->dump.processes, process)
		name = process->pid == event->command ? process->name : name;
	struct file_template_values values = {.pid = event->command,
					      .name = name,
					      .host = host,
					      .seconds = time(NULL),
					      .number = job->run->number};
	for (size_t i = 0; i < job->run->report->output_count; i++)
		save_as(job, job->run->report->outputs[i], &values);
}

/* When nothing could be captured, /proc still says something. */
static void add_failure(const struct job *job, struct text *text)
{
	text_printf(text, "hangdump: %s; no process could be dumped\n", job->headline);
	add_glance(job, text);
}

static void add_report(const struct job *job, bool color, struct text *text)
{
	struct render_options render = job->run->report->render;
	struct brief_options brief = {.render = &render, .headline = job->headline};
	render.color = color;
	render.no_idle = render.no_idle || job->file_count;
	brief.most_bytes = job->run->options->max_bytes;
	if (!brief.most_bytes)
		brief.most_bytes = job->file_count ? BRIEF_BYTES : FULL_BYTES;
	if (job->dump.processes.count)
		render_brief(&job->dump, &brief, text);
	else
		add_failure(job, text);
	if (job->notes.length)
		text_add(text, job->notes.bytes);
}

static char *make_summary(void *context, size_t size)
{
	struct text report = {0}, text = {0};
	add_report(context, false, &report);
	ci_add_summary(&text, "hangdump", report.bytes, ci_summary_room(size));
	text_deinit(&report);
	return text.length ? text_steal(&text) : NULL;
}

static void add_annotation(const struct job *job, struct text *text)
{
	struct text message = {0};
	text_add(&message, job->headline);
	text_add(&message, "\n");
	render_verdict(&job->dump, &message);
	for (size_t i = 0; i < job->file_count; i++)
		text_printf(&message, "\n%s", job->files[i].path);
	/* A line of its own, whatever the command has left unfinished. */
	text_add(text, "\n");
	ci_add_error(text, "hangdump", message.bytes);
	text_deinit(&message);
}

/* The last line says where everything is, or what matters most once more. */
static void add_files(const struct job *job, struct text *text)
{
	for (size_t i = 0; i < job->file_count && job->ci.attachments; i++)
		ci_add_attachment(text, job->files[i].path);
	for (size_t i = 0; i < job->file_count; i++)
		text_printf(text, "hangdump: all of it is in %s%s\n", job->files[i].path,
			    job->files[i].format == FORMAT_JSON ? "; 'hangdump show' prints it"
								: "");
}

static void add_verdict(const struct job *job, struct text *text)
{
	text_printf(text, "hangdump: %s: ", job->headline);
	render_verdict(&job->dump, text);
	text_add(text, "\n");
}

static void say_report(struct job *job)
{
	struct text before = {0}, text = {0}, after = {0};
	text_add(&before, "");
	text_add(&after, "");
	add_report(job, report_wants_color(job->run->report, STDERR_FILENO), &text);
	if (job->ci.github && job->event->reason != LAUNCH_ASKED)
		add_annotation(job, &before);
	if (job->file_count)
		add_files(job, &after);
	else
		add_verdict(job, &text);
	say(job, &text, before.bytes, after.bytes, WRITE_MS);
	if (job->ci.summary)
		error_free(outlet_append(job->ci.summary, make_summary, job,
					 within(job->event->budget, WRITE_MS)));
	text_deinit(&before);
	text_deinit(&text);
	text_deinit(&after);
}

void run_report(struct run_report *run, const struct launch_event *event)
{
	struct job job = {.run = run, .event = event, .ci = ci_detect(), .answers = answers_new()};
	run->number++;
	job.headline = run_headline(run->command, event);
	dump_init(&job.dump);
	if (event->reason == LAUNCH_SIGNALLED)
		say_glance(&job);
	take_samples(&job);
	answers_free(job.answers);
	job.dump.occasion = strpool_add(&job.dump.strings, job.headline);
	render_describe_findings(&job.dump);
	if (job.dump.processes.count)
		save(&job);
	say_report(&job);
	dump_deinit(&job.dump);
	text_deinit(&job.notes);
	free(job.headline);
	for (size_t i = 0; i < job.file_count; i++)
		free(job.files[i].path);
}
