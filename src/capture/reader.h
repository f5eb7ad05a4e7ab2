/*
 * A capture: the raw facts of processes at one moment, as plain data.  The stages after it read
 * this header only; they never see how a capture is made.  Nothing here is interpreted, and no
 * size, count or string in it can be trusted beyond what is said here.
 *
 * Lifetime: until capture_free(); strings and byte ranges are the capture's.
 */
#ifndef HANGDUMP_CAPTURE_READER_H
#define HANGDUMP_CAPTURE_READER_H

#include "base/array.h"
#include "base/deadline.h"
#include "base/strpool.h"
#include "capture/memory.h"
#include "model/stack.h"
#include "model/wait.h"

#include <sys/types.h>

/* General registers by their DWARF numbers (System V psABI for x86-64, figure 3.36). */
enum {
	DWARF_RAX = 0,
	DWARF_RDX = 1,
	DWARF_RCX = 2,
	DWARF_RBX = 3,
	DWARF_RSI = 4,
	DWARF_RDI = 5,
	DWARF_RBP = 6,
	DWARF_RSP = 7,
	DWARF_R8 = 8,
	DWARF_R9 = 9,
	DWARF_R10 = 10,
	DWARF_R11 = 11,
	DWARF_R12 = 12,
	DWARF_R13 = 13,
	DWARF_R14 = 14,
	DWARF_R15 = 15,
	DWARF_RIP = 16,
	DWARF_COUNT = 17
};

struct registers {
	uint64_t value[DWARF_COUNT];
	uint32_t valid; /* bit n: value[n] is known */
};

enum registers_from {
	REGISTERS_NONE,		/* the thread was running and could not be stopped, or is gone */
	REGISTERS_STOPPED,	/* all of them, from the stopped thread */
	REGISTERS_SYSCALL_FILE, /* pc and sp of a thread that slept and was not stopped */
};

/* What became of the attempt to stop a thread. */
enum stop_result {
	STOP_NOT_TRIED, /* --no-stop */
	STOP_DONE,
	STOP_REFUSED,	/* PTRACE_SEIZE failed: stop_errno */
	STOP_TIMED_OUT, /* it did not stop in its share of the time (vfork parent, D state) */
	STOP_GONE,	/* it ended meanwhile */
};

enum syscall_state {
	SYSCALL_UNREADABLE,
	SYSCALL_RUNNING, /* on a CPU or ready for one: the kernel says no more */
	SYSCALL_NONE,	 /* asleep, but not in a system call (page fault, stopped in user code) */
	SYSCALL_INSIDE,
};

struct raw_syscall {
	enum syscall_state state;
	long number;	       /* as the kernel shows it: may be 219, restart_syscall */
	uint64_t arguments[6]; /* ints come sign-extended to 64 bits */
	uint64_t sp, pc;
};

/* How a walk over a thread's stack ended.  The words for each are unwind's. */
enum walk_end {
	WALK_NOT_MADE,
	WALK_FIRST_FRAME, /* the thread's first frame: the stack is whole */
	WALK_NO_REGISTERS,
	WALK_NO_INFORMATION, /* address: of the code that has none */
	WALK_NO_RETURN,	     /* address: of the code whose information leads nowhere */
	WALK_NO_MEMORY,	     /* address: of the stack word that was not captured */
	WALK_NO_CODE,	     /* address: not code, and nothing on the stack says who called it */
	WALK_RETURN_ZERO,    /* address: of the code, which is no known first function */
	WALK_NOT_GROWING,    /* address: of the code; its caller's frame would be further in */
	WALK_REPEATS,	     /* address: of the code; the same frame came twice */
	WALK_STACK_SWITCH,   /* address: of the code, whose caller is on another stack */
	WALK_LIMIT,	     /* the absolute limit of frames */
	WALK_DEADLINE,
	WALK_ENDS
};

/* A frame as a walk finds it; see struct frame in model/stack.h. */
struct walk_frame {
	uint64_t pc, lookup_pc, cfa;
	enum frame_kind kind;
	enum found_by found_by;
	bool doubtful;
};

/*
 * A stack that was walked while its thread was held, because its memory could not be copied.  It
 * has no pointers: it may lie in memory shared between processes.
 */
