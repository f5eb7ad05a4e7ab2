/*
 * Dumps in a few words, and what must and must not be found in them.  Each case is one line a
 * thread:
 *
 *	"1.2 mutex lock > 1.3"            thread 2 of process 1 waits for thread 3, and nobody else
 *	"1.2 child wait > 4"              ... for process 4 as a whole
 *	"1.2 pipe read > 1 4"             ... for one of two
 *	"1.2 cond wait @process"          ... for whoever in its process
 *	"1.2 poll @anybody"               ... for something outside
 *	"1.2 mutex lock > 1.9 exited"     ... for one that is no more
 *
 * and after these: "moved", "ends=MS", "limited" (it ends, who knows when), "since=MS", "inferred",
 * "perhaps" (an inferred owner), "some" (there may be more owners), "searched"
 * (they were found among all descriptors), "idle", "overdue", "on=NAME".
 * Findings are compared as "kind, confidence: threads +behind".
 */
#include "analyse/analyse.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "lib/make_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct process *process_of(struct dump *dump, pid_t pid)
{
	array_for_each (&dump->processes, process) {
		if (process->pid == pid)
			return process;
	}
	return make_process(dump, pid, "p");
}

static const char *const class_words[] = {
	"mutex lock", "rwlock write", "cond wait",   "semaphore wait", "thread join",
	"child wait", "pipe read",    "pipe write",  "poll",	       "running",
	"sleep",      "file lock",    "gil wait",    "epoll wait",     "exited",
	"stopped",    "socket read",  "signal wait", "vfork wait"};

static enum wait_class read_class(const char **at)
{
	enum wait_class class;
	for (size_t i = 0; i < ARRAY_SIZE(class_words); i++) {
		size_t n = strlen(class_words[i]);
		if (strncmp(*at, class_words[i], n) != 0)
			continue;
		*at += n;
		assert_true(wait_class_from_name(class_words[i], &class));
		return class;
	}
	fail_msg("no class in '%s'", *at);
	return WAIT_UNKNOWN;
}

static void read_word(struct dump *dump, struct thread *thread, const char *word)
{
	struct wait *wait = &thread->wait;
	int pid, tid = 0;
	if (sscanf(word, "%d.%d", &pid, &tid) >= 1) {
		make_owner(thread, pid, tid);
		wait->reach = REACH_OWNERS;
	} else if (strcmp(word, "@process") == 0) {
		wait->reach = REACH_PROCESS;
	} else if (strcmp(word, "exited") == 0) {
		wait->owner_state = OWNER_EXITED;
	} else if (strcmp(word, "moved") == 0) {
		thread->steady = false;
	} else if (strncmp(word, "ends=", 5) == 0) {
		wait->timeout_ms = atoi(word + 5);
		wait->limited = true;
	} else if (strcmp(word, "limited") == 0) {
		wait->limited = true;
	} else if (strncmp(word, "since=", 6) == 0) {
		wait->since_ms = atoi(word + 6);
	} else if (strcmp(word, "inferred") == 0) {
		wait->confidence = CONFIDENCE_LIKELY;
	} else if (strcmp(word, "perhaps") == 0) {
		wait->owner_confidence = CONFIDENCE_LIKELY;
	} else if (strcmp(word, "some") == 0) {
		wait->reach = REACH_ANYBODY;
	} else if (strcmp(word, "searched") == 0) {
		wait->owners_by_search = true;
	} else if (strcmp(word, "idle") == 0) {
		wait->idle = true;
	} else if (strcmp(word, "overdue") == 0) {
		wait->overdue = true;
	} else if (strncmp(word, "on=", 3) == 0) {
		make_resource(dump, thread, "lock", 0x1000 + (uint64_t)word[3] * 64, word + 3);
	} else if (strcmp(word, ">") != 0 && strcmp(word, "@anybody") != 0) {
		fail_msg("'%s'", word);
	}
}

static void read_line(struct dump *dump, const char *line)
{
	int pid, tid, read;
	assert_int_equal(sscanf(line, "%d.%d %n", &pid, &tid, &read), 2);
	line += read;
	enum wait_class class = read_class(&line);
	struct thread *thread = make_thread(dump, process_of(dump, pid), tid, "t", class);
	thread->steady = class != WAIT_RUNNING;
	thread->wait.since_ms = 5000;
	_cleanup_free_ char *rest = strdup(line);
	char *at = rest, *word;
	while ((word = strsep(&at, " "))) {
		if (*word)
			read_word(dump, thread, word);
	}
}

