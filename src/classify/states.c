/*
 * What comes before the system call: states in which a thread waits for nothing of its own making,
 * and what the kernel's own functions say.  Their names change between kernels, so they decide only
 * where nothing else can: outside of a system call, in uninterruptible sleep, and for the few
 * waits that any call may run into.
 */
#include "base/array.h"
#include "classify/subject.h"

/* include/linux/sched.h */
#define PF_EXITING     0x00000004
#define PF_IO_WORKER   0x00000010
#define PF_USER_WORKER 0x00004000

static void say_tracer(struct subject *subject)
{
	pid_t tracer = subject->thread->tracer;
	if (!tracer)
		return;
	subject->wait->resource.kind = "debugger";
	subject->wait->resource.detail = subject_printf(subject, "process %d", (int)tracer);
}

bool classify_state(struct subject *subject)
{
	const struct capture_thread *thread = subject->thread;
	struct wait *wait = subject->wait;

	if (thread->state == 'Z' || thread->state == 'X') {
		subject_decide(subject, WAIT_EXITED, CONFIDENCE_CERTAIN, "state Z");
		return true;
	}
	/* Helpers of the kernel: what they show of a system call is the call that made them. */
	if (thread->flags & PF_IO_WORKER) {
		subject_decide(subject, WAIT_IO_URING_WORKER, CONFIDENCE_CERTAIN, "PF_IO_WORKER");
		return true;
	}
	if (thread->flags & PF_USER_WORKER) {
		subject_decide(subject, WAIT_IO_URING_WORKER, CONFIDENCE_LIKELY, "PF_USER_WORKER");
		wait->resource.kind = "vhost worker";
		return true;
	}
	if (thread->state == 'T') {
		subject_decide(subject, WAIT_STOPPED, CONFIDENCE_CERTAIN, "state T");
		return true;
	}
	if (thread->state == 't') {
		subject_decide(subject, WAIT_TRACED, CONFIDENCE_CERTAIN, "state t");
		say_tracer(subject);
		return true;
	}
	if (subject->process->frozen_cgroup || subject_in_kernel(subject, "__refrigerator") ||
	    subject_in_kernel(subject, "do_freezer_trap")) {
		subject_decide(subject, WAIT_FROZEN, CONFIDENCE_CERTAIN, "cgroup freezer");
		return true;
	}
	if (thread->flags & PF_EXITING) {
		subject_decide(subject, WAIT_EXITING, CONFIDENCE_CERTAIN, "PF_EXITING");
		return true;
	}
	/* `running` is the kernel's word for: not asleep when it looked. */
	if (thread->syscall.state == SYSCALL_RUNNING ||
	    (thread->state == 'R' && thread->syscall.state != SYSCALL_INSIDE)) {
		subject_decide(subject, WAIT_RUNNING, CONFIDENCE_CERTAIN, "running");
		wait->since_ms = -1;
		return true;
	}
	return false;
}

enum when {
	ANY_STATE,
	UNINTERRUPTIBLE, /* state D */
};

struct kernel_row {
	const char *function; /* a trailing '*' matches any ending */
	enum when when;
	bool of_call; /* the resource is what the call names; else .kind alone */
	enum wait_class class;
	const char *kind; /* NULL: as the call's resource has it */
	const char *source;
};

#define V "seen on Linux 6.18"
#define K "kernel source"

