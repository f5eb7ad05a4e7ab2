/*
 * Functions and what a thread inside of them waits for.  Names in their normal form (frames.h).
 * Sources: "seen" was produced and looked at on a live process; otherwise the project's source.
 */
#include "base/array.h"
#include "classify/frames.h"

#define STUB(name, from)                                                                           \
	{                                                                                          \
		.pattern = (name), .layer = LAYER_STUB, .calls = IN_ANY, .source = (from)          \
	}
#define LIBC(name, what, of, from)                                                                 \
	{                                                                                          \
		.pattern = (name), .layer = LAYER_LIBC, .class = WAIT_##what,                      \
		.primitive = PRIMITIVE_##of, .source = (from)                                      \
	}
#define LIBRARY(name, what, from, ...)                                                             \
	{                                                                                          \
		.pattern = (name), .layer = LAYER_LIBRARY, .class = WAIT_##what, .source = (from), \
		##__VA_ARGS__                                                                      \
	}
#define RUNTIME(name, what, from, ...)                                                             \
	{                                                                                          \
		.pattern = (name), .layer = LAYER_RUNTIME, .class = WAIT_##what, .source = (from), \
		##__VA_ARGS__                                                                      \
	}

/* The servers, and the libraries that programs embed them with. */
#define MYSQL "mariadbd|mysqld|libmariadbd|libmysqld"

