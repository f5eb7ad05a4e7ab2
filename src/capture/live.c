/* A capture of live processes: survey, hold, verify, and the raw facts made into plain data. */
#include "base/cleanup.h"
#include "base/helper_thread.h"
#include "base/relatives.h"
#include "capture/attach.h"
#include "capture/capture.h"
#include "capture/find.h"
#include "capture/live_memory.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

enum {
	STOP_MS = 250,
	STOPS_PER_MS = 8,    /* at the least, on a busy machine */
	SPARE_THREADS = 256, /* born between the count and the hold */
	ARENA_BASE = 256 << 20,
	ARENA_PER_THREAD = 160 << 10,
	LOOK_MOST = 256, /* threads of a process that are stopped for a second look */
};

/* Captured memory of one process: sorted by address, not overlapping. */
struct segments {
	array(struct raw_segment) list;
	size_t last;   /* the one that answered last */
	int memory_fd; /* struct raw_process's */
	struct live_memory *live;
};

static struct segments *segments_new(const struct raw_process *process)
{
	struct segments *segments = xcalloc(1, sizeof(*segments));
	segments->memory_fd = process->memory_fd;
	return segments;
}

static int compare_segments(const void *a, const void *b)
{
	const struct raw_segment *x = a, *y = b;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->length > y->length ? -1 : x->length < y->length;
}

static size_t segments_read(void *context, uint64_t address, void *buf, size_t n)
{
	struct segments *segments = context;
	size_t low = 0, high = segments->list.count;
	const struct raw_segment *items = segments->list.items;
	if (segments->last < high &&
	    address - items[segments->last].address < items[segments->last].length) {
		low = segments->last + 1;
	} else {
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (items[middle].address <= address)
				low = middle + 1;
			else
				high = middle;
		}
	}
	if (low == 0)
		return 0;
	const struct raw_segment *segment = &items[low - 1];
	uint64_t skip = address - segment->address;
	if (skip >= segment->length)
		return 0;
	segments->last = low - 1;
	if (n > segment->length - skip)
		n = segment->length - skip;
	memcpy(buf, segment->bytes + skip, n);
	return n;
}

static void collect_memory(const struct raw_process *raw, struct segments *segments)
{
	for (size_t i = 0; i < raw->thread_count; i++) {
		for (const struct raw_segment *s = raw->threads[i].segments; s; s = s->next) {
			if (s->length)
				*array_append(&segments->list) = *s;
		}
	}
	if (!segments->list.count)
		return;
	array_sort(&segments->list, compare_segments);
	size_t kept = 0;
	uint64_t covered = 0;
	array_for_each (&segments->list, segment) {
		uint64_t end = segment->address + segment->length;
		if (kept && end <= covered)
			continue;
		if (kept && segment->address < covered) {
			uint64_t skip = covered - segment->address;
			segment->address += skip;
			segment->bytes += skip;
			segment->length -= skip;
		}
		covered = end;
		segments->list.items[kept++] = *segment;
	}
	segments->list.count = kept;
}

