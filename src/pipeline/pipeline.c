#include "pipeline/pipeline.h"

#include "analyse/analyse.h"
#include "base/address_map.h"
#include "base/cleanup.h"
#include "capture/capture.h"
#include "classify/classify.h"
#include "group/group.h"
#include "objects/objects.h"
#include "pipeline/neighbours.h"
#include "pipeline/second_look.h"
#include "symbolize/symbolize.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ATTEMPTS = 5, WALKS_LEAST_MS = 3000 };

/* Everything that one process's threads share on their way from a capture into the dump. */
struct line {
	const struct pipeline_options *options;
	struct capture_process *from;
	struct dump *dump;
	struct process *to;
	struct objects *objects;
	struct unwind *unwind;
	struct symbolize *symbolize;
	struct classify_context classify;
};

static const char *name_data(void *symbolize, uint64_t address)
{
	return symbolize_data(symbolize, address);
}

static uint64_t find_variable(void *symbolize, const char *library, const char *name)
{
	return symbolize_find_variable(symbolize, library, name);
}

static void copy_process(struct dump *dump, const struct capture *capture,
			 const struct capture_process *from, struct process *to)
{
	struct strpool *strings = &dump->strings;
	to->pid = from->pid;
	to->ppid = from->ppid;
	to->name = strpool_add(strings, from->name);
	to->executable = from->executable_deleted
				 ? strpool_printf(strings, "%s (deleted)", from->executable)
				 : strpool_add(strings, from->executable);
	to->start_time = from->start_time;
	to->pid_namespace = from->pid_namespace;
	to->frozen_us = from->frozen_us;
	to->signals_caught = from->signals_caught;
	to->timers = from->timers;
	to->threads_missing = from->threads_missing;
	long ticks = sysconf(_SC_CLK_TCK);
	to->running_ms = (int64_t)(capture->boottime_ns / 1000000) -
			 (int64_t)(from->start_time * 1000 / (uint64_t)ticks);
	if (to->running_ms < 0 || !from->start_time)
		to->running_ms = -1;
	for (size_t at = 0; from->command && at < from->command_length;) {
		size_t n = strnlen(from->command + at, from->command_length - at);
		*array_append(&to->command) = strpool_add_n(strings, from->command + at, n);
		at += n + 1;
	}
	array_for_each (&from->errors, error)
		dump_add_error(dump, from->pid, error->tid, error->what, "%s", error->why);
}

/* "[<0>] futex_do_wait+0x35/0x70 [module]" a line, innermost first. */
static size_t parse_kernel_stack(struct strpool *strings, const char *text, struct frame *frames,
				 size_t most)
{
	size_t count = 0;
	for (const char *line = text; line && *line && count < most;) {
		const char *end = strchrnul(line, '\n');
		const char *at = memchr(line, ']', (size_t)(end - line));
		at = at ? at + 1 : line;
		at += strspn(at, " ");
		size_t length = strcspn(at, "+ \n");
		if (length && at < end) {
			struct frame *frame = &frames[count++];
			*frame = (struct frame){.kind = FRAME_KERNEL, .found_by = FOUND_BY_KERNEL};
			frame->function = strpool_add_n(strings, at, length);
			unsigned long offset;
			if (sscanf(at + length, "+0x%lx", &offset) == 1)
				frame->offset = offset;
			const char *module = memchr(at, '[', (size_t)(end - at));
			if (module && memchr(module, ']', (size_t)(end - module)))
				frame->module = strpool_add_n(strings, module + 1,
							      strcspn(module + 1, "]"));
		}
		line = *end ? end + 1 : NULL;
	}
	return count;
}

static void prepend_kernel_frames(struct strpool *strings, const char *text, struct stack *stack)
{
	struct frame kernel[64];
	size_t count = parse_kernel_stack(strings, text, kernel, ARRAY_SIZE(kernel));
	if (!count)
		return;
	stack->frames = xreallocarray(stack->frames, stack->count + count, sizeof(*stack->frames));
	memmove(stack->frames + count, stack->frames, stack->count * sizeof(*stack->frames));
	memcpy(stack->frames, kernel, count * sizeof(*kernel));
	stack->count += count;
}

static bool wants_kernel_stack(const struct pipeline_options *options, const struct thread *thread)
{
	return options->kernel_stacks == KERNEL_STACKS_ALWAYS ||
	       (options->kernel_stacks == KERNEL_STACKS_AUTO && thread_wants_kernel_frames(thread));
}

static void copy_thread(struct line *line, const struct capture_thread *from, struct thread *to)
{
	to->tid = from->tid;
	to->name = strpool_add(&line->dump->strings, from->name);
	to->start_time = from->start_time;
	to->state = from->state;
	to->cpu_user_ns = from->cpu_user_ns;
	to->cpu_system_ns = from->cpu_system_ns;
	to->cpu_total_ns = from->cpu_total_ns;
	to->switches_voluntary = from->switches_voluntary;
	to->switches_involuntary = from->switches_involuntary;
	to->own_stops = from->own_stops;
	to->steady = from->steady;
}

