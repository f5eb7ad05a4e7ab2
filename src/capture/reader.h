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
	bool own_files; /* its descriptors are not those of the process, which alone are known */
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

/*
 * A line of /proc/locks, or what a waiter asks for as its line would have it: then inode may be 0
 * and start CAPTURE_LOCK_ANYWHERE, where that is not known.
 */
#define CAPTURE_LOCK_ANYWHERE UINT64_MAX
struct capture_file_lock {
	unsigned id;	  /* waiters have that of the lock that they wait behind */
	bool waits;	  /* "->" */
	const char *kind; /* "FLOCK", "POSIX", "OFDLCK", "LEASE", ... */
	bool writes;
	pid_t pid; /* who asked for it, as the file says; -1: nobody's (OFD); 0: not known */
	unsigned device_major, device_minor;
	uint64_t inode, start, end; /* end UINT64_MAX: EOF */
};

/*
 * What must be known beyond a process to tell who could end a wait of one of its threads.  Which
 * call needs what is for classify to say: see capture_needs_fn in capture/capture.h.
 */
enum capture_need_kind {
	NEED_FILE,    /* the file behind `fd`: a socket's facts; who has the other ends */
	NEED_WATCHED, /* the same of one of several that are waited on together */
	NEED_NAMED, /* of the NEED_FILE before it, a unix socket: whoever has the address `name` */
	NEED_FILE_LOCK, /* the lock that is in this thread's way, and who holds it */
	NEED_CHILDREN,	/* the process table */
	NEED_VFORK,	/* the process table, and which child runs in its parent's memory */
	NEED_SEMAPHORE, /* System V: `id`, `number` */
};
enum { CAPTURE_NAME_MOST = 108, CAPTURE_NEEDS_MOST = 80, CAPTURE_WATCHED_MOST = 64 };
struct capture_need {
	enum capture_need_kind kind;
	int fd;
	int id;
	unsigned number;
	struct capture_file_lock lock; /* NEED_FILE_LOCK: what its waiter asks for */
	char name[CAPTURE_NAME_MOST];  /* sun_path: abstract when it begins with a NUL */
	size_t name_length;
};

/* A process of the system, dumped or not: /proc/PID/stat, and status for some. */
struct capture_neighbour {
	pid_t pid, ppid, group, session; /* in our pid namespace */
	const char *name;
	char state;
	uint64_t start_time;
	bool kernel_thread;
	unsigned threads;
	int exit_signal;      /* what its end sends to its parent; -1 not known */
	bool shares_memory;   /* it runs in its parent's memory still: a vfork child */
	bool ends_unread;     /* its descriptors may not be looked at, were not in time, or moved */
	pid_t tracer;	      /* of its main thread; 0 none, or not looked at */
	unsigned level_count; /* 0: status was not looked at */
	/* Its ids, and its process group's, from our pid namespace down to its own. */
	const pid_t *ids, *groups;
};

enum capture_end_kind { END_OTHER, END_PIPE, END_FIFO, END_SOCKET, END_EVENTFD };

/* One end of a file that a dumped thread waits on. */
struct capture_end {
	enum capture_end_kind kind;
	uint64_t device; /* st_dev of a FIFO, else 0 */
	uint64_t inode;	 /* of an eventfd: eventfd-id */
	pid_t pid;
	int fd;
	bool reads, writes; /* how it was opened */
};

enum socket_family { SOCKET_UNIX, SOCKET_TCP, SOCKET_UDP };

/* How one socket leads to another. */
enum socket_link {
	SOCKET_LINK_NONE,     /* not known, or not of this network namespace */
	SOCKET_LINK_PEER,     /* connected */
	SOCKET_LINK_PENDING,  /* connected, but the listener has yet to accept it */
	SOCKET_LINK_LISTENER, /* connecting to it: its backlog is full */
	SOCKET_LINK_NAMED,    /* sending to it, by its name */
};

