/* Who holds what is waited for: every layout, every value that cannot be, every place to look. */
#include "unit/classify/fake.h"

#include "classify/locks.h"

#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define PRIVATE_WAIT   0x80
#define SHARED_WAIT    0
#define PRIVATE_BITSET 0x189
#define PRIVATE_PI     0x86
#define TCB	       (DATA + 0x2000) /* of thread 101 */
#define SELF_TCB       (DATA + 0x3000)
#define ZOMBIE	       102
#define NOBODY	       555 /* an id that nobody has */
#define WAITERS	       0x80000000u
#define GLIBC	       "/usr/lib/x86_64-linux-gnu/libc.so.6"
#define MUSL	       "/lib/ld-musl-x86_64.so.1"

#define CERTAIN CONFIDENCE_CERTAIN
#define LIKELY	CONFIDENCE_LIKELY

/* A lock as it lies in memory, the wait for it, and what is said of its owner. */
struct lock_row {
	const char *what;
	const char *frame; /* the innermost with a name; NULL: none has one */
	uint32_t op, value;
	unsigned word;	    /* of the futex, in the object */
	uint32_t words[14]; /* the object, at DATA */
	enum owner_state state;
	pid_t owner; /* 0: none */
	enum confidence confidence;
	enum wait_reach reach;
	const char *detail; /* NULL: any */
	const char *outer;  /* the frame of libc's that called `frame`, or NULL */
};

#define HELD_BY(tid)	   OWNER_ALIVE, (tid), CERTAIN, REACH_OWNERS
#define MAYBE_HELD_BY(tid) OWNER_ALIVE, (tid), LIKELY, REACH_OWNERS
#define GONE(tid)	   OWNER_EXITED, (tid), LIKELY, REACH_PROCESS
#define NONE(why)	   OWNER_##why, 0, LIKELY, REACH_PROCESS

static const char *name_data(void *context, uint64_t address)
{
	(void)context;
	return address == DATA ? "accounts" : NULL;
}

static void rename_libc(struct fake *fake, const char *path)
{
	array_for_each (&fake->process.mappings, mapping) {
		if (mapping->start == LIBC)
			mapping->path = path;
	}
}

/* Thread 100 waits; 101 is the usual owner; 102 has ended. */
static struct fake *waiter(const struct lock_row *lock)
{
	struct fake *fake = fake_new();
	fake->context.name_data = name_data;
	fake->thread->fs_base = SELF_TCB;
	fake_thread(fake, 101, 101, "holder", TCB);
	fake_thread(fake, ZOMBIE, ZOMBIE, "dead", DATA + 0x2a00)->state = 'Z';
	fake_call(fake, SYS_futex, DATA + lock->word, lock->op, lock->value, 0, 0, 0);
	fake_write(fake, DATA, lock->words, sizeof(lock->words));
	fake_write_u32(fake, TCB + 720, 101);
	if (lock->frame)
		fake_frames(fake, "", lock->frame, lock->outer ? lock->outer : "|",
			    lock->outer ? "|" : "worker", NULL);
	return fake;
}

static void check_owner(const struct wait *wait, const char *what, enum owner_state state,
			pid_t owner, enum confidence confidence, enum wait_reach reach)
{
	if (wait->owner_state != state || wait->reach != reach ||
	    wait->owners.count != (owner ? 1 : 0) ||
	    (owner && (wait->owners.items[0].tid != owner || wait->owner_confidence != confidence)))
		fail_msg("%s: %s, %zu owners, first %d, %s, reach %s", what,
			 wait->owner_state ? owner_state_names[wait->owner_state] : "nobody",
			 wait->owners.count,
			 wait->owners.count ? (int)wait->owners.items[0].tid : 0,
			 confidence_names[wait->owner_confidence], wait_reach_names[wait->reach]);
}

static void check_cases(const struct lock_row *cases, size_t count, const char *libc)
{
	for (size_t i = 0; i < count; i++) {
		const struct lock_row *c = &cases[i];
		struct fake *fake = waiter(c);
		rename_libc(fake, libc);
		const struct wait *wait = fake_classify(fake);
		check_owner(wait, c->what, c->state, c->owner, c->confidence, c->reach);
		if (c->owner)
			assert_int_equal(wait->owners.items[0].pid, 100);
		if (c->detail)
			assert_string_equal(wait->resource.detail, c->detail);
		assert_false(wait->overdue);
		fake_free(fake);
	}
}

/* Function, operation and value, where the word is, and the object. */
#define LOCK "pthread_mutex_lock"
#define NORMAL(...)                                                                                \
	LOCK, PRIVATE_WAIT, 2, 0,                                                                  \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ROBUST(tid, ...)                                                                           \
	LOCK, SHARED_WAIT, WAITERS | (tid), 0,                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define INHERITING(...)                                                                            \
	LOCK, PRIVATE_PI, 0, 0,                                                                    \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define LOW_LEVEL(...)                                                                             \
	"__lll_lock_wait_private", PRIVATE_WAIT, 2, 0,                                             \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define NORMAL_OF_MUSL(n, ...)                                                                     \
	LOCK, PRIVATE_WAIT, WAITERS | (n), 4,                                                      \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define ROBUST_OF_MUSL(n, ...)                                                                     \
	LOCK, SHARED_WAIT, WAITERS | (n), 4,                                                       \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define RWLOCK(f, value, word, ...)                                                                \
	f, PRIVATE_BITSET, value, word,                                                            \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define OLD_RWLOCK(f, word, ...)                                                                   \
	f, PRIVATE_WAIT, 1, word,                                                                  \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

/* Lock, count, owner, users, kind. */
static const struct lock_row mutexes[] = {
	{"normal", NORMAL(2, 0, 101, 1, 0), HELD_BY(101)},
	{"without names", NULL, PRIVATE_WAIT, 2, 0, {2, 0, 101, 1, 0}, HELD_BY(101)},
	{"timed", LOCK, PRIVATE_BITSET, 2, 0, {2, 0, 101, 1, 0}, HELD_BY(101)},
	{"recursive", NORMAL(2, 2, 101, 1, 1), HELD_BY(101), "recursive, count 2"},
	{"error-checking", NORMAL(2, 0, 101, 1, 2), HELD_BY(101), "error-checking"},
	{"adaptive", NORMAL(2, 0, 101, 1, 3), HELD_BY(101), "adaptive"},
	{"protected",
	 LOCK,
	 PRIVATE_WAIT,
	 5 << 19 | 2,
	 0,
	 {5 << 19 | 2, 0, 101, 1, 0x40},
	 HELD_BY(101),
	 "priority protection"},
	{"shared, in own memory",
	 LOCK,
	 SHARED_WAIT,
	 2,
	 0,
	 {2, 0, 101, 1, 0x80},
	 HELD_BY(101),
	 "shared between processes"},
	{"never elided", NORMAL(2, 0, 101, 1, 0x200), HELD_BY(101)},
	{"robust", ROBUST(101, WAITERS | 101, 0, 101, 1, 0x10), HELD_BY(101), "robust"},
	{"robust, not yet consistent", ROBUST(101, WAITERS | 101, 1, 0x7fffffff, 1, 0x10),
	 HELD_BY(101), "robust"},
	{"inheriting", INHERITING(WAITERS | 101, 0, 101, 1, 0x20), HELD_BY(101),
	 "priority inheritance"},
	{"inheriting, without names",
	 NULL,
	 0x8d,
	 0,
	 0,
	 {WAITERS | 101, 0, 101, 1, 0x20},
	 HELD_BY(101),
	 "priority inheritance"},
	{"inheriting and robust",
	 LOCK,
	 6,
	 0,
	 0,
	 {WAITERS | 101, 0, 101, 1, 0x30},
	 HELD_BY(101),
	 "robust, priority inheritance"},
	/* Two records of one owner that differ: one of them is of another moment. */
	{"robust, handed over", ROBUST(101, WAITERS | 101, 0, 0, 1, 0x10), MAYBE_HELD_BY(101)},
	{"inheriting, handed over", INHERITING(WAITERS | 101, 0, 100, 1, 0x20), MAYBE_HELD_BY(101)},
	{"without users", NORMAL(2, 0, 101, 0, 0), MAYBE_HELD_BY(101)},
	/* A thread may wait for what it holds itself where nothing stops it. */
	{"normal, its own", NORMAL(2, 0, 100, 1, 0), HELD_BY(100)},
	{"adaptive, its own", NORMAL(2, 0, 100, 1, 3), HELD_BY(100)},
	{"robust, its own", ROBUST(100, WAITERS | 100, 0, 100, 1, 0x10), HELD_BY(100)},
	{"recursive, its own", NORMAL(2, 1, 100, 1, 1), NONE(UNREADABLE)},
	{"error-checking, its own", NORMAL(2, 0, 100, 1, 2), NONE(UNREADABLE)},
	{"inheriting, its own", INHERITING(WAITERS | 100, 0, 100, 1, 0x20), NONE(UNREADABLE)},
	/* Values that say nothing, or cannot be. */
	{"no owner", NORMAL(2, 0, 0, 1, 0), NONE(UNREADABLE)},
	{"elided", NORMAL(2, 0, 0, 0, 0x100), NONE(NOT_RECORDED)},
	{"negative owner", NORMAL(2, 0, -1u, 1, 0), NONE(UNREADABLE)},
	{"owner beyond all ids", NORMAL(2, 0, 4194305, 1, 0), NONE(UNREADABLE)},
	{"inconsistent, not robust", NORMAL(2, 0, 0x7fffffff, 1, 0), NONE(UNREADABLE)},
	{"no such kind", NORMAL(2, 0, 101, 1, 0x400), NONE(UNREADABLE)},
	{"inheriting, no owner", INHERITING(WAITERS, 0, 101, 1, 0x20), NONE(UNREADABLE)},
	/* An owner that is no more. */
	{"exited", NORMAL(2, 0, NOBODY, 1, 0), GONE(NOBODY)},
	{"exited, without names", NULL, PRIVATE_WAIT, 2, 0, {2, 0, NOBODY, 1, 0}, NONE(UNREADABLE)},
	{"a zombie", NORMAL(2, 0, ZOMBIE, 1, 0), GONE(ZOMBIE)},
	{"died, says the kernel", ROBUST(NOBODY, WAITERS | FUTEX_OWNER_DIED, 0, NOBODY, 1, 0x10),
	 GONE(NOBODY)},
	{"free", INHERITING(0, 0, 0, 0, 0x20), NONE(NOBODY)},
};

