/* Waits on a futex: by frames, by memory, by the way they look to the kernel. */
#include "unit/classify/fake.h"

#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define PRIVATE_WAIT   0x80
#define PRIVATE_BITSET 0x189
#define SHARED_BITSET  0x109
#define TCB	       (DATA + 0x2000)

static const char *name_data(void *context, uint64_t address)
{
	(void)context;
	return address == DATA ? "accounts" : address == DATA + 0x100 ? "guard" : NULL;
}

static struct fake *futex_fake(uint64_t address, uint32_t op, uint32_t value)
{
	struct fake *fake = fake_new();
	fake->context.name_data = name_data;
	fake_call(fake, SYS_futex, address, op, value, 0, 0, 0);
	return fake;
}

static void put_mutex(struct fake *fake, uint64_t at, uint32_t word, uint32_t owner, uint32_t kind)
{
	const uint32_t mutex[10] = {word, 0, owner, 1, kind};
	fake_write(fake, at, mutex, sizeof(mutex));
}

static void check(struct fake *fake, const char *class, const char *kind, uint64_t address,
		  const char *detail, enum confidence confidence)
{
	const struct wait *wait = fake_classify(fake);
	assert_class(wait, class);
	assert_string_equal(wait->resource.kind, kind);
	assert_int_equal(wait->resource.address, address);
	if (detail)
		assert_string_equal(wait->resource.detail, detail);
	else
		assert_null(wait->resource.detail);
	assert_int_equal(wait->confidence, confidence);
	fake_free(fake);
}

static void a_mutex_is_known_by_frame_and_memory(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	fake_frames(fake, "__lll_lock_wait", "pthread_mutex_lock@@GLIBC_2.2.5", "|", "worker",
		    NULL);
	put_mutex(fake, DATA, 2, 100, 0);
	assert_string_equal(fake_classify(fake)->resource.name, "accounts");
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_CERTAIN);
}

static void a_mutex_is_known_without_any_name(void **state)
{
	(void)state;
	static const struct {
		uint32_t op, value, word, kind;
		const char *detail;
		enum confidence confidence;
	} rows[] = {
		{PRIVATE_WAIT, 2, 2, 0, NULL, CONFIDENCE_LIKELY},
		{0, 2, 2, 0x80, "shared between processes", CONFIDENCE_LIKELY},
		{PRIVATE_BITSET, 2, 2, 1, "recursive", CONFIDENCE_LIKELY},
		{0, 0x80000064, 0x80000064, 0x12, "error-checking, robust", CONFIDENCE_LIKELY},
		{0x86, 0, 0x80000064, 0x20, "priority inheritance", CONFIDENCE_CERTAIN},
		{0x8d, 0, 0x80000064, 0x23, "adaptive, priority inheritance", CONFIDENCE_CERTAIN},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = futex_fake(DATA, rows[i].op, rows[i].value);
		put_mutex(fake, DATA, rows[i].word, 100, rows[i].kind);
		check(fake, "mutex lock", "mutex", DATA, rows[i].detail, rows[i].confidence);
	}
}

static void memory_that_is_no_mutex_makes_a_named_one_doubtful(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	fake_frames(fake, "", "pthread_mutex_lock", "|", "worker", NULL);
	put_mutex(fake, DATA, 77777, 100, 0xffff);
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_LIKELY);
}

static void put_cond(struct fake *fake, uint64_t base, uint64_t mutex, unsigned waiters_at)
{
	fake_write_u32(fake, base + waiters_at, 1 << 3);
	fake_write_u64(fake, STACK_SP + 0x98, base);
	fake_write_u64(fake, STACK_SP + 0xa0, mutex);
	put_mutex(fake, mutex, 0, 0, 0);
}

