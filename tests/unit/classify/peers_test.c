/* Who beyond the process must act, by a made-up system around a made-up process. */
#include "unit/classify/fake.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { ME = 100, PEER = 200, OTHER_PEER = 300, PIPE = 9, ERESTARTSYS = 512 };

/* The fake process and all that is around it. */
struct world {
	struct fake *fake;
	struct capture capture;
};

static struct world *world_new(void)
{
	struct world *world = xcalloc(1, sizeof(*world));
	world->fake = fake_new();
	world->fake->context.capture = &world->capture;
	struct capture_surroundings *around = &world->capture.surroundings;
	around->looked_at_processes = around->looked_at_ends = true;
	around->looked_at_sockets = around->looked_at_file_locks = true;
	/* Asleep all the while, and no time limit of a socket's. */
	world->fake->thread->stop = STOP_DONE;
	world->fake->thread->in_syscall = true;
	world->fake->thread->stopped_result = -ERESTARTSYS;
	return world;
}

static void world_free(struct world *world)
{
	array_deinit(&world->capture.surroundings.processes);
	array_deinit(&world->capture.surroundings.ends);
	array_deinit(&world->capture.surroundings.sockets);
	array_deinit(&world->capture.surroundings.file_locks);
	array_deinit(&world->capture.surroundings.lock_holders);
	array_deinit(&world->capture.surroundings.semaphores);
	fake_free(world->fake);
	free(world);
}

static void call(struct world *world, long number, uint64_t a0, uint64_t a1, uint64_t a2,
		 uint64_t a3)
{
	fake_call(world->fake, number, a0, a1, a2, a3, 0, 0);
	world->fake->thread->stopped_syscall = number;
}

static const struct wait *classify(struct world *world)
{
	return fake_classify(world->fake);
}

/* In order, as capture makes them. */
static struct capture_end *end_of(struct world *world, enum capture_end_kind kind, uint64_t inode,
				  pid_t pid, const char *how)
{
	struct capture_end *end = array_append(&world->capture.surroundings.ends);
	*end = (struct capture_end){.kind = kind,
				    .inode = inode,
				    .pid = pid,
				    .fd = 3,
				    .reads = strchr(how, 'r') != NULL,
				    .writes = strchr(how, 'w') != NULL};
	return end;
}

static struct capture_neighbour *process(struct world *world, pid_t pid, pid_t ppid)
{
	struct capture_neighbour *neighbour = array_append(&world->capture.surroundings.processes);
	*neighbour = (struct capture_neighbour){.pid = pid,
						.ppid = ppid,
						.group = ppid,
						.name = "peer",
						.state = 'S',
						.threads = 1,
						.exit_signal = SIGCHLD};
	return neighbour;
}

static struct capture_socket *socket_at(struct world *world, uint64_t inode,
					enum socket_family family, uint64_t peer)
{
	struct capture_socket *added = array_append(&world->capture.surroundings.sockets);
	*added = (struct capture_socket){.inode = inode,
					 .family = family,
					 .type = SOCK_STREAM,
					 .state = "ESTABLISHED",
					 .link = peer ? SOCKET_LINK_PEER : SOCKET_LINK_NONE,
					 .peer_inode = peer};
	return added;
}

static struct capture_file_lock *lock_line(struct world *world, unsigned id, bool waits,
					   const char *kind, pid_t pid)
{
	struct capture_file_lock *lock = array_append(&world->capture.surroundings.file_locks);
	*lock = (struct capture_file_lock){.id = id,
					   .waits = waits,
					   .kind = kind,
					   .writes = true,
					   .pid = pid,
					   .inode = 77,
					   .end = UINT64_MAX};
	return lock;
}

#define assert_owners(wait, ...)                                                                   \
	do {                                                                                       \
		const pid_t expected_[] = {__VA_ARGS__};                                           \
		assert_int_equal((wait)->owners.count, sizeof(expected_) / sizeof(pid_t));         \
		for (size_t i_ = 0; i_ < (wait)->owners.count; i_++) {                             \
			assert_int_equal((wait)->owners.items[i_].pid, expected_[i_]);             \
			assert_int_equal((wait)->owners.items[i_].tid, 0);                         \
		}                                                                                  \
		assert_int_equal((wait)->owner_state, OWNER_ALIVE);                                \
	} while (0)

static void assert_nobody(const struct wait *wait)
{
	assert_int_equal(wait->owners.count, 0);
	assert_int_equal(wait->reach, REACH_ANYBODY);
	assert_true(wait->owner_state == OWNER_NOBODY || wait->owner_state == OWNER_NOT_RECORDED);
}

/* --- Pipes --- */

static void blocked_pipe(struct world *world, long number)
{
	fake_descriptor(world->fake, 7, "pipe:[9]", S_IFIFO, "flags:\t00\n");
	call(world, number, 7, 0, 0, 0);
}

static void a_reader_waits_for_those_who_write(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	end_of(world, END_PIPE, PIPE - 1, PEER, "w");
	end_of(world, END_PIPE, PIPE, ME, "r");
	end_of(world, END_PIPE, PIPE, PEER, "w");
	end_of(world, END_PIPE, PIPE, PEER, "w");
	end_of(world, END_PIPE, PIPE, OTHER_PEER, "r");
	end_of(world, END_PIPE, PIPE + 1, OTHER_PEER, "w");
	const struct wait *wait = classify(world);
	assert_class(wait, "pipe read");
	assert_owners(wait, PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_true(wait->owners_by_search);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_CERTAIN);
	assert_null(wait->resource.detail);
	world_free(world);
}

/* unshare(CLONE_FILES): what the process has at that number is another file. */
static void a_thread_with_descriptors_of_its_own_has_no_peers(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	end_of(world, END_PIPE, PIPE, PEER, "w");
	world->fake->thread->own_files = true;
	const struct wait *wait = classify(world);
	assert_nobody(wait);
	assert_null(wait->resource.identity);
	world_free(world);
}

static void a_writer_waits_for_those_who_read(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_write);
	end_of(world, END_PIPE, PIPE, ME, "w");
	end_of(world, END_PIPE, PIPE, PEER, "r");
	end_of(world, END_PIPE, PIPE, OTHER_PEER, "rw");
	assert_owners(classify(world), PEER, OTHER_PEER);
	assert_int_equal(world->fake->wait.reach, REACH_OWNERS);
	world_free(world);
}

static void a_leaked_end_makes_the_process_wait_for_itself(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	end_of(world, END_PIPE, PIPE, ME, "r");
	end_of(world, END_PIPE, PIPE, ME, "w");
	assert_owners(classify(world), ME);
	assert_int_equal(world->fake->wait.reach, REACH_OWNERS);
	world_free(world);
}

