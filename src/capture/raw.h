/*
 * Private to this room: the facts as the helper processes leave them in the shared arena.  A count
 * is raised only after what it counts is complete, so that a helper may be killed at any moment.
 */
#ifndef HANGDUMP_CAPTURE_RAW_H
#define HANGDUMP_CAPTURE_RAW_H

#include "base/deadline.h"
#include "base/helper_server.h"
#include "capture/arena.h"
#include "capture/capture.h"

/* Memory as it was while its owner was held. */
struct raw_segment {
	uint64_t address;
	size_t length;
	char *bytes;
	struct raw_segment *next;
};

struct raw_error {
	pid_t tid;
	const char *what, *why; /* in the arena, or static */
	struct raw_error *next;
};

struct raw_thread {
	struct capture_thread facts;
	uint64_t looked_at_ns; /* CLOCK_MONOTONIC of the first reading */
	int64_t exec_start_ns; /* -1: not known */
	bool seized, held;
	bool left_alone; /* not to be stopped */
	struct raw_segment *segments;
};

/* The survey's steps; each may get stuck, at one process, and is then left out for it. */
enum survey_step {
	SURVEY_THREADS = 1,
	SURVEY_MAPPINGS = 2,
	SURVEY_DESCRIPTORS = 4,
	SURVEY_STACKS = 8,
};

struct raw_process {
	unsigned begun, done; /* SURVEY_* */
	pid_t pid, live_tid, ppid, tracer;
	const char *name, *executable, *command;
	bool executable_deleted, frozen_cgroup, bulk_copy_refused, replaced;
	int memory_fd; /* its memory, opened by who may attach, for helpers that may not; or -1 */
	size_t command_length;
	uint64_t start_time, pid_namespace, signals_caught;
	uint64_t start_stack; /* 0: not known */
	bool timers;
	int seccomp; /* of the threads that were surveyed: whoever is born since inherits it */
	uint64_t held_from_ns, held_to_ns; /* 0: not held */
	int hold_errno;			   /* why a thread could not be seized; 0: none */

	struct raw_thread *threads;
	size_t thread_count, thread_capacity;
	size_t sorted_count;   /* so many of them, the first, are sorted by tid */
	bool threads_left_out; /* more than fit */
	bool threads_vanished; /* one that was listed had ended before it was looked at */
	bool threads_moved;    /* it was not held, and may have others by now */

	struct capture_mapping *mappings;
	size_t mapping_count;

	struct capture_descriptor *descriptors;
	size_t descriptor_count, descriptor_capacity; /* the latter is around_files.c's */

	struct raw_error *errors;

	void *walker; /* in the process that holds only; NULL: none */
};

struct raw_capture {
	struct arena arena;
	struct capture_options options;
	struct raw_process *processes; /* in the arena */
	size_t process_count;
	/* A second look: at the threads that it was given, as far as they run, and at no others. */
	bool second;
	/* Only a thread of ours may attach, whatever copies memory is lent descriptors. */
	bool by_thread;
	bool left_behind;	     /* one that the kernel may still write to the arena for */
	struct helper_server copier; /* with by_thread, during a hold */
	uint64_t stack_budget;	     /* bytes of stack that a hold may copy in all */
	struct deadline
		hold_until; /* when waiting for stops must end, so that there is time to let go */
};

/* why_format: printf's; NULL what is never given. */
void raw_add_error(struct raw_capture *raw, struct raw_process *process, pid_t tid,
		   const char *what, const char *why_format, ...)
	__attribute__((format(printf, 5, 6)));

/* Room for one more thread, zeroed but for its "not known" values; NULL when there is none. */
struct raw_thread *raw_thread_new(struct raw_process *process, pid_t tid);
/* Makes the thread that raw_thread_new() returned count. */
void raw_thread_publish(struct raw_process *process);
/* By tid, so that raw_visit_new_threads() need not search them one by one. */
void raw_sort_threads(struct raw_process *process);

/*
 * Reads the numbers in /proc/PID/task; calls visit for each that is not known yet.  As all that is
 * done by threads (struct raw_capture), it allocates nothing but in the arena.
 */
