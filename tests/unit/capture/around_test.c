/* capture: what is found out beyond the dumped processes, with families of real ones. */
#include "base/array.h"
#include "base/helper.h"
#include "capture/capture.h"
#include "capture/find.h"
#include "capture/proc.h"
#include "classify/classify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT_MS = 60000 };

static void must(bool ok)
{
	if (!ok)
		_exit(1);
}

static void sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

static pid_t start(void (*what)(void *context), void *context)
{
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		if (helper_begin(parent))
			what(context);
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static long call_of(pid_t pid, pid_t tid)
{
	char path[64], text[256];
	struct raw_syscall call;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return -1;
	parse_syscall(text, &call);
	return call.state == SYSCALL_INSIDE ? call.number : -1;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Whoever asks for a file lock may first be kept waiting for the kernel's own lock on the list. */
static bool sleeps_in(pid_t pid, long number)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (call_of(pid, pid) != number || proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    !parse_stat(text, &stat))
		return false;
	return stat.state == 'S' || (stat.state == 'D' && number == SYS_vfork);
}

/* Until the process sleeps in this call. */
static void wait_for_call(pid_t pid, long number)
{
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (!sleeps_in(pid, number)) {
		assert_false(deadline_passed(deadline));
		nap();
	}
}

static pid_t only_child_of(pid_t parent)
{
	pid_t *kin = NULL, child = 0;
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (!child && !deadline_passed(deadline)) {
		child = capture_descendants(parent, &kin) == 2 ? kin[1] : 0;
		free(kin);
	}
	return child;
}

static struct capture *look_until(const pid_t *pids, size_t count, struct deadline deadline)
{
	struct capture_options options = {.deadline = deadline_in_ms(LIMIT_MS),
					  .fds = classify_syscall_fds,
					  .needs = classify_needs};
	struct error *failures[8] = {NULL};
	struct capture *capture;
	assert_true(count <= 8);
	assert_null(capture_survey(pids, count, &options, failures, &capture));
	capture_hold(capture, pids, count, failures);
	capture_look_around(capture, deadline);
	capture_verify(capture);
	for (size_t i = 0; i < count; i++)
		assert_null(failures[i]);
	assert_int_equal(capture->processes.count, count);
	return capture;
}

/* Who stops one of those that wait for a lock wakes others, which then queue again. */
static struct capture *look_at_both(pid_t first, pid_t second, long number)
{
	const pid_t pids[] = {first, second};
	wait_for_call(first, number);
	wait_for_call(second, number);
	return look_until(pids, 2, deadline_in_ms(LIMIT_MS));
}

/* The process must be asleep in this call. */
static struct capture *look_at(pid_t pid, long number)
{
	wait_for_call(pid, number);
	return look_until(&pid, 1, deadline_in_ms(LIMIT_MS));
}

static const struct capture_descriptor *descriptor(const struct capture *capture, int fd)
{
	const struct capture_descriptor *found =
		capture_descriptor_of(&capture->processes.items[0], fd);
	assert_non_null(found);
	return found;
}

/* "READ", "WRITE", "BOTH" or NULL: how the process has the file open. */
static const char *how(const struct capture *capture, enum capture_end_kind kind, uint64_t device,
		       uint64_t inode, pid_t pid)
{
	const struct capture_end *ends;
	size_t count = capture_ends_of(capture, kind, device, inode, &ends);
	bool reads = false, writes = false;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ends[i].inode, inode);
		reads |= ends[i].pid == pid && ends[i].reads;
		writes |= ends[i].pid == pid && ends[i].writes;
	}
	return reads && writes ? "BOTH" : reads ? "READ" : writes ? "WRITE" : NULL;
}

static uint64_t inode_of(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static char scratch[] = "/tmp/hangdump-around-XXXXXX";

static const char *scratch_path(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return path;
}

/* --- Pipes and FIFOs --- */

static void read_end_alone(void *context)
{
	int *fds = context;
	char byte;
	close(fds[1]);
	must(read(fds[0], &byte, 1) == 1);
}

static void write_end_alone(void *context)
{
	int *fds = context;
	close(fds[0]);
	sleep_for_ever(NULL);
}

static void neither_end(void *context)
{
	close_both(context);
	sleep_for_ever(NULL);
}

static void the_ends_of_a_pipe_are_found_with_their_sides(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t reader = start(read_end_alone, fds), writer = start(write_end_alone, fds);
	pid_t other = start(neither_end, fds);
	wait_for_call(writer, SYS_pause);
	wait_for_call(other, SYS_pause);
	uint64_t inode = inode_of(fds[0]);
	struct capture *capture = look_at(reader, SYS_read);
	assert_string_equal(how(capture, END_PIPE, 0, inode, reader), "READ");
	assert_string_equal(how(capture, END_PIPE, 0, inode, writer), "WRITE");
	assert_string_equal(how(capture, END_PIPE, 0, inode, getpid()), "BOTH");
	assert_null(how(capture, END_PIPE, 0, inode, other));
	/* We, the writer and the reader: nobody else, and none of the helpers. */
	const struct capture_end *ends;
	assert_int_equal(capture_ends_of(capture, END_PIPE, 0, inode, &ends), 4);
	assert_true(capture->surroundings.looked_at_ends);
	assert_string_equal(capture_neighbour_of(capture, writer)->name,
			    capture_neighbour_of(capture, getpid())->name);
	assert_int_equal(capture_neighbour_of(capture, writer)->ppid, getpid());
	assert_null(capture_neighbour_of(capture, 0x3fffffff));
	capture_free(capture);
	finish(reader);
	finish(writer);
	finish(other);
	close_both(fds);
}

static void fill(void *context)
{
	const int *fds = context;
	char bytes[4096] = {0};
	for (;;)
		must(write(fds[1], bytes, sizeof(bytes)) > 0);
}

static void a_full_pipe_names_its_readers(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t writer = start(fill, fds);
	uint64_t inode = inode_of(fds[0]);
	struct capture *capture = look_at(writer, SYS_write);
	assert_string_equal(how(capture, END_PIPE, 0, inode, writer), "BOTH");
	capture_free(capture);
	finish(writer);
	close_both(fds);
}

static void read_fifo(void *context)
{
	char byte;
	int fd = open(context, O_RDWR);
	must(fd >= 0 && read(fd, &byte, 1) == 1);
}

static void write_fifo(void *context)
{
	must(open(context, O_WRONLY) >= 0);
	sleep_for_ever(NULL);
}

static void name_fifo(void *context)
{
	must(open(context, O_PATH) >= 0);
	sleep_for_ever(NULL);
}

static void the_ends_of_a_fifo_are_told_by_its_inode(void **state)
{
	(void)state;
	char fifo[128], other[128];
	struct stat st;
	strcpy(fifo, scratch_path("fifo"));
	strcpy(other, scratch_path("other"));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkfifo(other, 0600), 0);
	pid_t reader = start(read_fifo, fifo), stranger = start(read_fifo, other);
	wait_for_call(reader, SYS_read);
	pid_t writer = start(write_fifo, fifo), namer = start(name_fifo, fifo);
	wait_for_call(writer, SYS_pause);
	wait_for_call(namer, SYS_pause);
	wait_for_call(stranger, SYS_read);
	/* The name says nothing. */
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rename(other, fifo), 0);
	struct capture *capture = look_at(reader, SYS_read);
	const struct capture_descriptor *end = descriptor(capture, 3);
	assert_int_equal(stat(fifo, &st), 0);
	assert_true(end->inode && end->inode != st.st_ino);
	assert_string_equal(how(capture, END_FIFO, end->device, end->inode, reader), "BOTH");
	assert_string_equal(how(capture, END_FIFO, end->device, end->inode, writer), "WRITE");
	assert_null(how(capture, END_FIFO, end->device, end->inode, namer));
	assert_null(how(capture, END_FIFO, end->device, end->inode, stranger));
	capture_free(capture);
	finish(reader);
	finish(writer);
	finish(namer);
	finish(stranger);
	unlink(fifo);
}