/* A socket of the target's network namespace that a wait needed, or the one that it leads to. */
struct capture_socket {
	uint64_t inode;
	enum socket_family family;
	int type;	   /* SOCK_STREAM, ... */
	const char *state; /* "ESTABLISHED", "LISTEN", ... */
	/* "127.0.0.1:5432", "[::1]:80", "/run/x.sock", "@abstract"; NULL: none */
	const char *local, *peer;
	enum socket_link link;
	bool link_by_path;   /* NAMED or LISTENER: a file may have changed its name since */
	uint64_t peer_inode; /* of the socket that it leads to; 0 none */
	/* Bytes; -1 not known.  Of a listener: connections that wait, and at most. */
	int64_t receive_queue, send_queue;
	bool retransmits;   /* TCP: what was sent is not acknowledged */
	bool window_closed; /* TCP: the other end has no room */
};

/* A process that has a flock or OFD lock's open file: the lock lives as long as any has it. */
struct capture_lock_holder {
	unsigned id; /* of the capture_file_lock */
	pid_t pid;
	int fd;
};

/* A System V semaphore, as the IPC namespace of a dumped process has it. */
struct capture_semaphore {
	pid_t pid; /* the dumped process */
	int id;
	unsigned number;
	int value;
	pid_t last; /* who changed it last; 0 nobody, or not to be seen from here */
	int waits_to_take, waits_for_zero; /* GETNCNT, GETZCNT */
};

/*
 * What was looked at beside the dumped processes, because one of their waits needed it.
 *
 * `ends` has each descriptor that was seen in each process's file table, as its main thread has it;
 * not looked at are threads that have unshared theirs, descriptors on their way through a unix
 * socket, files registered with an io_uring, and what the kernel itself has open.
 */
struct capture_surroundings {
	array(struct capture_neighbour) processes;  /* by pid, ascending */
	array(struct capture_end) ends;		    /* by kind, inode, device, pid, fd */
	array(struct capture_socket) sockets;	    /* by inode */
	array(struct capture_file_lock) file_locks; /* those that somebody waits behind; by id */
	array(struct capture_lock_holder) lock_holders; /* by id, then pid */
	array(struct capture_semaphore) semaphores;	/* by pid, id, number */
	/* The look was finished; else what is there may not be all. */
	bool looked_at_processes, looked_at_ends, looked_at_sockets, looked_at_file_locks;
	size_t ends_unread; /* processes with ends_unread, or born meanwhile */
	bool hidden;	    /* /proc does not show the processes of other users */
	bool contained;	    /* we are in a pid namespace: there are processes outside of it */
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
	/* It has POSIX timers that send signals; alarm(2) and setitimer(2) are not to be seen. */
	bool timers;
	bool threads_missing;	/* it has more threads than are here */
	bool replaced;		/* it executed another program meanwhile */
	bool bulk_copy_refused; /* its memory can be had word by word only, while it is held */
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
	struct finder *finder;		    /* capture_find_thread's; NULL: the dumped are all */
};

void capture_free(struct capture *capture);

/* The mapping that holds address, or NULL. */
const struct capture_mapping *capture_mapping_at(const struct capture_process *process,
						 uint64_t address);
/* NULL when there is no such thread. */
const struct capture_thread *capture_thread_by_tid(const struct capture_process *process,
						   pid_t tid);
/* The process with this id in our pid namespace, or NULL: it was not looked at, or is not there. */
const struct capture_neighbour *capture_neighbour_of(const struct capture *capture, pid_t pid);
const struct capture_socket *capture_socket_of(const struct capture *capture, uint64_t inode);
/* The ends of one file, as a part of surroundings.ends; returns how many. */
size_t capture_ends_of(const struct capture *capture, enum capture_end_kind kind, uint64_t device,
		       uint64_t inode, const struct capture_end **ret);

/*
 * Which living thread has this id in the process's pid namespace?  The dumped ones are asked first,
 * then /proc, as it is now, through a helper process, until the capture's deadline; an answer once
 * given stays.  capture_neighbour_of() knows the process afterwards.  *ret_known: the answer, no
 * included, is sure; else there may be such a thread.  *ret is untouched where there is none.
 *
 * The id is looked up where `process` lives: what another pid namespace wrote into memory shared
 * with it means something else, and nothing tells.
 */
bool capture_find_thread(const struct capture *capture, const struct capture_process *process,
			 pid_t ns_tid, struct thread_id *ret, bool *ret_known);
/* May this line be that request's?  Nothing else is by chance where all of the request is known. */
bool capture_is_line_of(const struct capture_file_lock *line,
			const struct capture_file_lock *request);
const struct capture_descriptor *capture_descriptor_of(const struct capture_process *process,
						       int fd);

#endif