static void explain_thread(struct line *line, const struct capture_thread *from, struct thread *to)
{
	symbolize_stack(line->symbolize, &to->stack);
	wait_init(&to->wait);
	classify_thread(&line->classify, from, &to->stack, &to->wait);
	if (from->kernel_stack && wants_kernel_stack(line->options, to))
		prepend_kernel_frames(&line->dump->strings, from->kernel_stack, &to->stack);
}

/* All stacks are walked first: what they need of the live process moves on. */
static void dump_threads(struct line *line)
{
	array_reserve(&line->to->threads, line->from->threads.count);
	array_for_each (&line->from->threads, from) {
		struct thread *to = array_append(&line->to->threads);
		copy_thread(line, from, to);
		unwind_thread(line->unwind, from, &to->stack);
	}
	for (size_t i = 0; i < line->to->threads.count; i++)
		explain_thread(line, &line->from->threads.items[i], &line->to->threads.items[i]);
}

static void copy_modules(struct line *line)
{
	for (size_t i = 0; i < objects_count(line->objects); i++) {
		const struct object *object = objects_peek(line->objects, i);
		struct module *module = array_append(&line->to->modules);
		module->path = strpool_add(&line->dump->strings, object->path);
		module->build_id = strpool_add(&line->dump->strings, object->build_id);
		module->start = object->start;
		module->end = object->end;
		if (object->why_not)
			dump_add_error(line->dump, line->to->pid, 0, object->path, "%s",
				       object->why_not);
		if (object->debug_why_not)
			dump_add_error(line->dump, line->to->pid, 0, object->path,
				       "debug information: %s", object->debug_why_not);
	}
}

static void line_open(struct line *line, struct dump *dump, struct capture_process *from,
		      const struct pipeline_options *options, const struct unwind_options *walks)
{
	struct objects_options object_options = {.debuginfod = options->debuginfod,
						 .deadline = options->deadline};
	struct symbolize_options symbols = {.inlines = true,
					    .lines = true,
					    .deadline = options->deadline,
					    .answers = options->answers};
	*line = (struct line){.options = options, .from = from, .dump = dump};
	line->to = array_append(&dump->processes);
	line->objects = objects_open(from, &object_options);
	capture_allow_live_reads(from, options->deadline);
	line->unwind = unwind_new(from, line->objects, walks, &dump->strings);
	line->symbolize = symbolize_new(line->objects, &symbols, &dump->strings);
}

static void line_close(struct line *line)
{
	if (symbolize_was_cut(line->symbolize))
		dump_add_error(line->dump, line->to->pid, 0, "symbols",
			       "the deadline passed before all were looked up");
	classify_memo_free(line->classify.memo);
	copy_modules(line);
	symbolize_free(line->symbolize);
	unwind_free(line->unwind);
	objects_close(line->objects);
}

static void dump_process(struct line *line, const struct capture *capture)
{
	struct dump *dump = line->dump;
	copy_process(dump, capture, line->from, line->to);
	line->classify = (struct classify_context){.capture = capture,
						   .process = line->from,
						   .memo = classify_memo_new(line->from),
						   .strings = &dump->strings,
						   .name_data = name_data,
						   .find_variable = find_variable,
						   .names = line->symbolize,
						   .realtime_ns = capture->taken_at_ns,
						   .monotonic_ns = (int64_t)capture->monotonic_ns,
						   .boottime_ns = (int64_t)capture->boottime_ns};
	dump_threads(line);
}

/* Processes with running threads stay open until those have been looked at again. */
static void dump_processes(struct dump *dump, struct capture *capture,
			   const struct pipeline_options *options)
{
	array(struct line) running = {0};
	array(struct looked_at) looked_at = {0};
	/* Without its stacks a capture, however late, tells little. */
	const struct unwind_options walks = {
		.which = options->unwinder,
		.max_frames = options->max_frames,
		.deadline = deadline_at_least(options->deadline, WALKS_LEAST_MS)};
	array_reserve(&dump->processes, capture->processes.count);
	array_for_each (&capture->processes, process) {
		struct line line;
		line_open(&line, dump, process, options, &walks);
		dump_process(&line, capture);
		if (second_look_wants(process)) {
			*array_append(&running) = line;
			*array_append(&looked_at) =
				(struct looked_at){process, line.to, line.objects, line.symbolize};
		} else {
			line_close(&line);
		}
	}
	second_look(dump, capture, options, looked_at.items, looked_at.count);
	array_for_each (&running, line)
		line_close(line);
	array_deinit(&running);
	array_deinit(&looked_at);
}

