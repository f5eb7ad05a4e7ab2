/*
 * What changed between two dumps.  Plain data, filled by the room diff; it points into both dumps,
 * which have to outlive it.
 */
#ifndef HANGDUMP_MODEL_DIFF_H
#define HANGDUMP_MODEL_DIFF_H

#include "model/dump.h"

/* Why nothing can be said of a thread. */
enum unknown_reason {
	UNKNOWN_NOT,
	UNKNOWN_BOTH,	    /* its stack and wait could be read in neither dump */
	UNKNOWN_ONE,	    /* ... in one of them only */
	UNKNOWN_LEFT_OUT,   /* it is in one dump only, and the other may not have all threads */
	UNKNOWN_NOT_DUMPED, /* its process is in one dump only, and may live all the same */
	UNKNOWN_COUNTERS,   /* same place, but what it ran is not known */
	UNKNOWN_NO_TIME,    /* the two dumps are of one moment */
	UNKNOWN_REASONS
};

/* A process that is in both dumps, or in one. */
struct process_diff {
	const struct process *old, *new; /* NULL: not in that dump */
	bool execed;			 /* it runs another program in the new dump */
};

struct thread_diff {
	/* PROGRESS_NONE in another run, where threads are not the same ones. */
	enum progress progress;
	enum unknown_reason why_unknown;
	bool waited_for; /* a thread of the new dump waits for it to act */
	size_t process;	 /* index into the diff's processes */
	const struct thread *old, *new;
	/* Between the dumps, less what hangdump's own stops cost; -1: not known. */
	int64_t cpu_ns, switches;
	size_t group;	  /* where it is, or was before it was gone */
	size_t old_group; /* where it was; SIZE_MAX: nowhere */
};

/*
 * Threads with the same class and the same functions, in files of the same name: without
 * addresses, builds, lines and pids.  In the same run, threads of one process.
 */
struct group_diff {
	/* One of them: of the new dump, if there it has any. */
	const struct process *process;
	const struct thread *thread;
	bool in_new;
	size_t before, after;
	size_t count[PROGRESSES]; /* of those that are there now, and of those that are gone */
	size_t left;		  /* that were there, and are elsewhere now */
	bool waited_for;	  /* a stuck one is */
	bool idle;		  /* all that are there wait for work by design, or have ended */
	array(size_t) members;	  /* indexes into the diff's threads: all of the above */
};

enum finding_change { FINDING_PERSISTS, FINDING_IS_NEW, FINDING_RESOLVED, FINDING_CHANGES };

struct finding_diff {
	enum finding_change change;
	const struct finding *old, *new; /* NULL: not in that dump */
};

/* What a leak check passes over, by fnmatch(3). */
enum ignore_kind {
	IGNORE_FUNCTION, /* any frame's function */
	IGNORE_TOP,	 /* that of stack_place() */
	IGNORE_MODULE,	 /* any frame's file: its name, or its path where the glob has a slash */
	IGNORE_NAME,	 /* the thread's name */
	IGNORE_KINDS
};
extern const char *const ignore_kind_names[IGNORE_KINDS];

struct ignore {
	enum ignore_kind kind;
	const char *glob;
	const char *source; /* who says that such threads are no leak */
	bool used;	    /* a thread of the new dump was passed over for it */
};

/* A group that has grown. */
struct leak {
	size_t group;
	size_t grown;	       /* by so many threads that are not ignored */
	array(size_t) members; /* indexes into the diff's threads: the new ones; else all */
};

struct diff {
	const struct dump *old, *new;
	bool same_run;	  /* else of another run: groups are compared, not threads */
	bool by_name;	  /* one of them is a text: the file that a function is in does not count */
	bool apart_known; /* both say when they were taken */
	int64_t apart_ns; /* from old to new; below 0: new is the older one */
	bool same_moment; /* they are one dump */
	array(struct process_diff) processes;
	array(struct thread_diff) threads;
	array(struct group_diff) groups;     /* in report order */
	array(struct finding_diff) findings; /* new ones, persisting ones, resolved ones */
	bool leaks_sought;
	array(struct leak) leaks;
};

void diff_deinit(struct diff *diff);

#endif