/* The first row that fits decides. */
static const struct kernel_row kernel_rows[] = {
	{"seccomp_do_user_notification", ANY_STATE, false, WAIT_SYSTEM_CALL, "seccomp supervisor",
	 V},
	{"coredump_task_exit", ANY_STATE, false, WAIT_EXITING, "core dump", K},
	{"do_coredump", ANY_STATE, false, WAIT_EXITING, "core dump", K},
	{"vfs_coredump", ANY_STATE, false, WAIT_EXITING, "core dump", K " 6.16"},
	{"zap_other_threads", ANY_STATE, false, WAIT_SYSTEM_CALL, "thread group", K},
	{"de_thread", ANY_STATE, false, WAIT_SYSTEM_CALL, "thread group", K},
	{"begin_new_exec", ANY_STATE, false, WAIT_SYSTEM_CALL, "thread group", K},
	{"handle_userfault", ANY_STATE, false, WAIT_PAGE_FAULT, "userfaultfd page", V},
	{"mmap_read_lock*", UNINTERRUPTIBLE, false, WAIT_MEMORY_MAP_LOCK, "address space", K},
	{"mmap_write_lock*", UNINTERRUPTIBLE, false, WAIT_MEMORY_MAP_LOCK, "address space", K},
	{"lock_mm_and_find_vma", UNINTERRUPTIBLE, false, WAIT_MEMORY_MAP_LOCK, "address space",
	 K " 6.5"},
	{"percpu_rwsem_wait", UNINTERRUPTIBLE, true, WAIT_DISK, "frozen file system", V},
	{"request_wait_answer", UNINTERRUPTIBLE, true, WAIT_DISK, "fuse file", V},
	{"fuse_*", UNINTERRUPTIBLE, true, WAIT_DISK, "fuse file", K},
	{"rpc_wait_bit*", UNINTERRUPTIBLE, true, WAIT_DISK, "nfs file", K},
	{"nfs*", UNINTERRUPTIBLE, true, WAIT_DISK, "nfs file", K},
	{"cifs*", UNINTERRUPTIBLE, true, WAIT_DISK, "cifs file", K},
	{"ceph*", UNINTERRUPTIBLE, true, WAIT_DISK, "ceph file", K},
	{"balance_dirty_pages*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"mem_cgroup_handle_over_high", UNINTERRUPTIBLE, false, WAIT_DISK, "memory cgroup limit",
	 K},
	{"io_schedule*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"folio_wait*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"__folio_lock*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, V},
	{"wait_on_page_bit*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K " before 5.17"},
	{"wait_on_bit_io", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"blk_*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"submit_bio_wait", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"jbd2_*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"xfs_*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"btrfs_*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"ext4_*", UNINTERRUPTIBLE, true, WAIT_DISK, NULL, K},
	{"swap_read*", UNINTERRUPTIBLE, false, WAIT_DISK, "swap", K},
};

/* In the lock's own functions, on the way of something that takes it. */
static bool on_memory_map_lock(const struct subject *subject)
{
	static const char *const takers[] = {"vm_mmap*",    "__vm_munmap",    "do_mprotect*",
					     "do_madvise*", "exc_page_fault", "do_user_addr_fault",
					     "dup_mmap",    "copy_process"};
	if (!subject_in_kernel(subject, "rwsem_down_*") &&
	    !subject_in_kernel(subject, "down_read*") && !subject_in_kernel(subject, "down_write*"))
		return false;
	if (subject->row && subject->row->family == FAMILY_MEMORY)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		if (subject_in_kernel(subject, takers[i]))
			return true;
	}
	return false;
}

static void set_resource_of_call(struct subject *subject, const char *kind)
{
	const struct syscall_row *row = subject->row;
	if (row && row->fd[0])
		classify_set_fd(subject, row->fd[0] - 1u);
	else if (row && row->path)
		classify_set_path(subject, row->path - 1u, "file");
	if (kind)
		subject->wait->resource.kind = kind;
}

bool classify_kernel(struct subject *subject)
{
	const struct capture_thread *thread = subject->thread;
	if (!thread->wait_channel && !thread->kernel_stack)
		return false;
	bool uninterruptible = thread->state == 'D';
	if (uninterruptible && on_memory_map_lock(subject)) {
		subject_decide(subject, WAIT_MEMORY_MAP_LOCK, CONFIDENCE_LIKELY, "rwsem_down_*");
		subject->wait->resource.kind = "address space";
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kernel_rows); i++) {
		const struct kernel_row *row = &kernel_rows[i];
		if (row->when == UNINTERRUPTIBLE && !uninterruptible)
			continue;
		if (!subject_in_kernel(subject, row->function))
			continue;
		/* A sleep in a fault is the page's, whatever the page needs. */
		bool fault = thread->syscall.state == SYSCALL_NONE && row->class == WAIT_DISK;
		subject_decide(subject, fault ? WAIT_PAGE_FAULT : row->class, CONFIDENCE_CERTAIN,
			       row->function);
		if (row->of_call)
			set_resource_of_call(subject, row->kind);
		else
			subject->wait->resource.kind = row->kind;
		return true;
	}
	return false;
}

void classify_fault(struct subject *subject)
{
	if (classify_kernel(subject))
		return;
	/* Outside of a system call a thread sleeps in nothing but a fault. */
	subject_decide(subject, WAIT_PAGE_FAULT, CONFIDENCE_LIKELY, "syscall -1");
}