static void read_eventfd(void *context)
{
	uint64_t value;
	const int *fds = context;
	close(fds[1]);
	must(read(fds[0], &value, sizeof(value)) == sizeof(value));
}

static void an_eventfd_is_told_from_others_by_its_id(void **state)
{
	(void)state;
	int fds[2] = {eventfd(0, 0), eventfd(0, 0)};
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	pid_t reader = start(read_eventfd, fds);
	struct capture *capture = look_at(reader, SYS_read);
	uint64_t id;
	const char *info = descriptor(capture, fds[0])->info;
	assert_true(parse_number(info, "eventfd-id", 10, &id));
	assert_non_null(how(capture, END_EVENTFD, 0, id, reader));
	assert_non_null(how(capture, END_EVENTFD, 0, id, getpid()));
	assert_int_equal(capture->surroundings.ends.count, 2);
	capture_free(capture);
	finish(reader);
	close_both(fds);
}

/* --- Waits on several --- */

static void poll_two(void *context)
{
	const int *fds = context;
	struct pollfd polls[3] = {{fds[0], POLLIN, 0}, {-1, POLLIN, 0}, {fds[1], POLLIN, 0}};
	must(poll(polls, 3, -1) > 0);
}

static void polled_files_are_looked_at_together_or_not_at_all(void **state)
{
	(void)state;
	int first[2], second[2], timer = eventfd(0, 0);
	assert_int_equal(pipe(first), 0);
	assert_int_equal(pipe(second), 0);
	int pipes[2] = {first[0], second[0]}, mixed[2] = {first[0], timer};
	pid_t on_pipes = start(poll_two, pipes), on_mixed = start(poll_two, mixed);
	struct capture *capture = look_at(on_pipes, SYS_poll);
	assert_string_equal(how(capture, END_PIPE, 0, inode_of(first[0]), getpid()), "BOTH");
	assert_string_equal(how(capture, END_PIPE, 0, inode_of(second[0]), getpid()), "BOTH");
	/* They are named, in order, like those that a call names itself. */
	assert_int_equal(capture->processes.items[0].descriptors.count, 2);
	assert_non_null(strstr(descriptor(capture, first[0])->target, "pipe:["));
	assert_non_null(descriptor(capture, second[0])->info);
	capture_free(capture);
	/* An eventfd may be the kernel's to count up: the pipe's ends are of no use then. */
	capture = look_at(on_mixed, SYS_poll);
	assert_int_equal(capture->surroundings.ends.count, 0);
	assert_false(capture->surroundings.looked_at_ends);
	assert_int_equal(capture->processes.items[0].descriptors.count, 2);
	capture_free(capture);
	finish(on_pipes);
	finish(on_mixed);
	close_both(first);
	close_both(second);
	close(timer);
}

static void poll_many(void *context)
{
	struct pollfd polls[CAPTURE_WATCHED_MOST + 1];
	for (unsigned i = 0; i < sizeof(polls) / sizeof(polls[0]); i++)
		polls[i] = (struct pollfd){*(int *)context, POLLIN, 0};
	must(poll(polls, sizeof(polls) / sizeof(polls[0]), -1) > 0);
}

static void more_polled_files_than_are_looked_at_are_not_taken_for_all(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = start(poll_many, fds);
	struct capture *capture = look_at(pid, SYS_poll);
	assert_false(capture->surroundings.looked_at_ends);
	assert_int_equal(capture->surroundings.ends.count, 0);
	capture_free(capture);
	finish(pid);
	close_both(fds);
}

/* --- Sockets --- */

static const struct capture_socket *socket_of(const struct capture *capture, int fd)
{
	const char *target = descriptor(capture, fd)->target;
	uint64_t inode;
	assert_int_equal(sscanf(target, "socket:[%" SCNu64 "]", &inode), 1);
	const struct capture_socket *found = capture_socket_of(capture, inode);
	assert_non_null(found);
	return found;
}

static void receive(void *context)
{
	const int *fds = context;
	char byte;
	close(fds[1]);
	must(recv(fds[0], &byte, 1, 0) == 1);
}

static void a_unix_socket_knows_its_peer_and_who_has_it(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[0], "four", 4), 4);
	uint64_t peer = inode_of(fds[1]);
	pid_t reader = start(receive, fds);
	struct capture *capture = look_at(reader, SYS_recvfrom);
	const struct capture_socket *socket = socket_of(capture, fds[0]);
	assert_int_equal(socket->family, SOCKET_UNIX);
	assert_int_equal(socket->type, SOCK_STREAM);
	assert_string_equal(socket->state, "ESTABLISHED");
	assert_int_equal(socket->link, SOCKET_LINK_PEER);
	assert_int_equal(socket->peer_inode, peer);
	assert_int_equal(socket->receive_queue, 0);
	assert_int_equal(capture_socket_of(capture, peer)->receive_queue, 4);
	assert_int_equal(capture_socket_of(capture, peer)->link, SOCKET_LINK_PEER);
	assert_int_equal(capture_socket_of(capture, peer)->peer_inode, socket->inode);
	assert_non_null(how(capture, END_SOCKET, 0, peer, getpid()));
	assert_null(how(capture, END_SOCKET, 0, peer, reader));
	/* Those who share the waiter's own end are not asked for. */
	assert_int_equal(capture->surroundings.ends.count, 1);
	capture_free(capture);
	finish(reader);
	close_both(fds);
}