static void a_mutex_of_any_kind_names_its_owner(void **state)
{
	(void)state;
	check_cases(mutexes, ARRAY_SIZE(mutexes), GLIBC);
}

#define READ  "pthread_rwlock_rdlock"
#define WRITE "pthread_rwlock_wrlock"

/* Readers, writers, phase futex, writers futex, -, -, writer, shared. */
static const struct lock_row rwlocks[] = {
	{"behind a writer", RWLOCK(READ, 3, 8, 3, 0, 3, 1, 0, 0, 101), HELD_BY(101),
	 "held by a writer"},
	{"without names", NULL, PRIVATE_BITSET, 3, 8, {3, 0, 3, 1, 0, 0, 101}, HELD_BY(101)},
	{"writer behind writer", RWLOCK(WRITE, 3, 12, 3, 0, 1, 3, 0, 0, 101), HELD_BY(101)},
	{"behind readers", RWLOCK(WRITE, 2, 8, 2 << 3 | 2, 0, 2, 1, 0, 0, 0), NONE(READERS),
	 "held by 2 readers"},
	{"behind a writer that waits", RWLOCK(READ, 0xe, 0, 0xe, 0, 0, 1, 0, 0, 0), NONE(READERS),
	 "held by 1 reader"},
	{"no writer", RWLOCK(READ, 3, 8, 3, 0, 3, 1, 0, 0, 0), NONE(UNREADABLE)},
	{"its own", RWLOCK(WRITE, 3, 12, 3, 0, 1, 3, 0, 0, 100), NONE(UNREADABLE)},
	{"between two phases", RWLOCK(WRITE, 3, 12, 1, 0, 1, 3, 0, 0, 0), NONE(NOT_RECORDED)},
	{"exited", RWLOCK(READ, 3, 8, 3, 0, 3, 1, 0, 0, NOBODY), GONE(NOBODY)},
	{"no rwlock", RWLOCK(READ, 3, 8, 3, 0, 3, 1, 0, 0, 101, 7), NONE(UNREADABLE)},
	/* Up to 2.24: lock, readers, wake-ups of both, queued of both, writer. */
	{"old, behind a writer", OLD_RWLOCK(READ, 8, 0, 0, 1, 0, 1, 0, 101), HELD_BY(101)},
	{"old, behind readers", OLD_RWLOCK(WRITE, 12, 0, 3, 0, 1, 0, 1, 0), NONE(READERS),
	 "held by 3 readers"},
};

static void a_rwlock_names_its_writer_and_counts_its_readers(void **state)
{
	(void)state;
	check_cases(rwlocks, ARRAY_SIZE(rwlocks), GLIBC);
}

static const struct lock_row musl_locks[] = {
	/* Type, lock, waiters, -, -, count. */
	{"normal", NORMAL_OF_MUSL(16, 0, WAITERS | 16, 1), NONE(NOT_RECORDED)},
	{"recursive", NORMAL_OF_MUSL(101, 1, WAITERS | 101, 1, 0, 0, 1), HELD_BY(101),
	 "recursive, count 2"},
	{"without names",
	 NULL,
	 PRIVATE_WAIT,
	 WAITERS | 101,
	 4,
	 {1, WAITERS | 101, 1},
	 HELD_BY(101),
	 "recursive"},
	{"error-checking", NORMAL_OF_MUSL(101, 2, WAITERS | 101, 1), HELD_BY(101),
	 "error-checking"},
	{"robust", ROBUST_OF_MUSL(101, 0x84, WAITERS | 101, 1), HELD_BY(101),
	 "robust, shared between processes"},
	{"inheriting",
	 LOCK,
	 PRIVATE_PI,
	 0,
	 4,
	 {8, WAITERS | 101, 0},
	 HELD_BY(101),
	 "priority inheritance"},
	{"recursive, its own", NORMAL_OF_MUSL(100, 1, WAITERS | 100, 1), NONE(UNREADABLE)},
	{"robust, its own", ROBUST_OF_MUSL(100, 4, WAITERS | 100, 1), HELD_BY(100)},
	{"robust, died", ROBUST_OF_MUSL(NOBODY, 4, WAITERS | FUTEX_OWNER_DIED, 1), GONE(0)},
	{"exited", NORMAL_OF_MUSL(NOBODY, 1, WAITERS | NOBODY, 1), GONE(NOBODY)},
	{"no such type", NORMAL_OF_MUSL(101, 0x10, WAITERS | 101, 1), NONE(UNREADABLE)},
	/* Lock, waiters, shared. */
	{"behind readers",
	 WRITE,
	 PRIVATE_WAIT,
	 WAITERS | 2,
	 0,
	 {WAITERS | 2, 1, 0},
	 NONE(READERS),
	 "held by 2 readers"},
	{"behind a writer",
	 READ,
	 PRIVATE_WAIT,
	 -1u,
	 0,
	 {-1u, 1, 0},
	 NONE(NOT_RECORDED),
	 "held by a writer"},
	{"either side of a writer's",
	 NULL,
	 PRIVATE_WAIT,
	 -1u,
	 0,
	 {-1u, 1, 0},
	 NONE(NOT_RECORDED),
	 "held by a writer"},
	/* Lock of a FILE. */
	{"stdio", NULL, PRIVATE_WAIT, 0x40000000 | 101, 0, {0x40000000 | 101}, HELD_BY(101)},
	{"stdio, moved on",
	 NULL,
	 PRIVATE_WAIT,
	 0x40000000 | 101,
	 0,
	 {0x40000000 | 100},
	 NONE(UNREADABLE)},
	{"the list of threads", NULL, SHARED_WAIT, 101, 0, {101}, HELD_BY(101)},
};

static void musls_locks_name_an_owner_where_they_keep_one(void **state)
{
	(void)state;
	check_cases(musl_locks, ARRAY_SIZE(musl_locks), MUSL);
}