static void the_waiters_stack_tells_the_layout_of_a_condition_and_its_mutex(void **state)
{
	(void)state;
	static const unsigned words[4] = {40, 44, 32, 36};
	for (size_t i = 0; i < 4; i++) {
		for (int named = 0; named < 2; named++) {
			struct fake *fake = futex_fake(DATA + words[i], PRIVATE_BITSET, 0);
			put_cond(fake, DATA, DATA + 0x100, words[i] >= 40 ? 36 : 28);
			if (named)
				fake_frames(fake, "__futex_abstimed_wait_common",
					    "pthread_cond_wait", "|", "worker", NULL);
			check(fake, "cond wait", "condition variable", DATA,
			      "with mutex guard at 0x600100",
			      named ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		}
	}
}

static void an_old_condition_holds_its_mutex(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA + 4, PRIVATE_WAIT, 1);
	fake_write_u64(fake, DATA + 8, 3);
	fake_write_u64(fake, DATA + 32, DATA + 0x100);
	put_mutex(fake, DATA + 0x100, 0, 0, 0);
	fake_frames(fake, "pthread_cond_wait@@GLIBC_2.3.2", "|", "worker", NULL);
	check(fake, "cond wait", "condition variable", DATA, "with mutex guard at 0x600100",
	      CONFIDENCE_CERTAIN);
}

static void put_rwlock(struct fake *fake, uint32_t readers, uint32_t writer, uint32_t phase,
		       uint32_t writers)
{
	const uint32_t lock[14] = {readers, 0, phase, writers, 0, 0, writer};
	fake_write(fake, DATA, lock, sizeof(lock));
}

static void the_sides_of_a_rwlock_are_told_apart(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA + 8, PRIVATE_BITSET, 3);
	put_rwlock(fake, 3, 100, 3, 1);
	check(fake, "rwlock read", "rwlock", DATA, "held by a writer", CONFIDENCE_LIKELY);
	fake = futex_fake(DATA + 8, PRIVATE_BITSET, 2);
	put_rwlock(fake, 2 << 3 | 2, 100, 2, 1);
	fake_frames(fake, "", "pthread_rwlock_wrlock", "|", "worker", NULL);
	check(fake, "rwlock write", "rwlock", DATA, "held by 2 readers", CONFIDENCE_CERTAIN);
	fake = futex_fake(DATA + 12, PRIVATE_BITSET, 3);
	put_rwlock(fake, 3, 100, 1, 3);
	check(fake, "rwlock write", "rwlock", DATA, "held by a writer", CONFIDENCE_LIKELY);
	fake = futex_fake(DATA, PRIVATE_BITSET, 0xe);
	put_rwlock(fake, 0xe, 0, 0, 1);
	check(fake, "rwlock read", "rwlock", DATA, "held by 1 reader", CONFIDENCE_LIKELY);
}

static void a_semaphore_shows_its_value_and_waiters(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_BITSET, 0);
	const uint32_t semaphore[4] = {0, 3, 0};
	fake_write(fake, DATA, semaphore, sizeof(semaphore));
	check(fake, "semaphore wait", "semaphore", DATA, "value 0, 3 waiters", CONFIDENCE_LIKELY);
	fake = futex_fake(DATA, SHARED_BITSET, 0);
	const uint32_t shared[4] = {0, 1, 128};
	fake_write(fake, DATA, shared, sizeof(shared));
	fake_frames(fake, "do_futex_wait.constprop.0", "__new_sem_wait_slow64.constprop.0", "|",
		    "worker", NULL);
	check(fake, "semaphore wait", "semaphore", DATA, "value 0, 1 waiter", CONFIDENCE_CERTAIN);
}

static void a_barrier_counts_who_has_come(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA + 4, PRIVATE_WAIT, 6);
	const uint32_t barrier[5] = {7, 6, 3, 0, 0};
	fake_write(fake, DATA, barrier, sizeof(barrier));
	check(fake, "barrier wait", "barrier", DATA, "1 of 3 arrived", CONFIDENCE_LIKELY);
}

static void a_join_names_the_thread_in_our_namespace(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(TCB + 720, 0x109, 3);
	fake_thread(fake, 103, 3, "worker-3", TCB);
	fake_write_u32(fake, TCB + 720, 3);
	const struct wait *wait = fake_classify(fake);
	assert_string_equal(wait->resource.name, "worker-3");
	assert_string_equal(wait->resource.identity, "thread:103");
	/* The value is a small number: only the thread's own block makes it a join. */
	check(fake, "thread join", "thread", TCB + 720, "thread 103", CONFIDENCE_LIKELY);
	fake = futex_fake(TCB + 720, 0x109, 5000);
	fake_thread(fake, 9000, 5000, "worker", TCB);
	fake_write_u32(fake, TCB + 720, 5000);
	fake_frames(fake, "", "__pthread_clockjoin_ex", "|", "main", NULL);
	check(fake, "thread join", "thread", TCB + 720, "thread 9000", CONFIDENCE_CERTAIN);
}