static void others_may_act_where_not_everybody_was_seen(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world *world = world_new();
		struct capture_surroundings *around = &world->capture.surroundings;
		blocked_pipe(world, SYS_read);
		end_of(world, END_PIPE, PIPE, PEER, "w");
		around->ends_unread = i == 0;
		around->hidden = i == 1;
		around->contained = i == 2;
		around->looked_at_ends = i != 3;
		assert_owners(classify(world), PEER);
		assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
		world_free(world);
	}
}

static void an_end_nobody_is_seen_to_have_is_said(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	end_of(world, END_PIPE, PIPE, ME, "r");
	assert_nobody(classify(world));
	assert_string_equal(world->fake->wait.resource.detail,
			    "nobody is seen to have it open to write");
	/* Of what was not looked at, nothing is said. */
	world->capture.surroundings.looked_at_ends = false;
	assert_nobody(classify(world));
	assert_null(world->fake->wait.resource.detail);
	world_free(world);
}

static void a_number_that_is_another_file_by_now_names_nobody(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	end_of(world, END_PIPE, PIPE, PEER, "w");
	world->fake->thread->wait_channel = "unix_stream_read_generic";
	assert_nobody(classify(world));
	/* Nor one of a call that it has left. */
	world->fake->thread->wait_channel = NULL;
	world->fake->thread->stopped_syscall = SYS_futex;
	assert_nobody(classify(world));
	world_free(world);
}

static void of_very_many_some_are_named(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	for (pid_t pid = 1000; pid < 2000; pid++)
		end_of(world, END_PIPE, PIPE, pid, "w");
	const struct wait *wait = classify(world);
	assert_int_equal(wait->owners.count, 64);
	assert_int_equal(wait->reach, REACH_ANYBODY);
	world_free(world);
}

static void a_fifo_is_told_by_device_and_inode(void **state)
{
	(void)state;
	struct world *world = world_new();
	fake_descriptor(world->fake, 7, "/run/queue", S_IFIFO, NULL);
	call(world, SYS_read, 7, 0, 0, 0);
	end_of(world, END_FIFO, 77, PEER, "w")->device = 1;
	end_of(world, END_FIFO, 77, OTHER_PEER, "w")->device = 2;
	assert_owners(classify(world), PEER);
	/* Anybody may open it, at any time. */
	assert_int_equal(classify(world)->reach, REACH_ANYBODY);
	world_free(world);
}

static void who_opens_a_fifo_waits_for_anybody(void **state)
{
	(void)state;
	struct world *world = world_new();
	fake_write(world->fake, DATA, "/run/queue", 11);
	world->fake->thread->wait_channel = "wait_for_partner";
	call(world, SYS_openat, -100ull, DATA, O_WRONLY, 0);
	assert_nobody(classify(world));
	assert_string_equal(world->fake->wait.resource.detail,
			    "to write; nobody has it open to read");
	call(world, SYS_open, DATA, O_RDONLY, 0, 0);
	assert_nobody(classify(world));
	assert_string_equal(world->fake->wait.resource.detail,
			    "to read; nobody has it open to write");
	world_free(world);
}

static void an_eventfd_names_others_who_have_it(void **state)
{
	(void)state;
	struct world *world = world_new();
	fake_descriptor(world->fake, 7, "anon_inode:[eventfd]", 0,
			"flags:\t02\neventfd-count:                0\neventfd-id: 31\n");
	call(world, SYS_read, 7, 0, 8, 0);
	/* The kernel may count it up: who is alone with it does not wait for itself. */
	end_of(world, END_EVENTFD, 31, ME, "rw");
	assert_nobody(classify(world));
	end_of(world, END_EVENTFD, 31, PEER, "rw");
	assert_owners(classify(world), ME, PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	assert_int_equal(world->fake->wait.owner_confidence, CONFIDENCE_LIKELY);
	world_free(world);
}

/* --- Sockets --- */

static struct world *socket_world(long number, enum socket_family family)
{
	struct world *world = world_new();
	fake_descriptor(world->fake, 7, "socket:[40]", S_IFSOCK, "flags:\t02\n");
	call(world, number, 7, 0, 0, 0);
	array_reserve(&world->capture.surroundings.sockets, 8); /* pointers stay valid */
	socket_at(world, 40, family, 41);
	socket_at(world, 41, family, 40);
	end_of(world, END_SOCKET, 40, OTHER_PEER, "rw");
	end_of(world, END_SOCKET, 41, PEER, "rw");
	return world;
}

static void a_socket_waits_for_who_has_its_peer(void **state)
{
	(void)state;
	static const long calls[] = {SYS_read, SYS_write, SYS_recvfrom, SYS_sendmsg};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct world *world = socket_world(calls[i], SOCKET_UNIX);
		const struct wait *wait = classify(world);
		assert_string_equal(wait->resource.kind, "unix socket");
		assert_owners(wait, PEER);
		assert_int_equal(wait->reach, REACH_OWNERS);
		assert_int_equal(wait->owner_confidence, CONFIDENCE_CERTAIN);
		world_free(world);
	}
}

static void a_time_limit_of_the_sockets_own_leaves_it_open(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_recvfrom, SOCKET_UNIX);
	struct capture_thread *thread = world->fake->thread;
	assert_owners(classify(world), PEER);
	assert_false(world->fake->wait.limited);
	thread->stopped_result = -4; /* EINTR: SO_RCVTIMEO is set */
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	assert_true(world->fake->wait.limited);
	thread->stopped_result = 4096; /* a part of it was done: nothing tells */
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	thread->stop = STOP_NOT_TRIED;
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	world_free(world);
}

static void what_is_on_its_way_is_the_networks_to_bring(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_read, SOCKET_TCP);
	struct capture_socket *sockets = world->capture.surroundings.sockets.items;
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_OWNERS);
	sockets[1].send_queue = 12;
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	world_free(world);
	/* A writer waits for the other end only once that has something to read. */
	world = socket_world(SYS_write, SOCKET_TCP);
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	world->capture.surroundings.sockets.items[1].receive_queue = 4096;
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_OWNERS);
	world_free(world);
}