static int compare_threads(const void *a, const void *b)
{
	const struct capture_thread *x = a, *y = b;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void add_error(struct capture_process *process, pid_t tid, const char *what, const char *why)
{
	struct capture_error *error = array_append(&process->errors);
	*error = (struct capture_error){tid, what, why};
}

static struct raw_capture *maker_of(const struct capture *capture)
{
	return capture->maker;
}

static const char *stop_words(struct capture *capture, const struct capture_thread *facts)
{
	const char *rest = facts->registers_from == REGISTERS_SYSCALL_FILE
				   ? "; its stack was read without stopping it"
				   : "; there is no stack of it";
	char name[64];
	switch (facts->stop) {
	case STOP_TIMED_OUT:
		return strpool_printf(&capture->strings, "it did not stop in time%s", rest);
	case STOP_REFUSED:
		if (facts->tracer) {
			proc_name(facts->tracer, name, sizeof(name));
			return strpool_printf(&capture->strings, "already traced by %s (pid %d)%s",
					      name, facts->tracer, rest);
		}
		return strpool_printf(&capture->strings, "stopping it was refused: %s%s",
				      strerrordesc_np(facts->stop_errno), rest);
	case STOP_GONE:
		if (maker_of(capture)->second || facts->state == 'Z' || facts->state == 'X')
			return NULL;
		return "it ended meanwhile";
	case STOP_DONE:
		if (facts->registers_from == REGISTERS_NONE)
			return facts->stop_errno == ENOTSUP
				       ? "it runs 32-bit code, which is not supported: no stack"
				       : "its registers could not be read: no stack";
		return NULL;
	case STOP_NOT_TRIED:
		return NULL;
	}
	return NULL;
}

/* The facts as they stand now; called again after each step. */
static void collect_process(struct capture *capture, const struct raw_process *raw,
			    struct capture_process *process)
{
	process->pid = raw->pid;
	process->live_tid = raw->live_tid;
	process->ppid = raw->ppid;
	process->name = raw->name ? raw->name : "";
	process->executable = raw->executable;
	process->executable_deleted = raw->executable_deleted;
	process->command = raw->command;
	process->command_length = raw->command_length;
	process->start_time = raw->start_time;
	process->pid_namespace = raw->pid_namespace;
	process->frozen_cgroup = raw->frozen_cgroup;
	process->signals_caught = raw->signals_caught;
	process->timers = raw->timers;
	process->tracer = raw->tracer;
	process->threads_missing =
		raw->threads_left_out || raw->threads_moved || !(raw->done & SURVEY_THREADS);
	process->replaced = raw->replaced;
	process->bulk_copy_refused = raw->bulk_copy_refused;
	if (raw->held_to_ns)
		process->frozen_us = (int64_t)((raw->held_to_ns - raw->held_from_ns) / 1000);

	process->threads.count = process->mappings.count = 0;
	process->descriptors.count = process->errors.count = 0;
	for (size_t i = 0; i < raw->thread_count; i++)
		*array_append(&process->threads) = raw->threads[i].facts;
	array_sort(&process->threads, compare_threads);
	for (size_t i = 0; i < raw->mapping_count; i++)
		*array_append(&process->mappings) = raw->mappings[i];
	for (size_t i = 0; i < raw->descriptor_count; i++)
		*array_append(&process->descriptors) = raw->descriptors[i];
	for (const struct raw_error *error = raw->errors; error; error = error->next)
		add_error(process, error->tid, error->what, error->why);
	if (raw->threads_left_out)
		add_error(process, 0, "threads", "more were born than there was room for");
	if (raw->threads_moved)
		add_error(process, 0, "threads",
			  "it was not held, and some came or went meanwhile");
	array_for_each (&process->threads, thread) {
		const char *words = stop_words(capture, thread);
		if (words)
			add_error(process, thread->tid,
				  maker_of(capture)->second ? "second look" : "thread", words);
	}
}

static struct raw_process *raw_of(const struct capture *capture,
				  const struct capture_process *process)
{
	struct raw_capture *raw = maker_of(capture);
	for (size_t i = 0; i < raw->process_count; i++) {
		if (raw->processes[i].pid == process->pid)
			return &raw->processes[i];
	}
	return NULL;
}

static void identify(struct capture *capture)
{
	char text[64];
	struct utsname names;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	capture->taken_at_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	clock_gettime(CLOCK_BOOTTIME, &now);
	capture->boottime_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	capture->monotonic_ns = monotonic_ns();
	ssize_t n = proc_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text));
	if (n > 1)
		capture->boot_id = strpool_add_n(&capture->strings, text, (size_t)n - 1);
	if (uname(&names) == 0) {
		capture->host_name = strpool_add(&capture->strings, names.nodename);
		capture->kernel =
			strpool_printf(&capture->strings, "%s %s", names.sysname, names.release);
		capture->arch = strpool_add(&capture->strings, names.machine);
	}
}

static size_t count_threads(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	struct stat st;
	/* The directory has a link for each thread, and two more. */
	return stat(path, &st) == 0 && st.st_nlink > 2 ? st.st_nlink - 2 : 1;
}

/* With room for so many threads, and no process yet. */
static struct raw_capture *raw_with_room(size_t threads, const struct capture_options *options)
{
	struct raw_capture *raw = xcalloc(1, sizeof(*raw));
	size_t room = ARENA_BASE + threads * (size_t)ARENA_PER_THREAD;
	struct sysinfo system;
	/* Never so much that copying stacks could drive the machine out of memory. */
	raw->stack_budget = 256u << 20;
	if (sysinfo(&system) == 0 &&
	    (uint64_t)system.freeram * system.mem_unit / 4 < raw->stack_budget)
		raw->stack_budget = (uint64_t)system.freeram * system.mem_unit / 4;
	raw->options = *options;
	if (!raw->options.stop_ms)
		raw->options.stop_ms = STOP_MS + (unsigned)(threads / STOPS_PER_MS);
	if (!arena_init(&raw->arena, room)) {
		free(raw);
		return NULL;
	}
	return raw;
}