typedef void raw_visit_fn(struct raw_capture *raw, struct raw_process *process, pid_t tid);
/* How many were new, or -errno. */
int raw_visit_new_threads(struct raw_capture *raw, struct raw_process *process,
			  raw_visit_fn *visit);

const struct capture_mapping *raw_mapping_at(const struct raw_process *process, uint64_t address);

/*
 * survey.c: all that can be read without stopping anybody.  First the threads, which nothing can
 * hold up (with by_thread, the processes' memory is opened too); then what needs the target's
 * memory-map lock, or looks behind its descriptors: called again after it got stuck, it goes on
 * behind that place.
 */
void survey_threads(struct raw_capture *raw);
void survey_memory(struct raw_capture *raw);
/* The part of it that fills in one thread; false when it is gone. */
bool survey_thread(struct raw_capture *raw, struct raw_process *process, struct raw_thread *thread);
void survey_mappings(struct raw_capture *raw, struct raw_process *process);

/*
 * hold.c: stop, copy, repair, let go; then the registers of whoever was not stopped, as far as
 * /proc shows them, and hold_copy(HOLD_COPY_SHOWN) for their memory.
 */
void hold(struct raw_capture *raw);
/* What is copied at a time, by the process that holds or, with by_thread, by raw->copier. */
enum {
	HOLD_PREPARE = 'p',    /* nothing yet: makes room */
	HOLD_COPY_HELD = 'h',  /* of threads that are held */
	HOLD_COPY_SHOWN = 's', /* of threads whose registers /proc has shown */
};
void hold_copy(void *raw, char what);

/* take.c: what is taken of one thread. */
void take_registers(struct raw_thread *thread);
/* share: how many bytes of its stack at the most. */
void take_memory(struct raw_capture *raw, const struct raw_process *process,
		 struct raw_thread *thread, uint64_t share);
uint64_t take_share(const struct raw_capture *raw);
/* About what all the copies will need. */
size_t take_expected_bytes(const struct raw_capture *raw);

/* verify.c: who has moved since the survey? */
void verify(struct raw_capture *raw);
/* Does the process run another program than the survey has seen? */
bool verify_program_changed(const struct raw_process *process);

/* look.c: the second look at threads that were running. */
void look(struct raw_capture *raw);
/* The same thread still, and on a CPU or ready for one? */
bool look_is_running(const struct raw_process *process, const struct capture_thread *facts);
/* Untouched where it is not. */
void look_at_use(const struct raw_process *process, const struct capture_thread *facts,
		 struct cpu_use *ret);
/*
 * Fills ran_ns and delay_ns.  False where the kernel does not say: without the figures it has no
 * such file, or shows zeroes.
 */
bool look_at_schedstat(const struct raw_process *process, pid_t tid, struct cpu_use *ret);

/* copy.c: the target's memory, by whatever way is open. */
struct copier {
	pid_t tid;
	int mem_fd;	    /* /proc/PID/mem, or -1 */
	bool lent;	    /* it is the caller's */
	bool no_process_vm; /* process_vm_readv is refused */
	bool stopped;	    /* PTRACE_PEEKDATA may be asked */
};
struct copy_range {
	uint64_t address;
	size_t length;
	char *to;
	size_t copied;
};
/* memory_fd: of its process, instead of all other ways; -1: none. */
void copier_init(struct copier *copier, pid_t tid, int memory_fd, bool stopped);
void copier_deinit(struct copier *copier);
/* Fills `copied` of each of the (at most 16) ranges; less than length where memory is not there. */
void copier_copy(struct copier *copier, struct copy_range *ranges, unsigned count);

/* restart.c: does the stop show in this call's result, and what hides it? */
bool restart_hides(long number, int64_t result, int seccomp, int64_t *ret_result);
/* Is it the result of a call that was woken from its sleep by the stop? */
bool restart_was_asleep(int64_t result);

/* clock.c: how long threads have slept.  Moves the caller from CPU to CPU. */
void clock_fill_slept(struct raw_capture *raw);

/* refusal.c */
struct error *refusal_explain(pid_t pid, int os_errno);

#endif