enum { HELD_FRAMES = 256 };
struct held_walk {
	enum walk_end end; /* WALK_NOT_MADE: there is none */
	uint64_t end_address;
	uint32_t count, omitted;
	struct walk_frame frames[HELD_FRAMES];
};

/*
 * Walks stacks while their threads are held.  Capture calls it through this table, in its tracer
 * process, because it may not know who walks.
 */
struct capture_process;
struct held_walker_ops {
	/*
	 * Before anything is stopped: opens the object files, which takes its time.  `process` needs
	 * its pids and its mappings, and no memory of its own; it gets sources.  It and the walker
	 * live until the tracer ends.
	 */
	void *(*prepare)(struct capture_process *process, struct deadline deadline);
	/* tid is a thread of the process that is in a ptrace stop of the caller's. */
	void (*walk)(void *walker, pid_t tid, struct deadline deadline, struct held_walk *ret);
};

/*
 * What a running thread has used by a moment: /proc/PID/task/TID/schedstat, whose figures the
 * kernel brings up to date when it switches threads or its clock ticks, and status.
 */
struct cpu_use {
	uint64_t at_ns;		  /* CLOCK_MONOTONIC; 0: not looked at, or not running */
	int64_t ran_ns, delay_ns; /* on CPUs; ready, but without one; -1 not known */
	int64_t rests;		  /* how often it gave its CPU away to sleep; -1 not known */
};

struct capture_thread {
	pid_t tid;    /* in our pid namespace */
	pid_t ns_tid; /* in the target's own; 0 not known */
	const char *name;
	/* Read from /proc before the stop, because the stop changes them. */
	char state;	     /* 0: not known */
	uint64_t flags;	     /* PF_*, from stat field 9 */
	uint64_t start_time; /* clock ticks since boot */
	int processor;	     /* where it last ran; -1 not known */
	int64_t cpu_user_ns, cpu_system_ns, cpu_total_ns;
	int64_t switches_voluntary, switches_involuntary;
	int64_t slept_ms;	  /* since it last ran; -1 not known */
	uint64_t signals_pending; /* SigPnd | ShdPnd */
	int seccomp;		  /* the Seccomp: field; 0 none */
	pid_t tracer;		  /* who traced it before us; 0 none */
	struct raw_syscall syscall;
	const char *wait_channel; /* NULL: not known; "0" none */
	const char *kernel_stack; /* the file's text, or NULL: not readable */
	/* Of the moment of the stop. */
	enum stop_result stop;
	int stop_errno;
	enum registers_from registers_from;
	struct registers registers;
	uint64_t fs_base; /* the thread control block; 0 not known */
	bool in_syscall;  /* at the stop: orig_rax said so */
	long stopped_syscall;
	int64_t stopped_result; /* rax at the stop, in a system call: -ERESTART..., or a short count */
	bool repaired;		/* an EINTR that the stop would have caused was hidden */
	unsigned own_stops;	/* context switches that our stop cost it */
	struct held_walk *held; /* NULL: its stack is in the captured memory */
	/* From /proc, after the release. */
	bool steady; /* see struct thread in model/dump.h */
	/* Of a thread that was running in both readings of /proc, before the stop and after it. */
	struct cpu_use use;
	bool ended; /* gone by then */
};

struct capture_mapping {
	uint64_t start, end, offset;
	bool readable, writable, executable, shared;
	unsigned device_major, device_minor;
	uint64_t inode;
	const char *path; /* as maps shows it, "" for none; " (deleted)" split off */
	bool deleted;
};

/* Something that could not be read. */
struct capture_error {
	pid_t tid; /* 0: the process */
	const char *what;
	const char *why;
};

struct capture_descriptor {
	int fd;
	const char *target; /* the link: "pipe:[123]", "/dev/null", "socket:[9]" */
	const char *info;   /* text of fdinfo, or NULL */
	unsigned mode;	    /* st_mode of what it refers to; 0 not known */
	uint64_t device, inode;
};

/* A process of the system, dumped or not: /proc/PID/stat and status. */
struct capture_neighbour {
	pid_t pid, ppid;
	pid_t ns_pid;		/* in its own pid namespace; 0 not known */
	uint64_t pid_namespace; /* inode; 0 not known */
	const char *name;
	char state;
	uint64_t start_time;
	bool ends_unread; /* its descriptors may not be looked at, or were not in time */
};