static struct raw_capture *raw_new(const pid_t *pids, size_t count,
				   const struct capture_options *options)
{
	size_t threads = 0;
	for (size_t i = 0; i < count; i++)
		threads += count_threads(pids[i]);
	struct raw_capture *raw = raw_with_room(threads, options);
	if (!raw)
		return NULL;
	raw->processes = arena_alloc(&raw->arena, count * sizeof(*raw->processes));
	for (size_t i = 0; raw->processes && i < count; i++) {
		struct raw_process *process = &raw->processes[i];
		size_t capacity = count_threads(pids[i]) * 2 + SPARE_THREADS;
		*process = (struct raw_process){.pid = pids[i], .memory_fd = -1};
		process->threads = arena_alloc(&raw->arena, capacity * sizeof(*process->threads));
		process->thread_capacity = process->threads ? capacity : 0;
		raw->process_count++;
	}
	return raw;
}

/* What may be left behind of it is written to by the kernel alone, if at all. */
static void raw_free(struct raw_capture *raw)
{
	if (!raw)
		return;
	/* A second look has borrowed them. */
	for (size_t i = 0; i < raw->process_count && !raw->second; i++) {
		if (raw->processes[i].memory_fd >= 0)
			close(raw->processes[i].memory_fd);
	}
	if (!raw->left_behind)
		arena_deinit(&raw->arena);
	free(raw);
}

static void survey_threads_work(void *raw)
{
	survey_threads(raw);
}

static void survey_memory_work(void *raw)
{
	survey_memory(raw);
}

static void hold_work(void *context)
{
	struct raw_capture *raw = context;
	hold(raw);
	if (!raw->by_thread)
		hold_copy(raw, HOLD_COPY_SHOWN);
}

static void verify_work(void *raw)
{
	verify(raw);
}

static void look_work(void *raw)
{
	look(raw);
}

/* A part of what is left, so that the steps after this one have theirs. */
static struct deadline share_of(struct deadline all, unsigned percent)
{
	uint64_t now = monotonic_ns();
	if (!all.at_ns || all.at_ns <= now)
		return all;
	return (struct deadline){now + (all.at_ns - now) / 100 * percent};
}

/* Work that needs the right to attach. */
static enum helper_end run_attached(struct raw_capture *raw, void (*work)(void *raw),
				    struct deadline deadline)
{
	if (!raw->by_thread)
		return helper_run(work, raw, deadline);
	return helper_run_thread(work, raw, deadline, &raw->left_behind);
}

/* Work that holds. */
static enum helper_end run_holding(struct raw_capture *raw, void (*work)(void *raw),
				   struct deadline deadline)
{
	if (raw->by_thread && !helper_server_start(&raw->copier, hold_copy, raw))
		return HELPER_FAILED;
	enum helper_end end = run_attached(raw, work, deadline);
	/* It may have been given up before: that was said. */
	if (raw->copier.pid && end == HELPER_DONE &&
	    !helper_server_ask(&raw->copier, HOLD_COPY_SHOWN, deadline))
		end = HELPER_TIMED_OUT;
	helper_server_end(&raw->copier);
	return end;
}

/* Why there is nothing to be had of a surveyed process, or NULL. */
static struct error *survey_failure(const struct raw_process *process)
{
	char subject[16];
	snprintf(subject, sizeof(subject), "%d", process->pid);
	if (process->thread_count == 0 && !(process->done & SURVEY_THREADS))
		return error_new(ERROR_TIMED_OUT, 0, subject, "before its threads were looked at");
	if (process->thread_count == 0)
		return error_new(ERROR_ENDED, 0, subject, NULL);
	for (size_t i = 0; i < process->thread_count; i++) {
		char state = process->threads[i].facts.state;
		if (state != 'Z' && state != 'X')
			return NULL;
	}
	return error_new(ERROR_ZOMBIE, 0, subject, "(parent: %d)", process->ppid);
}