static void a_socket_says_where_it_leads_and_what_is_queued(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_write, SOCKET_TCP);
	struct capture_socket *sockets = world->capture.surroundings.sockets.items;
	sockets[0].local = "127.0.0.1:4000";
	sockets[0].peer = "127.0.0.1:80";
	sockets[0].send_queue = 2048;
	sockets[0].window_closed = true;
	sockets[1].receive_queue = 4096;
	const struct wait *wait = classify(world);
	assert_string_equal(wait->resource.kind, "tcp socket");
	assert_string_equal(wait->resource.detail,
			    "127.0.0.1:4000 to 127.0.0.1:80, ESTABLISHED, 0 bytes to be read, 2048 "
			    "to be sent, 4096 bytes that the other end has yet to read, the other "
			    "end has no room");
	sockets[0].link = SOCKET_LINK_PENDING;
	sockets[0].window_closed = false;
	sockets[0].receive_queue = -1;
	wait = classify(world);
	assert_string_equal(wait->resource.detail,
			    "127.0.0.1:4000 to 127.0.0.1:80, ESTABLISHED, not accepted yet");
	assert_owners(wait, PEER);
	world_free(world);
}

static void who_connects_waits_for_the_listener(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_connect, SOCKET_UNIX);
	struct capture_socket *sockets = world->capture.surroundings.sockets.items;
	sockets[0].link = SOCKET_LINK_LISTENER;
	sockets[0].state = "unconnected";
	sockets[0].peer = "@service";
	sockets[1].receive_queue = 6;
	sockets[1].send_queue = 5;
	const struct wait *wait = classify(world);
	assert_owners(wait, PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(
		wait->resource.detail,
		"to @service, stream, unconnected, 0 bytes to be read, the listener has "
		"6 connections to accept, its limit is 5");
	/* A path may be another file by now. */
	sockets[0].link_by_path = true;
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.owner_confidence, CONFIDENCE_LIKELY);
	world_free(world);
	/* TCP gives up by itself. */
	world = socket_world(SYS_connect, SOCKET_TCP);
	world->capture.surroundings.sockets.items[0].link = SOCKET_LINK_LISTENER;
	assert_owners(classify(world), PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	assert_int_equal(world->fake->wait.owner_confidence, CONFIDENCE_LIKELY);
	world_free(world);
}

static void sockets_that_lead_elsewhere_name_nobody(void **state)
{
	(void)state;
	static const struct {
		long number;
		enum socket_link link;
	} rows[] = {
		{SYS_accept, SOCKET_LINK_PEER},	    {SYS_accept, SOCKET_LINK_LISTENER},
		{SYS_recvfrom, SOCKET_LINK_NAMED},  {SYS_recvfrom, SOCKET_LINK_LISTENER},
		{SYS_recvfrom, SOCKET_LINK_NONE},   {SYS_connect, SOCKET_LINK_PEER},
		{SYS_sendto, SOCKET_LINK_LISTENER}, {SYS_sendto, SOCKET_LINK_NONE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *world = socket_world(rows[i].number, SOCKET_UNIX);
		world->capture.surroundings.sockets.items[0].link = rows[i].link;
		assert_nobody(classify(world));
		world_free(world);
	}
	/* The other end is not of this machine. */
	struct world *world = socket_world(SYS_recvfrom, SOCKET_TCP);
	world->capture.surroundings.sockets.count = 1;
	assert_nobody(classify(world));
	assert_non_null(world->fake->wait.resource.detail);
	world_free(world);
}

/* --- Several at once --- */

static void watch(struct world *world, const struct pollfd *fds, size_t count, int limit_ms)
{
	fake_write(world->fake, DATA, fds, count * sizeof(*fds));
	call(world, SYS_poll, DATA, count, (uint64_t)(int64_t)limit_ms, 0);
}

static void poll_names_all_when_each_is_known(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_poll, SOCKET_UNIX);
	fake_descriptor(world->fake, 8, "pipe:[9]", S_IFIFO, "flags:\t00\n");
	fake_descriptor(world->fake, 9, "pipe:[10]", S_IFIFO, "flags:\t01\n");
	world->capture.surroundings.ends.count = 0;
	end_of(world, END_PIPE, 9, 210, "w");
	end_of(world, END_PIPE, 9, ME, "r");
	end_of(world, END_PIPE, 10, ME, "w");
	end_of(world, END_PIPE, 10, 205, "r");
	end_of(world, END_SOCKET, 41, PEER, "rw");
	/* The last one is asked for nothing, and told of the readers' end all the same. */
	const struct pollfd fds[] = {
		{8, POLLIN, 0}, {-1, POLLIN, 0}, {7, POLLIN | POLLOUT, 0}, {9, 0, 0}};
	watch(world, fds, 4, -1);
	const struct wait *wait = classify(world);
	assert_class(wait, "poll");
	assert_owners(wait, PEER, 205, 210);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_string_equal(wait->resource.detail,
			    "4 descriptors: 8 in (pipe), 7 in out (unix socket), 9 (pipe)");
	/* A limit of which it is not known how much is left. */
	watch(world, fds, 4, 5000);
	wait = classify(world);
	assert_int_equal(wait->timeout_ms, -1);
	assert_true(wait->limited);
	assert_owners(wait, PEER, 205, 210);
	world_free(world);
}

static void poll_names_nobody_when_one_is_not_known(void **state)
{
	(void)state;
	static const struct pollfd fds[] = {{7, POLLIN, 0}, {8, POLLIN, 0}};
	static const struct {
		const char *target;
		unsigned mode;
	} rows[] = {
		{"anon_inode:[eventfd]", 0}, {"/dev/pts/3", S_IFCHR}, {"socket:[50]", S_IFSOCK},
		{"pipe:[99]", S_IFIFO},	     {"/srv/x", S_IFREG},     {"anon_inode:[timerfd]", 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *world = socket_world(SYS_poll, SOCKET_UNIX);
		fake_descriptor(world->fake, 8, rows[i].target, rows[i].mode, "flags:\t00\n");
		/* A listener: anybody may connect to it. */
		socket_at(world, 50, SOCKET_TCP, 0)->state = "LISTEN";
		watch(world, fds, 2, -1);
		assert_nobody(classify(world));
		world_free(world);
	}
	/* Nor when there are more than are looked at, or some could not be read. */
	struct world *world = socket_world(SYS_poll, SOCKET_UNIX);
	struct pollfd many[CAPTURE_WATCHED_MOST + 1];
	for (size_t i = 0; i < CAPTURE_WATCHED_MOST + 1; i++)
		many[i] = fds[0];
	watch(world, many, CAPTURE_WATCHED_MOST, -1);
	assert_owners(classify(world), PEER);
	watch(world, many, CAPTURE_WATCHED_MOST + 1, -1);
	assert_nobody(classify(world));
	world_free(world);
}

static void select_names_the_other_ends_too(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_select, SOCKET_UNIX);
	fake_write_u64(world->fake, DATA, 1ull << 7);
	fake_call(world->fake, SYS_pselect6, 8, DATA, 0, 0, 0, 0);
	world->fake->thread->stopped_syscall = SYS_pselect6;
	const struct wait *wait = classify(world);
	assert_class(wait, "select");
	assert_owners(wait, PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	world_free(world);
}

static void an_epoll_may_be_given_more_by_other_threads(void **state)
{
	(void)state;
	struct world *world = socket_world(SYS_epoll_wait, SOCKET_UNIX);
	fake_descriptor(
		world->fake, 5, "anon_inode:[eventpoll]", 0,
		"flags:\t02\ntfd:        7 events:       19 data: 7  pos:0 ino:4d sdev:8\n");
	call(world, SYS_epoll_wait, 5, 0, 0, -1ull);
	const struct wait *wait = classify(world);
	assert_class(wait, "epoll wait");
	assert_owners(wait, PEER);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_LIKELY);
	assert_string_equal(wait->resource.detail, "watches 1 descriptor: 7 in (unix socket)");
	fake_thread(world->fake, 101, 101, "other", 0);
	assert_owners(classify(world), ME, PEER);
	/* The number was closed, and is another file's by now: what is watched is not known. */
	world->fake->process.descriptors.items[1].inode = 78;
	assert_nobody(classify(world));
	assert_string_equal(world->fake->wait.resource.detail, "watches 1 descriptor: 7 in");
	world_free(world);
}

