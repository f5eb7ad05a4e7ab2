/*
 * Inside the classify room: one thread under examination, and what every family of waits needs to
 * examine it.  Nothing read from the target is trusted: every read may fail, every count is capped.
 */
#ifndef HANGDUMP_CLASSIFY_SUBJECT_H
#define HANGDUMP_CLASSIFY_SUBJECT_H

#include "classify/classify.h"
#include "classify/syscall_table.h"

struct subject {
	const struct classify_context *context;
	struct capture_process *process;
	struct classify_memo *memo;
	const struct capture_thread *thread;
	const struct stack *stack;
	struct wait *wait;
	bool *read_live;	       /* set by a read of memory that is newer than the wait */
	const struct syscall_row *row; /* of the call that it is in; NULL: in none */
	bool restarted;	 /* the kernel showed restart_syscall: relative timeouts began earlier */
	uint64_t sp, pc; /* of the system call; 0 not known */
};

void subject_decide(struct subject *subject, enum wait_class class, enum confidence confidence,
		    const char *rule);
/* A later doubt: `certain` becomes `likely`, never the other way round. */
void subject_doubt(struct subject *subject);
const char *subject_printf(struct subject *subject, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The words that are not NULL, with commas; NULL when all are.  In the pool. */
const char *subject_list(struct subject *subject, const char *const *words, size_t count);
/* The name of the variable at address, or NULL. */
const char *subject_name_data(const struct subject *subject, uint64_t address);
/* The resource at an address in the target's memory, named when the variable has a name. */
void subject_set_object(struct subject *subject, const char *kind, uint64_t address);
/* The thread of the target that has this id in the target's own pid namespace, or NULL. */
const struct capture_thread *subject_thread_by_ns_tid(const struct subject *subject, uint32_t tid);
/* The thread whose control block holds the address (at fs_base + less than size), or NULL. */
const struct capture_thread *subject_thread_by_tcb(const struct subject *subject, uint64_t address,
						   uint64_t size);

/* What the thread has at this descriptor, or NULL. */
const struct capture_descriptor *subject_descriptor(const struct subject *subject, int fd);

bool subject_read(const struct subject *subject, uint64_t address, void *buf, size_t n);
bool subject_read_u32(const struct subject *subject, uint64_t address, uint32_t *ret);
/* The NUL-terminated string at address, cut at 4095 bytes, in the pool; NULL: not readable. */
const char *subject_read_string(const struct subject *subject, uint64_t address);
/*
 * Up to n bytes of the thread's own stack from its stack pointer upwards; returns how many.  Reads
 * in pieces, because the end of what is known may come earlier.
 */
size_t subject_read_stack(const struct subject *subject, void *buf, size_t n);

/* The argument of the call, as an int that the kernel takes: the upper half is noise. */
static inline int32_t argument_int(const struct subject *subject, unsigned i)
{
	return (int32_t)subject->wait->syscall.arguments[i];
}
static inline uint64_t argument(const struct subject *subject, unsigned i)
{
	return subject->wait->syscall.arguments[i];
}

/*
 * Is the thread, by its kernel stack or its wait channel, asleep in or under this function of the
 * kernel?  A trailing '*' matches any ending.
 */
bool subject_in_kernel(const struct subject *subject, const char *function);

/* The kernel's own codes for a call that a signal or a stop interrupted: include/linux/errno.h. */
bool was_interrupted(int64_t result);

/* The last part of a path. */
const char *path_base(const char *path);

/* states.c: states that are no waits of the thread's own; true when one of them decides. */
bool classify_state(struct subject *subject);
/* states.c: what the kernel's own functions say against or beyond the system call. */
bool classify_kernel(struct subject *subject);
/* states.c: asleep outside of a system call. */
void classify_fault(struct subject *subject);

/* restart.c: the call behind restart_syscall, or `number` itself. */
long classify_restarted_number(const struct subject *subject, long number);

/* time.c: fills wait.timeout_ms and wait.limited. */
void classify_time(struct subject *subject);

/* place.c: where a resource in memory is, said when it has no name. */
void classify_place(struct subject *subject);
/* place.c: the thread in the used part of whose stack the address lies, or NULL. */
const struct capture_thread *place_thread_of_stack(const struct subject *subject, uint64_t address);
/* place.c: a heap of one of malloc's arenas beside the main one. */
bool place_is_arena(const struct capture_process *process, const struct capture_mapping *mapping);

/* idle.c: fills wait.idle. */
void classify_idle(struct subject *subject);

/* The families of system calls: see syscall_table.h. */
void classify_futex(struct subject *subject);
void classify_futex_waitv(struct subject *subject);
void classify_sleep(struct subject *subject);
void classify_poll(struct subject *subject);
void classify_select(struct subject *subject);
void classify_epoll(struct subject *subject);
void classify_io_uring(struct subject *subject);
void classify_aio(struct subject *subject);
void classify_read(struct subject *subject);
void classify_write(struct subject *subject);
void classify_socket(struct subject *subject);
void classify_connect(struct subject *subject);
void classify_transfer(struct subject *subject);
void classify_ioctl(struct subject *subject);
void classify_fcntl(struct subject *subject);
void classify_flock(struct subject *subject);
void classify_open(struct subject *subject);
void classify_file(struct subject *subject);
void classify_child(struct subject *subject);
void classify_signal(struct subject *subject);
void classify_semaphore(struct subject *subject);
void classify_sysv_message(struct subject *subject);
void classify_message_queue(struct subject *subject);
void classify_other(struct subject *subject);

/* fd.c: describes argument i, a file descriptor, as the resource; NULL: nothing known of it. */
const struct fd_type *classify_set_fd(struct subject *subject, unsigned i);
/* fd.c: the resource is the file that argument i names. */
void classify_set_path(struct subject *subject, unsigned i, const char *kind);

#endif