static void once_is_known_by_its_frame(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 1);
	fake_write_u32(fake, DATA, 1);
	fake_frames(fake, "futex_wait", "__pthread_once_slow", "|", "worker", NULL);
	check(fake, "once wait", "once", DATA, NULL, CONFIDENCE_CERTAIN);
}

static void libcs_own_locks_are_named_after_who_takes_them(void **state)
{
	(void)state;
	static const struct {
		const char *outer, *kind;
	} rows[] = {
		{"malloc", "malloc arena"},
		{"_int_free", "malloc arena"},
		{"fputc", "stdio lock"},
		{"_IO_puts", "stdio lock"},
		{"__vfprintf_internal", "stdio lock"},
		{"_dl_open", "loader lock"},
		{"dl_iterate_phdr", "loader lock"},
		{"exit", "exit lock"},
		{"getaddrinfo", "resolver lock"},
		{"__tz_convert", "time zone lock"},
		{"qsort", "libc lock"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
		fake_write_u32(fake, DATA, 2);
		fake_frames(fake, "__lll_lock_wait_private", rows[i].outer, "|", "worker", NULL);
		check(fake, "mutex lock", rows[i].kind, DATA, NULL, CONFIDENCE_CERTAIN);
		/* Stripped: the exported caller is all there is. */
		fake = futex_fake(DATA, PRIVATE_WAIT, 2);
		fake_write_u32(fake, DATA, 2);
		fake_frames(fake, "", rows[i].outer, "|", "worker", NULL);
		check(fake, "mutex lock", rows[i].kind, DATA, NULL, CONFIDENCE_LIKELY);
	}
}

static void the_users_own_malloc_says_nothing_of_a_mutex(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "__lll_lock_wait", "pthread_mutex_lock", "|", "worker", "malloc", NULL);
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_CERTAIN);
}

static void a_users_function_with_a_name_like_libcs_takes_no_lock_of_libcs(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "__lll_lock_wait", "pthread_mutex_lock", "|", "getconfig", NULL);
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_CERTAIN);
}

/* A static program has libc's functions beside its own. */
static void in_a_static_program_a_prefix_does_not_make_a_function_libcs(void **state)
{
	(void)state;
	static const struct {
		const char *lock, *function, *kind;
	} rows[] = {
		{"pthread_mutex_lock", "put_on_queue", "mutex"},
		{"pthread_mutex_lock", "putstock", "mutex"},
		{"pthread_mutex_lock", "tzap", "mutex"},
		{"pthread_mutex_lock", "_dl_iterate_phdr", "loader lock"},
		{"__lll_lock_wait_private", "puts", "stdio lock"},
		{"__lll_lock_wait_private", "arena_get2.part.0", "malloc arena"},
		{"__lll_lock_wait_private", "_IO_puts", "stdio lock"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
		bool low_level = rows[i].lock[0] == '_';
		put_mutex(fake, DATA, 2, low_level ? 0 : 100, 0);
		array_for_each (&fake->process.mappings, mapping) {
			if (mapping->start == LIBC)
				mapping->path = "/usr/bin/program";
		}
		fake_frames(fake, "|", rows[i].lock, rows[i].function, "main", NULL);
		check(fake, "mutex lock", rows[i].kind, DATA, NULL, CONFIDENCE_CERTAIN);
	}
}

static void nobody_asked_from_beyond_a_frame_without_a_name(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "__lll_lock_wait", "pthread_mutex_lock", "", "_dl_open", NULL);
	fake->stack.frames[2].module = "/usr/lib/libother.so";
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_CERTAIN);
	fake = futex_fake(DATA, PRIVATE_WAIT, 77);
	fake_frames(fake, "syscall", "", "pthread_once", NULL);
	fake->stack.frames[1].module = "/usr/lib/libother.so";
	assert_class(fake_classify(fake), "futex wait");
	fake_free(fake);
}