/* --- File locks --- */

static struct world *lock_world(long number, uint64_t a1)
{
	struct world *world = world_new();
	fake_descriptor(world->fake, 7, "/srv/lock", S_IFREG, "flags:\t02\nino:\t77\n");
	call(world, number, 7, a1, DATA, 0);
	return world;
}

static void ask_range(struct world *world, off_t from, off_t length)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = length};
	fake_write(world->fake, DATA, &lock, sizeof(lock));
}

static void hold(struct world *world, unsigned id, pid_t pid)
{
	*array_append(&world->capture.surroundings.lock_holders) =
		(struct capture_lock_holder){id, pid, 3};
}

static void a_flock_is_held_by_those_with_its_open_file(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_flock, LOCK_EX);
	/* Who asked for it, 400, is gone: two that it forked have it. */
	lock_line(world, 3, false, "FLOCK", 400);
	lock_line(world, 3, true, "FLOCK", 500);
	lock_line(world, 3, true, "FLOCK", ME);
	lock_line(world, 4, false, "FLOCK", 600)->inode = 78;
	hold(world, 3, PEER);
	hold(world, 3, OTHER_PEER);
	hold(world, 4, 600);
	const struct wait *wait = classify(world);
	assert_class(wait, "file lock");
	assert_owners(wait, PEER, OTHER_PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_CERTAIN);
	assert_string_equal(wait->resource.detail, "exclusive flock; behind an exclusive flock");
	world->capture.surroundings.ends_unread = 1;
	assert_owners(classify(world), PEER, OTHER_PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	/* Nobody that can be seen has it: who asked for it once says nothing. */
	world->capture.surroundings.lock_holders.count = 0;
	assert_nobody(classify(world));
	assert_int_equal(world->fake->wait.owner_state, OWNER_NOT_RECORDED);
	world_free(world);
}

static void a_second_descriptor_makes_a_process_wait_for_itself(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_flock, LOCK_EX);
	lock_line(world, 1, false, "FLOCK", ME);
	lock_line(world, 1, true, "FLOCK", ME);
	hold(world, 1, ME);
	assert_owners(classify(world), ME);
	assert_int_equal(world->fake->wait.reach, REACH_OWNERS);
	world_free(world);
}

static void a_record_lock_is_its_processs(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_fcntl, F_SETLKW);
	ask_range(world, 10, 10);
	struct capture_file_lock *held = lock_line(world, 1, false, "POSIX", PEER);
	held->start = 5;
	held->end = 99;
	lock_line(world, 1, true, "OFDLCK", -1);
	struct capture_file_lock *mine = lock_line(world, 1, true, "POSIX", ME);
	mine->start = 10;
	mine->end = 19;
	const struct wait *wait = classify(world);
	assert_owners(wait, PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_false(wait->owners_by_search);
	assert_string_equal(wait->resource.detail,
			    "write lock, from 10, length 10; behind a write lock from 5 to 99 "
			    "(POSIX)");
	/* No request of ours looks like that. */
	ask_range(world, 11, 10);
	assert_nobody(classify(world));
	/* One with an unknown start may be any of ours. */
	struct flock current = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = 10};
	fake_write(world->fake, DATA, &current, sizeof(current));
	assert_owners(classify(world), PEER);
	world_free(world);
	/* Backwards, and to the end. */
	world = lock_world(SYS_fcntl, F_SETLKW);
	ask_range(world, 20, -10);
	lock_line(world, 1, false, "POSIX", PEER);
	mine = lock_line(world, 1, true, "POSIX", ME);
	mine->start = 10;
	mine->end = 19;
	assert_owners(classify(world), PEER);
	assert_non_null(strstr(world->fake->wait.resource.detail,
			       "behind a write lock of the whole file (POSIX)"));
	world_free(world);
}

static void an_ofd_lock_is_nobodys_but_an_open_files(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_fcntl, F_OFD_SETLKW);
	ask_range(world, 0, 0);
	lock_line(world, 1, false, "OFDLCK", -1);
	lock_line(world, 1, true, "OFDLCK", -1);
	hold(world, 1, PEER);
	assert_owners(classify(world), PEER);
	world_free(world);
}

static void requests_that_look_the_same_name_nobody(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_flock, LOCK_EX);
	lock_line(world, 1, false, "FLOCK", PEER);
	lock_line(world, 1, true, "FLOCK", ME);
	lock_line(world, 2, false, "FLOCK", OTHER_PEER);
	lock_line(world, 2, true, "FLOCK", ME);
	hold(world, 1, PEER);
	hold(world, 2, OTHER_PEER);
	assert_nobody(classify(world));
	world_free(world);
}

/* The list is no snapshot: when locks are let go meanwhile, a line may come twice. */
static void a_lock_that_is_listed_twice_is_one(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_flock, LOCK_EX);
	for (unsigned id = 1; id <= 2; id++) {
		lock_line(world, id, false, "FLOCK", PEER);
		lock_line(world, id, true, "FLOCK", ME);
		hold(world, id, PEER);
	}
	assert_owners(classify(world), PEER);
	world_free(world);
}