static const struct lock_row low_level_locks[] = {
	{"malloc", LOW_LEVEL(2), NONE(NOT_RECORDED), NULL, "malloc"},
	/* Lock, count, owner's control block. */
	{"stdio", LOW_LEVEL(2, 1, TCB), HELD_BY(101), NULL, "puts"},
	{"stdio, 2.41", LOW_LEVEL(2, 0, TCB), HELD_BY(101), NULL, "puts"},
	{"stdio without names", NULL, PRIVATE_WAIT, 2, 0, {2, 1, TCB}, HELD_BY(101)},
	{"stdio, its own", LOW_LEVEL(2, 1, SELF_TCB), NONE(UNREADABLE), NULL, "puts"},
	{"stdio, a dead thread's", LOW_LEVEL(2, 1, DATA + 0x2a00), GONE(ZOMBIE), NULL, "puts"},
	{"stdio, nobody's", LOW_LEVEL(2, 1, TCB + 64), GONE(0), NULL, "puts"},
	{"stdio, just taken", LOW_LEVEL(2, 0, 0), NONE(NOT_RECORDED), NULL, "puts"},
	{"loader", NORMAL(2, 1, 101, 1, 1), HELD_BY(101), "recursive", "_dl_open"},
	{"loader, 2.34",
	 "__lll_lock_wait",
	 PRIVATE_WAIT,
	 2,
	 0,
	 {2, 1, 101, 1, 1},
	 HELD_BY(101),
	 "recursive",
	 "dl_iterate_phdr"},
};

static void libcs_own_locks_name_an_owner_where_they_keep_one(void **state)
{
	(void)state;
	check_cases(low_level_locks, ARRAY_SIZE(low_level_locks), GLIBC);
}

static const struct lock_row others[] = {
	{"condition", "pthread_cond_wait", PRIVATE_BITSET, 0, 40, {0}, NONE(NOBODY)},
	{"semaphore", "sem_wait", PRIVATE_BITSET, 0, 0, {0, 1, 0}, NONE(NOBODY)},
	{"barrier", "pthread_barrier_wait", PRIVATE_WAIT, 6, 4, {7, 6, 3}, NONE(NOBODY)},
	{"once", "__pthread_once_slow", PRIVATE_WAIT, 1, 0, {1}, NONE(NOT_RECORDED)},
	{"once, unreadable", "__pthread_once_slow", PRIVATE_WAIT, 1, 0, {77}, NONE(NOT_RECORDED)},
	{"initialiser",
	 "__cxa_guard_acquire",
	 PRIVATE_WAIT,
	 0x10100,
	 0,
	 {0x10100},
	 NONE(NOT_RECORDED)},
	{"initialiser of libc++abi",
	 "__cxa_guard_acquire",
	 PRIVATE_WAIT,
	 0x10100,
	 0,
	 {0x10100, 101},
	 MAYBE_HELD_BY(101)},
	{"initialiser, its own",
	 "__cxa_guard_acquire",
	 PRIVATE_WAIT,
	 0x10100,
	 0,
	 {0x10100, 100},
	 NONE(NOT_RECORDED)},
	{"future",
	 "std::__atomic_futex_unsigned_base::_M_futex_wait_until",
	 SHARED_WAIT,
	 WAITERS,
	 0,
	 {WAITERS},
	 NONE(NOBODY)},
	{"Rust's mutex",
	 "std::sys::sync::mutex::futex::Mutex::lock_contended",
	 PRIVATE_BITSET,
	 2,
	 0,
	 {2, 0, 101, 1},
	 NONE(NOT_RECORDED)},
	{"Rust's park", "Parker::park", PRIVATE_BITSET, -1u, 0, {-1u}, NONE(NOBODY)},
	{"GLib's mutex",
	 "g_mutex_lock_slowpath",
	 PRIVATE_WAIT,
	 2,
	 0,
	 {2, 0, 101, 1},
	 NONE(NOT_RECORDED)},
	{"Java's monitor", "pthread_cond_wait", PRIVATE_BITSET, 0, 40, {0}, NONE(NOBODY)},
	{"a lock of Python's",
	 "sem_wait",
	 PRIVATE_BITSET,
	 0,
	 0,
	 {0, 1, 0},
	 NONE(NOT_RECORDED),
	 NULL,
	 "PyThread_acquire_lock_timed"},
	{"any futex", NULL, PRIVATE_WAIT, 76, 0, {76}, NONE(NOBODY)},
};

static void what_nobody_holds_is_told_from_what_records_no_holder(void **state)
{
	(void)state;
	check_cases(others, ARRAY_SIZE(others), GLIBC);
}

static const struct lock_row plain = {"plain", LOCK, PRIVATE_WAIT, 2, 0, {2, 0, 101, 1, 0}};

static void a_lock_that_is_waited_for_without_a_futex_records_no_owner(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	fake_call(fake, SYS_nanosleep, DATA, 0, 0, 0, 0, 0);
	fake_frames(fake, "nanosleep", "|", "SpinLockDelay", NULL);
	check_owner(fake_classify(fake), "tcmalloc", OWNER_NOT_RECORDED, 0, LIKELY, REACH_ANYBODY);
	assert_class(&fake->wait, "mutex lock");
	fake_call(fake, SYS_epoll_wait, 7, DATA, 1, -1ull, 0, 0);
	fake_frames(fake, "epoll_wait", "|", "ProcSleep", NULL);
	fake_module(fake, 1, "/usr/lib/postgresql/15/bin/postgres");
	check_owner(fake_classify(fake), "postgres", OWNER_NOT_RECORDED, 0, LIKELY, REACH_ANYBODY);
	assert_class(&fake->wait, "mutex lock");
	fake_free(fake);
}

static void a_lock_that_cannot_be_read_has_no_owner(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	fake->thread->syscall.arguments[0] = OTHER;
	check_owner(fake_classify(fake), "no memory", OWNER_UNREADABLE, 0, LIKELY, REACH_PROCESS);
	fake_free(fake);
}

