/* Threads by the ids that the target knows them by, dumped or not. */
#include "capture/find.h"

#include "base/cleanup.h"
#include "base/helper.h"
#include "capture/around.h"
#include "capture/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* uapi/linux/nsfs.h, Linux 6.12. */
#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS _IOR(0xb7, 0x6, int)
#endif

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

enum {
	ANSWER_MS = 1000, /* about one thread */
	LIST_MS = 3000,	  /* of a whole namespace */
};

/* Who has this id in this pid namespace? */
struct known_id {
	uint64_t pid_namespace;
	pid_t ns_tid;
	struct thread_id thread; /* pid 0: nobody */
	bool sure;
};

/* What a thread of a pid namespace is called there, and in ours. */
struct alias {
	pid_t ns_tid, tid;
};

/* All threads of a pid namespace, on kernels that cannot be asked for one. */
struct name_list {
	uint64_t pid_namespace;
	array(struct alias) threads; /* by ns_tid */
	bool sure;		     /* none was left out */
};

struct finder {
	struct raw_capture *raw;
	array(struct name_list) lists;
	array(struct known_id) dumped;		    /* by namespace and id */
	array(struct known_id) asked;		    /* likewise */
	array(struct capture_neighbour) neighbours; /* by pid */
	bool broken;				    /* a helper got stuck: no more are asked */
};

/* Of the helper, in the arena. */
struct answer {
	struct known_id id;
	struct capture_neighbour process;
	bool no_call; /* the kernel does not translate ids */
	bool done;
};

struct question {
	struct raw_capture *raw;
	pid_t live_tid; /* of the process whose namespace it is */
	pid_t tid;	/* in our namespace; 0: to be translated first */
	struct answer *answer;
};

/* Of the helper that lists a namespace, in the arena. */
struct alias_item {
	struct alias alias;
	struct alias_item *next;
};
struct listing {
	struct alias_item *first;
	bool sure, done;
};
struct list_question {
	struct raw_capture *raw;
	uint64_t pid_namespace;
	pid_t live_tid; /* somebody in it */
	struct listing *listing;
};

bool find_without_ioctl;

static int by_id(const void *a, const void *b)
{
	const struct known_id *x = a, *y = b;
	if (x->pid_namespace != y->pid_namespace)
		return x->pid_namespace < y->pid_namespace ? -1 : 1;
	return (x->ns_tid > y->ns_tid) - (x->ns_tid < y->ns_tid);
}

static bool is_alive(char state)
{
	return state != 'Z' && state != 'X';
}

struct finder *finder_new(const struct capture *capture, struct raw_capture *raw)
{
	struct finder *finder = xcalloc(1, sizeof(*finder));
	finder->raw = raw;
	array_for_each (&capture->processes, process) {
		array_for_each (&process->threads, thread) {
			if (process->pid_namespace && thread->ns_tid && is_alive(thread->state))
				*array_append(&finder->dumped) =
					(struct known_id){process->pid_namespace,
							  thread->ns_tid,
							  {process->pid, thread->tid},
							  true};
		}
	}
	array_sort(&finder->dumped, by_id);
	return finder;
}

void finder_free(struct finder *finder)
{
	if (!finder)
		return;
	array_for_each (&finder->lists, list)
		array_deinit(&list->threads);
	array_deinit(&finder->lists);
	array_deinit(&finder->dumped);
	array_deinit(&finder->asked);
	array_deinit(&finder->neighbours);
	free(finder);
}

static int by_pid(const void *a, const void *b)
{
	const struct capture_neighbour *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

const struct capture_neighbour *finder_neighbour(const struct finder *finder, pid_t pid)
{
	const struct capture_neighbour key = {.pid = pid};
	if (!finder || !finder->neighbours.count)
		return NULL;
	return bsearch(&key, finder->neighbours.items, finder->neighbours.count, sizeof(key),
		       by_pid);
}

static bool read_stat(const char *path, struct proc_stat *ret)
{
	char text[1024];
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, ret);
}

/* tid: in our pid namespace. */
static void describe(const struct question *question, pid_t tid)
{
	char path[64], text[8192];
	struct answer *answer = question->answer;
	struct proc_status status;
	struct proc_stat thread, process;
	/* Threads that lead no process are not listed in /proc, and there all the same. */
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	if (proc_read_status(AT_FDCWD, path, text, sizeof(text)) <= 0) {
		answer->id.sure = thread_is_surely_gone(tid);
		return;
	}
	parse_status(text, &status);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", status.tgid, tid);
	if (!read_stat(path, &thread)) {
		answer->id.sure = thread_is_surely_gone(tid);
		return;
	}
	answer->id.sure = true;
	snprintf(path, sizeof(path), "/proc/%d/stat", status.tgid);
	if (!is_alive(thread.state) || thread.flags & PF_KTHREAD || !read_stat(path, &process))
		return;
	answer->process = (struct capture_neighbour){
		.pid = status.tgid,
		.ppid = process.ppid,
		.group = process.group,
		.session = process.session,
		.name = arena_string(&question->raw->arena, process.name, strlen(process.name)),
		.state = process.state,
		.start_time = process.start_time,
		.threads = process.threads,
		.exit_signal = process.exit_signal};
	answer->id.thread = (struct thread_id){status.tgid, tid};
}