/* A remote file system does not tell; who went on meanwhile is rightly not there. */
static void who_waits_for_a_lock_and_is_not_listed_is_told(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_flock, LOCK_EX);
	world->fake->thread->steady = true;
	assert_nobody(classify(world));
	assert_int_equal(world->fake->wait.owner_state, OWNER_NOT_RECORDED);
	assert_string_equal(world->fake->wait.resource.detail,
			    "exclusive flock; the kernel's list of locks does not show it waiting");
	world->fake->thread->steady = false;
	assert_nobody(classify(world));
	assert_int_equal(world->fake->wait.owner_state, OWNER_NOBODY);
	world->fake->thread->steady = true;
	world->capture.surroundings.looked_at_file_locks = false;
	assert_nobody(classify(world));
	assert_int_equal(world->fake->wait.owner_state, OWNER_NOBODY);
	world_free(world);
}

static void locks_of_other_kinds_and_files_are_not_in_the_way(void **state)
{
	(void)state;
	struct world *world = lock_world(SYS_flock, LOCK_EX);
	lock_line(world, 1, false, "FLOCK", PEER)->inode = 78;
	lock_line(world, 1, true, "FLOCK", ME)->inode = 78;
	lock_line(world, 2, false, "POSIX", PEER);
	lock_line(world, 2, true, "POSIX", ME);
	lock_line(world, 3, true, "FLOCK", ME); /* behind what is not there */
	lock_line(world, 4, false, "FLOCK", PEER);
	lock_line(world, 4, true, "FLOCK", ME)->writes = false;
	hold(world, 1, PEER);
	assert_nobody(classify(world));
	assert_null(strstr(world->fake->wait.resource.detail, "behind"));
	world_free(world);
}

static void a_lease_is_taken_away_after_a_time(void **state)
{
	(void)state;
	struct world *world = world_new();
	fake_write(world->fake, DATA, "/srv/leased", 12);
	world->fake->thread->wait_channel = "__break_lease";
	call(world, SYS_openat, -100ull, DATA, O_RDWR, 0);
	lock_line(world, 1, false, "LEASE", PEER);
	lock_line(world, 1, true, "LEASE", ME);
	const struct wait *wait = classify(world);
	assert_class(wait, "file lock");
	assert_owners(wait, PEER);
	assert_int_equal(wait->reach, REACH_ANYBODY);
	world_free(world);
}

/* --- Children --- */

static struct world *child_world(void)
{
	static const pid_t own[] = {ME}, first[] = {PEER, 5}, second[] = {OTHER_PEER};
	struct world *world = world_new();
	struct capture_neighbour *self = process(world, ME, 1);
	self->level_count = 1;
	self->ids = self->groups = own;
	struct capture_neighbour *child = process(world, PEER, ME);
	child->level_count = 2;
	child->ids = child->groups = first;
	child = process(world, OTHER_PEER, ME);
	child->level_count = 1;
	child->ids = second;
	child->groups = own;
	child->group = 1; /* ours */
	process(world, 400, PEER);
	return world;
}

static void who_waits_for_any_child_waits_for_all(void **state)
{
	(void)state;
	struct world *world = child_world();
	call(world, SYS_wait4, -1ull, 0, 0, 0);
	const struct wait *wait = classify(world);
	assert_class(wait, "child wait");
	assert_owners(wait, PEER, OTHER_PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_CERTAIN);
	call(world, SYS_waitid, P_ALL, 0, 0, WEXITED);
	assert_owners(classify(world), PEER, OTHER_PEER);
	world->capture.surroundings.looked_at_processes = false;
	assert_owners(classify(world), PEER, OTHER_PEER);
	assert_int_equal(world->fake->wait.reach, REACH_ANYBODY);
	world_free(world);
}

static void children_are_chosen_as_the_call_says(void **state)
{
	(void)state;
	struct world *world = child_world();
	fake_descriptor(world->fake, 6, "anon_inode:[pidfd]", 0, "Pid:\t300\n");
	call(world, SYS_wait4, PEER, 0, 0, 0);
	assert_owners(classify(world), PEER);
	call(world, SYS_waitid, P_PID, OTHER_PEER, 0, WEXITED);
	assert_owners(classify(world), OTHER_PEER);
	call(world, SYS_waitid, P_PIDFD, 6, 0, WEXITED);
	assert_owners(classify(world), OTHER_PEER);
	call(world, SYS_wait4, (uint64_t)-ME, 0, 0, 0);
	assert_owners(classify(world), OTHER_PEER);
	call(world, SYS_wait4, 0, 0, 0, 0);
	assert_owners(classify(world), OTHER_PEER);
	call(world, SYS_wait4, 400, 0, 0, 0); /* a grandchild */
	assert_nobody(classify(world));
	call(world, SYS_wait4, 5, 0, 0, 0); /* what it is called elsewhere */
	assert_nobody(classify(world));
	call(world, SYS_wait4, 0x80000000, 0, 0, 0);
	assert_nobody(classify(world));
	call(world, SYS_waitid, 99, 0, 0, 0);
	assert_nobody(classify(world));
	world_free(world);
}

static void ids_are_those_of_the_waiters_namespace(void **state)
{
	(void)state;
	static const pid_t own[] = {ME, 1}, ids[] = {PEER, 7, 1};
	struct world *world = world_new();
	struct capture_neighbour *self = process(world, ME, 1);
	self->level_count = 2;
	self->ids = self->groups = own;
	struct capture_neighbour *child = process(world, PEER, ME);
	child->level_count = 3;
	child->ids = child->groups = ids;
	call(world, SYS_wait4, 7, 0, 0, 0);
	assert_owners(classify(world), PEER);
	call(world, SYS_wait4, (uint64_t)-7, 0, 0, 0);
	assert_owners(classify(world), PEER);
	call(world, SYS_wait4, PEER, 0, 0, 0);
	assert_nobody(classify(world));
	world_free(world);
}

static void children_that_have_ended_are_not_waited_for(void **state)
{
	(void)state;
	struct world *world = child_world();
	struct capture_neighbour *child = &world->capture.surroundings.processes.items[1];
	call(world, SYS_wait4, -1ull, 0, 0, 0);
	child->state = 'Z';
	assert_owners(classify(world), OTHER_PEER);
	/* Its main thread has ended; others go on. */
	child->threads = 2;
	assert_owners(classify(world), PEER, OTHER_PEER);
	world_free(world);
}

static void clones_are_waited_for_on_demand_only(void **state)
{
	(void)state;
	struct world *world = child_world();
	world->capture.surroundings.processes.items[1].exit_signal = 0;
	call(world, SYS_wait4, -1ull, 0, 0, 0);
	assert_owners(classify(world), OTHER_PEER);
	call(world, SYS_wait4, -1ull, 0, __WCLONE, 0);
	assert_owners(classify(world), PEER);
	call(world, SYS_wait4, -1ull, 0, __WALL, 0);
	assert_owners(classify(world), PEER, OTHER_PEER);
	world_free(world);
}