/* One process that gets stuck must not keep the others from being looked at. */
static void survey_memory_of_all(struct raw_capture *raw)
{
	enum { ROUNDS_MOST = 4 };
	enum helper_end end = HELPER_FAILED;
	for (unsigned round = 0; round < ROUNDS_MOST && end != HELPER_DONE; round++)
		end = helper_run(survey_memory_work, raw, share_of(raw->options.deadline, 30));
}

/* What the survey lacks of it, and why. */
static void add_survey_errors(struct raw_capture *raw, struct raw_process *process)
{
	static const char late[] = "not looked at: other things took all the time";
	unsigned stuck = process->begun & ~process->done;
	if (!(process->done & SURVEY_THREADS))
		raw_add_error(raw, process, 0, "threads", "not all of them were looked at in time");
	if (stuck & SURVEY_MAPPINGS)
		raw_add_error(raw, process, 0,
			      process->mapping_count ? "command line" : "memory map",
			      "reading it did not end in time (its lock may be held)");
	else if (!(process->done & SURVEY_MAPPINGS))
		raw_add_error(raw, process, 0, "memory map", late);
	if (stuck & SURVEY_DESCRIPTORS)
		raw_add_error(raw, process, 0, "descriptors",
			      "looking at them did not end in time (a file system may be dead)");
	else if (!(process->done & SURVEY_DESCRIPTORS))
		raw_add_error(raw, process, 0, "descriptors", late);
}

static void clock_work(void *raw)
{
	clock_fill_slept(raw);
}

static void drop_process(struct capture *capture, size_t index)
{
	struct capture_process *process = &capture->processes.items[index];
	struct segments *segments = process->maker;
	live_memory_free(segments->live);
	array_deinit(&segments->list);
	free(segments);
	array_deinit(&process->threads);
	array_deinit(&process->mappings);
	array_deinit(&process->descriptors);
	array_deinit(&process->errors);
	memmove(process, process + 1, (capture->processes.count - index - 1) * sizeof(*process));
	capture->processes.count--;
}

struct error *capture_survey(const pid_t *pids, size_t count, const struct capture_options *options,
			     struct error **failures, struct capture **ret)
{
	struct capture *capture = xcalloc(1, sizeof(*capture));
	strpool_init(&capture->strings);
	identify(capture);
	memset(failures, 0, count * sizeof(*failures));
	_cleanup_free_ pid_t *wanted = xcalloc(count + 1, sizeof(*wanted));
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		failures[i] = capture_check(pids[i]);
		if (!failures[i])
			wanted[n++] = pids[i];
	}
	*ret = capture;
	if (!n)
		return NULL;
	struct raw_capture *raw = raw_new(wanted, n, options);
	if (!raw) {
		capture_free(capture);
		*ret = NULL;
		return error_new(ERROR_INTERNAL, ENOMEM, "capture", NULL);
	}
	capture->maker = raw;
	raw->by_thread = attach_needs_thread(wanted, n);
	run_attached(raw, survey_threads_work, share_of(options->deadline, 40));
	survey_memory_of_all(raw);
	enum helper_end clock = helper_run(clock_work, raw, share_of(options->deadline, 10));
	for (size_t i = 0, j = 0; i < count; i++) {
		if (failures[i])
			continue;
		struct raw_process *raw_process = &raw->processes[j++];
		add_survey_errors(raw, raw_process);
		if (clock != HELPER_DONE)
			raw_add_error(raw, raw_process, 0, "time asleep",
				      "a CPU on which it is measured was not free in time");
		failures[i] = survey_failure(raw_process);
		if (failures[i])
			continue;
		struct capture_process *process = array_append(&capture->processes);
		process->maker = segments_new(raw_process);
		collect_process(capture, raw_process, process);
	}
	return NULL;
}

/* Nothing but what everybody may read. */
static bool is_opaque(const struct capture_process *process)
{
	array_for_each (&process->threads, thread) {
		if (thread->registers_from != REGISTERS_NONE || thread->stop == STOP_DONE ||
		    thread->stop == STOP_TIMED_OUT)
			return false;
		if (thread->stop != STOP_GONE && thread->syscall.state != SYSCALL_UNREADABLE)
			return false;
	}
	return true;
}

