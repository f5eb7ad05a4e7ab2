/* Everything that a process shows without being stopped. */
#include "base/cleanup.h"
#include "capture/proc.h"
#include "capture/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PF_EXITING 0x00000004 /* include/linux/sched.h */

enum {
	SMALL_FILE = 4096,
	STATUS_MOST = 8192,
	SCHED_MOST = 8192,
	STACK_MOST = 16384,
	COMMAND_MOST = 65536,
	FDINFO_MOST = 8 << 20, /* an epoll has a line for each descriptor it watches */
	TIMERS_MOST = 1 << 20,
	MAPS_MOST = 256 << 20, /* vm.max_map_count times a long path */
};

/* The kernel stack, whose first line is the wait channel; without the right to it, that alone. */
static void survey_kernel_side(struct raw_capture *raw, int dir, struct capture_thread *facts,
			       char *text)
{
	ssize_t n = proc_read(dir, "stack", text, STACK_MOST);
	if (n > 0) {
		facts->kernel_stack = arena_string(&raw->arena, text, (size_t)n);
		const char *name = strchr(text, ']');
		name = name ? name + 1 + strspn(name + 1, " ") : text;
		facts->wait_channel = arena_string(&raw->arena, name, strcspn(name, "+ \n"));
	} else if ((n = proc_read(dir, "wchan", text, SMALL_FILE)) > 0) {
		facts->wait_channel = arena_string(&raw->arena, text, (size_t)n);
	}
}

bool survey_thread(struct raw_capture *raw, struct raw_process *process, struct raw_thread *thread)
{
	char path[64], text[STACK_MOST];
	struct capture_thread *facts = &thread->facts;
	pid_t tid = facts->tid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", process->pid, tid);
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	thread->looked_at_ns = monotonic_ns();

	struct proc_stat stat;
	if (proc_read(dir, "stat", text, SMALL_FILE) > 0 && parse_stat(text, &stat)) {
		facts->name = arena_string(&raw->arena, stat.name, strlen(stat.name));
		facts->state = stat.state;
		facts->flags = stat.flags;
		facts->start_time = stat.start_time;
		facts->processor = stat.processor;
		facts->cpu_user_ns = proc_ticks_to_ns(stat.utime);
		facts->cpu_system_ns = proc_ticks_to_ns(stat.stime);
		if (tid == process->pid)
			process->ppid = stat.ppid;
		if (!process->start_stack)
			process->start_stack = stat.start_stack;
	}
	struct proc_status status;
	if (proc_read_status(dir, "status", text, STATUS_MOST) > 0) {
		parse_status(text, &status);
		facts->ns_tid = status.ns_tid;
		facts->tracer = status.tracer;
		facts->signals_pending = status.signals_pending;
		facts->seccomp = status.seccomp;
		process->seccomp |= status.seccomp;
		facts->switches_voluntary = status.switches_voluntary;
		facts->switches_involuntary = status.switches_involuntary;
		/* All threads share the handlers; one that has ended shows none. */
		process->signals_caught |= status.signals_caught;
	}
	if (proc_read(dir, "syscall", text, SMALL_FILE) > 0)
		parse_syscall(text, &facts->syscall);
	survey_kernel_side(raw, dir, facts, text);
	if (proc_read(dir, "sched", text, SCHED_MOST) > 0) {
		thread->exec_start_ns = parse_sched_ns(text, "se.exec_start");
		facts->cpu_total_ns = parse_sched_ns(text, "se.sum_exec_runtime");
	}
	if (facts->cpu_total_ns < 0 && proc_read(dir, "schedstat", text, SMALL_FILE) > 0) {
		long long total;
		if (sscanf(text, "%lld", &total) == 1 && total >= 0)
			facts->cpu_total_ns = total;
	}
	return true;
}