static void a_tracer_waits_for_what_it_traces(void **state)
{
	(void)state;
	struct world *world = child_world();
	call(world, SYS_wait4, -1ull, 0, __WALL, 0);
	process(world, 500, 1)->tracer = ME;
	process(world, 600, 1)->tracer = 601;
	assert_owners(classify(world), PEER, OTHER_PEER, 500);
	world_free(world);
}

static void a_vfork_parent_waits_for_the_child_in_its_memory(void **state)
{
	(void)state;
	struct world *world = child_world();
	struct capture_neighbour *children = &world->capture.surroundings.processes.items[1];
	children[0].shares_memory = true;
	call(world, SYS_vfork, 0, 0, 0, 0);
	world->fake->thread->state = 'D';
	const struct wait *wait = classify(world);
	assert_class(wait, "vfork wait");
	assert_owners(wait, PEER);
	assert_int_equal(wait->reach, REACH_OWNERS);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_CERTAIN);
	/* Two threads did it: either child may be this one's. */
	children[1].shares_memory = true;
	assert_owners(classify(world), PEER, OTHER_PEER);
	assert_int_equal(world->fake->wait.owner_confidence, CONFIDENCE_LIKELY);
	world_free(world);
}

/* --- System V semaphores --- */

static struct world *semaphore_world(pid_t last, int value)
{
	static const struct sembuf take = {.sem_num = 1, .sem_op = -1};
	struct world *world = world_new();
	fake_write(world->fake, DATA, &take, sizeof(take));
	call(world, SYS_semop, 6, DATA, 1, 0);
	process(world, ME, 1);
	process(world, PEER, 1);
	*array_append(&world->capture.surroundings.semaphores) = (struct capture_semaphore){
		.pid = ME, .id = 6, .number = 1, .value = value, .last = last};
	return world;
}

static void who_changed_a_semaphore_last_is_likely_its_holder(void **state)
{
	(void)state;
	struct world *world = semaphore_world(PEER, 0);
	const struct wait *wait = classify(world);
	assert_class(wait, "semaphore wait");
	assert_owners(wait, PEER);
	assert_int_equal(wait->owner_confidence, CONFIDENCE_LIKELY);
	assert_int_equal(wait->reach, REACH_ANYBODY);
	assert_string_equal(wait->resource.detail, "id 6, number 1, operation -1; value 0, last "
						   "changed by process 200 (peer)");
	world_free(world);
}

static void a_semaphore_without_a_holder_records_none(void **state)
{
	(void)state;
	static const struct {
		pid_t last;
		const char *says;
	} rows[] = {
		/* Whoever takes work from a semaphore changes it, and then waits for more. */
		{ME, "last changed by this process"},
		{900, "last changed by process 900, which is gone"},
		{0, "nobody has changed it yet"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *world = semaphore_world(rows[i].last, 0);
		const struct wait *wait = classify(world);
		assert_nobody(wait);
		assert_int_equal(wait->owner_state, OWNER_NOT_RECORDED);
		assert_non_null(strstr(wait->resource.detail, rows[i].says));
		world_free(world);
	}
}

static void of_several_semaphores_the_one_in_the_way_counts(void **state)
{
	(void)state;
	const struct sembuf operations[] = {{.sem_num = 1, .sem_op = -1},
					    {.sem_num = 2, .sem_op = 0},
					    {.sem_num = 3, .sem_op = 1}};
	struct world *world = semaphore_world(OTHER_PEER, 5);
	fake_write(world->fake, DATA, operations, sizeof(operations));
	call(world, SYS_semop, 6, DATA, 3, 0);
	*array_append(&world->capture.surroundings.semaphores) = (struct capture_semaphore){
		.pid = ME, .id = 6, .number = 2, .value = 1, .last = PEER};
	*array_append(&world->capture.surroundings.semaphores) =
		(struct capture_semaphore){.pid = ME, .id = 6, .number = 3, .last = 300};
	assert_owners(classify(world), PEER);
	/* None is in the way: it has been woken by now. */
	world->capture.surroundings.semaphores.items[1].value = 0;
	assert_nobody(classify(world));
	world_free(world);
}

/* --- What is asked for --- */

static unsigned needs_of(struct world *world, struct capture_need *needs)
{
	return classify_needs(&world->fake->process, world->fake->thread, needs);
}

static void calls_need_what_could_end_them(void **state)
{
	(void)state;
	static const struct {
		long number;
		uint64_t a0, a1, a2;
		char state;
		unsigned count;
		enum capture_need_kind kind;
	} rows[] = {
		{SYS_futex, DATA, 0, 0, 'S', 0, NEED_FILE},
		{SYS_nanosleep, DATA, 0, 0, 'S', 0, NEED_FILE},
		{SYS_read, 7, 0, 0, 'S', 1, NEED_FILE},
		{SYS_recvmsg, 7, 0, 0, 'S', 1, NEED_FILE},
		{SYS_read, 8, 0, 0, 'S', 0, NEED_FILE}, /* a file: nobody has another end */
		{SYS_read, 9, 0, 0, 'S', 0, NEED_FILE}, /* not known */
		{SYS_splice, 7, 0, 8, 'S', 1, NEED_FILE},
		{SYS_flock, 8, LOCK_EX, 0, 'S', 1, NEED_FILE_LOCK},
		{SYS_fcntl, 8, F_SETLKW, DATA, 'S', 1, NEED_FILE_LOCK},
		{SYS_fcntl, 8, F_OFD_SETLKW, DATA, 'S', 1, NEED_FILE_LOCK},
		{SYS_fcntl, 8, F_GETFL, 0, 'S', 0, NEED_FILE_LOCK},
		{SYS_wait4, -1ull, 0, 0, 'S', 1, NEED_CHILDREN},
		{SYS_waitid, P_ALL, 0, 0, 'S', 1, NEED_CHILDREN},
		{SYS_vfork, 0, 0, 0, 'D', 1, NEED_VFORK},
		{SYS_clone3, DATA, 88, 0, 'D', 1, NEED_VFORK},
		{SYS_openat, 0, DATA, 0, 'S', 0, NEED_FILE},
		{999999, 0, 0, 0, 'S', 0, NEED_FILE},
		{-5, 0, 0, 0, 'S', 0, NEED_FILE},
	};
	struct world *world = world_new();
	struct capture_need needs[CAPTURE_NEEDS_MOST];
	fake_descriptor(world->fake, 7, "pipe:[9]", S_IFIFO, NULL);
	fake_descriptor(world->fake, 8, "/srv/data", S_IFREG, "ino:\t77\n");
	ask_range(world, 10, 10);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		call(world, rows[i].number, rows[i].a0, rows[i].a1, rows[i].a2, 0);
		world->fake->thread->state = rows[i].state;
		assert_int_equal(needs_of(world, needs), rows[i].count);
		if (rows[i].count)
			assert_int_equal(needs[0].kind, rows[i].kind);
	}
	world_free(world);
}