static void dump_capture(struct dump *dump, struct capture *capture,
			 const struct pipeline_options *options)
{
	dump->generator = PACKAGE_STRING;
	dump->taken_at_ns = capture->taken_at_ns;
	dump->monotonic_ns = capture->monotonic_ns;
	dump->boot_id = strpool_add(&dump->strings, capture->boot_id);
	dump->host_name = strpool_add(&dump->strings, capture->host_name);
	dump->kernel = strpool_add(&dump->strings, capture->kernel);
	dump->arch = strpool_add(&dump->strings, capture->arch);
	array_for_each (&capture->errors, error)
		dump_add_error(dump, 0, 0, error->what, "%s", error->why);
	dump_processes(dump, capture, options);
	pipeline_add_neighbours(dump, capture);
	analyse_dump(dump);
	group_threads(dump);
}

/* The pids that were asked for, and with `tree` their descendants, each once. */
static size_t expand(const pid_t *pids, size_t count, bool tree, pid_t **ret)
{
	static char yes;
	struct address_map given = {0}, covered = {0};
	array(pid_t) all = {0};
	for (size_t i = 0; i < count; i++) {
		*array_append(&all) = pids[i];
		if (!address_map_get(&given, (uint64_t)pids[i]))
			address_map_put(&given, (uint64_t)pids[i], &yes);
	}
	for (size_t i = 0; tree && i < count; i++) {
		/* Who descends from a descendant is known: one pass over /proc is enough. */
		if (address_map_get(&covered, (uint64_t)pids[i]))
			continue;
		_cleanup_free_ pid_t *kin = NULL;
		size_t n = capture_descendants(pids[i], &kin);
		for (size_t j = 1; j < n; j++) {
			if (address_map_get(&covered, (uint64_t)kin[j]))
				continue;
			address_map_put(&covered, (uint64_t)kin[j], &yes);
			if (!address_map_get(&given, (uint64_t)kin[j]))
				*array_append(&all) = kin[j];
		}
	}
	address_map_deinit(&given, NULL);
	address_map_deinit(&covered, NULL);
	*ret = all.items;
	return all.count;
}

/* As one moment; again where a process was overtaken by events, as long as there is time. */
static struct error *take_capture(const pid_t *pids, size_t count,
				  const struct pipeline_options *options, struct error **failures,
				  struct capture **ret)
{
	struct capture_options capture_options = {.no_stop = options->no_stop,
						  .deadline = options->deadline,
						  .fds = classify_syscall_fds,
						  .needs = classify_needs,
						  .walker = &unwind_held,
						  .walk_always =
							  options->unwinder == UNWINDER_PTRACE};
	for (unsigned attempt = 1;; attempt++) {
		struct error *error = capture_survey(pids, count, &capture_options, failures, ret);
		if (error)
			return error;
		capture_hold(*ret, pids, count, failures);
		capture_look_around(*ret, options->deadline);
		capture_verify(*ret);
		/* Of who executes without a pause, what is mixed is better than nothing. */
		enum overtaken overtaken = capture_was_overtaken(*ret, failures, count);
		unsigned most = overtaken == OVERTAKEN_LOST ? 10 * ATTEMPTS : ATTEMPTS;
		if (overtaken == OVERTAKEN_NOT || attempt >= most ||
		    deadline_passed(options->deadline))
			return NULL;
		capture_free(*ret);
		for (size_t i = 0; i < count; i++)
			error_free(failures[i]);
	}
}

struct error *pipeline_dump_live(const pid_t *pids, size_t count,
				 const struct pipeline_options *options, struct error **failures,
				 struct dump *ret)
{
	_cleanup_free_ pid_t *all = NULL;
	size_t n = expand(pids, count, options->tree, &all);
	_cleanup_free_ struct error **all_failures = xcalloc(n, sizeof(*all_failures));
	struct capture *capture;
	struct error *error = take_capture(all, n, options, all_failures, &capture);
	if (error)
		return error;
	ret->tree = options->tree;
	struct pipeline_options with_answers = *options;
	if (!options->answers)
		with_answers.answers = answers_new();
	dump_capture(ret, capture, &with_answers);
	if (!options->answers)
		answers_free(with_answers.answers);
	capture_free(capture);
	for (size_t i = 0; i < n; i++) {
		if (i < count) {
			failures[i] = all_failures[i];
		} else if (all_failures[i]) {
			_cleanup_free_ char *why = error_why(all_failures[i]);
			dump_add_error(ret, all[i], 0, "process", "%s", why);
			error_free(all_failures[i]);
		}
	}
	return NULL;
}

void pipeline_glance(const pid_t *pids, size_t count, struct deadline deadline, struct glance *ret)
{
	capture_glance(pids, count, deadline, ret);
	array_for_each (&ret->processes, process) {
		array_for_each (&process->threads, thread) {
			if (thread->syscall >= 0)
				thread->syscall_name =
					classify_syscall_name(thread->syscall, &ret->strings);
		}
	}
}