static void a_join_waits_for_the_thread_itself(void **state)
{
	(void)state;
	struct lock_row join = {"join", "__pthread_clockjoin_ex", 0x109,
				101,	TCB + 720 - DATA,	  {0}};
	struct fake *fake = waiter(&join);
	check_owner(fake_classify(fake), "join", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	fake->stack.count = 0;
	check_owner(fake_classify(fake), "unnamed", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	/* The word is not the id that it waits for: one of the two is of another moment. */
	fake_write_u32(fake, TCB + 720, 100);
	check_owner(fake_classify(fake), "moved", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake_write_u32(fake, TCB + 720, 0);
	check_owner(fake_classify(fake), "ended", OWNER_NOBODY, 0, LIKELY, REACH_PROCESS);
	assert_false(fake->wait.overdue);
	/* From 2.43 on the word is no id, and only its place says whose it is. */
	fake->thread->syscall.arguments[0] = TCB + 0x100;
	fake->thread->syscall.arguments[2] = 1;
	fake_frames(fake, "", "pthread_join", "|", "main", NULL);
	check_owner(fake_classify(fake), "2.43", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	/* Nobody joins himself. */
	fake->thread->syscall.arguments[0] = SELF_TCB + 720;
	fake->thread->syscall.arguments[2] = 100;
	fake_write_u32(fake, SELF_TCB + 720, 100);
	check_owner(fake_classify(fake), "itself", OWNER_UNREADABLE, 0, LIKELY, REACH_PROCESS);
	/* Its control block is not known, but its id is. */
	fake->thread->syscall.arguments[0] = DATA + 0x800;
	fake->thread->syscall.arguments[2] = 101;
	fake->process.threads.items[1].fs_base = 0;
	fake_write_u32(fake, DATA + 0x800, 101);
	check_owner(fake_classify(fake), "by id", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake_free(fake);
}

static void a_join_of_musls_names_the_thread(void **state)
{
	(void)state;
	struct lock_row join = {"join", NULL, PRIVATE_WAIT, 2, 8, {101, 0, 2}};
	struct fake *fake = waiter(&join);
	rename_libc(fake, MUSL);
	check_owner(fake_classify(fake), "musl", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	assert_class(&fake->wait, "thread join");
	fake_free(fake);
}

static void ids_are_of_the_targets_own_namespace(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	fake_thread(fake, 9103, 7, "inner", 0);
	fake_write_u32(fake, DATA + 8, 7);
	check_owner(fake_classify(fake), "translated", OWNER_ALIVE, 9103, CERTAIN, REACH_OWNERS);
	/* An id of ours is none there. */
	fake_write_u32(fake, DATA + 8, 9103);
	check_owner(fake_classify(fake), "ours", OWNER_EXITED, 9103, LIKELY, REACH_PROCESS);
	/* One whose id is not known could be any. */
	fake_thread(fake, 104, 0, "unknown", 0);
	check_owner(fake_classify(fake), "unknown", OWNER_UNREADABLE, 0, LIKELY, REACH_PROCESS);
	fake_free(fake);
}

static void an_owner_is_certain_only_while_nothing_moved(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	fake->thread->steady = false;
	check_owner(fake_classify(fake), "moved", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake->thread->steady = true;
	fake->process.threads.items[1].ended = true;
	check_owner(fake_classify(fake), "ended since", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake->process.threads.items[1].ended = false;
	fake->process.threads.items[1].stop = STOP_GONE;
	check_owner(fake_classify(fake), "gone before", OWNER_EXITED, 101, LIKELY, REACH_PROCESS);
	fake->process.threads.items[1].stop = STOP_DONE;
	/* An owner that is running is one nevertheless. */
	fake->process.threads.items[1].state = 'R';
	fake->process.threads.items[1].steady = false;
	check_owner(fake_classify(fake), "running", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	/* Frames that are guesses say less, the memory says as much as before. */
	fake->stack.frames[1].doubtful = true;
	check_owner(fake_classify(fake), "guessed frames", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	/* Read after the threads were let go. */
	fake->process.memory.sources[0].origin = MEMORY_LIVE;
	check_owner(fake_classify(fake), "live", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake_free(fake);
}

static void a_thread_that_moved_on_has_neither_lock_nor_owner(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	fake->thread->steady = false;
	fake->thread->stop = STOP_DONE;
	fake->thread->in_syscall = true;
	fake->thread->stopped_syscall = SYS_read;
	check_owner(fake_classify(fake), "another call", OWNER_NOBODY, 0, LIKELY, REACH_ANYBODY);
	fake_free(fake);
}

static void an_owner_younger_than_the_wait_is_doubted(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	uint64_t tick = (uint64_t)sysconf(_SC_CLK_TCK);
	fake->context.boottime_ns = INT64_C(1000) * 1000000000;
	fake->thread->slept_ms = 100000; /* since second 900 */
	fake->process.threads.items[1].start_time = 890 * tick;
	check_owner(fake_classify(fake), "older", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	fake->process.threads.items[1].start_time = 910 * tick;
	check_owner(fake_classify(fake), "younger", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake_free(fake);
}

/* --- owners in other processes -------------------------------------------------------------- */

struct family {
	struct fake *fake;
	struct capture capture;
};

/* Process 50, with the threads 50 and 51 and the same program and shared memory. */
static void family_init(struct family *family, const struct lock_row *lock, bool shared)
{
	struct fake *fake = waiter(lock);
	*family = (struct family){.fake = fake};
	fake->process.ppid = 50;
	fake->process.pid_namespace = 1;
	array_for_each (&fake->process.mappings, mapping) {
		mapping->shared = shared && mapping->start == DATA;
		mapping->inode = mapping->start == DATA ? 77 : 0;
	}
	fake->context.capture = &family->capture;
	struct capture_process *other = array_append(&family->capture.processes);
	other->pid = 50;
	other->ppid = 1;
	other->pid_namespace = 1;
	other->executable = "/usr/bin/program";
	for (pid_t tid = 50; tid < 52; tid++)
		*array_append(&other->threads) = (struct capture_thread){
			.tid = tid, .ns_tid = tid, .state = 'S', .slept_ms = -1, .steady = true};
	*array_append(&other->mappings) = (struct capture_mapping){
		.start = 0x10000, .end = 0x20000, .shared = true, .inode = 77, .path = ""};
}

static void family_deinit(struct family *family)
{
	array_for_each (&family->capture.processes, process) {
		array_deinit(&process->threads);
		array_deinit(&process->mappings);
	}
	array_deinit(&family->capture.processes);
	fake_free(family->fake);
}

static const struct lock_row parents = {"parent's", LOCK, PRIVATE_WAIT, 2, 0, {2, 0, 51, 1, 0}};

static void a_lock_that_was_held_over_a_fork_is_told(void **state)
{
	(void)state;
	struct family family;
	family_init(&family, &parents, false);
	struct fake *fake = family.fake;
	struct capture_process *parent = family.capture.processes.items;
	check_owner(fake_classify(fake), "parent", OWNER_LEFT_BY_FORK, 51, LIKELY, REACH_PROCESS);
	assert_int_equal(fake->wait.owners.items[0].pid, 50);
	/* A child's child. */
	struct capture_neighbour *between = array_append(&family.capture.surroundings.processes);
	*between = (struct capture_neighbour){.pid = 60, .ppid = 50};
	fake->process.ppid = 60;
	check_owner(fake_classify(fake), "grandparent", OWNER_LEFT_BY_FORK, 51, LIKELY,
		    REACH_PROCESS);
	between->ppid = 60; /* a circle ends */
	check_owner(fake_classify(fake), "circle", OWNER_EXITED, 51, LIKELY, REACH_PROCESS);
	array_deinit(&family.capture.surroundings.processes);
	/* A stranger has that id now: the owner was a thread of our own. */
	fake->process.ppid = 1;
	check_owner(fake_classify(fake), "stranger", OWNER_EXITED, 51, LIKELY, REACH_PROCESS);
	assert_int_equal(fake->wait.owners.items[0].pid, 100);
	fake->process.ppid = 50;
	parent->executable = "/usr/bin/another";
	check_owner(fake_classify(fake), "exec", OWNER_EXITED, 51, LIKELY, REACH_PROCESS);
	parent->executable = "/usr/bin/program";
	/* Nobody could be asked who else may have it; a thread of the process it is not. */
	parent->pid_namespace = 2;
	check_owner(fake_classify(fake), "namespace", OWNER_EXITED, 51, LIKELY, REACH_PROCESS);
	family_deinit(&family);
}

static const struct lock_row shared_lock = {"shared", LOCK, SHARED_WAIT, 2, 0, {2, 0, 51, 1, 0x80}};

static void an_owner_in_another_process_is_found_through_shared_memory(void **state)
{
	(void)state;
	struct family family;
	family_init(&family, &shared_lock, true);
	struct fake *fake = family.fake;
	struct capture_process *other = family.capture.processes.items;
	struct capture_thread *owner = &other->threads.items[1];
	check_owner(fake_classify(fake), "other", OWNER_ALIVE, 51, CERTAIN, REACH_OWNERS);
	assert_int_equal(fake->wait.owners.items[0].pid, 50);
	owner->state = 'Z';
	check_owner(fake_classify(fake), "zombie", OWNER_EXITED, 51, LIKELY, REACH_ANYBODY);
	owner->state = 'S';
	fake->context.boottime_ns = INT64_C(1000) * 1000000000;
	fake->thread->slept_ms = 100000;
	owner->start_time = 950 * (uint64_t)sysconf(_SC_CLK_TCK);
	check_owner(fake_classify(fake), "younger", OWNER_ALIVE, 51, LIKELY, REACH_OWNERS);
	owner->start_time = 0;
	/* It does not map what the lock lies in: only its id is that of the owner. */
	other->mappings.items[0].inode = 78;
	check_owner(fake_classify(fake), "unrelated", OWNER_EXITED, 51, LIKELY, REACH_ANYBODY);
	other->mappings.items[0].inode = 77;
	/* Ids that were written in some namespace may mean another thread in ours. */
	fake->thread->ns_tid = 3;
	check_owner(fake_classify(fake), "nested", OWNER_ALIVE, 51, LIKELY, REACH_OWNERS);
	fake_write_u32(fake, DATA + 8, 101);
	check_owner(fake_classify(fake), "nested, own", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	fake->thread->ns_tid = 100;
	check_owner(fake_classify(fake), "own", OWNER_ALIVE, 101, CERTAIN, REACH_OWNERS);
	/* Where not everybody was asked, an id that nobody has says nothing for certain. */
	fake_write_u32(fake, DATA + 8, NOBODY);
	fake_classify(fake);
	assert_true(fake->wait.owner_state == OWNER_UNREADABLE ||
		    fake->wait.owner_state == OWNER_EXITED);
	assert_int_equal(fake->wait.reach, REACH_ANYBODY);
	family_deinit(&family);
}

/* --- who could end a wait ------------------------------------------------------------------- */

static void a_private_futex_is_the_processs_own_and_so_is_private_memory(void **state)
{
	(void)state;
	static const struct {
		uint32_t op;
		bool shared, writable;
		enum wait_reach reach;
	} rows[] = {
		{PRIVATE_WAIT, false, true, REACH_PROCESS},
		{PRIVATE_WAIT, true, true, REACH_PROCESS},
		{SHARED_WAIT, false, true, REACH_PROCESS},
		{SHARED_WAIT, true, true, REACH_ANYBODY},
		{SHARED_WAIT, false, false, REACH_ANYBODY},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lock_row lock = {"futex", NULL, rows[i].op, 76, 0, {76}};
		struct fake *fake = waiter(&lock);
		array_for_each (&fake->process.mappings, mapping) {
			mapping->shared = rows[i].shared;
			mapping->writable = rows[i].writable;
		}
		check_owner(fake_classify(fake), "futex", OWNER_NOBODY, 0, LIKELY, rows[i].reach);
		fake->process.mappings.count = 0;
		check_owner(fake_classify(fake), "no mappings", OWNER_NOBODY, 0, LIKELY,
			    rows[i].op ? REACH_PROCESS : REACH_ANYBODY);
		fake_free(fake);
	}
}

static void a_wait_for_many_reaches_as_far_as_the_farthest(void **state)
{
	(void)state;
	struct fake *fake = waiter(&plain);
	fake_call(fake, SYS_futex_waitv, DATA + 0x100, 2, 0, 0, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		fake_write_u64(fake, DATA + 0x108 + i * 24, DATA + 0x200 + i * 8);
		fake_write_u32(fake, DATA + 0x110 + i * 24, 0x82);
	}
	assert_int_equal(fake_classify(fake)->reach, REACH_PROCESS);
	fake_write_u64(fake, DATA + 0x108 + 24, OTHER + 8);
	fake_write_u32(fake, DATA + 0x110 + 24, 2);
	assert_int_equal(fake_classify(fake)->reach, REACH_PROCESS);
	array_for_each (&fake->process.mappings, mapping)
		mapping->shared = mapping->start == OTHER;
	assert_int_equal(fake_classify(fake)->reach, REACH_ANYBODY);
	fake->thread->syscall.arguments[1] = 129;
	assert_int_equal(fake_classify(fake)->reach, REACH_ANYBODY);
	fake_free(fake);
}

/* --- lost wake-ups -------------------------------------------------------------------------- */

/* What memory says of an object for whose waiters there is no reason left to sleep. */
static const struct lock_row overdue_locks[] = {
	{"mutex", LOCK, PRIVATE_WAIT, 2, 0, {0, 0, 0, 0, 0}},
	{"robust mutex", LOCK, SHARED_WAIT, WAITERS | 101, 0, {0, 0, 0, 0, 0x10}},
	{"low-level lock", "__lll_lock_wait_private", PRIVATE_WAIT, 2, 0, {0}, .outer = "malloc"},
	{"semaphore", "sem_wait", PRIVATE_BITSET, 0, 0, {1, 1, 0}},
	{"old semaphore", "sem_wait", PRIVATE_WAIT, 0, 0, {1, 0, 1}},
	{"musl mutex", LOCK, PRIVATE_WAIT, WAITERS | 16, 4, {0, 0, 1}},
	{"musl semaphore", "sem_wait", PRIVATE_WAIT, -1u, 0, {1, 1, 128}},
	{"musl semaphore, 1.2.4", "sem_wait", PRIVATE_WAIT, WAITERS, 0, {WAITERS | 1, 1, 128}},
};

static void a_waiter_for_what_is_free_is_overdue(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(overdue_locks); i++) {
		struct fake *fake = waiter(&overdue_locks[i]);
		rename_libc(fake, strncmp(overdue_locks[i].what, "musl", 4) ? GLIBC : MUSL);
		struct capture_thread *other = &fake->process.threads.items[1];
		fake->thread->syscall.state = other->syscall.state = SYSCALL_INSIDE;
		if (!fake_classify(fake)->overdue)
			fail_msg("%s is not overdue", overdue_locks[i].what);
		assert_int_equal(fake->wait.owner_state, OWNER_NOBODY);
		/* Another thread may be about to wake it. */
		other->steady = false;
		assert_false(fake_classify(fake)->overdue);
		other->steady = true;
		other->syscall.state = SYSCALL_RUNNING;
		assert_false(fake_classify(fake)->overdue);
		other->syscall.state = SYSCALL_INSIDE;
		/* Or a process that shares the memory. */
		array_for_each (&fake->process.mappings, mapping)
			mapping->shared = true;
		fake->thread->syscall.arguments[1] &= ~(uint64_t)FUTEX_PRIVATE_FLAG;
		assert_false(fake_classify(fake)->overdue);
		array_for_each (&fake->process.mappings, mapping)
			mapping->shared = false;
		fake->thread->syscall.arguments[1] = overdue_locks[i].op;
		/* It moved; or what was read is of a later moment; or it is a guess. */
		fake->thread->steady = false;
		assert_false(fake_classify(fake)->overdue);
		fake->thread->steady = true;
		fake->process.memory.sources[0].origin = MEMORY_LIVE;
		assert_false(fake_classify(fake)->overdue);
		fake->process.memory.sources[0].origin = MEMORY_CAPTURED;
		fake->stack.frames[1].doubtful = true;
		assert_false(fake_classify(fake)->overdue);
		/* Without a name libc's own code must be there, and the shape tell. */
		fake->stack.count = 0;
		bool telling = strstr(overdue_locks[i].what, "semaphore") &&
			       strncmp(overdue_locks[i].what, "old", 3) != 0;
		assert_int_equal(fake_classify(fake)->overdue, telling);
		fake->thread->syscall.pc = OTHER + 0x10;
		assert_false(fake_classify(fake)->overdue);
		fake_free(fake);
	}
}

static void check_cond(unsigned word, uint32_t value, uint32_t signals, uint32_t start,
		       bool overdue)
{
	struct lock_row lock = {"condition", "pthread_cond_wait", PRIVATE_BITSET, value, word, {0}};
	struct fake *fake = waiter(&lock);
	const uint32_t mutex[5] = {0, 0, 0, 1, 0};
	fake->process.threads.items[1].syscall.state = SYSCALL_INSIDE;
	fake_write(fake, DATA + 0x100, mutex, sizeof(mutex));
	fake_write_u64(fake, STACK_SP + 0x98, DATA);
	fake_write_u64(fake, STACK_SP + 0xa0, DATA + 0x100);
	fake_write_u32(fake, DATA + 8, start);
	fake_write_u32(fake, DATA + word, signals);
	fake_classify(fake);
	assert_class(&fake->wait, "cond wait");
	assert_int_equal(fake->wait.overdue, overdue);
	/* Where the layout is not sure, nothing is. */
	fake_write_u64(fake, STACK_SP + 0x98, 0);
	assert_false(fake_classify(fake)->overdue);
	fake_free(fake);
}

static void a_waiter_in_a_signalled_group_is_overdue(void **state)
{
	(void)state;
	check_cond(40, 0, 2, 0, true);
	check_cond(44, 0, 4, 0, true);
	check_cond(40, 0, 0, 0, false);
	check_cond(40, 0, 1, 0, false); /* closed */
	check_cond(40, 7, 2, 0, false); /* it waits for a sequence */
	check_cond(32, 8, 9, 8, true);
	check_cond(36, 8, 9, 8, true);
	check_cond(32, 8, 8, 8, false);
	check_cond(32, 5, 5, 8, false); /* not the group that is signalled */
	check_cond(32, 5, 6, 8, false);
	check_cond(32, 9, 9, 8, false); /* nothing new since it fell asleep */
	check_cond(36, 0xffffffff, 0, 0xffffffff, true);
}

static void a_sequence_is_no_sign_of_a_lost_wake_up(void **state)
{
	(void)state;
	static const struct lock_row locks[] = {
		{"old condition", "pthread_cond_wait", PRIVATE_WAIT, 1, 4, {0, 3, 3}},
		{"GLib's", "g_cond_wait", PRIVATE_WAIT, 1, 8, {0, 0, 3}},
		{"Rust's", "Condvar::wait_optional_timeout", PRIVATE_BITSET, 1, 0, {3}},
		{"any futex", NULL, PRIVATE_WAIT, 0, 0, {7}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(locks); i++) {
		struct fake *fake = waiter(&locks[i]);
		fake->process.threads.items[1].syscall.state = SYSCALL_INSIDE;
		assert_false(fake_classify(fake)->overdue);
		fake_free(fake);
	}
}

/* --- Python ---------------------------------------------------------------------------------- */

#define GIL   (DATA + 0x400)
#define STATE (DATA + 0x800)

/* A thread in take_gil of CPython, whose thread states have their ids at `at`. */
static struct fake *gil_waiter(unsigned at, bool native)
{
	struct lock_row cond = {
		"gil", "pthread_cond_timedwait", PRIVATE_BITSET, 0, GIL + 32 + 40 - DATA,
		{0},   .outer = "take_gil"};
	struct fake *fake = waiter(&cond);
	const uint32_t mutex[5] = {0, 0, 0, 1, 0};
	fake_write(fake, GIL + 80, mutex, sizeof(mutex));
	fake_write_u64(fake, STACK_SP + 0x98, GIL + 32);
	fake_write_u64(fake, STACK_SP + 0xa0, GIL + 80);
	fake_write_u64(fake, GIL + 8, STATE);
	fake_write_u32(fake, GIL + 16, 1);
	fake_write_u64(fake, STATE + at, TCB);
	if (native)
		fake_write_u64(fake, STATE + at + 8, 101);
	return fake;
}

static void the_interpreter_lock_names_its_holder(void **state)
{
	(void)state;
	static const struct {
		unsigned at;
		bool native;
	} rows[] = {{152, true}, {136, true}, {176, false}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake = gil_waiter(rows[i].at, rows[i].native);
		check_owner(fake_classify(fake), "gil", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
		assert_class(&fake->wait, "gil wait");
		/* Both ids must be one thread's. */
		fake_write_u64(fake, STATE + rows[i].at + 8, 100);
		check_owner(fake_classify(fake), "two threads",
			    rows[i].native ? OWNER_NOT_RECORDED : OWNER_ALIVE,
			    rows[i].native ? 0 : 101, LIKELY,
			    rows[i].native ? REACH_PROCESS : REACH_OWNERS);
		fake_write_u64(fake, STATE + rows[i].at, TCB + 8);
		check_owner(fake_classify(fake), "no thread", OWNER_NOT_RECORDED, 0, LIKELY,
			    REACH_PROCESS);
		fake_write_u64(fake, STATE + rows[i].at, SELF_TCB);
		check_owner(fake_classify(fake), "itself", OWNER_NOT_RECORDED, 0, LIKELY,
			    REACH_PROCESS);
		fake_write_u64(fake, GIL + 8, 0x1234);
		check_owner(fake_classify(fake), "no state", OWNER_NOT_RECORDED, 0, LIKELY,
			    REACH_PROCESS);
		fake_write_u32(fake, GIL + 16, 0);
		check_owner(fake_classify(fake), "free", OWNER_NOBODY, 0, LIKELY, REACH_PROCESS);
		/* Up to 3.6 these are variables of their own, in any order. */
		fake_write_u64(fake, STACK_SP + 0xa0, DATA + 0x900);
		fake_write_u32(fake, DATA + 0x900 + 12, 1);
		check_owner(fake_classify(fake), "3.6", OWNER_NOT_RECORDED, 0, LIKELY,
			    REACH_PROCESS);
		fake_free(fake);
	}
}

#define RLOCK (DATA + 0xc00)

static void an_rlock_of_pythons_names_its_owner(void **state)
{
	(void)state;
	static const struct lock_row lock = {"rlock",
					     "sem_wait",
					     0x189,
					     0,
					     0,
					     {0, 1, 128},
					     .outer = "PyThread_acquire_lock_timed"};
	struct fake *fake = waiter(&lock);
	fake->thread->slept_ms = 1000;
	check_owner(fake_classify(fake), "a lock", OWNER_NOT_RECORDED, 0, LIKELY, REACH_PROCESS);
	assert_string_equal(fake->wait.resource.kind, "python lock");
	fake_write_u64(fake, STACK_SP + 0x600, RLOCK);
	fake_write_u64(fake, RLOCK + 16, DATA);
	fake_write_u64(fake, RLOCK + 24, TCB);
	fake_write_u64(fake, RLOCK + 32, 1);
	check_owner(fake_classify(fake), "held", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	assert_string_equal(fake->wait.resource.kind, "python rlock");
	assert_class(&fake->wait, "mutex lock");
	fake_write_u64(fake, RLOCK + 24, SELF_TCB);
	check_owner(fake_classify(fake), "its own", OWNER_NOT_RECORDED, 0, LIKELY, REACH_PROCESS);
	fake_write_u64(fake, RLOCK + 24, TCB + 8);
	check_owner(fake_classify(fake), "no thread", OWNER_NOT_RECORDED, 0, LIKELY, REACH_PROCESS);
	fake_write_u64(fake, RLOCK + 24, TCB);
	fake_write_u64(fake, RLOCK + 32, 0);
	check_owner(fake_classify(fake), "free", OWNER_NOT_RECORDED, 0, LIKELY, REACH_PROCESS);
	fake_write_u64(fake, RLOCK + 32, 1);
	/* One that changes hands may have done so since. */
	fake->thread->slept_ms = 999;
	check_owner(fake_classify(fake), "a moment", OWNER_NOT_RECORDED, 0, LIKELY, REACH_PROCESS);
	fake->thread->slept_ms = 1000;
	fake_write_u64(fake, RLOCK + 16, DATA + 8);
	check_owner(fake_classify(fake), "another", OWNER_NOT_RECORDED, 0, LIKELY, REACH_PROCESS);
	fake_free(fake);
}

static void malloc_in_a_handler_waits_for_what_it_interrupted(void **state)
{
	(void)state;
	static const struct {
		const char *interrupted, *beyond;
		bool itself;
	} rows[] = {
		{"_int_free", "free", true},
		{"", "malloc", true},
		{"__lll_lock_wait_private", "malloc", false}, /* another has it */
		{"fputs", "main", false},
		{"pthread_create", "main", false},
	};
	static const struct lock_row lock = {
		"malloc", "__lll_lock_wait_private", PRIVATE_WAIT, 2, 0, {2}, .outer = "malloc"};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake = waiter(&lock);
		fake_frames(fake, "", "__lll_lock_wait_private", "malloc", "handler", "",
			    rows[i].interrupted, rows[i].beyond, NULL);
		fake->stack.frames[3].module = "/bin/program";
		fake->stack.frames[4].kind = FRAME_SIGNAL;
		check_owner(fake_classify(fake), rows[i].interrupted,
			    rows[i].itself ? OWNER_ALIVE : OWNER_NOT_RECORDED,
			    rows[i].itself ? 100 : 0, LIKELY,
			    rows[i].itself ? REACH_OWNERS : REACH_PROCESS);
		fake_free(fake);
	}
}

static const char *runtime_name(void *context, uint64_t address)
{
	(void)context;
	return address >= GIL && address < GIL + 120 ? "_PyRuntime+0x188" : NULL;
}

static void an_interpreter_lock_is_known_where_its_function_has_no_name(void **state)
{
	(void)state;
	struct fake *fake = gil_waiter(152, true);
	fake->context.name_data = runtime_name;
	fake->stack.frames[2].function = NULL;
	for (int named = 1; named >= 0; named--) {
		check_owner(fake_classify(fake), "gil", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
		assert_class(&fake->wait, "gil wait");
		assert_int_equal(fake->wait.confidence, CONFIDENCE_LIKELY);
		assert_string_equal(fake->wait.resource.kind, "interpreter lock");
		if (named)
			fake->stack.count = 0;
	}
	/* Another condition variable of the interpreter's, or of anybody's. */
	fake_write_u64(fake, STATE + 160, 100);
	assert_class(fake_classify(fake), "cond wait");
	fake_write_u64(fake, STATE + 160, 101);
	fake->context.name_data = NULL;
	assert_class(fake_classify(fake), "cond wait");
	fake_free(fake);
}

/* --- refused by the kernel ------------------------------------------------------------------- */

static void a_refused_mutex_is_looked_for_on_the_stack(void **state)
{
	(void)state;
	struct lock_row zero = {"zero", LOCK, PRIVATE_BITSET, 0, 0, {0}};
	struct fake *fake = waiter(&zero);
	const uint32_t own[5] = {100, 0, 100, 1, 0x20}, dead[5] = {NOBODY, 0, NOBODY, 1, 0x20};
	const uint32_t others_own[5] = {101, 0, 101, 1, 0x20};
	fake->thread->syscall.arguments[0] = STACK_SP + 0x40;
	check_owner(fake_classify(fake), "not found", OWNER_UNREADABLE, 0, LIKELY, REACH_PROCESS);
	assert_class(&fake->wait, "mutex lock");
	assert_int_equal(fake->wait.resource.address, 0);
	fake_write(fake, DATA + 0x100, others_own, sizeof(others_own));
	fake_write_u64(fake, STACK_SP + 0x80, DATA + 0x100);
	check_owner(fake_classify(fake), "not refused", OWNER_UNREADABLE, 0, LIKELY, REACH_PROCESS);
	fake_write(fake, DATA + 0x200, own, sizeof(own));
	fake_write_u64(fake, STACK_SP + 0x88, DATA + 0x200);
	fake_write_u64(fake, STACK_SP + 0x90, DATA + 0x200);
	check_owner(fake_classify(fake), "its own", OWNER_ALIVE, 100, LIKELY, REACH_OWNERS);
	assert_int_equal(fake->wait.resource.address, DATA + 0x200);
	fake_write(fake, DATA + 0x200, dead, sizeof(dead));
	check_owner(fake_classify(fake), "dead", OWNER_EXITED, NOBODY, LIKELY, REACH_PROCESS);
	/* In a register, and without any name. */
	fake_write_u64(fake, STACK_SP + 0x88, 0);
	fake_write_u64(fake, STACK_SP + 0x90, 0);
	fake->thread->registers_from = REGISTERS_STOPPED;
	fake->thread->registers.value[DWARF_R12] = DATA + 0x200;
	fake->stack.count = 0;
	check_owner(fake_classify(fake), "in a register", OWNER_EXITED, NOBODY, LIKELY,
		    REACH_PROCESS);
	assert_class(&fake->wait, "mutex lock");
	assert_int_equal(fake->wait.confidence, CONFIDENCE_LIKELY);
	fake_write(fake, DATA + 0x100, own, sizeof(own));
	assert_class(fake_classify(fake), "futex wait");
	fake_frames(fake, "", LOCK, "|", "worker", NULL);
	check_owner(fake_classify(fake), "one of two", OWNER_UNREADABLE, 0, LIKELY, REACH_PROCESS);
	fake_free(fake);
}

static void the_kernels_word_says_who_holds_a_lock_of_no_library(void **state)
{
	(void)state;
	struct lock_row word = {"word", NULL, PRIVATE_PI,
				0,	0,    {WAITERS | 101, -1u, -1u, -1u, -1u}};
	struct fake *fake = waiter(&word);
	check_owner(fake_classify(fake), "word", OWNER_ALIVE, 101, LIKELY, REACH_OWNERS);
	assert_class(&fake->wait, "mutex lock");
	fake_free(fake);
}

/* --- places and kinds ------------------------------------------------------------------------- */

static void a_lock_without_a_name_says_where_it_lies(void **state)
{
	(void)state;
	static const struct {
		uint64_t start, size;
		const char *path;
		bool shared;
		uint64_t offset;
		const char *place;
	} rows[] = {
		{0x10000000, 0x1000, "[heap]", false, 0, "heap, recursive"},
		{0x10000000, 0x1000, "[anon: glibc: malloc arena]", false, 0, "heap, recursive"},
		{0x10000000, 0x1000, "", false, 0, "anonymous memory, recursive"},
		{0x10000000, 0x1000, "/usr/lib/libx.so.1", false, 0,
		 "data of libx.so.1, recursive"},
		{0x10000000, 0x1000, "/dev/shm/box", true, 0x2000,
		 "shared file /dev/shm/box+0x2800, recursive"},
		{0x10000000, 0x1000, "/dev/zero", true, 0, "anonymous shared memory, recursive"},
		{0x10000000, 0x1000, "", true, 0, "anonymous shared memory, recursive"},
		{0x7fff00000000, 0x1000, "[stack]", false, 0, "stack of thread 100, recursive"},
		{0x7f4000000000, 0x1000, "", false, 0, "heap, recursive"}, /* an arena */
		{0x7f5000001000, 0x1000, "", false, 0, "stack of thread 103, recursive"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake = waiter(&plain);
		const uint32_t mutex[5] = {2, 1, 101, 1, 1};
		fake->context.name_data = NULL;
		fake_map(fake, rows[i].start, rows[i].size, rows[i].path);
		if (rows[i].start == 0x7f4000000000)
			fake_map(fake, rows[i].start + 0x1000, 0x3fff000, "");
		array_for_each (&fake->process.mappings, mapping) {
			if (mapping->start == rows[i].start + 0x1000)
				mapping->readable = mapping->writable = false;
			if (mapping->start != rows[i].start)
				continue;
			mapping->shared = rows[i].shared;
			mapping->offset = rows[i].offset;
		}
		struct capture_thread *other = fake_thread(fake, 103, 103, "other", 0x7f5000001e00);
		other->syscall.sp = 0x7f5000001600;
		fake_segment(fake, rows[i].start, rows[i].size);
		fake_write(fake, rows[i].start + 0x800, mutex, sizeof(mutex));
		fake->thread->syscall.arguments[0] = rows[i].start + 0x800;
		assert_string_equal(fake_classify(fake)->resource.detail, rows[i].place);
		assert_null(fake->wait.resource.name);
		fake_free(fake);
	}
}

static const char *named_as_context(void *context, uint64_t address)
{
	return address == DATA ? context : NULL;
}

static void a_lock_of_libcs_is_known_by_its_variable(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"main_arena", "malloc arena"},
		{"_IO_stdfile_1_lock", "stdio lock"},
		{"_rtld_global+0xa08", "loader lock"},
		{"my_rtld_global", "libc lock"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lock_row lock = {"libc's", NULL, PRIVATE_WAIT, 2, 0, {2}};
		struct fake *fake = waiter(&lock);
		fake->context.name_data = named_as_context;
		fake->context.names = (void *)rows[i][0];
		assert_string_equal(fake_classify(fake)->resource.kind, rows[i][1]);
		fake_free(fake);
	}
}

static void an_arena_beside_the_main_one_is_known_by_its_place(void **state)
{
	(void)state;
	struct lock_row lock = {"arena", NULL, PRIVATE_WAIT, 2, 0, {2}};
	struct fake *fake = waiter(&lock);
	fake_map(fake, 0x7f4000000000, 0x21000, "");
	fake_map(fake, 0x7f4000021000, 0x3fdf000, "");
	array_for_each (&fake->process.mappings, mapping) {
		if (mapping->start == 0x7f4000021000)
			mapping->readable = mapping->writable = false;
	}
	fake_segment(fake, 0x7f4000000000, 0x1000);
	fake_write_u32(fake, 0x7f4000000030, 2);
	fake->thread->syscall.arguments[0] = 0x7f4000000030;
	assert_string_equal(fake_classify(fake)->resource.kind, "malloc arena");
	assert_string_equal(fake->wait.resource.detail, "heap");
	fake_write_u32(fake, 0x7f4000000840, 2);
	fake->thread->syscall.arguments[0] = 0x7f4000000840;
	assert_string_equal(fake_classify(fake)->resource.kind, "libc lock");
	fake_free(fake);
}

/* --- memory that lies ------------------------------------------------------------------------- */

/* xorshift64*: the same cases every time. */
static uint64_t seed = 0x2545f4914f6cdd1d;
static uint64_t next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x9e3779b97f4a7c15;
}

/* Is the id of this living thread, or its control block, among what the wait goes by? */
static bool is_written(const struct fake *fake, const unsigned char *bytes, size_t n,
		       const struct capture_thread *owner)
{
	for (size_t i = 0; i + 4 <= n; i += 4) {
		uint32_t word;
		memcpy(&word, bytes + i, 4);
		if ((word & FUTEX_TID_MASK) == (uint32_t)owner->ns_tid)
			return true;
		uint64_t pointer = 0;
		if (i + 8 <= n)
			memcpy(&pointer, bytes + i, 8);
		if (pointer && pointer == owner->fs_base)
			return true;
	}
	return fake->thread->syscall.arguments[2] == (uint64_t)owner->ns_tid;
}

static void check_truth(struct fake *fake, const struct lock_row *lock, const unsigned char *bytes)
{
	const struct wait *wait = fake_classify(fake);
	if (wait->owner_confidence != CONFIDENCE_CERTAIN && wait->reach != REACH_OWNERS)
		return;
	if (wait->owners.count != 1 || wait->owner_state != OWNER_ALIVE)
		fail_msg("%s: %s without an owner", lock->what, wait_reach_names[wait->reach]);
	const struct capture_process *process = &fake->process;
	if (wait->owners.items[0].pid == 50)
		process = fake->context.capture->processes.items;
	else
		assert_int_equal(wait->owners.items[0].pid, 100);
	const struct capture_thread *owner =
		capture_thread_by_tid(process, wait->owners.items[0].tid);
	if (!owner || owner->state == 'Z' || !is_written(fake, bytes, sizeof(lock->words), owner))
		fail_msg("%s: owner %d", lock->what, (int)wait->owners.items[0].tid);
}

static unsigned mutate(struct fake *fake, const struct lock_row *lock)
{
	unsigned char bytes[sizeof(lock->words)];
	unsigned certain = 0;
	static const uint32_t telling[] = {0,	       1,	   2,	    3,	    100,
					   101,	       51,	   ZOMBIE,  NOBODY, -1u,
					   0x7fffffff, 0x80000000, 4194304, 4194305};
	for (size_t at = 0; at < sizeof(bytes) * 8; at++) {
		memcpy(bytes, lock->words, sizeof(bytes));
		bytes[at / 8] ^= (unsigned char)(1u << (at % 8));
		fake_write(fake, DATA, bytes, sizeof(bytes));
		check_truth(fake, lock, bytes);
		certain += fake->wait.owner_confidence == CONFIDENCE_CERTAIN;
	}
	for (unsigned i = 0; i < 400; i++) {
		memcpy(bytes, lock->words, sizeof(bytes));
		for (uint64_t n = 1 + next() % 6; n; n--) {
			size_t at = next() % (sizeof(bytes) / 4) * 4;
			uint32_t word = next() % 3 ? telling[next() % ARRAY_SIZE(telling)]
						   : (uint32_t)next();
			memcpy(bytes + at, &word, 4);
		}
		fake_write(fake, DATA, bytes, sizeof(bytes));
		check_truth(fake, lock, bytes);
		certain += fake->wait.owner_confidence == CONFIDENCE_CERTAIN;
	}
	return certain;
}

static unsigned mutate_cases(const struct lock_row *cases, size_t count, const char *libc,
			     bool shared)
{
	unsigned certain = 0;
	for (size_t i = 0; i < count; i++) {
		struct family family;
		family_init(&family, &cases[i], shared);
		rename_libc(family.fake, libc);
		certain += mutate(family.fake, &cases[i]);
		family_deinit(&family);
	}
	return certain;
}

static void mutated_memory_never_makes_an_owner_that_cannot_be(void **state)
{
	(void)state;
	unsigned certain = 0;
	for (int shared = 0; shared < 2; shared++) {
		certain += mutate_cases(mutexes, ARRAY_SIZE(mutexes), GLIBC, shared);
		certain += mutate_cases(rwlocks, ARRAY_SIZE(rwlocks), GLIBC, shared);
		certain += mutate_cases(musl_locks, ARRAY_SIZE(musl_locks), MUSL, shared);
		certain +=
			mutate_cases(low_level_locks, ARRAY_SIZE(low_level_locks), GLIBC, shared);
		certain += mutate_cases(others, ARRAY_SIZE(others), GLIBC, shared);
	}
	/* Many mutations leave the owner as it was. */
	assert_true(certain > 1000);
}

static void bytes_at_random_are_no_lock(void **state)
{
	(void)state;
	struct family family;
	family_init(&family, &plain, false);
	struct fake *fake = family.fake;
	for (unsigned i = 0; i < 20000; i++) {
		struct lock_row lock = mutexes[next() % ARRAY_SIZE(mutexes)];
		for (size_t j = 0; j < ARRAY_SIZE(lock.words); j++)
			lock.words[j] = (uint32_t)(next() >> (next() % 64));
		fake->thread->syscall.arguments[1] = lock.op;
		fake->thread->syscall.arguments[2] = lock.value;
		fake_write(fake, DATA, lock.words, sizeof(lock.words));
		check_truth(fake, &lock, (const unsigned char *)lock.words);
	}
	family_deinit(&family);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mutex_of_any_kind_names_its_owner),
		cmocka_unit_test(a_rwlock_names_its_writer_and_counts_its_readers),
		cmocka_unit_test(musls_locks_name_an_owner_where_they_keep_one),
		cmocka_unit_test(libcs_own_locks_name_an_owner_where_they_keep_one),
		cmocka_unit_test(what_nobody_holds_is_told_from_what_records_no_holder),
		cmocka_unit_test(a_lock_that_is_waited_for_without_a_futex_records_no_owner),
		cmocka_unit_test(a_lock_that_cannot_be_read_has_no_owner),
		cmocka_unit_test(a_join_waits_for_the_thread_itself),
		cmocka_unit_test(a_join_of_musls_names_the_thread),
		cmocka_unit_test(ids_are_of_the_targets_own_namespace),
		cmocka_unit_test(an_owner_is_certain_only_while_nothing_moved),
		cmocka_unit_test(a_thread_that_moved_on_has_neither_lock_nor_owner),
		cmocka_unit_test(an_owner_younger_than_the_wait_is_doubted),
		cmocka_unit_test(a_lock_that_was_held_over_a_fork_is_told),
		cmocka_unit_test(an_owner_in_another_process_is_found_through_shared_memory),
		cmocka_unit_test(a_private_futex_is_the_processs_own_and_so_is_private_memory),
		cmocka_unit_test(a_wait_for_many_reaches_as_far_as_the_farthest),
		cmocka_unit_test(a_waiter_for_what_is_free_is_overdue),
		cmocka_unit_test(a_waiter_in_a_signalled_group_is_overdue),
		cmocka_unit_test(a_sequence_is_no_sign_of_a_lost_wake_up),
		cmocka_unit_test(the_interpreter_lock_names_its_holder),
		cmocka_unit_test(an_rlock_of_pythons_names_its_owner),
		cmocka_unit_test(malloc_in_a_handler_waits_for_what_it_interrupted),
		cmocka_unit_test(an_interpreter_lock_is_known_where_its_function_has_no_name),
		cmocka_unit_test(a_refused_mutex_is_looked_for_on_the_stack),
		cmocka_unit_test(the_kernels_word_says_who_holds_a_lock_of_no_library),
		cmocka_unit_test(a_lock_without_a_name_says_where_it_lies),
		cmocka_unit_test(a_lock_of_libcs_is_known_by_its_variable),
		cmocka_unit_test(an_arena_beside_the_main_one_is_known_by_its_place),
		cmocka_unit_test(mutated_memory_never_makes_an_owner_that_cannot_be),
		cmocka_unit_test(bytes_at_random_are_no_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