static struct sockaddr_un unix_name(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	strcpy(name.sun_path, path);
	return name;
}

static int unix_listener(const struct sockaddr_un *name, socklen_t length, int type, int backlog)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const void *)name, length), 0);
	assert_true(type == SOCK_DGRAM || listen(fd, backlog) == 0);
	return fd;
}

struct client {
	struct sockaddr_storage name;
	socklen_t length;
	int listener;
	bool many;
};

static void connect_and_receive(void *context)
{
	const struct client *client = context;
	char byte;
	close(client->listener);
	do {
		int fd = socket(client->name.ss_family, SOCK_STREAM, 0);
		must(connect(fd, (const void *)&client->name, client->length) == 0);
		must(client->many || recv(fd, &byte, 1, 0) == 1);
	} while (client->many);
}

static void a_connection_not_accepted_leads_to_the_listener(void **state)
{
	(void)state;
	struct sockaddr_un name = unix_name(scratch_path("pending"));
	struct client client = {.length = sizeof(name),
				.listener = unix_listener(&name, sizeof(name), SOCK_STREAM, 5)};
	memcpy(&client.name, &name, sizeof(name));
	pid_t pid = start(connect_and_receive, &client);
	struct capture *capture = look_at(pid, SYS_recvfrom);
	/* The first free number, since the listener is closed. */
	const struct capture_socket *socket = socket_of(capture, client.listener);
	assert_int_equal(socket->link, SOCKET_LINK_PENDING);
	assert_int_equal(socket->peer_inode, inode_of(client.listener));
	assert_string_equal(socket->peer, name.sun_path);
	assert_non_null(how(capture, END_SOCKET, 0, socket->peer_inode, getpid()));
	capture_free(capture);
	finish(pid);
	close(client.listener);
	unlink(name.sun_path);
}

static void connect_to_full(struct sockaddr_un name, socklen_t length, bool by_path)
{
	struct client client = {.length = length,
				.many = true,
				.listener = unix_listener(&name, length, SOCK_STREAM, 0)};
	memcpy(&client.name, &name, sizeof(name));
	pid_t pid = start(connect_and_receive, &client);
	struct capture *capture = look_at(pid, SYS_connect);
	uint64_t inode = inode_of(client.listener);
	const struct capture_socket *listener = capture_socket_of(capture, inode);
	assert_non_null(listener);
	assert_string_equal(listener->state, "LISTEN");
	assert_true(listener->receive_queue > listener->send_queue);
	const struct capture_socket *socket = NULL;
	array_for_each (&capture->surroundings.sockets, each)
		socket = each->peer_inode == inode ? each : socket;
	assert_non_null(socket);
	assert_int_equal(socket->link, SOCKET_LINK_LISTENER);
	assert_int_equal(socket->link_by_path, by_path);
	assert_non_null(how(capture, END_SOCKET, 0, inode, getpid()));
	assert_null(how(capture, END_SOCKET, 0, inode, pid));
	capture_free(capture);
	finish(pid);
	close(client.listener);
}

static void a_full_backlog_leads_to_the_listener_of_that_name(void **state)
{
	(void)state;
	struct sockaddr_un path = unix_name(scratch_path("full")), abstract = {0};
	connect_to_full(path, sizeof(path), true);
	unlink(path.sun_path);
	abstract.sun_family = AF_UNIX;
	int n = snprintf(abstract.sun_path + 1, 100, "hangdump-around-%d", getpid());
	connect_to_full(abstract, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n),
			false);
}

static void send_without_end(void *context)
{
	const struct client *client = context;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	close(client->listener);
	for (;;)
		must(sendto(fd, "x", 1, 0, (const void *)&client->name, client->length) == 1);
}

static void a_datagram_leads_to_who_has_its_address(void **state)
{
	(void)state;
	struct sockaddr_un name = unix_name(scratch_path("datagram"));
	struct client client = {.length = sizeof(name),
				.listener = unix_listener(&name, sizeof(name), SOCK_DGRAM, 0)};
	memcpy(&client.name, &name, sizeof(name));
	pid_t pid = start(send_without_end, &client);
	struct capture *capture = look_at(pid, SYS_sendto);
	uint64_t inode = inode_of(client.listener);
	assert_non_null(how(capture, END_SOCKET, 0, inode, getpid()));
	assert_true(capture_socket_of(capture, inode)->receive_queue > 0);
	capture_free(capture);
	finish(pid);
	close(client.listener);
	unlink(name.sun_path);
}

