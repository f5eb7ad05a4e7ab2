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
 * 3. Those are idle when a function on the stack says so: the rows below.
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
#define READING	 (1u << 3) /* a read of any kind */
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
	/* CPython. */
	{"queue_SimpleQueue_get*", NULL, NULL, QUEUE, 0, "CPython 3.7, seen with 3.11"},
	/* Rust's executors. */
	{"worker::Context::park*", "tokio", NULL, QUEUE | EVENTS, 0, "tokio 1"},
	{"Inner::park_condvar", "tokio", NULL, QUEUE, 0, "tokio 1, seen with 1.24"},
	{"Inner::park_driver", "tokio", NULL, QUEUE | EVENTS, 0, "tokio 1, seen with 1.24"},
	{"pool::Inner::run", "tokio", NULL, QUEUE, 8, "tokio 1, seen with 1.24"},
	{"Sleep::sleep", "rayon_core", NULL, QUEUE, 0, "rayon-core 1.10, seen"},
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
	{"zmq::io_thread_t::*", NULL, NULL, EVENTS, 8, "libzmq 4"},
	{"zmq::reaper_t::*", NULL, NULL, EVENTS, 8, "libzmq 4"},
	{"zmq::epoll_t::loop", NULL, NULL, EVENTS, 6, "libzmq 4, seen"},
	{"event_base_loop", NULL, NULL, EVENTS, 6, "libevent 2"},
	{"event_base_dispatch", NULL, NULL, EVENTS, 6, "libevent 2"},
	{"ev_run", NULL, NULL, EVENTS, 6, "libev 4"},
	{"sd_event_loop", NULL, NULL, EVENTS, 8, "systemd"},
	{"asio::detail::scheduler::run", NULL, NULL, QUEUE | EVENTS, 10, "Asio 1.12"},
	{"boost::asio::detail::scheduler::run", NULL, NULL, QUEUE | EVENTS, 10, "Boost 1.66"},
	{"folly::EventBase::loop*", NULL, NULL, EVENTS, 10, "folly 2020"},
	/* gRPC, seen with 1.51. */
	{"CompletionQueue::AsyncNextInternal", "grpc", NULL, QUEUE | EVENTS, 0, "gRPC 1"},
	{"grpc_core::Executor::ThreadMain", NULL, NULL, QUEUE, 0, "gRPC 1"},
	{"ThreadPool::Queue::Step", NULL, NULL, QUEUE, 0, "gRPC 1.51"},
	{"TimerManager::*", "grpc", NULL, QUEUE, 0, "gRPC 1"},
	{"grpc::Server::Wait", NULL, NULL, QUEUE, 0, "gRPC 1"},
	/* oneTBB, OpenMP, libomp: pools between two parallel regions. */
	{"tbb::detail::r1::*", NULL, NULL, QUEUE, 8, "oneTBB 2021"},
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
	{"WorkerLoop", NULL, NULL, QUEUE, 5, "a custom"},
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

static bool by_frames(const struct subject *subject, unsigned when)
{
	unsigned depth = 0;
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
				return true;
		}
	}
	return false;
}

void classify_idle(struct subject *subject)
{
	unsigned when = when_of_wait(subject->wait);
	subject->wait->idle = by_class(subject) || (when && by_frames(subject, when));
}