static char *told(const struct dump *dump)
{
	struct text text = {0};
	array_for_each (&dump->findings, finding) {
		text_add(&text, finding_kind_names[finding->kind]);
		if (finding->confidence == CONFIDENCE_LIKELY)
			text_add(&text, ", likely");
		text_add(&text, ":");
		array_for_each (&finding->threads, id) {
			if (id->tid)
				text_printf(&text, " %d.%d", id->pid, id->tid);
			else
				text_printf(&text, " %d", id->pid);
		}
		if (finding->behind)
			text_printf(&text, " +%zu", finding->behind);
		text_add(&text, "\n");
	}
	return text_steal(&text);
}

struct row {
	const char *name;
	const char *lines[8];
	const char *found; /* a line each */
};

static void assert_found(struct dump *dump, const char *name, const char *found)
{
	analyse_dump(dump);
	_cleanup_free_ char *text = told(dump);
	if (strcmp(text, found) != 0)
		fail_msg("%s: found\n%sinstead of\n%s", name, text, found);
}

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct dump dump;
		dump_init(&dump);
		for (size_t j = 0; j < ARRAY_SIZE(rows[i].lines) && rows[i].lines[j]; j++)
			read_line(&dump, rows[i].lines[j]);
		assert_found(&dump, rows[i].name, rows[i].found);
		dump_deinit(&dump);
	}
}