static struct client tcp_listener(bool dual)
{
	struct client client = {.length = sizeof(struct sockaddr_in)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	socklen_t length = sizeof(six);
	client.listener = socket(dual ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client.listener < 0)
		return client;
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (dual) {
		assert_int_equal(bind(client.listener, (void *)&six, sizeof(six)), 0);
		assert_int_equal(getsockname(client.listener, (void *)&six, &length), 0);
		four.sin_port = six.sin6_port;
	} else {
		length = sizeof(four);
		assert_int_equal(bind(client.listener, (void *)&four, sizeof(four)), 0);
		assert_int_equal(getsockname(client.listener, (void *)&four, &length), 0);
	}
	assert_int_equal(listen(client.listener, 5), 0);
	memcpy(&client.name, &four, sizeof(four));
	return client;
}

static void check_loopback(bool dual)
{
	struct client client = tcp_listener(dual);
	if (client.listener < 0)
		return; /* no IPv6 here */
	pid_t pid = start(connect_and_receive, &client);
	struct capture *capture = look_at(pid, SYS_recvfrom);
	const struct capture_socket *socket = socket_of(capture, client.listener);
	assert_int_equal(socket->family, SOCKET_TCP);
	assert_int_equal(socket->link, SOCKET_LINK_PENDING);
	assert_int_equal(socket->peer_inode, inode_of(client.listener));
	assert_string_equal(capture_socket_of(capture, socket->peer_inode)->state, "LISTEN");
	capture_free(capture);

	int server = accept(client.listener, NULL, NULL);
	assert_true(server >= 0);
	capture = look_at(pid, SYS_recvfrom);
	socket = socket_of(capture, client.listener);
	assert_int_equal(socket->link, SOCKET_LINK_PEER);
	assert_int_equal(socket->peer_inode, inode_of(server));
	assert_string_equal(socket->state, "ESTABLISHED");
	assert_memory_equal(socket->local, "127.0.0.1:", 10);
	const struct capture_socket *peer = capture_socket_of(capture, inode_of(server));
	assert_string_equal(peer->local, socket->peer);
	assert_string_equal(peer->peer, socket->local);
	assert_non_null(how(capture, END_SOCKET, 0, inode_of(server), getpid()));
	capture_free(capture);
	finish(pid);
	close(server);
	close(client.listener);
}

static void loopback_connections_lead_to_their_other_end(void **state)
{
	(void)state;
	check_loopback(false);
	check_loopback(true);
}

static void accept_one(void *context)
{
	must(accept(*(int *)context, NULL, NULL) >= 0);
}

static void who_accepts_waits_for_nobody_in_particular(void **state)
{
	(void)state;
	struct client client = tcp_listener(false);
	pid_t pid = start(accept_one, &client.listener);
	struct capture *capture = look_at(pid, SYS_accept);
	const struct capture_socket *socket = socket_of(capture, client.listener);
	assert_string_equal(socket->state, "LISTEN");
	assert_int_equal(socket->link, SOCKET_LINK_NONE);
	assert_null(socket->peer);
	assert_false(capture->surroundings.looked_at_ends);
	capture_free(capture);
	finish(pid);
	close(client.listener);
}

static void receive_udp(void *context)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	char byte;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	(void)context;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (void *)&name, sizeof(name)) == 0);
	must(recv(fd, &byte, 1, 0) == 1);
}

static void a_udp_socket_has_its_address(void **state)
{
	(void)state;
	pid_t pid = start(receive_udp, NULL);
	struct capture *capture = look_at(pid, SYS_recvfrom);
	assert_int_equal(capture->surroundings.sockets.count, 1);
	const struct capture_socket *socket = &capture->surroundings.sockets.items[0];
	assert_int_equal(socket->family, SOCKET_UDP);
	assert_memory_equal(socket->local, "127.0.0.1:", 10);
	assert_string_equal(socket->state, "unconnected");
	capture_free(capture);
	finish(pid);
}

/* Both ends in a network namespace of their own. */
static void talk_to_itself_elsewhere(void *context)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct ifreq request = {.ifr_flags = IFF_UP};
	socklen_t length = sizeof(name);
	char byte;
	(void)context;
	must(unshare(CLONE_NEWNET) == 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	strcpy(request.ifr_name, "lo");
	must(ioctl(listener, SIOCSIFFLAGS, &request) == 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (void *)&name, sizeof(name)) == 0 && listen(listener, 1) == 0);
	must(getsockname(listener, (void *)&name, &length) == 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(fd, (void *)&name, sizeof(name)) == 0);
	must(accept(listener, NULL, NULL) >= 0);
	must(recv(fd, &byte, 1, 0) == 1);
}

static bool may(int flags)
{
	pid_t pid = fork();
	int status = 1;
	if (pid == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void sockets_are_looked_for_in_the_targets_namespace(void **state)
{
	(void)state;
	if (!may(CLONE_NEWNET)) {
		print_message("SKIP: no network namespaces\n");
		return;
	}
	pid_t pid = start(talk_to_itself_elsewhere, NULL);
	struct capture *capture = look_at(pid, SYS_recvfrom);
	assert_int_equal(capture->surroundings.sockets.count, 2);
	const struct capture_socket *socket = &capture->surroundings.sockets.items[0];
	assert_int_equal(socket->link, SOCKET_LINK_PEER);
	assert_non_null(how(capture, END_SOCKET, 0, socket->peer_inode, pid));
	capture_free(capture);
	finish(pid);
}

/* --- File locks --- */

static void ask_for_flock(void *context)
{
	int fd = open(context, O_RDWR);
	must(fd >= 0 && flock(fd, LOCK_EX) == 0);
}

/* For one of the open file: others on this machine wait for theirs. */
static const struct capture_file_lock *waiting(const struct capture *capture, int fd, pid_t pid,
					       const char *kind)
{
	uint64_t inode = inode_of(fd);
	array_for_each (&capture->surroundings.file_locks, lock) {
		if (lock->waits && lock->inode == inode && lock->pid == pid &&
		    strcmp(lock->kind, kind) == 0)
			return lock;
	}
	fail_msg("%s lock of %d does not wait", kind, pid);
	return NULL;
}

static const struct capture_file_lock *held(const struct capture *capture, unsigned id)
{
	array_for_each (&capture->surroundings.file_locks, lock) {
		if (!lock->waits && lock->id == id)
			return lock;
	}
	fail_msg("lock %u is not held", id);
	return NULL;
}

static bool holds(const struct capture *capture, unsigned id, pid_t pid)
{
	bool found = false;
	array_for_each (&capture->surroundings.lock_holders, holder)
		found |= holder->id == id && holder->pid == pid;
	return found;
}

static void a_flock_is_held_by_whoever_has_the_open_file(void **state)
{
	(void)state;
	char path[128];
	strcpy(path, scratch_path("flock"));
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid_t survivor = start(sleep_for_ever, NULL);
	wait_for_call(survivor, SYS_pause);
	/* Who asked for it has it no more. */
	close(fd);
	fd = open(path, O_PATH);
	pid_t first = start(ask_for_flock, path), second = start(ask_for_flock, path);
	struct capture *capture = look_at_both(first, second, SYS_flock);
	const struct capture_file_lock *mine = waiting(capture, fd, second, "FLOCK");
	assert_int_equal(waiting(capture, fd, first, "FLOCK")->id, mine->id);
	assert_int_equal(held(capture, mine->id)->pid, getpid());
	assert_true(holds(capture, mine->id, survivor));
	assert_false(holds(capture, mine->id, getpid()));
	assert_false(holds(capture, mine->id, first));
	assert_non_null(capture_neighbour_of(capture, survivor));
	capture_free(capture);
	finish(first);
	finish(second);
	finish(survivor);
	close(fd);
	unlink(path);
}

/* Other lines of /proc/locks come and go all the time. */
static void take_and_let_go(void *context)
{
	enum { FILES = 300 };
	int fds[FILES];
	for (unsigned i = 0; i < FILES; i++)
		must((fds[i] = open(context, O_RDWR)) >= 0 && flock(fds[i], LOCK_SH) == 0);
	for (unsigned i = 0;; i++)
		must(flock(fds[i % FILES], i / FILES % 2 ? LOCK_SH : LOCK_UN) == 0);
}

static void a_waiter_is_found_in_a_list_that_changes(void **state)
{
	(void)state;
	char path[128], busy[128];
	strcpy(path, scratch_path("found"));
	strcpy(busy, scratch_path("busy"));
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	close(open(busy, O_RDWR | O_CREAT, 0600));
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid_t churn = start(take_and_let_go, busy);
	pid_t waiter = start(ask_for_flock, path);
	for (unsigned i = 0; i < 30; i++) {
		struct capture *capture = look_at(waiter, SYS_flock);
		assert_int_equal(held(capture, waiting(capture, fd, waiter, "FLOCK")->id)->pid,
				 getpid());
		assert_true(capture->surroundings.looked_at_file_locks);
		capture_free(capture);
	}
	finish(waiter);
	finish(churn);
	close(fd);
	unlink(path);
	unlink(busy);
}

static struct flock range(short type, off_t from, off_t length)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length};
}