const struct frame_row frame_rows[] = {
	/* The way into the kernel. */
	STUB("syscall", "glibc, musl"),
	STUB("syscall_cancel*", "glibc 2.41"),
	STUB("internal_syscall_cancel", "glibc 2.41"),
	STUB("syscall_cp*", "musl 1.2"),
	STUB("cp_begin", "musl 1.2"),
	STUB("cp_end", "musl 1.2"),
	STUB("futex_wait*", "glibc 2.22 to 2.42, Rust std"),
	STUB("futex_abstimed_wait*", "glibc 2.23 to 2.42"),
	STUB("futex_reltimed_wait*", "glibc 2.22 to 2.31"),
	STUB("futex_lock_pi*", "glibc 2.31"),
	STUB("timedwait", "musl 1.2"),
	STUB("timedwait_cp", "musl 1.2"),
	STUB("wait", "musl 1.2"),
	STUB("lll_robust_lock_wait", "glibc 2.17 to 2.24"),
	{.pattern = "lll_lock_wait*",
	 .layer = LAYER_STUB,
	 .class = WAIT_MUTEX_LOCK,
	 .primitive = PRIMITIVE_LOW_LEVEL,
	 .source = "glibc 2.17 to 2.42"},
	{.pattern = "lll_timedlock_wait",
	 .layer = LAYER_STUB,
	 .class = WAIT_MUTEX_LOCK,
	 .primitive = PRIMITIVE_MUTEX,
	 .source = "glibc 2.17 to 2.29"},
	{.pattern = "do_futex_wait",
	 .layer = LAYER_STUB,
	 .class = WAIT_SEMAPHORE,
	 .primitive = PRIMITIVE_SEMAPHORE,
	 .source = "glibc 2.21"},

	/* libc: POSIX and C11 threads. */
	LIBC("pthread_mutex_lock*", MUTEX_LOCK, MUTEX, "glibc 2.17, musl 1.2"),
	LIBC("pthread_mutex_timedlock*", MUTEX_LOCK, MUTEX, "glibc 2.17, musl 1.2"),
	LIBC("pthread_mutex_clocklock*", MUTEX_LOCK, MUTEX, "glibc 2.30"),
	LIBC("pthread_mutex_cond_lock*", MUTEX_LOCK, MUTEX, "glibc 2.17: a waiter takes it again"),
	LIBC("lll_mutex_lock_optimized", MUTEX_LOCK, MUTEX, "glibc 2.34"),
	LIBC("rtld_mutex_lock", MUTEX_LOCK, MUTEX, "glibc 2.34"),
	LIBC("tl_lock", MUTEX_LOCK, LOW_LEVEL, "musl 1.2: the list of threads"),
	LIBC("mtx_lock", MUTEX_LOCK, MUTEX, "glibc 2.28, musl 1.2"),
	LIBC("mtx_timedlock", MUTEX_LOCK, MUTEX, "glibc 2.28, musl 1.2"),
	LIBC("pthread_spin_lock", MUTEX_LOCK, NONE, "POSIX"),
	LIBC("pthread_cond_wait*", COND, COND, "glibc 2.17, musl 1.2"),
	LIBC("pthread_cond_timedwait*", COND, COND, "glibc 2.17, musl 1.2"),
	LIBC("pthread_cond_clockwait*", COND, COND, "glibc 2.30"),
	LIBC("private_cond_wait*", COND, COND, "musl 1.2"),
	LIBC("cnd_wait", COND, COND, "glibc 2.28, musl 1.2"),
	LIBC("cnd_timedwait", COND, COND, "glibc 2.28, musl 1.2"),
	LIBC("pthread_rwlock_rdlock*", RWLOCK_READ, RWLOCK_READ, "glibc 2.17, musl 1.2"),
	LIBC("pthread_rwlock_timedrdlock*", RWLOCK_READ, RWLOCK_READ, "glibc 2.17, musl 1.2"),
	LIBC("pthread_rwlock_clockrdlock*", RWLOCK_READ, RWLOCK_READ, "glibc 2.30"),
	LIBC("pthread_rwlock_wrlock*", RWLOCK_WRITE, RWLOCK_WRITE, "glibc 2.17, musl 1.2"),
	LIBC("pthread_rwlock_timedwrlock*", RWLOCK_WRITE, RWLOCK_WRITE, "glibc 2.17, musl 1.2"),
	LIBC("pthread_rwlock_clockwrlock*", RWLOCK_WRITE, RWLOCK_WRITE, "glibc 2.30"),
	LIBC("sem_wait*", SEMAPHORE, SEMAPHORE, "glibc 2.17, musl 1.2"),
	LIBC("new_sem_wait*", SEMAPHORE, SEMAPHORE, "glibc 2.17"),
	LIBC("sem_timedwait*", SEMAPHORE, SEMAPHORE, "glibc 2.17, musl 1.2"),
	LIBC("sem_clockwait*", SEMAPHORE, SEMAPHORE, "glibc 2.30"),
	LIBC("pthread_barrier_wait", BARRIER, BARRIER, "glibc 2.17, musl 1.2"),
	LIBC("pthread_once*", ONCE, ONCE, "glibc 2.17, musl 1.2"),
	LIBC("call_once", ONCE, ONCE, "glibc 2.28, musl 1.2"),
	LIBC("pthread_join", JOIN, JOIN, "glibc 2.17, musl 1.2"),
	LIBC("pthread_timedjoin*", JOIN, JOIN, "glibc 2.17, musl 1.2"),
	LIBC("pthread_clockjoin*", JOIN, JOIN, "glibc 2.31"),
	LIBC("thrd_join", JOIN, JOIN, "glibc 2.28, musl 1.2"),

	/* libstdc++ and libc++ (C++20 waits go through a word, or a stand-in for it). */
	LIBRARY("std::__detail::__platform_wait*", ATOMIC, "seen: gcc 12"),
	LIBRARY("std::__detail::__waiter::_M_do_wait*", ATOMIC, "seen: gcc 12"),
	LIBRARY("std::__atomic_wait_address*", ATOMIC, "gcc 11"),
	LIBRARY("std::__atomic_base::wait", ATOMIC, "gcc 11"),
	LIBRARY("std::atomic::wait", ATOMIC, "gcc 11"),
	LIBRARY("std::atomic_flag::wait", ATOMIC, "gcc 11"),
	LIBRARY("std::__1::__libcpp_atomic_wait", ATOMIC, "libc++ 11"),
	LIBRARY("std::__1::__cxx_atomic_wait*", ATOMIC, "libc++ 11"),
	LIBRARY("std::__atomic_futex_unsigned_base::_M_futex_wait_until*", FUTURE, "seen: gcc 12"),
	LIBRARY("std::__atomic_futex_unsigned::_M_load*", FUTURE, "gcc 5"),
	LIBRARY("std::__future_base::_State_baseV2::wait", FUTURE, "gcc 5"),
	LIBRARY("std::__basic_future::wait", FUTURE, "gcc 5"),
	LIBRARY("std::__1::__assoc_sub_state::wait", FUTURE, "libc++ 3.5"),
	LIBRARY("std::__1::__assoc_sub_state::__sub_wait", FUTURE, "libc++ 3.5"),
	/* Inlined into the caller, they are still an argument of the template that waits. */
	RUNTIME("std::__atomic_wait_address*", BARRIER, "seen: gcc 12", .kind = "latch",
		.contains = "std::latch::"),
	RUNTIME("std::__atomic_wait_address*", BARRIER, "seen: gcc 12",
		.contains = "std::__tree_barrier"),
	RUNTIME("std::__atomic_wait_address*", BARRIER, "seen: gcc 12", .contains = "std::barrier"),
	RUNTIME("std::__atomic_wait_address*", SEMAPHORE, "seen: gcc 12",
		.contains = "__atomic_semaphore"),
	RUNTIME("std::__atomic_wait_address*", SEMAPHORE, "seen: gcc 12",
		.contains = "std::counting_semaphore"),
	RUNTIME("std::__detail::__waiter::_M_do_wait*", BARRIER, "seen: gcc 12", .kind = "latch",
		.contains = "std::latch::"),
	RUNTIME("std::__detail::__waiter::_M_do_wait*", BARRIER, "seen: gcc 12",
		.contains = "std::__tree_barrier"),
	RUNTIME("std::__detail::__waiter::_M_do_wait*", BARRIER, "seen: gcc 12",
		.contains = "std::barrier"),
	RUNTIME("std::__detail::__waiter::_M_do_wait*", SEMAPHORE, "seen: gcc 12",
		.contains = "__atomic_semaphore"),
	RUNTIME("std::__detail::__waiter::_M_do_wait*", SEMAPHORE, "seen: gcc 12",
		.contains = "std::counting_semaphore"),
	RUNTIME("std::latch::wait", BARRIER, "seen: gcc 12", .kind = "latch"),
	RUNTIME("std::latch::arrive_and_wait", BARRIER, "gcc 11", .kind = "latch"),
	RUNTIME("std::barrier::wait", BARRIER, "seen: gcc 12"),
	RUNTIME("std::barrier::arrive_and_wait", BARRIER, "gcc 11"),
	RUNTIME("std::__tree_barrier::wait", BARRIER, "gcc 11"),
	RUNTIME("std::__tree_barrier_base::*", BARRIER, "gcc 14"),
	RUNTIME("std::counting_semaphore::acquire", SEMAPHORE, "seen: gcc 12"),
	RUNTIME("std::__atomic_semaphore::_M_acquire", SEMAPHORE, "seen: gcc 12"),
	RUNTIME("std::__platform_semaphore::_M_acquire", SEMAPHORE, "gcc 11"),
	RUNTIME("std::__1::latch::wait", BARRIER, "libc++ 11", .kind = "latch"),
	RUNTIME("std::__1::barrier::wait", BARRIER, "libc++ 11"),
	RUNTIME("std::__1::counting_semaphore::acquire", SEMAPHORE, "libc++ 11"),
	RUNTIME("cxa_guard_acquire", ONCE, "seen: gcc 12; libc++abi", .kind = "static initialiser"),
	RUNTIME("std::call_once", ONCE, "gcc 5", .over = WAIT_ONCE),
	RUNTIME("std::__1::__call_once", ONCE, "libc++ 3"),
	RUNTIME("std::thread::join", JOIN, "gcc 5", .over = WAIT_JOIN),

	/* Rust's standard library: the path to these has moved, the last parts have not. */
	LIBRARY("Mutex::lock_contended", MUTEX_LOCK, "seen: Rust 1.95; since 1.62"),
	LIBRARY("RwLock::read_contended", RWLOCK_READ, "seen: Rust 1.95; since 1.62"),
	LIBRARY("RwLock::write_contended", RWLOCK_WRITE, "seen: Rust 1.95; since 1.62", .word = 4),
	LIBRARY("Condvar::wait_optional_timeout", COND, "seen: Rust 1.95; since 1.62"),
	LIBRARY("Once::call", ONCE, "seen: Rust 1.95", .contains = "futex"),
	LIBRARY("Once::wait", ONCE, "Rust 1.86", .contains = "futex"),
	LIBRARY("queue::Once::call", ONCE, "Rust 1.80"),
	LIBRARY("Parker::park*", PARK, "seen: Rust 1.95"),
	RUNTIME("std::thread::scoped::scope", JOIN, "seen: Rust 1.95", .over = WAIT_PARK),
	RUNTIME("std::sync::barrier::Barrier::wait", BARRIER, "seen: Rust 1.95", .over = WAIT_COND),
	RUNTIME("std::sync::mpmc::array::Channel::recv*", CHANNEL_RECEIVE, "seen: Rust 1.95",
		.over = WAIT_PARK),
	RUNTIME("std::sync::mpmc::list::Channel::recv*", CHANNEL_RECEIVE, "seen: Rust 1.95",
		.over = WAIT_PARK),
	RUNTIME("std::sync::mpmc::zero::Channel::recv*", CHANNEL_RECEIVE, "seen: Rust 1.95",
		.over = WAIT_PARK),
	RUNTIME("std::sync::mpmc::array::Channel::send*", CHANNEL_SEND, "seen: Rust 1.95",
		.over = WAIT_PARK),
	RUNTIME("std::sync::mpmc::zero::Channel::send*", CHANNEL_SEND, "seen: Rust 1.95",
		.over = WAIT_PARK),
	RUNTIME("std::sync::mpsc::Receiver::recv*", CHANNEL_RECEIVE, "Rust 1.0", .over = WAIT_PARK),
	RUNTIME("std::sync::mpsc::SyncSender::send", CHANNEL_SEND, "Rust 1.0", .over = WAIT_PARK),
	RUNTIME("Channel::recv*", CHANNEL_RECEIVE, "crossbeam-channel 0.5", .contains = "crossbeam",
		.over = WAIT_PARK),
	RUNTIME("Channel::send*", CHANNEL_SEND, "crossbeam-channel 0.5", .contains = "crossbeam",
		.over = WAIT_PARK),
	RUNTIME("Receiver::recv*", CHANNEL_RECEIVE, "crossbeam-channel 0.5",
		.contains = "crossbeam", .over = WAIT_PARK),
	RUNTIME("Sender::send*", CHANNEL_SEND, "crossbeam-channel 0.5", .contains = "crossbeam",
		.over = WAIT_PARK),

	/* parking_lot: the futex is the thread's own; the lock is found beside it. */
	LIBRARY("ThreadParker::park*", PARK, "seen: parking_lot 0.12"),
	LIBRARY("ThreadParker::futex_wait", PARK, "seen: parking_lot 0.12"),
	RUNTIME("RawMutex::lock_slow", MUTEX_LOCK, "seen: parking_lot 0.12", .over = WAIT_PARK),
	RUNTIME("RawRwLock::lock_shared_slow", RWLOCK_READ, "seen: parking_lot 0.12",
		.over = WAIT_PARK),
	RUNTIME("RawRwLock::lock_exclusive_slow", RWLOCK_WRITE, "seen: parking_lot 0.12",
		.over = WAIT_PARK),
	RUNTIME("RawRwLock::wait_for_readers", RWLOCK_WRITE, "parking_lot 0.12", .over = WAIT_PARK),
	RUNTIME("RawRwLock::lock_upgradable_slow", RWLOCK_WRITE, "parking_lot 0.12",
		.over = WAIT_PARK),
	RUNTIME("Condvar::wait_until_internal", COND, "seen: parking_lot 0.12", .over = WAIT_PARK),
	RUNTIME("Once::call_once_slow", ONCE, "seen: parking_lot 0.12", .over = WAIT_PARK),

	/* tokio and rayon. */
	RUNTIME("Inner::park_condvar", PARK, "seen: tokio 1.24", .contains = "tokio"),
	RUNTIME("Inner::park_driver", EPOLL, "seen: tokio 1.24", .contains = "tokio",
		.calls = IN_EVENTS, .kind = "tokio driver", .within = 8),
	RUNTIME("CachedParkThread::block_on", PARK, "seen: tokio 1.24", .kind = "future"),
	RUNTIME("CachedParkThread::park", PARK, "tokio 1.24"),
	RUNTIME("Sleep::sleep", PARK, "seen: rayon 1.10", .contains = "rayon_core"),
	RUNTIME("LockLatch::wait", JOIN, "seen: rayon 1.10", .contains = "rayon_core",
		.kind = "rayon job"),
	RUNTIME("LockLatch::wait_and_reset", JOIN, "rayon 1.10", .contains = "rayon_core",
		.kind = "rayon job"),

	/* Go's threads; what goroutines wait for is not theirs. */
	LIBRARY("runtime.futex*", PARK, "seen: Go 1.19"),
	LIBRARY("runtime.futexsleep", PARK, "seen: Go 1.19"),
	LIBRARY("runtime.notesleep", PARK, "seen: Go 1.19"),
	LIBRARY("runtime.notetsleep*", PARK, "seen: Go 1.19"),
	/* Since 1.24 a thread that waits for a lock sleeps on a word of its own. */
	RUNTIME("runtime.semasleep", MUTEX_LOCK, "Go 1.24 to 1.26", .kind = "runtime lock",
		.own_word = true),
	RUNTIME("runtime.lock2", MUTEX_LOCK, "Go 1.14 to 1.26", .kind = "runtime lock"),
	RUNTIME("runtime.mutexsleep", MUTEX_LOCK, "Go 1.24", .kind = "runtime lock"),

	/* HotSpot. */
	LIBRARY("os::PlatformEvent::park*", PARK, "seen: OpenJDK 17", .module = "libjvm"),
	LIBRARY("PlatformEvent::park*", PARK, "OpenJDK 21", .module = "libjvm"),
	LIBRARY("os::PlatformMonitor::wait", COND, "OpenJDK 11", .kind = "vm monitor",
		.module = "libjvm"),
	LIBRARY("PlatformMonitor::wait", COND, "OpenJDK 21", .kind = "vm monitor",
		.module = "libjvm"),
	LIBRARY("PosixSemaphore::wait", SEMAPHORE, "OpenJDK 9", .module = "libjvm"),
	RUNTIME("Parker::park", PARK, "seen: OpenJDK 17", .module = "libjvm"),
	RUNTIME("ObjectMonitor::EnterI", MONITOR_ENTER, "seen: OpenJDK 17", .kind = "java monitor",
		.module = "libjvm", .own_word = true),
	RUNTIME("ObjectMonitor::enter*", MONITOR_ENTER, "seen: OpenJDK 17", .kind = "java monitor",
		.module = "libjvm", .own_word = true),
	RUNTIME("ObjectMonitor::ReenterI", MONITOR_ENTER, "OpenJDK 17", .kind = "java monitor",
		.module = "libjvm", .own_word = true),
	RUNTIME("ObjectMonitor::wait", OBJECT, "seen: OpenJDK 17", .kind = "java monitor",
		.module = "libjvm", .own_word = true),
	RUNTIME("JavaThread::sleep*", SLEEP, "OpenJDK 15", .module = "libjvm"),
	RUNTIME("os::sleep", SLEEP, "OpenJDK 8", .module = "libjvm"),
	RUNTIME("VMThread::execute", COND, "OpenJDK 17", .over = WAIT_COND, .kind = "vm operation",
		.module = "libjvm"),
	RUNTIME("SafepointSynchronize::block", COND, "OpenJDK 17", .kind = "safepoint",
		.module = "libjvm"),
	RUNTIME("SafepointMechanism::process*", COND, "OpenJDK 17", .kind = "safepoint",
		.module = "libjvm"),

	/* CPython. */
	RUNTIME("take_gil", GIL, "seen: CPython 3.11", .kind = "interpreter lock"),
	RUNTIME("PyThread_acquire_lock_timed*", MUTEX_LOCK, "seen: CPython 3.11",
		.kind = "python lock"),
	RUNTIME("PyMutex_Lock*", MUTEX_LOCK, "CPython 3.13", .kind = "python lock",
		.own_word = true),
	RUNTIME("PyParkingLot_Park", PARK, "CPython 3.13"),
	RUNTIME("PySemaphore_Wait", PARK, "CPython 3.13"),

	/* abseil: the futex is the thread's own, as with all that refines a park. */
	LIBRARY("AbslInternalPerThreadSemWait*", PARK, "seen: abseil 20220623"),
	LIBRARY("absl::synchronization_internal::*", PARK, "seen: abseil 20220623"),
	LIBRARY("WaiterBase::*", PARK, "abseil 2023", .contains = "absl"),
	LIBRARY("FutexWaiter::*", PARK, "abseil 2023", .contains = "absl"),
	RUNTIME("absl::Mutex::LockSlow*", MUTEX_LOCK, "seen: abseil 20220623", .over = WAIT_PARK),
	RUNTIME("absl::Mutex::LockSlowLoop", MUTEX_LOCK, "seen: abseil 20220623",
		.over = WAIT_PARK),
	RUNTIME("absl::CondVar::Wait*", COND, "seen: abseil 20220623", .over = WAIT_PARK),

	/* folly. */
	LIBRARY("folly::detail::*", PARK, "folly 2020"),
	RUNTIME("folly::Baton::*", PARK, "folly 2020", .kind = "baton"),
	RUNTIME("folly::SharedMutexImpl::*", RWLOCK_WRITE, "folly 2020"),

	/* OpenMP. */
	LIBRARY("gomp_barrier_wait*", BARRIER, "libgomp 4"),
	LIBRARY("gomp_team_barrier_wait*", BARRIER, "libgomp 4"),
	LIBRARY("gomp_mutex_lock_slow", MUTEX_LOCK, "libgomp 4", .kind = "omp critical"),
	LIBRARY("gomp_sem_wait_slow", SEMAPHORE, "libgomp 4"),
	LIBRARY("GOMP_barrier", BARRIER, "libgomp 4"),
	LIBRARY("GOMP_parallel_end", BARRIER, "libgomp 4"),
	LIBRARY("GOMP_critical_*", MUTEX_LOCK, "seen: libgomp 12", .kind = "omp critical"),
	LIBRARY("omp_set_lock", MUTEX_LOCK, "libgomp 4", .kind = "omp lock"),
	RUNTIME("kmpc_critical*", MUTEX_LOCK, "libomp 14", .kind = "omp critical"),
	RUNTIME("kmpc_barrier", BARRIER, "libomp 14"),
	RUNTIME("kmp_suspend_*", PARK, "libomp 14", .over = WAIT_COND),

	/* GLib, Qt, libuv. */
	LIBRARY("g_mutex_lock*", MUTEX_LOCK, "seen: GLib 2.74"),
	LIBRARY("g_cond_wait*", COND, "seen: GLib 2.74", .word = 8),
	LIBRARY("g_once_init_enter*", ONCE, "GLib 2.14", .over = WAIT_COND),
	LIBRARY("g_once_impl", ONCE, "seen: GLib 2.74", .over = WAIT_COND),
	RUNTIME("g_async_queue_pop*", COND, "seen: GLib 2.74", .over = WAIT_COND, .kind = "queue"),
	RUNTIME("g_async_queue_timeout_pop*", COND, "GLib 2.74", .over = WAIT_COND,
		.kind = "queue"),
	RUNTIME("g_thread_join", JOIN, "GLib 2.74"),
	LIBRARY("QBasicMutex::lockInternal", MUTEX_LOCK, "seen: Qt 5.15"),
	LIBRARY("QMutex::lock", MUTEX_LOCK, "Qt 5.15"),
	LIBRARY("QSemaphore::acquire", SEMAPHORE, "seen: Qt 5.15"),
	LIBRARY("QWaitCondition::wait", COND, "seen: Qt 5.15"),
	RUNTIME("QThread::wait", JOIN, "seen: Qt 5.15", .own_word = true),
	LIBRARY("QReadWriteLock::tryLockForRead", RWLOCK_READ, "Qt 5.15"),
	LIBRARY("QReadWriteLock::tryLockForWrite", RWLOCK_WRITE, "Qt 5.15"),

	/* tbb. */
	RUNTIME("wait_bounded_queue_monitor", COND, "seen: oneTBB 2021.8", .kind = "queue",
		.module = "libtbb", .own_word = true),

	/* tcmalloc's spin lock sleeps in short timed waits; jemalloc has mutexes. */
	RUNTIME("SpinLockDelay", MUTEX_LOCK, "seen: gperftools 2.10", .calls = IN_FUTEX | IN_SLEEP,
		.kind = "malloc lock"),

	/* PostgreSQL. */
	RUNTIME("ProcSleep", MUTEX_LOCK, "seen: PostgreSQL 15", .calls = IN_EVENTS | IN_SEMAPHORE,
		.kind = "postgres lock", .within = 4, .module = "postgres"),
	RUNTIME("LWLockAcquire*", MUTEX_LOCK, "PostgreSQL 15", .kind = "postgres lwlock",
		.within = 2, .module = "postgres", .own_word = true),
	RUNTIME("PGSemaphoreLock", SEMAPHORE, "PostgreSQL 15", .over = WAIT_SEMAPHORE,
		.module = "postgres"),

	/* MySQL and MariaDB. */
	RUNTIME("MDL_wait::timed_wait", MUTEX_LOCK, "seen: MariaDB 10.11", .kind = "metadata lock",
		.within = 2, .module = MYSQL, .own_word = true),
	RUNTIME("lock_wait*", MUTEX_LOCK, "MariaDB 10.11", .kind = "row lock", .within = 2,
		.module = MYSQL, .own_word = true),
	RUNTIME("TTASEventMutex::*", MUTEX_LOCK, "MySQL 8", .kind = "innodb mutex", .within = 3,
		.module = MYSQL),
	RUNTIME("sync_array_wait_event", MUTEX_LOCK, "MySQL 8", .kind = "innodb mutex", .within = 3,
		.module = MYSQL),

	/* gRPC. */
	RUNTIME("CompletionQueue::AsyncNextInternal", COND, "seen: gRPC 1.51", .calls = IN_EVENTS,
		.kind = "completion queue", .within = 6, .contains = "grpc"),
};

const size_t frame_row_count = ARRAY_SIZE(frame_rows);