static void a_librarys_join_names_the_thread(void **state)
{
	(void)state;
	static const char *const joins[] = {"std::thread::join()", "g_thread_join"};
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		struct fake *fake = futex_fake(TCB + 720, 0x109, 5000);
		fake_thread(fake, 9000, 5000, "worker", TCB);
		fake_write_u32(fake, TCB + 720, 5000);
		fake_frames(fake, "", "__pthread_clockjoin_ex", joins[i], "|", "main", NULL);
		assert_string_equal(fake_classify(fake)->resource.name, "worker");
		check(fake, "thread join", "thread", TCB + 720, "thread 9000", CONFIDENCE_CERTAIN);
	}
}

static void a_condition_that_cannot_be_read_is_its_word(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(OTHER + 40, PRIVATE_BITSET, 0);
	fake_frames(fake, "", "pthread_cond_wait", "|", "worker", NULL);
	check(fake, "cond wait", "condition variable", OTHER + 40, "data of libother.so",
	      CONFIDENCE_CERTAIN);
}

static size_t read_zeroes(void *context, uint64_t address, void *buf, size_t n)
{
	(void)context;
	(void)address;
	memset(buf, 0, n);
	return n;
}

static void memory_read_afterwards_counts_where_the_thread_has_not_moved(void **state)
{
	(void)state;
	for (int steady = 0; steady < 2; steady++) {
		struct fake *fake = fake_new();
		memory_add_source(&fake->process.memory, MEMORY_LIVE, read_zeroes, NULL);
		fake_call(fake, SYS_openat, 3, OTHER, 0, 0, 0, 0);
		fake->thread->steady = steady;
		assert_int_equal(fake_classify(fake)->confidence,
				 steady ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		fake_free(fake);
	}
}

/* The word of group 0 in one layout is that of another in a condition eight bytes further on. */
static void two_layouts_that_fit_as_weakly_leave_the_word(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA + 40, PRIVATE_BITSET, 0);
	fake_write_u32(fake, DATA + 36, 1 << 3);
	fake_frames(fake, "", "pthread_cond_wait", "|", "worker", NULL);
	check(fake, "cond wait", "condition variable", DATA + 40, "anonymous memory",
	      CONFIDENCE_LIKELY);
}

static void a_thread_that_moved_is_at_most_likely(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "__lll_lock_wait", "pthread_mutex_lock", "|", "worker", NULL);
	fake->thread->steady = false;
	fake->thread->stop = STOP_DONE;
	fake->thread->in_syscall = true;
	fake->thread->stopped_syscall = SYS_restart_syscall;
	assert_int_equal(fake_classify(fake)->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(fake->wait.resource.address, DATA);
	fake->thread->stopped_syscall = SYS_read;
	assert_int_equal(fake_classify(fake)->confidence, CONFIDENCE_LIKELY);
	assert_null(fake->wait.resource.kind);
	fake->thread->syscall.state = SYSCALL_UNREADABLE;
	fake->thread->in_syscall = false;
	assert_class(fake_classify(fake), "unknown");
	assert_int_equal(fake->wait.confidence, CONFIDENCE_LIKELY);
	assert_string_equal(fake->wait.rule, "syscall unreadable");
	fake_free(fake);
}

static void a_stdio_lock_knows_its_owner(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	fake_thread(fake, 101, 101, "writer", TCB);
	fake_write_u32(fake, DATA, 2);
	fake_write_u32(fake, DATA + 4, 1);
	fake_write_u64(fake, DATA + 8, TCB);
	check(fake, "mutex lock", "stdio lock", DATA, NULL, CONFIDENCE_LIKELY);
}

struct runtime_case {
	const char *frames[4];
	const char *class, *kind;
	unsigned word;
	const char *module; /* NULL: the program */
	bool own_word;	    /* the word says nothing of the object */
};

