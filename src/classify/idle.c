/*
 * Which waits are rest by design.  The rule, in this order:
 *
 * 1. A wait that somebody must end for the program to go on is never idle: locks, once, full pipes
 *    and sockets, D state, a child wait, a message.  Joins and barriers are idle only where a row
 *    says so (the primordial thread of Java, OpenMP's pools), and so is a lock of Python's, which
 *    is what its queues wait on.
 * 2. accept, epoll, io_uring's workers, sigwait and signalfd, inotify: idle, because that is what
 *    servers, event loops and signal threads do when they have nothing to do.  pause, sigsuspend,
 *    sleep, poll, select, a read, and every wait on a condition, semaphore or park are not, by
 *    themselves: hung programs look the same.
 * 3. Those are idle when a function on the stack says so: the rows below; or when all frames are
 *    those of a library that keeps threads of its own.  Words like "worker" and "pool" in a name
 *    say too little: workers hang, and pools run dry.
 */
#include "base/array.h"
#include "classify/frames.h"
#include "classify/memo.h"
#include "classify/subject.h"

#include <string.h>
#include <sys/syscall.h>

#define QUEUE	 (1u << 0) /* condition, semaphore, park, futex, object, channel receive */
#define EVENTS	 (1u << 1) /* poll, select, epoll, io_uring, aio */
#define SLEEPING (1u << 2) /* sleep, timerfd */
#define READING	 (1u << 3) /* a read of any kind but of a regular file */
#define SIGNALS	 (1u << 4) /* pause, sigsuspend */
#define JOINING	 (1u << 5)
#define BARRIERS (1u << 6)

struct idle_row {
	const char *pattern;
	const char *contains; /* in the function's name; NULL: nothing */
	const char *module;   /* how its file's base name begins; NULL: any */
	unsigned when;
	unsigned depth; /* how many frames down it may be; 0: 12 */
	const char *source;
};

