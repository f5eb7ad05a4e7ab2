/* The lines of our own report, one by one: the inverse of the render room's. */
#ifndef HANGDUMP_PARSE_REPORT_LINES_H
#define HANGDUMP_PARSE_REPORT_LINES_H

#include "parse/draft.h"

/* "process 42 (bank), 14 threads, held for 1.8 ms, 3 goroutines, partial: ..." */
struct process_line {
	uint64_t pid; /* 0: not said */
	struct piece name;
	uint64_t threads, goroutines;
	int64_t frozen_us; /* -1: not known */
	bool is_partial;
};
bool process_line_parse(struct piece line, struct process_line *ret);

/* What follows "hangdump: " in the first line, where it is one of a report. */
struct head_line {
	struct piece prefix; /* what stands before it in the line */
	bool has_process;    /* it is that of its only process */
	struct process_line process;
	uint64_t processes, threads, goroutines; /* of several; or of a brief report */
	struct piece occasion; /* "time limit of 10 s": before the counts of a brief report */
	bool is_partial;
};
bool head_line_parse(struct piece line, struct head_line *ret);

/* "10 threads [mutex lock, 5 minutes]: 4245-4254 "worker"" */
struct group_line {
	struct piece prefix;
	uint64_t count;
	bool of_goroutines;
	struct piece state;   /* in the brackets */
	struct piece members; /* after them */
};
bool group_line_parse(struct piece line, struct group_line *ret);

/*
 * Fills what the brackets say into a wait that all members have; range: where they differ.  False
 * where a part means nothing.
 */
struct state_line {
	struct wait wait; /* its owners are none */
	bool locked_to_thread;
	const char *bubble;
	int64_t since_min_ms, since_max_ms;
	enum progress progress;
};
bool state_line_parse(struct draft *draft, struct piece state, bool of_goroutine,
		      struct state_line *ret);

/* Takes the next of "4245-4254, 4300 and 2 more "worker-1".."worker-9"; 4301 "io"". */
struct members_part {
	uint64_t first, last; /* ids; 0: `more` without one */
	uint64_t more;
};
bool members_take_ids(struct piece *members, struct members_part *ret);
/* After the ids of an entry: its name, "worker-*" for several; NULL: none. */
const char *members_take_name(struct draft *draft, struct piece *members);

/* "on mutex current (bank.c:11) at 0x5581, held by thread 42 (io)".  False: it is no such line. */
bool waiting_line_parse(struct draft *draft, struct piece line, pid_t home, struct wait *ret);

/* "thread 4243 (transfer-1) of process 3 (x)", from the front: what it is, and its name. */
bool thread_id_take(struct piece *piece, pid_t home, struct thread_id *ret, struct piece *ret_name);

#endif