static void a_request_for_a_lock_is_what_its_line_will_be(void **state)
{
	(void)state;
	struct capture_need needs[CAPTURE_NEEDS_MOST];
	struct world *world = lock_world(SYS_fcntl, F_SETLKW);
	const struct capture_file_lock *lock = &needs[0].lock;
	ask_range(world, 20, -10);
	assert_int_equal(needs_of(world, needs), 1);
	assert_string_equal(lock->kind, "POSIX");
	assert_int_equal(lock->pid, ME);
	assert_int_equal(lock->inode, 77);
	assert_true(lock->waits && lock->writes);
	assert_int_equal(lock->start, 10);
	assert_int_equal(lock->end, 19);
	ask_range(world, -20, 10);
	assert_int_equal(needs_of(world, needs), 1);
	assert_true(lock->start == CAPTURE_LOCK_ANYWHERE && lock->end == UINT64_MAX);
	world_free(world);
	world = lock_world(SYS_flock, LOCK_SH);
	assert_int_equal(needs_of(world, needs), 1);
	assert_string_equal(lock->kind, "FLOCK");
	assert_true(lock->start == 0 && lock->end == UINT64_MAX && !lock->writes);
	world_free(world);
}

static void names_and_semaphores_are_read_from_memory(void **state)
{
	(void)state;
	const struct sembuf operations[] = {{.sem_num = 4, .sem_op = -1},
					    {.sem_num = 2, .sem_op = -1}};
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/run/x.sock"};
	struct world *world = world_new();
	struct capture_need needs[CAPTURE_NEEDS_MOST];
	fake_descriptor(world->fake, 7, "socket:[9]", S_IFSOCK, NULL);
	fake_write(world->fake, DATA, operations, sizeof(operations));
	call(world, SYS_semtimedop, 6, DATA, 2, 0);
	assert_int_equal(needs_of(world, needs), 2);
	assert_int_equal(needs[1].kind, NEED_SEMAPHORE);
	assert_int_equal(needs[1].id, 6);
	assert_int_equal(needs[1].number, 2);

	fake_write(world->fake, DATA, &name, sizeof(name));
	call(world, SYS_connect, 7, DATA, sizeof(name), 0);
	assert_int_equal(needs_of(world, needs), 2);
	assert_int_equal(needs[0].kind, NEED_FILE);
	assert_int_equal(needs[1].kind, NEED_NAMED);
	assert_string_equal(needs[1].name, "/run/x.sock");
	assert_int_equal(needs[1].name_length, sizeof(name.sun_path));
	/* Lengths that cannot be, and addresses of other families. */
	static const uint64_t lengths[] = {0, 1, 2, sizeof(name) + 1, UINT32_MAX};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		call(world, SYS_connect, 7, DATA, lengths[i], 0);
		assert_int_equal(needs_of(world, needs), 1);
	}
	name.sun_family = AF_INET;
	fake_write(world->fake, DATA, &name, sizeof(name));
	call(world, SYS_connect, 7, DATA, 16, 0);
	assert_int_equal(needs_of(world, needs), 1);

	name.sun_family = AF_UNIX;
	struct msghdr message = {.msg_name = (void *)(DATA + 256), .msg_namelen = sizeof(name)};
	fake_write(world->fake, DATA, &message, sizeof(message));
	fake_write(world->fake, DATA + 256, &name, sizeof(name));
	call(world, SYS_sendmsg, 7, DATA, 0, 0);
	assert_int_equal(needs_of(world, needs), 2);
	assert_int_equal(needs[1].kind, NEED_NAMED);
	world_free(world);
}

static void watched_descriptors_are_needed_together(void **state)
{
	(void)state;
	const struct pollfd fds[] = {{4, POLLIN, 0}, {-1, POLLIN, 0}, {9, POLLOUT, 0}};
	struct world *world = world_new();
	struct capture_need needs[CAPTURE_NEEDS_MOST];
	fake_write(world->fake, DATA, fds, sizeof(fds));
	call(world, SYS_ppoll, DATA, 3, 0, 0);
	assert_int_equal(needs_of(world, needs), 2);
	assert_int_equal(needs[0].kind, NEED_WATCHED);
	assert_int_equal(needs[0].fd, 4);
	assert_int_equal(needs[1].fd, 9);
	/* Of more than can be looked at, one that is not there spoils the rest. */
	call(world, SYS_ppoll, DATA, 1000, 0, 0);
	unsigned count = needs_of(world, needs);
	assert_int_equal(count, CAPTURE_WATCHED_MOST);
	assert_int_equal(needs[count - 1].fd, -1);
	call(world, SYS_ppoll, 64, 3, 0, 0);
	assert_int_equal(needs_of(world, needs), 0);
	world_free(world);
}

/* --- Whatever is around --- */

static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1d;
}

static void randomize_around(struct world *world)
{
	static const char *const kinds[] = {"FLOCK", "POSIX", "OFDLCK", "LEASE", "other"};
	struct capture_surroundings *around = &world->capture.surroundings;
	around->ends.count = around->sockets.count = around->file_locks.count = 0;
	around->processes.count = around->lock_holders.count = around->semaphores.count = 0;
	around->ends_unread = next() % 2;
	around->looked_at_ends = next() % 4;
	for (unsigned i = 0; i < next() % 4; i++)
		end_of(world, (enum capture_end_kind)(next() % 5), 40 + i, (pid_t)(next() % 300),
		       next() % 2 ? "rw" : "w");
	for (unsigned i = 0; i < 2; i++) {
		struct capture_socket *added =
			socket_at(world, 40 + i, (enum socket_family)(next() % 3), 40 + next() % 3);
		added->link = (enum socket_link)(next() % 5);
		added->state = next() % 2 ? NULL : "LISTEN";
		added->local = next() % 2 ? NULL : "@";
		added->receive_queue = (int64_t)next();
	}
	for (unsigned i = 0; i < next() % 5; i++) {
		struct capture_file_lock *lock =
			lock_line(world, (unsigned)(next() % 2), next() % 2, kinds[next() % 5],
				  next() % 2 ? ME : (pid_t)(next() % 300));
		lock->start = next();
		lock->end = next() % 2 ? UINT64_MAX : next();
	}
	for (unsigned i = 0; i < next() % 3; i++)
		hold(world, i, (pid_t)(next() % 300));
	for (unsigned i = 0; i < 3; i++) {
		struct capture_neighbour *neighbour =
			process(world, (pid_t)(ME + 100 * i), next() % 2 ? ME : 1);
		neighbour->state = (char)next();
		neighbour->tracer = (pid_t)(next() % 200);
		neighbour->shares_memory = next() % 2;
		neighbour->name = next() % 2 ? NULL : "\xff\n";
	}
}