static void ask_for_range(void *context)
{
	struct flock lock = range(F_WRLCK, 10, 10);
	int fd = open(context, O_RDWR);
	must(fd >= 0 && fcntl(fd, F_SETLKW, &lock) == 0);
}

static void ask_for_ofd_range(void *context)
{
	struct flock lock = range(F_WRLCK, 15, 0);
	int fd = open(context, O_RDWR);
	must(fd >= 0 && fcntl(fd, F_OFD_SETLKW, &lock) == 0);
}

static void record_locks_say_which_process_or_which_open_file(void **state)
{
	(void)state;
	char path[128];
	strcpy(path, scratch_path("record"));
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	struct flock lock = range(F_WRLCK, 0, 100);
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	pid_t posix = start(ask_for_range, path), ofd = start(ask_for_ofd_range, path);
	struct capture *capture = look_at_both(posix, ofd, SYS_fcntl);
	unsigned id = waiting(capture, fd, posix, "POSIX")->id;
	const struct capture_file_lock *owner = held(capture, id);
	assert_int_equal(owner->pid, getpid());
	assert_true(owner->start == 0 && owner->end == 99 && owner->writes);
	assert_int_equal(waiting(capture, fd, posix, "POSIX")->start, 10);
	assert_int_equal(waiting(capture, fd, -1, "OFDLCK")->id, id);
	assert_true(waiting(capture, fd, -1, "OFDLCK")->end == UINT64_MAX);
	capture_free(capture);
	/* The same bytes as an OFD lock: nobody's, but of an open file. */
	lock = range(F_UNLCK, 0, 0);
	int other = open(path, O_RDWR);
	struct flock again = range(F_WRLCK, 200, 10);
	assert_int_equal(fcntl(other, F_OFD_SETLK, &again), 0);
	finish(posix);
	finish(ofd);
	pid_t third = start(ask_for_ofd_range, path);
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	capture = look_at(third, SYS_fcntl);
	id = waiting(capture, fd, -1, "OFDLCK")->id;
	assert_string_equal(held(capture, id)->kind, "OFDLCK");
	assert_true(holds(capture, id, getpid()));
	/* It has a copy of the descriptor, and so of the lock. */
	assert_true(holds(capture, id, third));
	capture_free(capture);
	finish(third);
	close(fd);
	close(other);
	unlink(path);
}

/* --- System V semaphores --- */

struct semaphore_family {
	int id;
	bool elsewhere;
};

static void take_semaphore(void *context)
{
	const struct semaphore_family *family = context;
	struct sembuf take = {.sem_num = 1, .sem_op = -1};
	int id = family->id;
	if (family->elsewhere) {
		must(unshare(CLONE_NEWIPC) == 0);
		id = semget(IPC_PRIVATE, 2, 0600);
		must(semctl(id, 1, SETVAL, 0) == 0);
	}
	must(semop(id, &take, 1) == 0);
}

static void change_semaphore(void *context)
{
	struct sembuf change = {.sem_num = 1, .sem_op = 2};
	must(semop(*(int *)context, &change, 1) == 0);
	change.sem_op = -2;
	must(semop(*(int *)context, &change, 1) == 0);
	sleep_for_ever(NULL);
}

static void a_semaphore_remembers_who_changed_it_last(void **state)
{
	(void)state;
	struct semaphore_family family = {.id = semget(IPC_PRIVATE, 2, 0600)};
	assert_true(family.id >= 0);
	pid_t changer = start(change_semaphore, &family.id);
	wait_for_call(changer, SYS_pause);
	pid_t waiter = start(take_semaphore, &family);
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (call_of(waiter, waiter) != SYS_semtimedop && call_of(waiter, waiter) != SYS_semop &&
	       !deadline_passed(deadline))
		nap();
	struct capture *capture = look_at(waiter, call_of(waiter, waiter));
	assert_int_equal(capture->surroundings.semaphores.count, 1);
	const struct capture_semaphore *semaphore = &capture->surroundings.semaphores.items[0];
	assert_int_equal(semaphore->pid, waiter);
	assert_int_equal(semaphore->id, family.id);
	assert_int_equal(semaphore->number, 1);
	assert_int_equal(semaphore->value, 0);
	assert_int_equal(semaphore->last, changer);
	assert_non_null(capture_neighbour_of(capture, changer));
	capture_free(capture);
	finish(waiter);
	finish(changer);
	semctl(family.id, 0, IPC_RMID);
}

static void semaphores_are_looked_at_in_the_targets_namespace(void **state)
{
	(void)state;
	if (!may(CLONE_NEWIPC)) {
		print_message("SKIP: no IPC namespaces\n");
		return;
	}
	struct semaphore_family family = {.elsewhere = true};
	pid_t waiter = start(take_semaphore, &family);
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (call_of(waiter, waiter) != SYS_semtimedop && call_of(waiter, waiter) != SYS_semop &&
	       !deadline_passed(deadline))
		nap();
	struct capture *capture = look_at(waiter, call_of(waiter, waiter));
	assert_int_equal(capture->surroundings.semaphores.count, 1);
	assert_int_equal(capture->surroundings.semaphores.items[0].last, waiter);
	capture_free(capture);
	finish(waiter);
}