/* *ret_errno: ENOTTY where the kernel has no such call; ESRCH: there is no such thread. */
static pid_t translate(pid_t live_tid, pid_t ns_tid, int *ret_errno)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", live_tid);
	_cleanup_close_ int ns = open(path, O_RDONLY | O_CLOEXEC);
	int tid = -1;
	*ret_errno = ENOTTY;
	if (ns < 0 || find_without_ioctl)
		return 0;
	tid = ioctl(ns, NS_GET_PID_FROM_PIDNS, ns_tid);
	*ret_errno = tid < 0 ? errno : 0;
	return tid > 0 ? tid : 0;
}

static void work(void *context)
{
	const struct question *question = context;
	struct answer *answer = question->answer;
	pid_t tid = question->tid;
	int why = 0;
	if (!tid)
		tid = translate(question->live_tid, answer->id.ns_tid, &why);
	if (tid)
		describe(question, tid);
	answer->no_call = !tid && why != ESRCH;
	if (why == ESRCH)
		answer->id.sure = true;
	__atomic_store_n(&answer->done, true, __ATOMIC_RELEASE);
}

static bool list_process(const struct list_question *question, pid_t pid)
{
	char path[64], text[8192];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		struct proc_status status;
		pid_t tid = parse_pid(entry->d_name);
		snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
		if (!tid || proc_read_status(AT_FDCWD, path, text, sizeof(text)) <= 0)
			continue;
		parse_status(text, &status);
		struct alias_item *item = arena_alloc(&question->raw->arena, sizeof(*item));
		if (!item)
			return false;
		*item = (struct alias_item){{status.ns_tid, tid}, question->listing->first};
		__atomic_store_n(&question->listing->first, item, __ATOMIC_RELEASE);
	}
	return true;
}