/* One end of a pipe, FIFO, socket or other file that a dumped thread waits on. */
struct capture_end {
	uint64_t device, inode; /* as of the capture_descriptor that it was looked for */
	pid_t pid;
	int fd;
	bool reads, writes; /* how it was opened */
};

enum socket_family { SOCKET_UNIX, SOCKET_TCP, SOCKET_UDP };

/* A socket of the target's network namespace. */
struct capture_socket {
	uint64_t inode;
	enum socket_family family;
	const char *state; /* "ESTABLISHED", "LISTEN", ... */
	const char *local,
		*peer; /* "127.0.0.1:5432", "[::1]:80", "/run/x.sock", "@abstract"; NULL: none */
	uint64_t peer_inode; /* of the other end, when it is of this machine; 0 not known */
	uint32_t receive_queue, send_queue; /* bytes; of a listener: connections, and at most */
};

/* A line of /proc/locks. */
struct capture_file_lock {
	unsigned id;	  /* waiters have that of the lock that they wait behind */
	bool waits;	  /* "->" */
	const char *kind; /* "FLOCK", "POSIX", "OFDLCK", "LEASE", ... */
	bool writes;
	pid_t pid; /* as the file says; 0 and -1: not known */
	unsigned device_major, device_minor;
	uint64_t inode, start, end; /* end UINT64_MAX: EOF */
};

/* What was looked at beside the dumped processes, because one of their waits needed it. */
struct capture_surroundings {
	array(struct capture_neighbour) processes;  /* by pid, ascending */
	array(struct capture_end) ends;		    /* by inode, then device, then pid */
	array(struct capture_socket) sockets;	    /* by inode */
	array(struct capture_file_lock) file_locks; /* in the file's order */
	bool looked_at_processes, looked_at_ends, looked_at_sockets, looked_at_file_locks;
	/* Some processes' descriptors, or some sockets, could not be seen. */
	size_t ends_unread;
};

struct capture_process {
	pid_t pid;	/* thread group leader, in our pid namespace */
	pid_t live_tid; /* a thread through which /proc can be read though the leader be a zombie */
	pid_t ppid;
	const char *name;
	const char *executable; /* NULL not known */
	bool executable_deleted;
	const char *command; /* argv as in /proc/PID/cmdline, NUL-separated */
	size_t command_length;
	uint64_t start_time;
	uint64_t pid_namespace;
	bool frozen_cgroup;
	uint64_t signals_caught; /* SigCgt; bit n - 1: signal n */
	bool timers;		 /* it has POSIX timers that send signals */
	bool replaced;		 /* it executed another program meanwhile */
	bool bulk_copy_refused;	 /* its memory can be had word by word only, while it is held */
	int64_t frozen_us;
	pid_t tracer;
	array(struct capture_thread) threads;	      /* by tid, ascending */
	array(struct capture_mapping) mappings;	      /* by address, ascending, not overlapping */
	array(struct capture_descriptor) descriptors; /* only those that a wait names; by fd */
	array(struct capture_error) errors;
	struct memory memory;
	void *maker; /* the maker's own: the captured segments */
};

struct capture {
	struct strpool strings;
	int64_t taken_at_ns; /* CLOCK_REALTIME */
	uint64_t monotonic_ns, boottime_ns;
	const char *boot_id;
	const char *host_name, *kernel, *arch;
	array(struct capture_process) processes;
	struct capture_surroundings surroundings;
	array(struct capture_error) errors; /* about no process in particular */
	void *maker;			    /* the maker's own */
};

void capture_free(struct capture *capture);

/* The mapping that holds address, or NULL. */
const struct capture_mapping *capture_mapping_at(const struct capture_process *process,
						 uint64_t address);
/* NULL when there is no such thread. */
const struct capture_thread *capture_thread_by_tid(const struct capture_process *process,
						   pid_t tid);
/* The process with this id in our pid namespace, or NULL; the same for one end's socket. */
const struct capture_neighbour *capture_neighbour_of(const struct capture *capture, pid_t pid);
const struct capture_socket *capture_socket_of(const struct capture *capture, uint64_t inode);
const struct capture_descriptor *capture_descriptor_of(const struct capture_process *process,
						       int fd);

#endif