static const struct runtime_case runtime_cases[] = {
	{{"std::__detail::__platform_wait<int>",
	  "std::__atomic_base<int>::wait(int, std::memory_order) const"},
	 "atomic wait",
	 "futex",
	 0},
	{{"std::__detail::__waiter<..>::_M_do_wait", "std::latch::wait() const"},
	 "barrier wait",
	 "latch",
	 0},
	{{"std::__detail::__platform_wait<int>", "std::counting_semaphore<1l>::acquire()"},
	 "semaphore wait",
	 "semaphore",
	 0},
	{{"syscall",
	  "void std::__atomic_wait_address_bare<std::__atomic_semaphore::_M_acquire()::"
	  "{lambda()#1}>(int const*, std::__atomic_semaphore::_M_acquire()::{lambda()#1})"},
	 "semaphore wait",
	 "semaphore",
	 0},
	{{"std::__detail::__platform_wait<int>",
	  "void std::__detail::__waiter<b>::_M_do_wait<std::latch::wait() const::{lambda()#1}>(l)"},
	 "barrier wait",
	 "latch",
	 0},
	{{"std::__atomic_futex_unsigned_base::_M_futex_wait_until(unsigned*, unsigned)"},
	 "future wait",
	 "futex",
	 0},
	{{"syscall", "__cxa_guard_acquire"}, "once wait", "static initialiser", 0},
	{{"std::sys::pal::unix::futex::futex_wait",
	  "std::sys::sync::mutex::futex::Mutex::lock_contended"},
	 "mutex lock",
	 "mutex",
	 0},
	{{"std::sys::pal::unix::futex::futex_wait",
	  "std::sys::sync::rwlock::futex::RwLock::write_contended"},
	 "rwlock write",
	 "rwlock",
	 4},
	{{"std::sys::pal::unix::futex::futex_wait",
	  "std::sys::sync::thread_parking::futex::Parker::park"},
	 "park",
	 "futex",
	 0},
	{{"std::sys::sync::thread_parking::futex::Parker::park", "std::thread::current::park",
	  "<std::sync::mpmc::list::Channel<i32>>::recv::{closure#1}",
	  "<std::sync::mpmc::list::Channel<i32>>::recv"},
	 "channel receive",
	 NULL,
	 0,
	 NULL,
	 true},
	{{"std::sys::sync::thread_parking::futex::Parker::park", "std::thread::scoped::scope"},
	 "thread join",
	 "thread",
	 0,
	 NULL,
	 true},
	{{"runtime.futex", "runtime.futexsleep", "runtime.notesleep", "runtime.stopm"},
	 "park",
	 "futex",
	 0},
	{{"runtime.futex", "runtime.futexsleep", "runtime.lock2"}, "mutex lock", "runtime lock", 0},
	{{"runtime.futex", "runtime.futexsleep", "runtime.semasleep", "runtime.lock2"},
	 "mutex lock",
	 "runtime lock",
	 0,
	 NULL,
	 true},
	{{"pthread_cond_timedwait", "take_gil", "PyEval_RestoreThread"},
	 "gil wait",
	 "interpreter lock",
	 0},
	{{"pthread_cond_wait", "Unsafe_Park"}, "cond wait", "condition variable", 0},
	{{"pthread_cond_wait", "os::PlatformEvent::park()", "ObjectMonitor::EnterI(JavaThread*)"},
	 "monitor enter",
	 "java monitor",
	 0,
	 "/opt/jdk/lib/libjvm.so",
	 true},
	{{"pthread_cond_wait", "os::PlatformEvent::park()", "ObjectMonitor::EnterI(Mine*)"},
	 "cond wait",
	 "condition variable",
	 0},
	{{"pthread_cond_wait", "lock_wait(int)"}, "cond wait", "condition variable", 0},
	{{"pthread_cond_wait", "lock_wait(que_thr_t*)"},
	 "mutex lock",
	 "row lock",
	 0,
	 "/usr/sbin/mysqld",
	 true},
	{{"pthread_cond_wait", "os::PlatformEvent::park()", "ObjectMonitor::wait(long, bool)"},
	 "object wait",
	 "java monitor",
	 0,
	 "/opt/jdk/lib/libjvm.so",
	 true},
	{{"AbslInternalPerThreadSemWait_lts_20220623", "absl::lts::Mutex::LockSlowLoop"},
	 "park",
	 "futex",
	 0},
	{{"AbslInternalPerThreadSemWait", "absl::Mutex::LockSlowLoop(absl::SynchWaitParams*)"},
	 "mutex lock",
	 "mutex",
	 0,
	 NULL,
	 true},
	{{"syscall", "g_mutex_lock_slowpath"}, "mutex lock", "mutex", 0},
	{{"syscall", "g_cond_wait"}, "cond wait", "condition variable", 8},
	{{"QBasicMutex::lockInternal()"}, "mutex lock", "mutex", 0},
	{{"gomp_team_barrier_wait_end"}, "barrier wait", "barrier", 0},
};