/* --- Children --- */

static void wait_for_child(void *context)
{
	bool elsewhere = *(bool *)context;
	must(!elsewhere || unshare(CLONE_NEWPID) == 0);
	pid_t parent = elsewhere ? 0 : getpid(), pid = fork();
	if (pid == 0) {
		helper_begin(parent);
		sleep_for_ever(NULL);
	}
	must(waitpid(pid, NULL, 0) == pid);
}

static void a_parent_waits_for_a_process_of_the_table(void **state)
{
	(void)state;
	bool elsewhere = false;
	pid_t parent = start(wait_for_child, &elsewhere);
	wait_for_call(only_child_of(parent), SYS_pause);
	struct capture *capture = look_at(parent, SYS_wait4);
	assert_true(capture->surroundings.looked_at_processes);
	unsigned children = 0;
	array_for_each (&capture->surroundings.processes, process) {
		if (process->ppid != parent)
			continue;
		children++;
		assert_int_equal(process->exit_signal, SIGCHLD);
		assert_int_equal(process->group, getpgrp());
		assert_true(process->start_time > 0 && process->state == 'S');
		assert_int_equal(process->ids[process->level_count - 1], process->pid);
		assert_false(process->shares_memory);
	}
	assert_int_equal(children, 1);
	assert_true(capture_neighbour_of(capture, 2) == NULL ||
		    capture_neighbour_of(capture, 2)->kernel_thread ||
		    capture->surroundings.contained);
	capture_free(capture);
	finish(parent);
}

static void a_child_in_another_namespace_has_both_ids(void **state)
{
	(void)state;
	if (!may(CLONE_NEWPID)) {
		print_message("SKIP: no pid namespaces\n");
		return;
	}
	bool elsewhere = true;
	pid_t parent = start(wait_for_child, &elsewhere);
	struct capture *capture = look_at(parent, SYS_wait4);
	unsigned own = capture_neighbour_of(capture, parent)->level_count;
	bool found = false;
	array_for_each (&capture->surroundings.processes, process) {
		if (process->ppid != parent)
			continue;
		found = true;
		assert_int_equal(process->level_count, own + 1);
		assert_int_equal(process->ids[own - 1], process->pid);
		assert_int_equal(process->ids[own], 1);
	}
	assert_true(found);
	pid_t pid = 0;
	array_for_each (&capture->surroundings.processes, process)
		pid = process->ppid == parent ? process->pid : pid;
	capture_free(capture);
	kill(pid, SIGKILL);
	finish(parent);
}