static void survey_new_thread(struct raw_capture *raw, struct raw_process *process, pid_t tid)
{
	struct raw_thread *thread = raw_thread_new(process, tid);
	if (!thread)
		return;
	if (survey_thread(raw, process, thread))
		raw_thread_publish(process);
	else
		process->threads_vanished = true;
}

/* cgroup v2: is it, or a group above it, frozen?  The kernel says so in the group's own events. */
static bool cgroup_is_frozen(pid_t pid)
{
	char path[64], text[SMALL_FILE], events[SMALL_FILE + 64];
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return false;
	char *group = strstr(text, "0::/");
	if (!group || (group != text && group[-1] != '\n'))
		return false;
	group += 3;
	*strchrnul(group, '\n') = '\0';
	snprintf(events, sizeof(events), "/sys/fs/cgroup%s/cgroup.events", group);
	if (proc_read(AT_FDCWD, events, text, sizeof(text)) <= 0)
		return false;
	return strstr(text, "frozen 1") != NULL;
}

/* Through a leader that has ended, or is about to, nothing can be read: take one that lives. */
static bool shows_process(const struct capture_thread *facts)
{
	return facts->state != 'Z' && facts->state != 'X' && !(facts->flags & PF_EXITING);
}

static void survey_identity(struct raw_capture *raw, struct raw_process *process)
{
	char path[64], link[PATH_MAX];
	struct stat st;
	process->live_tid = 0;
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct capture_thread *facts = &process->threads[i].facts;
		if (facts->tid == process->pid) {
			process->name = facts->name;
			process->start_time = facts->start_time;
			process->tracer = facts->tracer;
		}
		if (shows_process(facts) && (!process->live_tid || facts->tid == process->pid))
			process->live_tid = facts->tid;
	}
	if (!process->live_tid)
		process->live_tid = process->pid;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", process->live_tid);
	if (stat(path, &st) == 0)
		process->pid_namespace = st.st_ino;
	snprintf(path, sizeof(path), "/proc/%d/exe", process->live_tid);
	ssize_t n = readlink(path, link, sizeof(link));
	if (n > 0) {
		static const char deleted[] = " (deleted)";
		ssize_t tail = sizeof(deleted) - 1;
		if (n > tail && memcmp(link + n - tail, deleted, (size_t)tail) == 0) {
			process->executable_deleted = true;
			n -= tail;
		}
		process->executable = arena_string(&raw->arena, link, (size_t)n);
	}
	process->frozen_cgroup = cgroup_is_frozen(process->live_tid);
}

static void survey_command(struct raw_capture *raw, struct raw_process *process)
{
	char path[64], text[COMMAND_MOST];
	snprintf(path, sizeof(path), "/proc/%d/cmdline", process->live_tid);
	ssize_t n = proc_read(AT_FDCWD, path, text, sizeof(text));
	if (n <= 0)
		return;
	process->command = arena_string(&raw->arena, text, (size_t)n);
	process->command_length = (size_t)n;
	if (n == (ssize_t)sizeof(text) - 1)
		raw_add_error(raw, process, 0, "command line", "cut after %zd bytes", n);
}

/* A file of any size, as malloc()ed text; NULL with errno. */
static char *read_large(const char *path, size_t most)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	size_t size = 65536, used = 0;
	_cleanup_free_ char *text = xmalloc(size);
	for (;;) {
		ssize_t n = read(fd, text + used, size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		used += (size_t)n;
		if (n == 0 || used >= most)
			break;
		if (size - used < 8192) {
			size *= 2;
			text = xreallocarray(text, size, 1);
		}
	}
	text[used] = '\0';
	return take_ptr(text);
}

static void survey_timers(struct raw_process *process)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/timers", process->live_tid);
	_cleanup_free_ char *text = read_large(path, TIMERS_MOST);
	process->timers = text && parse_timers(text);
}