static void runtimes_are_known_by_their_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(runtime_cases) / sizeof(runtime_cases[0]); i++) {
		const struct runtime_case *c = &runtime_cases[i];
		struct fake *fake = futex_fake(DATA + c->word, PRIVATE_WAIT, 77);
		fake_frames(fake, "|", c->frames[0], c->frames[1], c->frames[2], c->frames[3],
			    NULL);
		if (c->module) {
			fake_module(fake, 0, "/usr/lib/x86_64-linux-gnu/libc.so.6");
			fake_module(fake, 1, c->module);
		}
		const struct wait *wait = fake_classify(fake);
		assert_class(wait, c->class);
		if (c->kind)
			assert_string_equal(wait->resource.kind, c->kind);
		else
			assert_null(wait->resource.kind);
		if (c->own_word)
			assert_int_equal(wait->resource.address, 0);
		else if (wait->class != WAIT_COND || c->word)
			assert_int_equal(wait->resource.address, DATA);
		fake_free(fake);
	}
}

static void what_a_callback_waits_for_is_not_its_callers_wait(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "__lll_lock_wait", "pthread_mutex_lock", "|", "app::body",
		    "std::thread::scoped::scope", "app::main", NULL);
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_CERTAIN);
}

static void frames_beyond_a_signal_handler_are_not_the_waits(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "", "", "pthread_cond_wait", NULL);
	fake->stack.frames[1].kind = FRAME_SIGNAL;
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_LIKELY);
}

static void a_guessed_frame_is_at_most_likely(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA, PRIVATE_WAIT, 2);
	put_mutex(fake, DATA, 2, 100, 0);
	fake_frames(fake, "", "pthread_mutex_lock", NULL);
	fake->stack.frames[1].doubtful = true;
	check(fake, "mutex lock", "mutex", DATA, NULL, CONFIDENCE_LIKELY);
}