static void vfork_and_wait(void *unused)
{
	(void)unused;
	pid_t plain = fork();
	if (plain == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sleep_for_ever(NULL);
	}
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

static void a_vfork_child_is_told_by_the_memory_it_shares(void **state)
{
	(void)state;
	pid_t parent = start(vfork_and_wait, NULL);
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (call_of(parent, parent) != SYS_vfork && !deadline_passed(deadline))
		nap();
	struct capture *capture = look_at(parent, SYS_vfork);
	unsigned sharing = 0, children = 0;
	array_for_each (&capture->surroundings.processes, process) {
		children += process->ppid == parent;
		sharing += process->ppid == parent && process->shares_memory;
	}
	assert_int_equal(children, 2);
	assert_int_equal(sharing, 1);
	capture_free(capture);
	finish(parent);
}

/* --- What is not needed, not permitted, not in time --- */

static void sleep_on_futex(void *unused)
{
	(void)unused;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}

static void nothing_is_looked_at_that_no_wait_needs(void **state)
{
	(void)state;
	pid_t pid = start(sleep_on_futex, NULL);
	struct capture *capture = look_at(pid, SYS_futex);
	const struct capture_surroundings *around = &capture->surroundings;
	assert_false(around->looked_at_processes || around->looked_at_ends ||
		     around->looked_at_sockets || around->looked_at_file_locks);
	assert_int_equal(around->processes.count, 0);
	assert_int_equal(capture->errors.count, 0);
	capture_free(capture);
	finish(pid);
}

static void what_is_not_done_in_time_is_said(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = start(read_end_alone, fds);
	wait_for_call(pid, SYS_read);
	uint64_t before = monotonic_ns();
	struct capture *capture = look_until(&pid, 1, (struct deadline){1});
	assert_true(monotonic_ns() - before < 20000000000u);
	assert_false(capture->surroundings.looked_at_ends);
	assert_true(capture->errors.count >= 1);
	capture_free(capture);
	finish(pid);
	close_both(fds);
}

/* As nobody, of one's own process, while root's are there too. */
static void look_as_nobody(void *context)
{
	const int *fds = context;
	must(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	must(prctl(PR_SET_DUMPABLE, 1) == 0);
	pid_t reader = fork();
	if (reader == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_DUMPABLE, 1);
		read_end_alone((void *)(uintptr_t)fds);
		_exit(0);
	}
	while (call_of(reader, reader) != SYS_read)
		nap();
	struct capture_options options = {.deadline = deadline_in_ms(LIMIT_MS),
					  .fds = classify_syscall_fds,
					  .needs = classify_needs};
	struct error *failure = NULL;
	struct capture *capture;
	must(!capture_survey(&reader, 1, &options, &failure, &capture) && !failure);
	capture_hold(capture, &reader, 1, &failure);
	must(!failure);
	capture_look_around(capture, deadline_in_ms(LIMIT_MS));
	unsigned unread = 0;
	array_for_each (&capture->surroundings.processes, process)
		unread += process->ends_unread;
	must(capture->errors.count == 0);
	must(unread > 0 && unread == capture->surroundings.ends_unread);
	must(capture->surroundings.looked_at_ends);
	must(how(capture, END_PIPE, 0, inode_of(fds[0]), reader) != NULL);
	capture_free(capture);
	kill(reader, SIGKILL);
	_exit(7);
}

static void processes_that_may_not_be_looked_at_are_counted(void **state)
{
	(void)state;
	if (getuid() != 0) {
		print_message("SKIP: not root\n");
		return;
	}
	int fds[2], status;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = start(look_as_nobody, fds);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	close_both(fds);
}

/* With descriptors to be read until then. */
static void be_born_and_die(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 100; i++)
		must(dup(0) >= 0);
	for (unsigned i = 0;; i++) {
		pid_t pid = fork();
		for (unsigned j = 0; pid == 0 && j < i % 500; j++)
			getppid();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void processes_that_end_meanwhile_are_no_matter(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t reader = start(read_end_alone, fds);
	pid_t busy = start(be_born_and_die, NULL);
	for (unsigned i = 0; i < 50; i++) {
		struct capture *capture = look_at(reader, SYS_read);
		assert_true(capture->surroundings.looked_at_ends);
		assert_string_equal(how(capture, END_PIPE, 0, inode_of(fds[0]), getpid()), "BOTH");
		assert_int_equal(capture->errors.count, 0);
		capture_free(capture);
	}
	finish(busy);
	finish(reader);
	close_both(fds);
}

/* As a shell does for a builtin that is redirected. */
static void move_write_end(void *context)
{
	const int *fds = context;
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	close(fds[0]);
	for (;;) {
		int parked = fcntl(fds[1], F_DUPFD, 10);
		must(parked >= 10 && dup2(nothing, fds[1]) == fds[1]);
		must(dup2(parked, fds[1]) == fds[1] && close(parked) == 0);
	}
}

static void an_end_that_moves_while_it_is_looked_for_is_found(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t reader = start(read_end_alone, fds), mover = start(move_write_end, fds);
	for (unsigned i = 0; i < 50; i++) {
		struct capture *capture = look_at(reader, SYS_read);
		const struct capture_neighbour *process = capture_neighbour_of(capture, mover);
		assert_non_null(how(capture, END_PIPE, 0, inode_of(fds[0]), mover));
		/* As if it had not been read: there may be more than was seen. */
		assert_true(process && process->ends_unread);
		capture_free(capture);
	}
	finish(mover);
	finish(reader);
	close_both(fds);
}

static void *hold_pipe(void *unused)
{
	sleep_for_ever(unused);
	return NULL;
}

/* Its main thread ends, and shows no descriptors any more. */
static void write_end_behind_a_zombie(void *context)
{
	const int *fds = context;
	pthread_t thread;
	close(fds[0]);
	pthread_create(&thread, NULL, hold_pipe, NULL);
	pthread_exit(NULL);
}

static char state_of(pid_t pid)
{
	char path[64], text[1024];
	struct proc_stat stat;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, &stat)
		       ? stat.state
		       : 0;
}

static void descriptors_are_found_behind_a_main_thread_that_has_ended(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t writer = start(write_end_behind_a_zombie, fds), reader = start(read_end_alone, fds);
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (state_of(writer) != 'Z' && !deadline_passed(deadline))
		nap();
	struct capture *capture = look_at(reader, SYS_read);
	assert_string_equal(how(capture, END_PIPE, 0, inode_of(fds[0]), writer), "WRITE");
	assert_int_equal(capture_neighbour_of(capture, writer)->threads, 2);
	capture_free(capture);
	finish(reader);
	finish(writer);
	close_both(fds);
}

/* --- Threads by their ids --- */

static int told[2];

static void *tell_and_sleep(void *unused)
{
	pid_t tid = gettid();
	must(write(told[1], &tid, sizeof(tid)) == sizeof(tid));
	sleep_for_ever(unused);
	return NULL;
}

static void have_a_thread(void *context)
{
	pthread_t thread;
	must(!context || unshare(CLONE_NEWPID) == 0);
	if (context && fork() > 0)
		sleep_for_ever(NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(pthread_create(&thread, NULL, tell_and_sleep, NULL) == 0);
	sleep_for_ever(NULL);
}

static pid_t next_told(void)
{
	pid_t tid = 0;
	struct pollfd poller = {told[0], POLLIN, 0};
	assert_int_equal(poll(&poller, 1, LIMIT_MS), 1);
	assert_int_equal(read(told[0], &tid, sizeof(tid)), sizeof(tid));
	return tid;
}

static void threads_are_found_by_id_wherever_they_are(void **state)
{
	(void)state;
	assert_int_equal(pipe(told), 0);
	pid_t dumped = start(have_a_thread, NULL);
	pid_t thread = next_told();
	pid_t other = start(have_a_thread, NULL);
	pid_t foreign = next_told();
	struct capture *capture = look_at(dumped, SYS_pause);
	const struct capture_process *process = &capture->processes.items[0];
	struct thread_id id = {0, 0};
	bool known = false;
	assert_true(capture_find_thread(capture, process, thread, &id, &known) && known);
	assert_int_equal(id.pid, dumped);
	assert_int_equal(id.tid, thread);
	assert_null(capture_neighbour_of(capture, other));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(capture_find_thread(capture, process, foreign, &id, &known) && known);
		assert_int_equal(id.pid, other);
		assert_int_equal(id.tid, foreign);
	}
	const struct capture_neighbour *neighbour = capture_neighbour_of(capture, other);
	assert_non_null(neighbour);
	assert_true(neighbour->start_time > 0 && neighbour->state && *neighbour->name);
	/* What is not there is surely not there; and what no id is, is not. */
	assert_false(capture_find_thread(capture, process, 0x3fffffff, &id, &known));
	assert_true(known);
	assert_false(capture_find_thread(capture, process, 0, &id, &known));
	assert_true(known);
	assert_false(capture_find_thread(capture, process, -5, &id, &known));
	assert_true(known);
	/* An answer once given stays. */
	finish(other);
	assert_true(capture_find_thread(capture, process, foreign, &id, &known) && known);
	/* Threads of the kernel own nothing of a program's. */
	assert_false(capture_find_thread(capture, process, 2, &id, &known) && id.pid == 2);
	capture_free(capture);
	finish(dumped);
	close_both(told);
}

static void a_zombie_is_no_thread_any_more(void **state)
{
	(void)state;
	pid_t dumped = start(sleep_for_ever, NULL), zombie = fork();
	if (zombie == 0)
		_exit(0);
	struct deadline deadline = deadline_in_ms(LIMIT_MS);
	while (state_of(zombie) != 'Z' && !deadline_passed(deadline))
		nap();
	struct capture *capture = look_at(dumped, SYS_pause);
	struct thread_id id;
	bool known = false;
	assert_false(
		capture_find_thread(capture, &capture->processes.items[0], zombie, &id, &known));
	assert_true(known);
	capture_free(capture);
	waitpid(zombie, NULL, 0);
	finish(dumped);
}

static void ids_are_translated_from_the_targets_namespace(void **state)
{
	bool without_ioctl = *state != NULL;
	static char elsewhere;
	if (!may(CLONE_NEWPID)) {
		print_message("SKIP: no pid namespaces\n");
		return;
	}
	find_without_ioctl = without_ioctl;
	assert_int_equal(pipe(told), 0);
	pid_t outside = start(have_a_thread, &elsewhere), thread = next_told();
	pid_t inside = only_child_of(outside);
	assert_int_equal(thread, 2);
	struct capture *capture = look_at(inside, SYS_pause);
	struct capture_process *process = &capture->processes.items[0];
	struct thread_id id = {0, 0};
	bool known = false;
	/* Once as the dumped process's own, once as if it had not been dumped. */
	assert_true(capture_find_thread(capture, process, thread, &id, &known) && known);
	assert_int_equal(id.pid, inside);
	pid_t tid = id.tid;
	assert_true(tid != thread);
	finder_free(capture->finder);
	array(struct capture_thread) threads = {0};
	memcpy(&threads, &process->threads, sizeof(threads));
	process->threads.count = 0;
	capture->finder = finder_new(capture, capture->maker);
	id = (struct thread_id){0, 0};
	assert_true(capture_find_thread(capture, process, thread, &id, &known) && known);
	assert_int_equal(id.pid, inside);
	assert_int_equal(id.tid, tid);
	assert_non_null(capture_neighbour_of(capture, inside));
	assert_false(capture_find_thread(capture, process, 77, &id, &known));
	assert_int_equal(known, true);
	/* What it is called here is not what it is called there. */
	assert_false(capture_find_thread(capture, process, tid, &id, &known));
	process->threads.count = threads.count;
	capture_free(capture);
	kill(inside, SIGKILL);
	finish(outside);
	close_both(told);
	find_without_ioctl = false;
}

static void nothing_is_known_of_threads_without_a_look(void **state)
{
	(void)state;
	struct capture capture = {0};
	struct capture_process process = {.pid = 1};
	struct thread_id id;
	bool known = true;
	assert_false(capture_find_thread(&capture, &process, 5, &id, &known));
	assert_false(known);
}

/* --- Handlers and timers --- */

static void handle(int signal)
{
	(void)signal;
}

static void have_handler_and_timer(void *unused)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	signal(SIGUSR1, handle);
	must(timer_create(CLOCK_MONOTONIC, unused ? &event : &none, &timer) == 0);
	sleep_for_ever(NULL);
}