void survey_mappings(struct raw_capture *raw, struct raw_process *process)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/maps", process->live_tid);
	_cleanup_free_ char *text = read_large(path, MAPS_MOST);
	if (!text) {
		raw_add_error(raw, process, 0, "memory map", "%s", strerrordesc_np(errno));
		return;
	}
	size_t lines = 0;
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	struct capture_mapping *maps = arena_alloc(&raw->arena, (lines + 1) * sizeof(*maps));
	if (!maps) {
		raw_add_error(raw, process, 0, "memory map", "%zu lines do not fit", lines);
		return;
	}
	size_t count = 0;
	const char *last = "";
	struct proc_map map;
	bool ok;
	for (const char *at = text; (at = parse_maps_line(at, &map, &ok)) && count <= lines;) {
		/* In order and apart: the look-ups after this rely on it. */
		if (!ok || (count && map.mapping.start < maps[count - 1].end)) {
			raw_add_error(raw, process, 0, "memory map", "a line makes no sense");
			continue;
		}
		if (strlen(last) != map.path_length || memcmp(last, map.path, map.path_length) != 0)
			last = arena_string(&raw->arena, map.path, map.path_length);
		maps[count] = map.mapping;
		maps[count++].path = last;
	}
	process->mapping_count = 0;
	process->mappings = maps;
	__atomic_store_n(&process->mapping_count, count, __ATOMIC_RELEASE);
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

static void survey_descriptor(struct raw_capture *raw, struct raw_process *process, int fd)
{
	char path[64], text[PATH_MAX];
	struct capture_descriptor *descriptor = &process->descriptors[process->descriptor_count];
	*descriptor = (struct capture_descriptor){.fd = fd};
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", process->live_tid, fd);
	ssize_t n = readlink(path, text, sizeof(text));
	if (n < 0) {
		if (errno != ENOENT)
			raw_add_error(raw, process, 0, path, "%s", strerrordesc_np(errno));
		return;
	}
	descriptor->target = arena_string(&raw->arena, text, (size_t)n);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", process->live_tid, fd);
	_cleanup_free_ char *info = read_large(path, FDINFO_MOST);
	if (info) {
		size_t length = strlen(info);
		descriptor->info = arena_string(&raw->arena, info, length);
		if (length >= FDINFO_MOST)
			raw_add_error(raw, process, 0, path, "cut after %zu bytes", length);
	}
	/* Asks the file itself, and a dead mount may not answer: what came before is kept. */
	__atomic_store_n(&process->descriptor_count, process->descriptor_count + 1,
			 __ATOMIC_RELEASE);
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", process->live_tid, fd);
	if (stat(path, &st) == 0) {
		descriptor->mode = st.st_mode;
		descriptor->device = st.st_dev;
		descriptor->inode = st.st_ino;
	}
}

/* A thread may have left the others' table: unshare(CLONE_FILES). */
static void survey_table(struct raw_capture *raw, struct raw_process *process,
			 struct capture_thread *facts)
{
	if (facts->tid == process->live_tid || facts->syscall.state != SYSCALL_INSIDE ||
	    facts->syscall.number == SYS_futex)
		return;
	facts->own_files = syscall(SYS_kcmp, process->live_tid, facts->tid, KCMP_FILES, 0, 0) > 0;
	if (facts->own_files)
		raw_add_error(raw, process, facts->tid, "descriptors",
			      "it has a table of its own, which was not looked at");
}

static void survey_descriptors(struct raw_capture *raw, struct raw_process *process)
{
	if (!raw->options.fds)
		return;
	array(int) fds = {0};
	for (size_t i = 0; i < process->thread_count; i++) {
		struct capture_thread *facts = &process->threads[i].facts;
		const struct raw_syscall *call = &facts->syscall;
		int used[2];
		survey_table(raw, process, facts);
		unsigned n = call->state == SYSCALL_INSIDE && !facts->own_files
				     ? raw->options.fds(call->number, call->arguments, used)
				     : 0;
		for (unsigned j = 0; j < n; j++) {
			if (used[j] >= 0)
				*array_append(&fds) = used[j];
		}
	}
	if (fds.count) {
		array_sort(&fds, compare_ints);
		process->descriptors =
			arena_alloc(&raw->arena, fds.count * sizeof(*process->descriptors));
	}
	for (size_t i = 0; process->descriptors && i < fds.count; i++) {
		if (i == 0 || fds.items[i] != fds.items[i - 1])
			survey_descriptor(raw, process, fds.items[i]);
	}
	array_deinit(&fds);
}