static void musl_is_known_without_any_name(void **state)
{
	(void)state;
	static const struct {
		uint32_t op, value, words[6];
		unsigned word;
		const char *class, *kind, *detail;
	} rows[] = {
		{0x80, 0x80000010, {0, 0x80000010, 1}, 4, "mutex lock", "mutex", NULL},
		{0x80, 0x80000064, {1, 0x80000064, 1}, 4, "mutex lock", "mutex", "recursive"},
		{0x80,
		 0xffffffff,
		 {0xffffffff, 1, 0},
		 0,
		 "futex wait",
		 "rwlock",
		 "held by a writer"},
		{0x80,
		 0x80000002,
		 {0x80000002, 1, 0},
		 0,
		 "rwlock write",
		 "rwlock",
		 "held by 2 readers"},
		{0x80,
		 0xffffffff,
		 {0xffffffff, 1, 128},
		 0,
		 "semaphore wait",
		 "semaphore",
		 "value 0, 1 waiter"},
		{0,
		 0xffffffff,
		 {0xffffffff, 1, 0},
		 0,
		 "semaphore wait",
		 "semaphore",
		 "value 0, 1 waiter"},
		{0,
		 0xffffffff,
		 {0xffffffff, 1, 128},
		 0,
		 "futex wait",
		 "rwlock",
		 "held by a writer"},
		{0x80, 3, {3}, 0, "once wait", "once", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *fake = futex_fake(DATA + rows[i].word, rows[i].op, rows[i].value);
		array_for_each (&fake->process.mappings, mapping) {
			if (mapping->start == LIBC)
				mapping->path = "/lib/ld-musl-x86_64.so.1";
		}
		fake_write(fake, DATA, rows[i].words, sizeof(rows[i].words));
		check(fake, rows[i].class, rows[i].kind, DATA, rows[i].detail, CONFIDENCE_LIKELY);
	}
}

static void a_programs_own_futex_stays_one(void **state)
{
	(void)state;
	struct fake *fake = futex_fake(DATA + 0x40, PRIVATE_WAIT, 2);
	fake->thread->syscall.pc = OTHER + 0x10;
	fake_write_u32(fake, DATA + 0x40, 2);
	check(fake, "futex wait", "futex", DATA + 0x40, "anonymous memory, value 2, waits while 2",
	      CONFIDENCE_CERTAIN);
	/* libc's syscall() is not libc's lock. */
	fake = futex_fake(DATA + 0x40, PRIVATE_WAIT, 2);
	fake_write_u32(fake, DATA + 0x40, 2);
	fake_frames(fake, "syscall", "my_lock", NULL);
	fake->stack.frames[1].lookup_pc = OTHER + 0x10;
	fake->stack.frames[1].module = "/usr/lib/libother.so";
	check(fake, "futex wait", "futex", DATA + 0x40, "anonymous memory, value 2, waits while 2",
	      CONFIDENCE_CERTAIN);
	/* Unreadable memory: no invented value. */
	fake = futex_fake(0x1000, PRIVATE_WAIT, 7);
	check(fake, "futex wait", "futex", 0x1000, NULL, CONFIDENCE_CERTAIN);
}

static void a_wait_for_any_of_many_shows_the_first(void **state)
{
	(void)state;
	struct fake *fake = fake_new();
	fake_write_u64(fake, DATA + 8, DATA + 0x200);
	fake_call(fake, SYS_futex_waitv, DATA, 3, 0, 0, 0, 0);
	check(fake, "futex wait", "futex", DATA + 0x200, "anonymous memory, the first of 3 futexes",
	      CONFIDENCE_CERTAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mutex_is_known_by_frame_and_memory),
		cmocka_unit_test(a_mutex_is_known_without_any_name),
		cmocka_unit_test(memory_that_is_no_mutex_makes_a_named_one_doubtful),
		cmocka_unit_test(the_waiters_stack_tells_the_layout_of_a_condition_and_its_mutex),
		cmocka_unit_test(an_old_condition_holds_its_mutex),
		cmocka_unit_test(the_sides_of_a_rwlock_are_told_apart),
		cmocka_unit_test(a_semaphore_shows_its_value_and_waiters),
		cmocka_unit_test(a_barrier_counts_who_has_come),
		cmocka_unit_test(a_join_names_the_thread_in_our_namespace),
		cmocka_unit_test(once_is_known_by_its_frame),
		cmocka_unit_test(libcs_own_locks_are_named_after_who_takes_them),
		cmocka_unit_test(the_users_own_malloc_says_nothing_of_a_mutex),
		cmocka_unit_test(a_users_function_with_a_name_like_libcs_takes_no_lock_of_libcs),
		cmocka_unit_test(in_a_static_program_a_prefix_does_not_make_a_function_libcs),
		cmocka_unit_test(nobody_asked_from_beyond_a_frame_without_a_name),
		cmocka_unit_test(a_librarys_join_names_the_thread),
		cmocka_unit_test(a_condition_that_cannot_be_read_is_its_word),
		cmocka_unit_test(a_thread_that_moved_is_at_most_likely),
		cmocka_unit_test(memory_read_afterwards_counts_where_the_thread_has_not_moved),
		cmocka_unit_test(two_layouts_that_fit_as_weakly_leave_the_word),
		cmocka_unit_test(a_stdio_lock_knows_its_owner),
		cmocka_unit_test(runtimes_are_known_by_their_frames),
		cmocka_unit_test(what_a_callback_waits_for_is_not_its_callers_wait),
		cmocka_unit_test(frames_beyond_a_signal_handler_are_not_the_waits),
		cmocka_unit_test(a_guessed_frame_is_at_most_likely),
		cmocka_unit_test(musl_is_known_without_any_name),
		cmocka_unit_test(a_programs_own_futex_stays_one),
		cmocka_unit_test(a_wait_for_any_of_many_shows_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