static void handlers_and_timers_are_seen(void **state)
{
	(void)state;
	static char signalling;
	pid_t with = start(have_handler_and_timer, &signalling);
	pid_t without = start(have_handler_and_timer, NULL);
	wait_for_call(with, SYS_pause);
	wait_for_call(without, SYS_pause);
	const pid_t pids[] = {with, without};
	struct capture *capture = look_until(pids, 2, deadline_in_ms(LIMIT_MS));
	array_for_each (&capture->processes, process) {
		assert_true(process->signals_caught & 1ull << (SIGUSR1 - 1));
		assert_false(process->signals_caught & 1ull << (SIGUSR2 - 1));
		assert_int_equal(process->timers, process->pid == with);
	}
	capture_free(capture);
	finish(with);
	finish(without);
}

static int make_scratch(void **state)
{
	(void)state;
	return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
	(void)state;
	return rmdir(scratch);
}

int main(void)
{
	static char without_ioctl;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ends_of_a_pipe_are_found_with_their_sides),
		cmocka_unit_test(a_full_pipe_names_its_readers),
		cmocka_unit_test(the_ends_of_a_fifo_are_told_by_its_inode),
		cmocka_unit_test(an_eventfd_is_told_from_others_by_its_id),
		cmocka_unit_test(polled_files_are_looked_at_together_or_not_at_all),
		cmocka_unit_test(more_polled_files_than_are_looked_at_are_not_taken_for_all),
		cmocka_unit_test(a_unix_socket_knows_its_peer_and_who_has_it),
		cmocka_unit_test(a_connection_not_accepted_leads_to_the_listener),
		cmocka_unit_test(a_full_backlog_leads_to_the_listener_of_that_name),
		cmocka_unit_test(a_datagram_leads_to_who_has_its_address),
		cmocka_unit_test(loopback_connections_lead_to_their_other_end),
		cmocka_unit_test(who_accepts_waits_for_nobody_in_particular),
		cmocka_unit_test(a_udp_socket_has_its_address),
		cmocka_unit_test(sockets_are_looked_for_in_the_targets_namespace),
		cmocka_unit_test(a_flock_is_held_by_whoever_has_the_open_file),
		cmocka_unit_test(a_waiter_is_found_in_a_list_that_changes),
		cmocka_unit_test(record_locks_say_which_process_or_which_open_file),
		cmocka_unit_test(a_semaphore_remembers_who_changed_it_last),
		cmocka_unit_test(semaphores_are_looked_at_in_the_targets_namespace),
		cmocka_unit_test(a_parent_waits_for_a_process_of_the_table),
		cmocka_unit_test(a_child_in_another_namespace_has_both_ids),
		cmocka_unit_test(a_vfork_child_is_told_by_the_memory_it_shares),
		cmocka_unit_test(nothing_is_looked_at_that_no_wait_needs),
		cmocka_unit_test(what_is_not_done_in_time_is_said),
		cmocka_unit_test(processes_that_may_not_be_looked_at_are_counted),
		cmocka_unit_test(processes_that_end_meanwhile_are_no_matter),
		cmocka_unit_test(an_end_that_moves_while_it_is_looked_for_is_found),
		cmocka_unit_test(descriptors_are_found_behind_a_main_thread_that_has_ended),
		cmocka_unit_test(threads_are_found_by_id_wherever_they_are),
		cmocka_unit_test(a_zombie_is_no_thread_any_more),
		cmocka_unit_test(ids_are_translated_from_the_targets_namespace),
		cmocka_unit_test_prestate(ids_are_translated_from_the_targets_namespace,
					  &without_ioctl),
		cmocka_unit_test(nothing_is_known_of_threads_without_a_look),
		cmocka_unit_test(handlers_and_timers_are_seen),
	};
	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