/*
 * Asks for one word at each stack pointer: brings in what is swapped out before anybody is held,
 * and tells whether memory can be copied at all.
 */
static void touch_stacks(struct raw_process *process)
{
	unsigned refused = 0, asked = 0;
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct capture_thread *facts = &process->threads[i].facts;
		if (facts->syscall.state != SYSCALL_INSIDE)
			continue;
		char word[8];
		struct copy_range range = {facts->syscall.sp, sizeof(word), word, 0};
		struct copier copier;
		copier_init(&copier, facts->tid, process->memory_fd, false);
		copier_copy(&copier, &range, 1);
		copier_deinit(&copier);
		asked++;
		refused += range.copied == 0 && copier.no_process_vm;
	}
	process->bulk_copy_refused = asked && refused == asked;
}

/* Through any thread that lives: one that has ended has no memory. */
static void open_memory(struct raw_process *process)
{
	for (size_t i = 0; i < process->thread_count && process->memory_fd < 0; i++) {
		char path[64];
		const struct capture_thread *facts = &process->threads[i].facts;
		if (facts->state == 'Z' || facts->state == 'X')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/mem", facts->tid);
		process->memory_fd = open(path, O_RDONLY | O_CLOEXEC);
		/* What is refused of one is refused of all. */
		if (process->memory_fd < 0 && errno != ENOENT && errno != ESRCH)
			return;
	}
}

/* False when it was begun before: then it is done, or it got stuck. */
static bool begin(struct raw_process *process, enum survey_step step)
{
	if (process->begun & step)
		return false;
	__atomic_fetch_or(&process->begun, step, __ATOMIC_RELEASE);
	return true;
}

static void end(struct raw_process *process, enum survey_step step)
{
	__atomic_fetch_or(&process->done, step, __ATOMIC_RELEASE);
}

void survey_threads(struct raw_capture *raw)
{
	for (size_t i = 0; i < raw->process_count; i++) {
		struct raw_process *process = &raw->processes[i];
		begin(process, SURVEY_THREADS);
		raw_visit_new_threads(raw, process, survey_new_thread);
		end(process, SURVEY_THREADS);
	}
	for (size_t i = 0; i < raw->process_count && raw->by_thread; i++)
		open_memory(&raw->processes[i]);
}

static void survey_map(struct raw_capture *raw, struct raw_process *process)
{
	if (!begin(process, SURVEY_MAPPINGS))
		return;
	raw_sort_threads(process);
	survey_identity(raw, process);
	survey_timers(process);
	survey_mappings(raw, process);
	survey_command(raw, process);
	end(process, SURVEY_MAPPINGS);
}

static void survey_behind(struct raw_capture *raw, struct raw_process *process)
{
	if (begin(process, SURVEY_DESCRIPTORS)) {
		survey_descriptors(raw, process);
		end(process, SURVEY_DESCRIPTORS);
	}
	/* Where the memory-map lock is held, this gets stuck as well. */
	if (process->done & SURVEY_MAPPINGS && begin(process, SURVEY_STACKS)) {
		touch_stacks(process);
		end(process, SURVEY_STACKS);
	}
}

void survey_memory(struct raw_capture *raw)
{
	for (size_t i = 0; i < raw->process_count; i++)
		survey_map(raw, &raw->processes[i]);
	for (size_t i = 0; i < raw->process_count; i++)
		survey_behind(raw, &raw->processes[i]);
}
