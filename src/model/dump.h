/*
 * The dump: everything that a report is made of.  It owns all that hangs off it; every string in
 * it is in its pool.  Units: milliseconds, unless the name says otherwise.  -1 in a signed field
 * and NULL mean "not known"; where that is because something could not be read, `errors` says so.
 */
#ifndef HANGDUMP_MODEL_DUMP_H
#define HANGDUMP_MODEL_DUMP_H

#include "base/array.h"
#include "base/strpool.h"
#include "model/goroutine.h"
#include "model/stack.h"
#include "model/wait.h"

/*
 * What became of a thread between two dumps of one run.  Its place is its stack with its wait; what
 * hangdump's own stops cost it does not count as having run.
 */
enum progress {
	PROGRESS_NONE,	   /* there is one dump only */
	PROGRESS_STUCK,	   /* same place, and it did not run */
	PROGRESS_CYCLING,  /* same place, but it ran */
	PROGRESS_SPINNING, /* same place, and it burns CPU */
	PROGRESS_MOVED,
	PROGRESS_NEW,
	PROGRESS_GONE,
	PROGRESS_UNKNOWN, /* not to be told: something could not be read */
	PROGRESSES
};
extern const char *const progress_names[PROGRESSES]; /* NULL for PROGRESS_NONE */

/* A thread of the kernel's, or a goroutine, which has `goroutine` and few of the other facts. */
struct thread {
	pid_t tid;	  /* in our pid namespace; of a goroutine: whom it runs on, 0 for nobody */
	const char *name; /* as the kernel has it: may hold any byte */
	uint64_t start_time; /* clock ticks since boot */
	char state;	     /* as /proc said before the stop: R S D T t Z X I; 0 not known */
	int64_t cpu_user_ns, cpu_system_ns, cpu_total_ns; /* -1: not known */
	int64_t switches_voluntary, switches_involuntary; /* -1: not known */
	unsigned own_stops; /* switches that hangdump's own stops cost since those were read */
	/*
	 * In the same system call, with no switches but our own, in both readings of /proc: all
	 * that was read in between was read while it slept.
	 */
	bool steady;
	/*
	 * A second look at a thread that was running: how long after the first, and what it ran and
	 * waited for a CPU meanwhile.  look_ns 0: there was none.
	 */
	int64_t look_ns, look_cpu_ns, look_delay_ns;
	/* The innermost frame of `stack` that both looks have; stack.count: they have none. */
	size_t look_frame;
	enum progress progress; /* over the samples of which this dump is the last */
	struct wait wait;
	struct stack stack;
	struct goroutine *goroutine; /* owned; NULL: a thread of the kernel's */
};

/* What tells it from its like in its process: tid or goid. */
uint64_t thread_number(const struct thread *thread);
void thread_deinit(struct thread *thread);

/* Do the user's frames say little of why the thread is where it is? */
bool thread_wants_kernel_frames(const struct thread *thread);

struct module {
	const char *path;
	const char *build_id; /* lower-case hexadecimal, or NULL */
	uint64_t start, end;  /* the lowest and the highest mapped address */
};

/* A language's runtime that the process runs on. */
struct runtime {
	const char *name; /* "go" */
	const char *version;
};

struct process {
	pid_t pid;  /* 0: not known, as in a dump that Go has printed */
	pid_t ppid; /* -1: not known */
	const char *name;
	const char *executable;
	array(const char *) command;
	uint64_t start_time;	 /* clock ticks since boot */
	uint64_t pid_namespace;	 /* inode; 0 not known */
	int64_t running_ms;	 /* since it began */
	int64_t frozen_us;	 /* how long its threads were held; 0: not stopped; -1: not known */
	uint64_t signals_caught; /* bit n - 1: it has a handler for signal n */
	bool timers;		 /* it has POSIX timers that send signals */
	bool threads_missing;	 /* it may have more threads than these */
	array(struct thread) threads;
	array(struct module) modules;
	array(struct runtime) runtimes;
	array(struct thread) goroutines; /* each has `goroutine` */
};

/* Threads or goroutines of one process with the same stack, class and resource. */
struct group {
	size_t process;	       /* index into the dump's processes */
	bool of_goroutines;    /* members are of its goroutines, not of its threads */
	array(size_t) members; /* indexes into those, by tid or goid */
	enum wait_class class;
	int64_t since_min_ms, since_max_ms; /* -1: not known */
	bool idle;
};

enum finding_kind {
	FINDING_DEADLOCK,
	FINDING_SELF_DEADLOCK,
	FINDING_OWNER_EXITED,
	FINDING_BLOCKED_CHAIN,
	FINDING_SPINNING,
	FINDING_NO_PROGRESS,
	FINDING_LOST_WAKEUP,
	FINDING_KINDS
};
extern const char *const finding_kind_names[FINDING_KINDS];

struct finding {
	enum finding_kind kind;
	enum confidence confidence;
	const char *summary;
	unsigned doubts; /* FINDING_DOUBT_*: why it is not certain */
	array(struct thread_id) threads;
	size_t behind; /* threads beside these that cannot go on before they do */
	array(struct resource) resources;
	array(const char *) evidence; /* one sentence each: the facts that it rests on */
};

#define FINDING_DOUBT_MOVED   1	 /* a thread was not seen to stay where it was */
#define FINDING_DOUBT_TIMEOUT 2	 /* a wait ends by itself */
#define FINDING_DOUBT_SIGNAL  4	 /* a signal handler may end a wait */
#define FINDING_DOUBT_CLASS   8	 /* what a thread waits for is inferred */
#define FINDING_DOUBT_OWNER   16 /* an owner is inferred, or may not be the only one */
#define FINDING_DOUBT_OTHERS  32 /* it depends on threads of which such a thing is true */
#define FINDING_DOUBTS	      6
extern const char *const finding_doubt_names[FINDING_DOUBTS]; /* by bit number */

/* A process, or a thread of one, that owns what a dumped thread waits for, but was not dumped. */
struct neighbour {
	struct thread_id id;
	const char *name; /* as the kernel has it */
	char state;	  /* 0 not known */
	uint64_t start_time;
};

/* Something that could not be read, in its place: pid 0, tid 0 when about no process or thread. */
struct dump_error {
	pid_t pid, tid;
	const char *what;
	const char *why;
};

struct dump {
	struct strpool strings;
	const char *generator; /* "hangdump 0.1" */
	int64_t taken_at_ns;   /* since the epoch */
	const char *boot_id;
	uint64_t monotonic_ns;
	int64_t watched_ms; /* from the first of its samples to this one; 0: it is the only one */
	const char *host_name, *kernel, *arch;
	bool tree; /* it has all descendants of its processes, or an error for each that it lacks */
	/* Why it was made, in the words of the one who did: "panic: test timed out after 10m0s". */
	const char *occasion;
	array(struct process) processes;
	array(struct group) groups;
	array(struct finding) findings;
	array(struct neighbour) neighbours; /* sorted by id, each once */
	array(struct dump_error) errors;
};

void dump_init(struct dump *dump);
void dump_deinit(struct dump *dump);
void process_deinit(struct process *process);
void finding_deinit(struct finding *finding);

/* What a group's members are indexes into. */
const struct thread *group_threads_of(const struct dump *dump, const struct group *group);

/* Could everything be read, and every stack be walked to its end? */
bool dump_is_whole(const struct dump *dump);

void dump_add_error(struct dump *dump, pid_t pid, pid_t tid, const char *what,
		    const char *why_format, ...) __attribute__((format(printf, 5, 6)));

#endif