static void circles_are_deadlocks(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"two locks",
		 {"1.1 signal wait", "1.2 mutex lock > 1.3", "1.3 mutex lock > 1.2"},
		 "deadlock: 1.2 1.3\n"},
		{"three, in their order, and those behind",
		 {"1.2 mutex lock > 1.4", "1.3 mutex lock > 1.2", "1.4 rwlock write > 1.3",
		  "1.5 mutex lock > 1.2", "1.6 thread join > 1.5", "1.7 running"},
		 "deadlock: 1.2 1.4 1.3 +2\n"},
		{"a join and a lock",
		 {"1.1 thread join > 1.2", "1.2 mutex lock > 1.1"},
		 "deadlock: 1.1 1.2\n"},
		{"two circles, the larger first",
		 {"1.1 mutex lock > 1.2", "1.2 mutex lock > 1.1", "1.3 mutex lock > 1.4",
		  "1.4 mutex lock > 1.3", "1.5 mutex lock > 1.4"},
		 "deadlock: 1.3 1.4 +1\ndeadlock: 1.1 1.2\n"},
		{"itself",
		 {"1.1 mutex lock > 1.1", "1.2 mutex lock > 1.1", "1.3 poll @anybody"},
		 "self-deadlock: 1.1 +1\n"},
		{"the shortest, whoever comes first in a process",
		 {"1.1 mutex lock > 1.3", "1.3 child wait > 2", "2.2 pipe write > 1"},
		 "deadlock: 1.3 2.2 +1\n"},
		{"processes: a full pipe and waitpid",
		 {"1.1 child wait > 2", "2.2 pipe write > 1 2"},
		 "deadlock: 1.1 2.2\n"},
		{"processes with threads that cannot help",
		 {"1.1 child wait > 2", "1.3 mutex lock > 1.1", "2.2 pipe write > 1"},
		 "deadlock: 1.1 2.2 +1\n"},
		{"a pipe whose only other end is one's own",
		 {"1.1 pipe read > 1"},
		 "self-deadlock: 1.1\n"},
		{"one of several, and all of them wait for it",
		 {"1.1 child wait > 2 3", "2.2 pipe write > 1", "3.3 pipe write > 1"},
		 "deadlock: 1.1 2.2 +1\n"},
	};
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void what_can_be_broken_is_not_certain_or_none(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"a wait that ends soon",
		 {"1.2 mutex lock > 1.3 ends=30000", "1.3 mutex lock > 1.2"},
		 ""},
		{"a wait that ends much later",
		 {"1.2 mutex lock > 1.3 ends=3600000", "1.3 mutex lock > 1.2"},
		 "deadlock, likely: 1.2 1.3\n"},
		{"a wait that ends, who knows when",
		 {"1.2 mutex lock > 1.3 limited", "1.3 mutex lock > 1.2"},
		 ""},
		{"a thread that moved", {"1.2 mutex lock > 1.3 moved", "1.3 mutex lock > 1.2"}, ""},
		{"an inferred class",
		 {"1.2 mutex lock > 1.3 inferred", "1.3 mutex lock > 1.2"},
		 "deadlock, likely: 1.2 1.3\n"},
		{"an inferred owner",
		 {"1.2 mutex lock > 1.3 perhaps", "1.3 mutex lock > 1.2"},
		 "deadlock, likely: 1.2 1.3\n"},
		{"maybe more owners",
		 {"1.1 child wait > 2", "2.2 pipe write > 1 some"},
		 "deadlock, likely: 1.1 2.2\n"},
		{"a heartbeat: a thread of the process goes on after a time",
		 {"1.1 cond wait @process ends=87000", "1.2 pipe read > 2", "2.2 pipe read > 1"},
		 ""},
		{"a thread of the process tries for some time only",
		 {"1.1 mutex lock > 1.2 ends=87000", "1.2 pipe read > 2", "2.2 pipe read > 1"},
		 ""},
		{"a process that waits for some time only",
		 {"1.2 poll > 2 ends=87000", "2.2 pipe read > 1"},
		 "deadlock, likely: 1.2 2.2\n"},
		{"an owner that was searched for",
		 {"1.1 child wait > 2", "2.2 pipe write > 1 searched"},
		 "deadlock, likely: 1.1 2.2\n"},
		{"one of several is free",
		 {"1.1 child wait > 2 3", "2.2 pipe write > 1", "3.3 sleep"},
		 "blocked chain: 3.3 1.1 2.2\n"},
		{"a thread of the process is free",
		 {"1.1 child wait > 2", "1.9 sleep", "2.2 pipe write > 1"},
		 ""},
		{"an interpreter lock is waited for in many short waits",
		 {"1.1 mutex lock > 1.2", "1.2 gil wait > 1.1 moved ends=4"},
		 "deadlock, likely: 1.1 1.2\n"},
		{"a timed wait, stopped threads, running ones",
		 {"1.1 mutex lock > 1.2", "1.2 stopped > 1.1", "1.3 mutex lock > 1.4",
		  "1.4 running > 1.3"},
		 "blocked chain: 1.2 1.1\nblocked chain: 1.4 1.3\n"},
	};
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void lost_locks_are_told_by_lock(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"one lock, one behind",
		 {"1.1 poll @anybody", "1.2 mutex lock > 1.9 exited on=a",
		  "1.3 mutex lock > 1.9 exited on=a", "1.4 thread join > 1.3"},
		 "owner exited: 1.2 1.3 +1\n"},
		{"two locks of one owner",
		 {"1.2 mutex lock > 1.9 exited on=a", "1.3 mutex lock > 1.9 exited on=b"},
		 "owner exited: 1.2\nowner exited: 1.3\n"},
		{"inferred",
		 {"1.2 mutex lock > 1.9 exited perhaps on=a"},
		 "owner exited, likely: 1.2\n"},
		{"it gives up soon", {"1.2 mutex lock > 1.9 exited on=a ends=1000"}, ""},
		{"it moved", {"1.2 mutex lock > 1.9 exited on=a moved"}, ""},
	};
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void chains_begin_at_their_root(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"behind one that sleeps",
		 {"1.1 mutex lock > 1.2", "1.2 mutex lock > 1.3", "1.3 sleep"},
		 "blocked chain: 1.3 1.1 1.2\n"},
		{"two roots",
		 {"1.1 mutex lock > 1.2", "1.2 sleep", "1.3 thread join > 1.4", "1.4 running"},
		 "blocked chain: 1.2 1.1\nblocked chain: 1.4 1.3\n"},
		{"one of two roots", {"1.1 child wait > 2 3", "2.2 sleep", "3.3 sleep"}, ""},
		{"one of two that wait for the same",
		 {"1.1 child wait > 2 3", "2.2 file lock > 4", "3.3 file lock > 4", "4.4 sleep"},
		 "blocked chain: 4.4 1.1 2.2 3.3\n"},
		{"somebody who was not dumped", {"1.1 file lock > 7"}, "blocked chain: 7 1.1\n"},
		{"a process with several threads",
		 {"1.1 child wait > 2", "2.2 sleep", "2.3 running"},
		 "blocked chain: 2 1.1\n"},
		{"a short wait for a lock in much use",
		 {"1.1 mutex lock > 1.2 since=99", "1.2 running"},
		 ""},
		{"joining a thread at rest",
		 {"1.1 thread join > 1.2", "1.2 epoll wait @anybody idle"},
		 ""},
		{"a thread that joins by design",
		 {"1.1 thread join > 1.2 idle", "1.2 semaphore wait @anybody"},
		 ""},
		{"a thread at rest that holds a lock",
		 {"1.1 mutex lock > 1.2", "1.2 epoll wait @anybody idle"},
		 "blocked chain: 1.2 1.1\n"},
		{"the root waits for an event of its own process, or of somebody else",
		 {"1.1 sleep", "1.2 socket read > 1", "1.3 mutex lock > 1.2",
		  "2.1 mutex lock > 2.2", "2.2 pipe read > 9"},
		 "blocked chain: 1.2 1.3\nblocked chain: 2.2 2.1\n"},
		{"the other end of a pipe was left to somebody else",
		 {"1.1 child wait > 2", "2.2 pipe read > 3", "3.3 sleep"},
		 "blocked chain: 3.3 1.1 2.2\n"},
		{"a worker waits for orders", {"1.1 poll @anybody", "2.2 pipe read > 1"}, ""},
		{"a thread that moved is no reason, but in the chain",
		 {"1.1 mutex lock > 1.3 moved", "1.2 mutex lock > 1.3", "1.3 sleep"},
		 "blocked chain, likely: 1.3 1.1 1.2\n"},
	};
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void a_shell_waits_for_what_its_child_writes(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	read_line(&dump, "1.1 pipe read > 2");
	read_line(&dump, "2.2 sleep");
	dump.processes.items[1].ppid = 1;
	assert_found(&dump, "$(...)", "blocked chain: 2.2 1.1\n");
	dump_deinit(&dump);
}