static const struct idle_row idle_rows[] = {
	/* Go's threads (runtime/proc.go), seen with 1.19. */
	{"runtime.stopm", NULL, NULL, QUEUE, 0, "Go 1.4"},
	{"runtime.findRunnable", NULL, NULL, QUEUE | EVENTS, 0, "Go 1.20; findrunnable before"},
	{"runtime.findrunnable", NULL, NULL, QUEUE | EVENTS, 0, "Go 1.1"},
	{"runtime.stoplockedm", NULL, NULL, QUEUE, 0, "Go 1.4"},
	{"runtime.templateThread", NULL, NULL, QUEUE, 0, "Go 1.10"},
	{"runtime.sysmon", NULL, NULL, QUEUE | SLEEPING, 0, "Go 1.1"},
	{"os/signal.signal_recv", NULL, NULL, QUEUE, 0, "Go 1.1"},
	{"runtime.sigqueue*", NULL, NULL, QUEUE, 0, "Go 1.1"},
	{"runtime.netpoll", NULL, NULL, EVENTS, 0, "Go 1.1"},
	/* HotSpot's own threads, seen with OpenJDK 17. */
	{"VMThread::wait_for_vm_operation*", NULL, NULL, QUEUE, 0, "OpenJDK 16"},
	{"VMThread::wait_for_operation", NULL, NULL, QUEUE, 0, "OpenJDK 17, seen"},
	{"NMethodSweeper::sweeper_loop", NULL, NULL, QUEUE, 0, "OpenJDK 9 to 19, seen with 17"},
	{"VMThread::loop", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"CompileQueue::get", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"GangWorker::loop", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"GangWorker::run", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"WorkerThread::run", NULL, "libjvm", QUEUE, 0, "OpenJDK 19"},
	{"G1ServiceThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 16"},
	{"G1ConcurrentRefineThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 9"},
	{"ConcurrentGCThread::run", NULL, NULL, QUEUE, 0, "OpenJDK 9"},
	{"os::signal_wait", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"signal_thread_entry", NULL, "libjvm", QUEUE, 0, "OpenJDK 8"},
	{"WatcherThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"ServiceThread::service_thread_entry", NULL, NULL, QUEUE, 0, "OpenJDK 9"},
	{"MonitorDeflationThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 17"},
	{"NotificationThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 14"},
	{"JVM_WaitForReferencePendingList", NULL, NULL, QUEUE, 0, "OpenJDK 9"},
	{"JLI_Launch", NULL, NULL, JOINING, 0, "OpenJDK 8: the primordial thread"},
	{"CompileBroker::compiler_thread_loop", NULL, NULL, QUEUE, 0, "OpenJDK 8"},
	{"G1YoungRemSetSamplingThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 11 to 15"},
	{"StringDedupThread::*", NULL, NULL, QUEUE, 0, "OpenJDK 8 to 17"},
	{"AttachListener::dequeue", NULL, NULL, EVENTS, 0, "OpenJDK 8"},
	/* CPython. */
	{"queue_SimpleQueue_get*", NULL, NULL, QUEUE, 0, "CPython 3.7, seen with 3.11"},
	/* Rust's executors. */
	{"worker::Context::park*", "tokio", NULL, QUEUE | EVENTS, 0, "tokio 1"},
	{"Inner::park_condvar", "tokio", NULL, QUEUE, 0, "tokio 1, seen with 1.24"},
	{"Inner::park_driver", "tokio", NULL, QUEUE | EVENTS, 0, "tokio 1, seen with 1.24"},
	{"pool::Inner::run", "tokio", NULL, QUEUE, 8, "tokio 1, seen with 1.24"},
	{"Sleep::sleep", "rayon_core", NULL, QUEUE, 0, "rayon-core 1.10, seen"},
	{"async_io::driver::main_loop", NULL, NULL, QUEUE | EVENTS, 0, "async-io 1"},
	{"blocking::Executor::main_loop", NULL, NULL, QUEUE, 0, "blocking 1"},
	{"PoolState::work", "futures_executor", NULL, QUEUE, 0, "futures 0.3"},
	/* GLib, Qt, libuv, ZeroMQ, libevent, libev. */
	{"g_main_loop_run", NULL, NULL, EVENTS, 8, "GLib 2, seen with 2.74"},
	{"g_main_context_iteration", NULL, NULL, EVENTS, 6, "GLib 2"},
	{"g_application_run", NULL, NULL, EVENTS, 8, "GLib 2.28"},
	{"g_thread_pool_*", NULL, NULL, QUEUE, 8, "GLib 2"},
	{"g_async_queue_pop*", NULL, NULL, QUEUE, 6, "GLib 2"},
	{"g_async_queue_timeout_pop*", NULL, NULL, QUEUE, 6, "GLib 2"},
	{"QEventLoop::exec", NULL, NULL, EVENTS, 0, "Qt 5, seen with 5.15"},
	{"QEventDispatcherUNIX::processEvents", NULL, NULL, EVENTS, 0, "Qt 5"},
	{"QThreadPoolThread::run", NULL, NULL, QUEUE, 6, "Qt 5, seen with 5.15"},
	{"uv_run", NULL, NULL, EVENTS, 8, "libuv 1, seen"},
	{"uv__io_poll", NULL, NULL, EVENTS, 4, "libuv 1"},
	{"worker", NULL, "libuv", QUEUE, 6, "libuv 1, seen"},
	{"worker", NULL, "node", QUEUE, 6, "libuv 1 in Node.js 20, seen"},
	{"worker", NULL, "libnode", QUEUE, 6, "libuv 1 in Node.js"},
	{"zmq::io_thread_t::*", NULL, NULL, EVENTS, 8, "libzmq 4"},
	{"zmq::reaper_t::*", NULL, NULL, EVENTS, 8, "libzmq 4"},
	{"zmq::epoll_t::loop", NULL, NULL, EVENTS, 6, "libzmq 4, seen"},
	{"event_base_loop", NULL, NULL, EVENTS, 6, "libevent 2"},
	{"event_base_dispatch", NULL, NULL, EVENTS, 6, "libevent 2"},
	{"ev_run", NULL, NULL, EVENTS, 6, "libev 4"},
	{"sd_event_loop", NULL, NULL, EVENTS, 8, "systemd"},
	{"sd_event_run", NULL, NULL, EVENTS, 6, "systemd"},
	{"dbus_loop_run", NULL, NULL, EVENTS, 6, "D-Bus 1: dbus-mainloop.c"},
	{"wl_event_loop_dispatch", NULL, NULL, EVENTS, 4, "Wayland 1"},
	{"pa_mainloop_run", NULL, NULL, EVENTS, 6, "PulseAudio 1"},
	{"linux_udev_event_thread_main", NULL, NULL, EVENTS, 4, "libusb 1.0"},
	{"linux_netlink_event_thread_main", NULL, NULL, EVENTS, 4, "libusb 1.0"},
	{"asio::detail::scheduler::run", NULL, NULL, QUEUE | EVENTS, 10, "Asio 1.12"},
	{"boost::asio::detail::scheduler::run", NULL, NULL, QUEUE | EVENTS, 10, "Boost 1.66"},
	{"folly::EventBase::loop*", NULL, NULL, EVENTS, 10, "folly 2020"},
	/* gRPC, seen with 1.51. */
	{"CompletionQueue::AsyncNextInternal", "grpc", NULL, QUEUE | EVENTS, 0, "gRPC 1"},
	{"grpc_core::Executor::ThreadMain", NULL, NULL, QUEUE, 0, "gRPC 1"},
	{"ThreadPool::Queue::Step", NULL, NULL, QUEUE, 0, "gRPC 1.51"},
	{"TimerManager::*", "grpc", NULL, QUEUE, 0, "gRPC 1"},
	{"grpc::Server::Wait", NULL, NULL, QUEUE, 0, "gRPC 1"},
	{"WorkStealingThreadPool::*", "grpc", NULL, QUEUE, 0, "gRPC 1.57"},
	/* oneTBB, OpenMP, libomp: pools between two parallel regions. */
	{"rml::private_worker::*", "tbb", NULL, QUEUE, 8, "oneTBB 2021"},
	{"kmp_launch_worker", NULL, NULL, QUEUE | BARRIERS, 0, "libomp 14"},
	{"gomp_thread_start", NULL, NULL, QUEUE | BARRIERS, 4, "libgomp 4"},
	/* jemalloc's and tcmalloc's helpers. */
	{"background_thread_entry", NULL, NULL, QUEUE, 0, "jemalloc 5"},
	/* PostgreSQL, seen with 15. */
	{"secure_read", NULL, NULL, EVENTS | READING, 0, "PostgreSQL 15: its client"},
	{"CheckpointerMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"BackgroundWriterMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"WalWriterMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"AutoVacLauncherMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"ApplyLauncherMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"ServerLoop", NULL, NULL, EVENTS, 6, "PostgreSQL 15"},
	{"PgArchiverMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"SysLoggerMain", NULL, NULL, EVENTS, 0, "PostgreSQL 15"},
	{"WalSummarizerMain", NULL, NULL, EVENTS, 0, "PostgreSQL 17"},
	{"IoWorkerMain", NULL, NULL, EVENTS, 0, "PostgreSQL 18"},
	/* MySQL and MariaDB, seen with MariaDB 10.11. */
	{"my_net_read*", NULL, NULL, EVENTS | READING, 0, "MariaDB 10.11: its client"},
	{"handle_connections_sockets", NULL, NULL, EVENTS, 6, "MariaDB 10.11"},
	{"Mysqld_socket_listener::*", NULL, NULL, EVENTS, 6, "MySQL 8"},
	{"tpool::thread_pool_generic::wait_for_tasks", NULL, NULL, QUEUE, 0, "MariaDB 10.5"},
	{"tpool::thread_pool_generic::*", NULL, NULL, QUEUE | SLEEPING, 0, "MariaDB 10.5"},
	{"signal_hand", NULL, NULL, QUEUE | SIGNALS, 0, "MariaDB 10.11"},
	{"handle_manager", NULL, NULL, QUEUE, 0, "MariaDB 10.11"},
	{"buf_flush_page_cleaner*", NULL, NULL, QUEUE, 0, "MariaDB 10.11"},
	{"srv_monitor_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"srv_purge_coordinator_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"srv_worker_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"srv_master_thread", NULL, NULL, QUEUE | SLEEPING, 0, "MySQL 8"},
	{"srv_error_monitor_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"lock_wait_timeout_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"dict_stats_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"buf_dump_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"fts_optimize_thread", NULL, NULL, QUEUE, 0, "MySQL 8"},
	{"io_handler_thread", NULL, NULL, QUEUE | EVENTS, 0, "MySQL 8"},
	{"fil_aio_wait", NULL, NULL, QUEUE | EVENTS, 0, "MySQL 8"},
	{"aio_uring::thread_routine", NULL, NULL, EVENTS, 0, "MariaDB 10.6"},
	{"aio_linux::getevent_thread_routine", NULL, NULL, EVENTS, 0, "MariaDB 10.5"},
	{"timer_handler", NULL, "mariadbd", QUEUE, 0, "MariaDB 10.11: thr_timer.c"},
	{"ma_checkpoint_background", NULL, NULL, QUEUE, 0, "MariaDB 10.11"},
	{"ma_service_thread_control", NULL, NULL, QUEUE, 0, "MariaDB 10.11"},
	{"binlog_background_thread", NULL, NULL, QUEUE, 0, "MariaDB 10.11"},
	{"Event_queue::get_top_for_execution_if_time", NULL, NULL, QUEUE, 0, "MySQL 8"},
	/* Other servers. */
	{"bioProcessBackgroundJobs", NULL, NULL, QUEUE, 0, "Redis 7, seen"},
	{"lru_maintainer_thread", NULL, NULL, QUEUE | SLEEPING, 0, "memcached 1.6"},
	{"assoc_maintenance_thread", NULL, NULL, QUEUE, 0, "memcached 1.6"},
	{"item_crawler_thread", NULL, NULL, QUEUE, 0, "memcached 1.6"},
	{"logger_thread", NULL, "memcached", QUEUE | SLEEPING, 0, "memcached 1.6"},
	{"ngx_master_process_cycle", NULL, NULL, SIGNALS, 4, "nginx 1.22, seen"},
	{"ngx_thread_pool_cycle", NULL, NULL, QUEUE, 0, "nginx 1.8"},
	{"ap_queue_pop_something", NULL, NULL, QUEUE, 0, "httpd 2.4"},
	{"rocksdb::ThreadPoolImpl::Impl::BGThread", NULL, NULL, QUEUE, 0, "RocksDB 5"},
	{"PosixEnv::BackgroundThreadMain", "leveldb", NULL, QUEUE, 0, "LevelDB 1.22"},
	/* Node.js and V8. */
	{"PlatformWorkerThread", "node::", NULL, QUEUE, 0, "Node.js 12, seen"},
	{"StartIoThreadMain", "node::", NULL, QUEUE, 0, "Node.js 8, seen: waits for SIGUSR1"},
	{"DelayedTaskScheduler::*", "node::", NULL, QUEUE | EVENTS, 0, "Node.js 12"},
	{"WorkerThread::Run", "v8::platform", NULL, QUEUE, 0, "V8 7"},
	/* Libraries that compute, draw or play with threads of their own. */
	{"blas_thread_server", NULL, NULL, QUEUE, 0, "OpenBLAS 0.3"},
	{"util_queue_thread_func", NULL, NULL, QUEUE, 0, "Mesa 17"},
	{"frame_worker_thread", NULL, NULL, QUEUE, 0, "FFmpeg 4"},
	{"thread_worker", NULL, "libavutil", QUEUE, 0, "FFmpeg 4"},
	{"StdThreadPool::processTasks", "llvm::", NULL, QUEUE, 0, "LLVM 17"},
	{"folly::CPUThreadPoolExecutor::threadRun", NULL, NULL, QUEUE, 0, "folly 2020"},
	{"base::internal::WorkerThread::RunWorker", NULL, NULL, QUEUE, 0, "Chromium"},
	/* Ruby, shells. */
	{"timer_pthread_fn", NULL, NULL, EVENTS, 4, "Ruby 3.3"},
	{"rl_getc", NULL, NULL, READING | EVENTS, 4, "readline 8: a prompt"},
	/* glibc's own helpers. */
	{"handle_fildes_io", NULL, "lib", QUEUE, 4, "glibc 2.17 to 2.42: POSIX AIO"},
	{"handle_requests", NULL, "lib", QUEUE, 4, "glibc 2.17 to 2.42: getaddrinfo_a"},
	{"helper_thread", NULL, "lib", READING, 4, "glibc 2.17 to 2.42: mq_notify"},
	/* Names that people give to the function in which a pool's thread waits for work. */
	{"wait_for_work*", NULL, NULL, QUEUE, 5, "a custom"},
	{"wait_for_task*", NULL, NULL, QUEUE, 5, "a custom"},
	{"wait_for_job*", NULL, NULL, QUEUE, 5, "a custom"},
	{"waitForWork*", NULL, NULL, QUEUE, 5, "a custom"},
	{"WaitForWork*", NULL, NULL, QUEUE, 5, "a custom"},
	{"get_task", NULL, NULL, QUEUE, 5, "a custom"},
	{"get_job", NULL, NULL, QUEUE, 5, "a custom"},
	{"GetTask", NULL, NULL, QUEUE, 5, "a custom"},
	{"dequeue*", NULL, NULL, QUEUE, 5, "a custom"},
	{"Dequeue*", NULL, NULL, QUEUE, 5, "a custom"},
	{"worker_loop", NULL, NULL, QUEUE, 5, "a custom"},
	{"ThreadPool::worker*", NULL, NULL, QUEUE, 5, "a custom"},
	{"ThreadPool::Worker*", NULL, NULL, QUEUE, 5, "a custom"},
	{"thread_pool_worker*", NULL, NULL, QUEUE, 5, "a custom"},
	{"threadpool_worker*", NULL, NULL, QUEUE, 5, "a custom"},
	{"WorkerLoop", NULL, NULL, QUEUE, 5, "a custom"},
};

/*
 * Libraries that keep threads of their own, for when they are called: one whose frames are all of
 * the library and of libc waits for that.  Their own functions have seldom a name.
 */
static const struct {
	const char *module; /* how the file's base name begins */
	unsigned when;
	const char *source;
} library_rows[] = {
	{"libtbb.so", QUEUE, "oneTBB 2021"},
	{"libgomp.so", QUEUE | BARRIERS, "libgomp 12, seen"},
	{"libomp.so", QUEUE | BARRIERS, "libomp 14"},
	{"libiomp5.so", QUEUE | BARRIERS, "Intel OpenMP"},
	{"libopenblas", QUEUE, "OpenBLAS 0.3"},
	{"libuv.so", QUEUE, "libuv 1"},
	{"libzmq.so", EVENTS, "libzmq 4"},
	{"libcuda.so", QUEUE | EVENTS, "CUDA 11"},
	{"libjemalloc.so", QUEUE, "jemalloc 5, seen: its background threads"},
};

static unsigned when_of(enum wait_class class)
{
	switch (class) {
	case WAIT_COND:
	case WAIT_SEMAPHORE:
	case WAIT_PARK:
	case WAIT_FUTEX:
	case WAIT_OBJECT:
	case WAIT_CHANNEL_RECEIVE:
		return QUEUE;
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_EPOLL:
	case WAIT_IO_URING:
	case WAIT_AIO:
		return EVENTS;
	case WAIT_SLEEP:
	case WAIT_TIMERFD_READ:
		return SLEEPING;
	case WAIT_SOCKET_READ:
	case WAIT_PIPE_READ:
	case WAIT_FILE_READ:
	case WAIT_EVENTFD_READ:
	case WAIT_TTY_READ:
		return READING;
	case WAIT_SIGNAL:
		return SIGNALS;
	case WAIT_JOIN:
		return JOINING;
	case WAIT_BARRIER:
		return BARRIERS;
	default:
		return 0;
	}
}

/* A python lock is a semaphore in a mutex's clothes: in a queue's get it waits for work. */
static unsigned when_of_wait(const struct wait *wait)
{
	if (wait->class == WAIT_MUTEX_LOCK && wait->resource.kind &&
	    strcmp(wait->resource.kind, "python lock") == 0)
		return QUEUE;
	return when_of(wait->class);
}

static bool by_class(const struct subject *subject)
{
	const struct wait *wait = subject->wait;
	switch (wait->class) {
	case WAIT_SOCKET_ACCEPT:
	case WAIT_EPOLL:
	case WAIT_SIGNALFD_READ:
	case WAIT_INOTIFY_READ:
	case WAIT_IO_URING_WORKER:
		return true;
	case WAIT_SIGNAL:
		return wait->syscall.number == SYS_rt_sigtimedwait;
	case WAIT_FILE_READ:
		return wait->resource.kind &&
		       (strcmp(wait->resource.kind, "userfaultfd") == 0 ||
			strcmp(wait->resource.kind, "fuse device") == 0 ||
			strcmp(wait->resource.kind, "seccomp notifier") == 0);
	default:
		return false;
	}
}

void idle_learn(const struct name_facts *facts, row_numbers *ret_rows)
{
	uint64_t initials = name_initials(facts->normal);
	for (size_t i = 0; *facts->normal && i < ARRAY_SIZE(idle_rows); i++) {
		const struct idle_row *row = &idle_rows[i];
		if (!name_may_match(initials, row->pattern) ||
		    (row->contains && !strstr(facts->normal, row->contains)) ||
		    (row->module &&
		     (!facts->module ||
		      strncmp(path_base(facts->module), row->module, strlen(row->module)) != 0)))
			continue;
		if (name_matches_pattern(facts->normal, row->pattern))
			*array_append(ret_rows) = (uint16_t)i;
	}
}

/*
 * An event loop calls its program back: whoever polls in there is no loop at rest, but a program
 * that waits for an answer.  Told by the files: none but libc's may be between the loop's and the
 * wait.
 */
struct between {
	const char *module; /* of all that were passed, but for libc's; NULL: there were none */
	bool mixed;
};

static void pass(struct between *between, const struct name_facts *facts, const struct frame *frame)
{
	if (facts->in_libc || !frame->module)
		return;
	between->mixed |= between->module && strcmp(between->module, frame->module) != 0;
	between->module = frame->module;
}

static bool is_called_back(const struct between *between, const struct frame *loop)
{
	return loop->module && between->module &&
	       (between->mixed || strcmp(between->module, loop->module) != 0);
}

static bool by_frames(const struct subject *subject, unsigned when)
{
	unsigned depth = 0;
	struct between between = {NULL, false};
	for (size_t i = 0; subject->stack && i < subject->stack->count && depth < 12; i++) {
		const struct frame *frame = &subject->stack->frames[i];
		if (frame->kind == FRAME_KERNEL)
			continue;
		if (frame->kind == FRAME_SIGNAL)
			return false;
		depth++;
		const struct name_facts *facts = memo_name(subject->memo, frame);
		for (const uint16_t *number = facts->idle_rows; *number != NO_ROW; number++) {
			const struct idle_row *row = &idle_rows[*number];
			if ((row->when & when) && (!row->depth || depth <= row->depth))
				return when != EVENTS || !is_called_back(&between, frame);
		}
		pass(&between, facts, frame);
	}
	return false;
}

/* Threads of Java's own that wait in Java code, which has no names here: by theirs. */
static bool by_name(const struct subject *subject)
{
	static const char *const names[] = {"Finalizer", "Common-Cleaner", "Reference Handl"};
	const char *name = subject->thread->name;
	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return subject->wait->class == WAIT_OBJECT;
	}
	return false;
}

static bool is_native(const struct frame *frame)
{
	return frame->kind == FRAME_NATIVE && !frame->inlined;
}

/* The library that all frames are of which are not libc's. */
static bool by_library(const struct subject *subject, unsigned when)
{
	const char *module = NULL;
	if (!subject->stack || !subject->stack->complete)
		return false;
	for (size_t i = 0; i < subject->stack->count; i++) {
		const struct frame *frame = &subject->stack->frames[i];
		if (frame->kind == FRAME_SIGNAL)
			return false;
		if (!is_native(frame) || memo_name(subject->memo, frame)->in_libc)
			continue;
		if (!frame->module || (module && strcmp(module, frame->module) != 0))
			return false;
		module = frame->module;
	}
	for (size_t i = 0; module && i < ARRAY_SIZE(library_rows); i++) {
		const char *name = library_rows[i].module;
		if ((library_rows[i].when & when) &&
		    strncmp(path_base(module), name, strlen(name)) == 0)
			return true;
	}
	return false;
}

void classify_idle(struct subject *subject)
{
	unsigned when = when_of_wait(subject->wait);
	subject->wait->idle = by_class(subject) || by_name(subject) ||
			      (when && (by_frames(subject, when) || by_library(subject, when)));
}