/* How many namespaces deep; 0: not known. */
static unsigned depth_of(pid_t pid)
{
	char path[64], text[8192];
	pid_t ids[NS_LEVELS_MOST];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (proc_read_status(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return 0;
	return parse_status_ids(text, "NSpid", ids, NS_LEVELS_MOST);
}

/* Of a process whose namespace may not be looked at, or that has ended: could it be this one? */
static bool may_be_inside(pid_t pid, unsigned depth)
{
	unsigned its_depth = depth_of(pid);
	if (!its_depth && thread_is_surely_gone(pid))
		return false;
	return !depth || !its_depth || depth == its_depth;
}

static void list_namespace(void *context)
{
	const struct list_question *question = context;
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool sure = dir != NULL;
	unsigned depth = depth_of(question->live_tid);
	while (dir && (entry = readdir(dir))) {
		pid_t pid = parse_pid(entry->d_name);
		uint64_t theirs = pid ? namespace_of(pid, "pid") : 0;
		if (pid && !theirs && (errno == EACCES || errno == EPERM) &&
		    may_be_inside(pid, depth))
			sure = false;
		if (theirs == question->pid_namespace && !list_process(question, pid))
			sure = false;
	}
	question->listing->sure = sure;
	__atomic_store_n(&question->listing->done, true, __ATOMIC_RELEASE);
}

static int by_ns_tid(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;
	return (x->ns_tid > y->ns_tid) - (x->ns_tid < y->ns_tid);
}

static struct deadline soon(const struct finder *finder, uint64_t ms)
{
	struct deadline all = finder->raw->options.deadline, ret = deadline_in_ms(ms);
	return all.at_ns && all.at_ns < ret.at_ns ? all : ret;
}

static bool run(struct finder *finder, void (*what)(void *context), void *context, uint64_t ms)
{
	if (helper_run(what, context, soon(finder, ms)) == HELPER_TIMED_OUT)
		finder->broken = true;
	return !finder->broken;
}

/* Made once for each namespace that is asked for. */
static const struct name_list *list_of(struct finder *finder, uint64_t pid_namespace,
				       pid_t live_tid)
{
	array_for_each (&finder->lists, list) {
		if (list->pid_namespace == pid_namespace)
			return list;
	}
	struct name_list *list = array_append(&finder->lists);
	struct list_question question = {finder->raw, pid_namespace, live_tid,
					 arena_alloc(&finder->raw->arena, sizeof(struct listing))};
	list->pid_namespace = pid_namespace;
	if (!question.listing)
		return list;
	run(finder, list_namespace, &question, LIST_MS);
	list->sure = question.listing->done && question.listing->sure;
	for (const struct alias_item *item = question.listing->first; item; item = item->next)
		*array_append(&list->threads) = item->alias;
	array_sort(&list->threads, by_ns_tid);
	return list;
}

static void insert_id(struct finder *finder, const struct known_id *id)
{
	array_append(&finder->asked);
	struct known_id *items = finder->asked.items;
	size_t at = finder->asked.count - 1;
	for (; at > 0 && by_id(&items[at - 1], id) > 0; at--)
		items[at] = items[at - 1];
	items[at] = *id;
}

static void insert_neighbour(struct finder *finder, const struct capture_neighbour *process)
{
	if (finder_neighbour(finder, process->pid))
		return;
	array_append(&finder->neighbours);
	struct capture_neighbour *items = finder->neighbours.items;
	size_t at = finder->neighbours.count - 1;
	for (; at > 0 && items[at - 1].pid > process->pid; at--)
		items[at] = items[at - 1];
	items[at] = *process;
}

/* Where the namespace cannot be looked at, ids that are the same say that it is ours. */
static bool is_in_our_namespace(const struct capture_process *process)
{
	if (process->pid_namespace)
		return process->pid_namespace == namespace_of(0, "pid");
	return process->threads.count &&
	       process->threads.items[0].ns_tid == process->threads.items[0].tid;
}

/* tid: in our namespace; 0: to be translated. */
static struct answer ask_for(struct finder *finder, const struct capture_process *process,
			     const struct known_id *id, pid_t tid)
{
	struct answer nothing = {.id = *id};
	struct question question = {.raw = finder->raw, .live_tid = process->live_tid, .tid = tid};
	if (finder->broken || deadline_passed(finder->raw->options.deadline))
		return nothing;
	question.answer = arena_alloc(&finder->raw->arena, sizeof(*question.answer));
	if (!question.answer)
		return nothing;
	*question.answer = nothing;
	run(finder, work, &question, ANSWER_MS);
	return question.answer->done ? *question.answer : nothing;
}

static struct known_id ask(struct finder *finder, const struct capture_process *process,
			   pid_t ns_tid)
{
	struct known_id id = {.pid_namespace = process->pid_namespace, .ns_tid = ns_tid};
	bool ours = is_in_our_namespace(process);
	if (!process->pid_namespace && !ours)
		return id;
	struct answer answer = ask_for(finder, process, &id, ours ? ns_tid : 0);
	if (answer.no_call) {
		const struct name_list *list = list_of(finder, id.pid_namespace, process->live_tid);
		const struct alias key = {.ns_tid = ns_tid}, *alias = NULL;
		if (list->threads.count)
			alias = bsearch(&key, list->threads.items, list->threads.count, sizeof(key),
					by_ns_tid);
		id.sure = list->sure;
		if (!alias)
			return id;
		id.sure = false;
		answer = ask_for(finder, process, &id, alias->tid);
	}
	if (answer.id.thread.pid)
		insert_neighbour(finder, &answer.process);
	return answer.id;
}

static const struct known_id *lookup(const struct known_id *ids, size_t count,
				     const struct known_id *key)
{
	return count ? bsearch(key, ids, count, sizeof(*ids), by_id) : NULL;
}

/* Of a capture that nobody can be asked beyond. */
static bool find_dumped(const struct capture *capture, const struct capture_process *process,
			pid_t ns_tid, struct thread_id *ret)
{
	array_for_each (&capture->processes, other) {
		if (!other->pid_namespace || other->pid_namespace != process->pid_namespace)
			continue;
		array_for_each (&other->threads, thread) {
			if (thread->ns_tid != ns_tid)
				continue;
			*ret = (struct thread_id){other->pid, thread->tid};
			return true;
		}
	}
	return false;
}

bool capture_find_thread(const struct capture *capture, const struct capture_process *process,
			 pid_t ns_tid, struct thread_id *ret, bool *ret_known)
{
	struct finder *finder = capture->finder;
	const struct known_id key = {.pid_namespace = process->pid_namespace, .ns_tid = ns_tid};
	*ret_known = ns_tid <= 0;
	if (ns_tid <= 0)
		return false;
	if (!finder)
		return *ret_known = find_dumped(capture, process, ns_tid, ret);
	const struct known_id *found = lookup(finder->dumped.items, finder->dumped.count, &key);
	if (!found)
		found = lookup(finder->asked.items, finder->asked.count, &key);
	if (!found) {
		struct known_id answer = ask(finder, process, ns_tid);
		insert_id(finder, &answer);
		found = lookup(finder->asked.items, finder->asked.count, &key);
	}
	*ret_known = found->sure;
	if (!found->thread.pid)
		return false;
	*ret = found->thread;
	return true;
}
