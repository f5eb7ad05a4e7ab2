/*
 * Runs a command under a time limit, and ends it with everything that it has started.
 *
 * Two processes of ours guard each other.  The *front* is the one that our caller started and
 * knows: it has the clocks, takes the signals, decides, and ends with the status.  The
 * *supervisor*, its child, is the parent of the command and the ancestor of whatever that starts,
 * daemons too (PR_SET_CHILD_SUBREAPER), which is what lets it attach under Yama's scope 1.  It
 * waits for the command, and makes the dumps.  It has a process group of its own: a caller that
 * kills the front with its group leaves the supervisor, which then kills the tree.  The front kills
 * a supervisor that is stuck, and ends the tree itself.
 *
 * This room knows nothing of dumps: it calls back when it is time for one.
 */
#ifndef HANGDUMP_LAUNCH_LAUNCH_H
#define HANGDUMP_LAUNCH_LAUNCH_H

#include "base/deadline.h"
#include "base/error.h"
#include "base/relatives.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What becomes of processes that outlive the command, when it has ended by itself. */
enum leftovers {
	LEFTOVERS_REPORT, /* they are named, and live on */
	LEFTOVERS_IGNORE,
	LEFTOVERS_KILL, /* named and ended */
	LEFTOVERS_FAIL, /* likewise, and launch_result.leftovers tells */
};

struct launch_options {
	char **command; /* its words, NULL-terminated; found as execvp(3) does */

	/* All times in milliseconds; 0: no limit, or never. */
	uint64_t timeout_ms;
	uint64_t idle_timeout_ms; /* neither CPU time used nor anything written for so long */
	uint64_t kill_after_ms;	  /* from the signal to SIGKILL */

	/* How long a dump may take before its maker is killed. */
	uint64_t dump_budget_ms;   /* of LAUNCH_EXPIRED, LAUNCH_IDLE and LAUNCH_ASKED */
	uint64_t signal_budget_ms; /* of LAUNCH_SIGNALLED; 0: no dump at all then */

	int signal;	 /* what the tree gets when the time is over */
	bool foreground; /* the command stays in our process group; it alone gets signals */
	enum leftovers leftovers;
};
#define LAUNCH_OPTIONS_DEFAULT                                                                     \
	((struct launch_options){.kill_after_ms = 5000,                                            \
				 .dump_budget_ms = 10000,                                          \
				 .signal_budget_ms = 5000,                                         \
				 .signal = SIGTERM})

/* Why there is to be a dump. */
enum launch_reason {
	LAUNCH_EXPIRED,	  /* the time is over */
	LAUNCH_IDLE,	  /* nothing has happened for idle_timeout_ms */
	LAUNCH_SIGNALLED, /* somebody ends us: TERM, INT, HUP or QUIT */
	LAUNCH_ASKED,	  /* SIGUSR1: a dump, and on it goes */
};

struct launch_event {
	enum launch_reason reason;
	int signal;	     /* of LAUNCH_SIGNALLED, else 0 */
	pid_t command;	     /* may have ended meanwhile */
	const pid_t *tree;   /* it, and all its living descendants, parents first */
	size_t count;	     /* may be 0 */
	uint64_t elapsed_ms; /* since the command was started, without the time it was suspended */
	uint64_t limit_ms;   /* LAUNCH_EXPIRED and LAUNCH_IDLE: what was exceeded, else 0 */
	struct deadline budget; /* the maker is killed soon after */
};

/* What is worth a line to the user.  `pid` and `name` are of the process that it is about. */
enum launch_notice {
	LAUNCH_SENDING,	    /* `signal` goes to the command (pid, name) and all it has started */
	LAUNCH_DUMP_FAILED, /* the maker was killed, or died: it was stuck past its budget */
	LAUNCH_NO_DUMP,	    /* it is time for one, and no thread could be made to make it in */
	LAUNCH_UNKILLABLE,  /* it is still there after SIGKILL */
	LAUNCH_TRACED,	    /* the time is over, but a debugger (pid, name) has the command */
};

struct launch_ops {
	/*
	 * Makes the dump.  Called in the supervisor, in a thread of its own that can be killed at
	 * any moment with its whole process: nothing that it does is seen by the caller of
	 * launch_run() but through files.  TERM, INT and their like are blocked in it.
	 */
	void (*dump)(void *context, const struct launch_event *event);
	/* Called in the front, which nothing may block: it has to return within moments. */
	void (*notice)(void *context, enum launch_notice notice, int signal, pid_t pid,
		       const char *name);
	/* These outlive the command.  Called once, in the front too. */
	void (*leftovers)(void *context, const struct relative *processes, size_t count);
};

struct launch_result {
	int status;	    /* the command's, as of wait(2) */
	bool timed_out;	    /* the time was over, or nothing happened for too long */
	unsigned leftovers; /* how many outlived the command */
};

/*
 * Returns when the command has ended, and the tree too where it was to be ended.  Standard input
 * and output are the command's alone from then on: ours are /dev/null.  Signals stay blocked as
 * they are in here, so that none comes between the result and the end of the program.
 *
 * Errors: ERROR_NOT_RUNNABLE, whose os_errno is execvp()'s; ERROR_INTERNAL.  Leaves no child.
 */
struct error *launch_run(const struct launch_options *options, const struct launch_ops *ops,
			 void *context, struct launch_result *ret);

/* "TERM", "SIGTERM", "15", "RTMIN+1"; 0 when there is no such signal. */
int launch_signal_parse(const char *word);
/* "TERM", "RTMIN+1"; static, or of a buffer that the next call overwrites. */
const char *launch_signal_name(int signal_number);

#endif