static void random_worlds_do_no_harm(void **state)
{
	(void)state;
	static const long calls[] = {
		SYS_read,   SYS_write,	    SYS_recvfrom, SYS_connect, SYS_sendmsg, SYS_poll,
		SYS_select, SYS_epoll_wait, SYS_flock,	  SYS_fcntl,   SYS_wait4,   SYS_waitid,
		SYS_vfork,  SYS_semop,	    SYS_openat,	  SYS_accept,  SYS_splice,  SYS_pselect6};
	static const char *const targets[] = {
		"socket:[40]",		 "pipe:[40]", "pipe:[", "/x", "", "anon_inode:[eventfd]",
		"anon_inode:[eventpoll]"};
	static const char *const infos[] = {NULL,
					    "",
					    "flags:\t02\neventfd-id: 40\n",
					    "tfd: 7 ino:",
					    "tfd: 7 events: ffffffffffffffffff ino:4d\ntfd:",
					    "ino:\t77\nflags:\t01\nPid:\t200\n",
					    "flags:\nino:\n"};
	unsigned owned = 0;
	struct world *world = NULL;
	for (unsigned i = 0; i < 100000; i++) {
		struct capture_need needs[CAPTURE_NEEDS_MOST];
		if (i % 500 == 0) { /* or its pool would hold the strings of all cases */
			if (world)
				world_free(world);
			world = world_new();
		}
		world->fake->process.descriptors.count = 0;
		fake_descriptor(world->fake, 7, targets[next() % 7], next() % 2 ? S_IFIFO : 0,
				infos[next() % 7]);
		for (unsigned j = 0; j < 8; j++)
			fake_write_u64(world->fake, DATA + 8 * j, next() % 2 ? next() : 7);
		call(world, calls[next() % 18], next() % 4 ? 7 : DATA, next() % 2 ? DATA : next(),
		     next() % 2 ? DATA : next() % 4, next());
		world->fake->thread->state = next() % 2 ? 'S' : 'D';
		randomize_around(world);
		const struct wait *wait = classify(world);
		owned += wait->owners.count > 0;
		assert_true(wait->owners.count <= 64);
		assert_int_equal(wait->owner_state == OWNER_ALIVE, wait->owners.count > 0);
		assert_true(wait->reach != REACH_OWNERS || wait->owners.count);
		assert_true(needs_of(world, needs) <= CAPTURE_NEEDS_MOST);
	}
	world_free(world);
	/* The cases are of use only if they get that far. */
	assert_true(owned > 2000);
}

static void without_a_look_nothing_is_said(void **state)
{
	(void)state;
	struct world *world = world_new();
	blocked_pipe(world, SYS_read);
	end_of(world, END_PIPE, PIPE, PEER, "w");
	world->fake->context.capture = NULL;
	assert_nobody(classify(world));
	assert_null(world->fake->wait.resource.detail);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_waits_for_those_who_write),
		cmocka_unit_test(a_thread_with_descriptors_of_its_own_has_no_peers),
		cmocka_unit_test(a_writer_waits_for_those_who_read),
		cmocka_unit_test(a_leaked_end_makes_the_process_wait_for_itself),
		cmocka_unit_test(others_may_act_where_not_everybody_was_seen),
		cmocka_unit_test(an_end_nobody_is_seen_to_have_is_said),
		cmocka_unit_test(a_number_that_is_another_file_by_now_names_nobody),
		cmocka_unit_test(of_very_many_some_are_named),
		cmocka_unit_test(a_fifo_is_told_by_device_and_inode),
		cmocka_unit_test(who_opens_a_fifo_waits_for_anybody),
		cmocka_unit_test(an_eventfd_names_others_who_have_it),
		cmocka_unit_test(a_socket_waits_for_who_has_its_peer),
		cmocka_unit_test(a_time_limit_of_the_sockets_own_leaves_it_open),
		cmocka_unit_test(what_is_on_its_way_is_the_networks_to_bring),
		cmocka_unit_test(a_socket_says_where_it_leads_and_what_is_queued),
		cmocka_unit_test(who_connects_waits_for_the_listener),
		cmocka_unit_test(sockets_that_lead_elsewhere_name_nobody),
		cmocka_unit_test(poll_names_all_when_each_is_known),
		cmocka_unit_test(poll_names_nobody_when_one_is_not_known),
		cmocka_unit_test(select_names_the_other_ends_too),
		cmocka_unit_test(an_epoll_may_be_given_more_by_other_threads),
		cmocka_unit_test(a_flock_is_held_by_those_with_its_open_file),
		cmocka_unit_test(a_second_descriptor_makes_a_process_wait_for_itself),
		cmocka_unit_test(a_record_lock_is_its_processs),
		cmocka_unit_test(an_ofd_lock_is_nobodys_but_an_open_files),
		cmocka_unit_test(requests_that_look_the_same_name_nobody),
		cmocka_unit_test(a_lock_that_is_listed_twice_is_one),
		cmocka_unit_test(who_waits_for_a_lock_and_is_not_listed_is_told),
		cmocka_unit_test(locks_of_other_kinds_and_files_are_not_in_the_way),
		cmocka_unit_test(a_lease_is_taken_away_after_a_time),
		cmocka_unit_test(who_waits_for_any_child_waits_for_all),
		cmocka_unit_test(children_are_chosen_as_the_call_says),
		cmocka_unit_test(ids_are_those_of_the_waiters_namespace),
		cmocka_unit_test(children_that_have_ended_are_not_waited_for),
		cmocka_unit_test(clones_are_waited_for_on_demand_only),
		cmocka_unit_test(a_tracer_waits_for_what_it_traces),
		cmocka_unit_test(a_vfork_parent_waits_for_the_child_in_its_memory),
		cmocka_unit_test(who_changed_a_semaphore_last_is_likely_its_holder),
		cmocka_unit_test(a_semaphore_without_a_holder_records_none),
		cmocka_unit_test(of_several_semaphores_the_one_in_the_way_counts),
		cmocka_unit_test(calls_need_what_could_end_them),
		cmocka_unit_test(a_request_for_a_lock_is_what_its_line_will_be),
		cmocka_unit_test(names_and_semaphores_are_read_from_memory),
		cmocka_unit_test(watched_descriptors_are_needed_together),
		cmocka_unit_test(random_worlds_do_no_harm),
		cmocka_unit_test(without_a_look_nothing_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