static void nothing_can_go_on_is_told_once(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"conditions and joins",
		 {"1.1 thread join > 1.2", "1.2 cond wait @process", "1.3 cond wait @process"},
		 "no progress possible: 1.1 1.2 1.3\n"},
		{"one of another process is free",
		 {"1.1 cond wait @process", "2.2 sleep"},
		 "no progress possible: 1.1\n"},
		{"a timed wait", {"1.1 cond wait @process", "1.2 cond wait @process ends=100"}, ""},
		{"a long one",
		 {"1.1 cond wait @process", "1.2 cond wait @process ends=100000"},
		 ""},
		{"something outside", {"1.1 cond wait @process", "1.2 signal wait @anybody"}, ""},
		{"a deadlock says why",
		 {"1.1 cond wait @process", "1.2 mutex lock > 1.3", "1.3 mutex lock > 1.2"},
		 "deadlock: 1.2 1.3\n"},
		{"the main thread has ended",
		 {"1.1 exited", "1.2 cond wait @process"},
		 "no progress possible: 1.2\n"},
	};
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void a_thread_that_was_not_seen_could_act(void **state)
{
	(void)state;
	static const struct {
		const char *lines[2], *found;
	} rows[] = {
		{{"1.1 cond wait @process", NULL}, ""},
		{{"1.1 child wait > 2", "2.2 pipe write > 1"}, ""},
		{{"1.1 mutex lock > 1.2", "1.2 mutex lock > 1.1"}, "deadlock: 1.1 1.2\n"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dump dump;
		dump_init(&dump);
		for (size_t j = 0; j < 2 && rows[i].lines[j]; j++)
			read_line(&dump, rows[i].lines[j]);
		dump.processes.items[0].threads_missing = true;
		assert_found(&dump, rows[i].lines[0], rows[i].found);
		dump_deinit(&dump);
	}
}

#define SIGNAL_BIT(n) (UINT64_C(1) << ((n)-1))

static void handlers_make_findings_weaker(void **state)
{
	(void)state;
	static const struct {
		uint64_t caught;
		bool timers;
		const char *lines[3];
		const char *found;
	} rows[] = {
		/* SIGTERM: what comes when people give up. */
		{SIGNAL_BIT(15),
		 false,
		 {"1.1 cond wait @process"},
		 "no progress possible, likely: 1.1\n"},
		{SIGNAL_BIT(15),
		 false,
		 {"1.1 cond wait @process", "1.2 cond wait @process idle"},
		 ""},
		{SIGNAL_BIT(15), false, {"1.1 pipe read > 1"}, ""},
		{SIGNAL_BIT(15), false, {"1.1 poll > 1"}, ""},
		{SIGNAL_BIT(15), false, {"1.1 poll > 1", "1.2 pipe read > 1 2"}, ""},
		{0, false, {"1.1 poll > 1"}, "self-deadlock: 1.1\n"},
		/* SIGCHLD: it may write to a pipe, in whatever the thread is. */
		{SIGNAL_BIT(17),
		 false,
		 {"1.1 pipe read > 2", "2.2 pipe read > 1"},
		 "deadlock, likely: 1.1 2.2\n"},
		{SIGNAL_BIT(17),
		 false,
		 {"1.1 mutex lock > 1.2", "1.2 pipe read > 2", "2.2 pipe read > 1"},
		 "deadlock, likely: 1.2 2.2 +1\n"},
		{SIGNAL_BIT(15),
		 false,
		 {"1.1 pipe read > 2", "2.2 pipe read > 1"},
		 "deadlock: 1.1 2.2\n"},
		{SIGNAL_BIT(17), false, {"1.1 file lock > 1"}, "self-deadlock, likely: 1.1\n"},
		{SIGNAL_BIT(15), false, {"1.1 mutex lock > 1.1"}, "self-deadlock: 1.1\n"},
		/* SIGUSR1: it may post a semaphore. */
		{SIGNAL_BIT(10), false, {"1.1 semaphore wait @process"}, ""},
		/* SIGSEGV, glibc's own. */
		{SIGNAL_BIT(11) | SIGNAL_BIT(33),
		 false,
		 {"1.1 cond wait @process"},
		 "no progress possible: 1.1\n"},
		/* SIGALRM: a watchdog. */
		{SIGNAL_BIT(14), false, {"1.1 mutex lock > 1.1"}, "self-deadlock, likely: 1.1\n"},
		{0, true, {"1.1 mutex lock > 1.1"}, "self-deadlock, likely: 1.1\n"},
		{0, true, {"1.1 cond wait @process"}, ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dump dump;
		char name[32];
		snprintf(name, sizeof(name), "row %zu", i);
		dump_init(&dump);
		for (size_t j = 0; j < 3 && rows[i].lines[j]; j++)
			read_line(&dump, rows[i].lines[j]);
		dump.processes.items[0].signals_caught = rows[i].caught;
		dump.processes.items[0].timers = rows[i].timers;
		assert_found(&dump, name, rows[i].found);
		dump_deinit(&dump);
	}
}

static void wakeups_are_lost_only_where_all_is_still(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"all sleep",
		 {"1.1 signal wait", "1.2 semaphore wait @process overdue on=s"},
		 "lost wake-up: 1.2\n"},
		{"by lock",
		 {"1.1 signal wait", "1.2 semaphore wait @process overdue on=s",
		  "1.3 semaphore wait @process overdue on=t",
		  "1.4 semaphore wait @process overdue on=s"},
		 "lost wake-up: 1.2 1.4\nlost wake-up: 1.3\n"},
		{"one runs", {"1.1 running", "1.2 semaphore wait @process overdue on=s"}, ""},
		{"one moved", {"1.1 sleep moved", "1.2 semaphore wait @process overdue on=s"}, ""},
		{"another process may have been woken",
		 {"1.1 signal wait", "1.2 semaphore wait @anybody overdue on=s"},
		 "lost wake-up, likely: 1.2\n"},
	};
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void make_runner(struct dump *dump, pid_t tid, size_t look_frame, int cpu_ms, int delay_ms)
{
	char line[32];
	snprintf(line, sizeof(line), "1.%d running", tid);
	read_line(dump, line);
	struct thread *thread = &dump->processes.items[0].threads.items[tid - 1];
	for (int i = 0; i < 6; i++) {
		char function[] = {'f', (char)('0' + i), '\0'};
		make_frame(dump, thread, function, 4, NULL, 0);
	}
	thread->look_ns = 200000000;
	thread->look_cpu_ns = cpu_ms * 1000000;
	thread->look_delay_ns = delay_ms * 1000000;
	thread->look_frame = look_frame;
}

static void spinners_burn_cpu_in_one_place(void **state)
{
	(void)state;
	static const struct {
		size_t look_frame;
		int cpu_ms, delay_ms;
		const char *found;
	} rows[] = {
		{0, 199, 0, "spinning: 1.1\n"},
		{0, 100, 95, "spinning: 1.1\n"}, /* it has to share its CPU */
		{2, 199, 0, "spinning, likely: 1.1\n"},
		{5, 199, 0, ""}, /* busy, but all over the place */
		{6, 199, 0, ""},
		{0, 150, 0, ""}, /* it sleeps in between */
		{0, 0, 200, ""}, /* it got no CPU at all */
		{0, -1, 0, ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dump dump;
		char name[32];
		snprintf(name, sizeof(name), "row %zu", i);
		dump_init(&dump);
		make_runner(&dump, 1, rows[i].look_frame, rows[i].cpu_ms, rows[i].delay_ms);
		assert_found(&dump, name, rows[i].found);
		dump_deinit(&dump);
	}
	struct dump dump;
	dump_init(&dump);
	make_runner(&dump, 1, 0, 190, 0);
	make_runner(&dump, 2, 1, 190, 0);
	make_runner(&dump, 3, 0, 190, 0);
	assert_found(&dump, "by place", "spinning: 1.1 1.3\nspinning, likely: 1.2\n");
	dump_deinit(&dump);
}

static void whoever_is_spoken_of_is_not_idle(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	read_line(&dump, "1.1 mutex lock > 1.2");
	read_line(&dump, "1.2 epoll wait @anybody idle on=e");
	read_line(&dump, "1.3 epoll wait @anybody idle on=e");
	analyse_dump(&dump);
	assert_false(dump.processes.items[0].threads.items[1].wait.idle);
	assert_true(dump.processes.items[0].threads.items[2].wait.idle);
	assert_int_equal(dump.findings.count, 1);
	assert_int_equal(dump.findings.items[0].resources.count, 1);
	assert_string_equal(dump.findings.items[0].resources.items[0].name, "e");
	dump_deinit(&dump);
}

/* Owners that are nonsense: not a thread, negative, the process of another, thousands. */
static void owners_that_cannot_be_do_no_harm(void **state)
{
	(void)state;
	struct dump dump;
	dump_init(&dump);
	for (int tid = 1; tid <= 50; tid++) {
		char line[64];
		snprintf(line, sizeof(line), "1.%d mutex lock > 1.%d", tid, tid * 7919 % 101 - 50);
		read_line(&dump, line);
		for (int j = 0; j < 50; j++)
			make_owner(&dump.processes.items[0].threads.items[tid - 1], j % 3,
				   tid * j * 31 % 97 - 20);
	}
	analyse_dump(&dump);
	dump_deinit(&dump);
}

/* Ten thousand threads, each waiting for the next: depth is no recursion, cost is linear. */
static void a_long_chain_is_followed_to_its_end(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct dump dump;
	dump_init(&dump);
	for (int tid = 1; tid <= COUNT; tid++) {
		char line[64];
		snprintf(line, sizeof(line), tid < COUNT ? "1.%d mutex lock > 1.%d" : "1.%d sleep",
			 tid, tid + 1);
		read_line(&dump, line);
	}
	analyse_dump(&dump);
	assert_int_equal(dump.findings.count, 1);
	assert_int_equal(dump.findings.items[0].kind, FINDING_BLOCKED_CHAIN);
	assert_int_equal(dump.findings.items[0].threads.count, COUNT);
	assert_int_equal(dump.findings.items[0].threads.items[0].tid, COUNT);
	dump_deinit(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(circles_are_deadlocks),
		cmocka_unit_test(what_can_be_broken_is_not_certain_or_none),
		cmocka_unit_test(lost_locks_are_told_by_lock),
		cmocka_unit_test(chains_begin_at_their_root),
		cmocka_unit_test(a_shell_waits_for_what_its_child_writes),
		cmocka_unit_test(nothing_can_go_on_is_told_once),
		cmocka_unit_test(a_thread_that_was_not_seen_could_act),
		cmocka_unit_test(handlers_make_findings_weaker),
		cmocka_unit_test(wakeups_are_lost_only_where_all_is_still),
		cmocka_unit_test(spinners_burn_cpu_in_one_place),
		cmocka_unit_test(whoever_is_spoken_of_is_not_idle),
		cmocka_unit_test(owners_that_cannot_be_do_no_harm),
		cmocka_unit_test(a_long_chain_is_followed_to_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