static struct error *hold_failure(const struct raw_process *process)
{
	char subject[16];
	snprintf(subject, sizeof(subject), "%d", process->pid);
	if (process->hold_errno == ESRCH)
		return error_new(ERROR_ENDED, 0, subject, NULL);
	return refusal_explain(process->pid, process->hold_errno);
}

void capture_hold(struct capture *capture, const pid_t *pids, size_t count, struct error **failures)
{
	struct raw_capture *raw = maker_of(capture);
	if (!raw || !capture->processes.count)
		return;
	raw->hold_until = share_of(raw->options.deadline, 40);
	enum helper_end end = run_holding(raw, hold_work, share_of(raw->options.deadline, 50));
	uint64_t released_ns = monotonic_ns();
	for (size_t i = capture->processes.count; i-- > 0;) {
		struct capture_process *process = &capture->processes.items[i];
		struct raw_process *raw_process = raw_of(capture, process);
		/* Given up half-way: its end has let them go. */
		if (raw_process->held_from_ns && !raw_process->held_to_ns)
			raw_process->held_to_ns = released_ns;
		if (end == HELPER_TIMED_OUT)
			raw_add_error(raw, raw_process, 0, "process",
				      "holding it took too long and was given up");
		else if (end == HELPER_FAILED)
			raw_add_error(raw, raw_process, 0, "process",
				      "the helper process that holds it failed");
		struct segments *segments = process->maker;
		collect_process(capture, raw_process, process);
		collect_memory(raw_process, segments);
		memory_add_source(&process->memory, MEMORY_CAPTURED, segments_read, segments);
		if (!is_opaque(process))
			continue;
		for (size_t j = 0; j < count; j++) {
			if (pids[j] == process->pid && !failures[j])
				failures[j] = hold_failure(raw_process);
		}
		drop_process(capture, i);
	}
}

void capture_verify(struct capture *capture)
{
	struct raw_capture *raw = maker_of(capture);
	if (!raw || !capture->processes.count)
		return;
	run_attached(raw, verify_work, share_of(raw->options.deadline, 30));
	array_for_each (&capture->processes, process)
		collect_process(capture, raw_of(capture, process), process);
}

static size_t count_running(const struct capture_process *process)
{
	size_t count = 0;
	array_for_each (&process->threads, thread)
		count += thread->use.at_ns != 0;
	return count;
}

uint64_t capture_ran_until(const struct capture *capture)
{
	uint64_t last = 0;
	array_for_each (&capture->processes, process) {
		array_for_each (&process->threads, thread) {
			if (thread->use.at_ns > last)
				last = thread->use.at_ns;
		}
	}
	return last;
}

static int by_cpu_time(const void *a, const void *b)
{
	const struct raw_thread *x = a, *y = b;
	int64_t first = x->facts.use.ran_ns, second = y->facts.use.ran_ns;
	return (first < second) - (first > second);
}

/* What a second look has to know of a process and its running threads; the rest it finds out. */
static void fill_for_look(struct raw_capture *raw, const struct capture_process *process,
			  const struct raw_process *first)
{
	size_t count = count_running(process);
	struct raw_process *to = &raw->processes[raw->process_count];
	*to = (struct raw_process){.pid = first->pid,
				   .live_tid = first->live_tid,
				   .name = first->name,
				   .executable = first->executable,
				   .bulk_copy_refused = first->bulk_copy_refused,
				   .memory_fd = first->memory_fd,
				   .mappings = first->mappings,
				   .mapping_count = first->mapping_count};
	to->threads = arena_alloc(&raw->arena, count * sizeof(*to->threads));
	to->thread_capacity = to->threads ? count : 0;
	array_for_each (&process->threads, thread) {
		struct raw_thread *copy =
			thread->use.at_ns ? raw_thread_new(to, thread->tid) : NULL;
		if (!copy)
			continue;
		copy->facts.name = thread->name;
		copy->facts.state = thread->state;
		copy->facts.start_time = thread->start_time;
		copy->facts.seccomp = thread->seccomp;
		copy->facts.use = thread->use;
		raw_thread_publish(to);
	}
	raw->process_count++;
	qsort(to->threads, to->thread_count, sizeof(*to->threads), by_cpu_time);
	for (size_t i = 0; i < to->thread_count; i++) {
		to->threads[i].facts.use = (struct cpu_use){.at_ns = 0};
		to->threads[i].left_alone = i >= LOOK_MOST;
	}
	if (count > LOOK_MOST)
		raw_add_error(raw, to, 0, "second look",
			      "%zu of %zu running threads were not stopped again",
			      count - LOOK_MOST, count);
}

