/* Private to this room: the process that our caller knows, and what it decides.  See launch.h. */
#ifndef HANGDUMP_LAUNCH_FRONT_H
#define HANGDUMP_LAUNCH_FRONT_H

#include "base/array.h"
#include "launch/idle.h"
#include "launch/launch.h"
#include "launch/signals.h"
#include "launch/tree.h"

enum stage {
	STAGE_RUNNING,
	STAGE_LINGERING, /* the command has ended by itself; who outlives it? */
	STAGE_SIGNALLED, /* the tree has its signal, and some time */
	STAGE_KILLED,	 /* again and again */
	STAGE_OVER,
};

struct front {
	const struct launch_options *options;
	const struct launch_ops *ops;
	void *context;
	bool foreground; /* the command is in our group */
	struct inherited_signals inherited;
	int signals;	     /* signalfd */
	int link;	     /* to the supervisor */
	int watched;	     /* pidfd of the command; -1: it has ended */
	pid_t supervisor;    /* 0: it is no more, and we have inherited the tree */
	struct tree tree;    /* its command is 0 until it is started */
	array(pid_t) others; /* children that we had before */

	enum stage stage;
	bool ended; /* the command; `status` is its own */
	int status;
	int start_errno;
	bool lost; /* somebody ended the supervisor before the command's end */
	bool timed_out;
	int ended_by;	      /* the signal with which somebody ends us; 0: none */
	struct deadline echo; /* until then the same signal again says nothing new */
	unsigned leftovers;

	uint64_t started_ns, paused_ns;
	struct deadline limit;
	struct idle idle;
	struct deadline grace; /* of all stages but RUNNING */
	struct deadline look;  /* at what is left of the tree; no time: not yet */
	uint64_t look_ms;
	struct deadline word; /* of the supervisor, about the command's end */
	struct deadline wake; /* of the supervisor, until it tells of the command's start */

	int dump; /* number of the order that is being made; 0: none */
	int orders;
	struct deadline dump_limit;

	bool stopped;	  /* the command, by a signal */
	bool hung_up;	  /* it has had its SIGHUP: see job_stopped() */
	bool suspending;  /* we have passed SIGTSTP on */
	bool handed_over; /* the terminal is the command's */
};

/* Until all is over. */
void front_watch(struct front *front);
/* The supervisor is dead or as good as that: ends it and takes its place as an ancestor. */
void front_inherit(struct front *front);

/* Before a word is wanted of the supervisor: somebody may have stopped it. */
void front_wake(const struct front *front);

/* Children of ours that have ended: the supervisor, and what we inherit. */
void front_reap(struct front *front);

/* SIGTSTP was sent to us. */
void job_stop(struct front *front);
/* SIGCONT was. */
void job_continue(struct front *front);
/* The command was stopped by this signal. */
void job_stopped(struct front *front, int signal_number);

#endif