static void collect_look(struct capture *look, enum helper_end end)
{
	struct raw_capture *raw = maker_of(look);
	uint64_t released_ns = monotonic_ns();
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *raw_process = &raw->processes[i];
		struct capture_process *process = array_append(&look->processes);
		struct segments *segments = process->maker = segments_new(raw_process);
		if (raw_process->held_from_ns && !raw_process->held_to_ns)
			raw_process->held_to_ns = released_ns;
		if (end != HELPER_DONE)
			raw_add_error(raw, raw_process, 0, "second look",
				      end == HELPER_TIMED_OUT ? "it took too long and was given up"
							      : "the helper process failed");
		collect_process(look, raw_process, process);
		collect_memory(raw_process, segments);
		memory_add_source(&process->memory, MEMORY_CAPTURED, segments_read, segments);
	}
}

struct capture *capture_look_again(const struct capture *first)
{
	const struct raw_capture *first_raw = maker_of(first);
	size_t processes = 0, threads = 0;
	array_for_each (&first->processes, process) {
		processes += count_running(process) > 0;
		threads += count_running(process);
	}
	struct raw_capture *raw = threads ? raw_with_room(threads, &first_raw->options) : NULL;
	if (!raw)
		return NULL;
	struct capture *look = xcalloc(1, sizeof(*look));
	strpool_init(&look->strings);
	look->maker = raw;
	raw->second = true;
	raw->by_thread = first_raw->by_thread;
	raw->processes = arena_alloc(&raw->arena, processes * sizeof(*raw->processes));
	array_for_each (&first->processes, process) {
		if (raw->processes && count_running(process))
			fill_for_look(raw, process, raw_of(first, process));
	}
	raw->hold_until = share_of(raw->options.deadline, 40);
	collect_look(look, run_holding(raw, look_work, share_of(raw->options.deadline, 50)));
	return look;
}

static bool is_alive(const char *subject)
{
	pid_t pid = parse_pid(subject);
	struct error *error = capture_check(pid);
	error_free(error);
	return !error && count_threads(pid) > 0;
}

/* What a process in the middle of execve(2) answers: no leader, no memory, not to be traced. */
static bool is_passing(enum error_reason reason)
{
	return reason == ERROR_ENDED || reason == ERROR_ZOMBIE || reason == ERROR_PERMISSION;
}

enum overtaken capture_was_overtaken(const struct capture *capture, struct error *const *failures,
				     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (failures[i] && is_passing(failures[i]->reason) &&
		    is_alive(failures[i]->subject))
			return OVERTAKEN_LOST;
	}
	array_for_each (&capture->processes, process) {
		if (process->replaced)
			return OVERTAKEN_MIXED;
	}
	return OVERTAKEN_NOT;
}

void capture_allow_live_reads(struct capture_process *process, struct deadline deadline)
{
	struct segments *segments = process->maker;
	segments->live = live_memory_new(process->live_tid, segments->memory_fd, deadline);
	memory_add_source(&process->memory, MEMORY_LIVE, live_memory_read, segments->live);
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	struct raw_capture *raw = maker_of(capture);
	while (capture->processes.count)
		drop_process(capture, capture->processes.count - 1);
	array_deinit(&capture->processes);
	array_deinit(&capture->errors);
	array_deinit(&capture->surroundings.processes);
	array_deinit(&capture->surroundings.ends);
	array_deinit(&capture->surroundings.sockets);
	array_deinit(&capture->surroundings.file_locks);
	array_deinit(&capture->surroundings.lock_holders);
	array_deinit(&capture->surroundings.semaphores);
	finder_free(capture->finder);
	raw_free(raw);
	strpool_deinit(&capture->strings);
	free(capture);
}

size_t capture_descendants(pid_t pid, pid_t **ret)
{
	_cleanup_free_ struct relative *relatives = NULL;
	const pid_t us = getpid();
	size_t count = relatives_of(pid, &us, 1, &relatives);
	array(pid_t) tree = {0};
	*array_append(&tree) = pid;
	for (size_t i = 0; i < count; i++) {
		if (relative_is_alive(&relatives[i]))
			*array_append(&tree) = relatives[i].pid;
	}
	*ret = tree.items;
	return tree.count;
}
