/* Chains of waiters, and hangs in which several processes have a part. */
#include "verdicts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;

static void read_one(void *fd)
{
	char byte;
	while (read(*(int *)fd, &byte, 1) < 0)
		;
}

/* In one call that is half done when it blocks: whoever looks may cut it short. */
static void fill_at_once(void *fd)
{
	static char bytes[1000000];
	for (;;)
		if (write(*(int *)fd, bytes, sizeof(bytes)) < 0)
			must(errno == EINTR, "write");
}

/* To the last byte, so that the call which blocks has done nothing. */
static void fill(void *fd)
{
	static char bytes[4096];
	int file = *(int *)fd;
	must(fcntl(file, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	for (size_t size = sizeof(bytes); size; size /= 2)
		while (write(file, bytes, size) > 0)
			;
	must(fcntl(file, F_SETFL, 0) == 0, "fcntl");
	for (;;)
		if (write(file, bytes, 1) < 0)
			must(errno == EINTR, "write");
}

static void wait_for_child(void *pid)
{
	while (waitpid(*(pid_t *)pid, NULL, 0) < 0)
		must(errno == EINTR, "waitpid");
}

static void sleep_as(void *role)
{
	arrive(role);
	sleep_for_ever();
}

static void end_pipe(int *ends, int end)
{
	close(ends[end]);
	ends[end] = -1;
}

/* --- chains --- */

/* Five wait for a lock whose owner does something else. */
static void chain(struct step root)
{
	const struct actor actors[] = {
		{"root", {take_mutex, &first}, root},
		{"w1", {NULL, NULL}, {take_mutex, &first}},
		{"w2", {NULL, NULL}, {take_mutex, &first}},
		{"w3", {NULL, NULL}, {take_mutex, &first}},
		{"w4", {NULL, NULL}, {take_mutex, &first}},
		{"w5", {NULL, NULL}, {take_mutex, &first}},
	};
	play_threads_and(actors, 6, (struct step){take_sleep, NULL});
}

static void chain_sleep(void)
{
	chain((struct step){take_sleep, NULL});
}

/* From standard input, which the test holds. */
static void chain_pipe(void)
{
	static int in = STDIN_FILENO;
	chain((struct step){read_one, &in});
}

static int connection[2];

static void connect_tcp(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
		     getsockname(listener, (struct sockaddr *)&address, &size) == 0,
	     "listen");
	connection[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(connection[0], (struct sockaddr *)&address, size) == 0, "connect");
	connection[1] = accept(listener, NULL, NULL);
	must(connection[1] >= 0, "accept");
	close(listener);
}

static void keep_other_end(void *unused)
{
	(void)unused;
	close(connection[0]);
	sleep_for_ever();
}

static void chain_tcp(void)
{
	connect_tcp();
	play_process(keep_other_end, NULL);
	close(connection[1]);
	chain((struct step){read_one, &connection[0]});
}

/* Any thread of the process may write: who stands at the root is not to be told. */
static void chain_own_end(void)
{
	static int ends[2];
	must(pipe(ends) == 0, "pipe");
	chain((struct step){read_one, &ends[0]});
}

static void *want_first_in_thread(void *role)
{
	arrive(role);
	pthread_mutex_lock(&first);
	sleep_for_ever();
}

static void chain_spin(void)
{
	static volatile unsigned turns;
	pthread_mutex_lock(&first);
	stage(3, 0);
	play(want_first_in_thread, "w1");
	play(want_first_in_thread, "w2");
	arrive("root");
	for (;;)
		turns++;
}

/* Several locks, one behind the other, and all behind one thread. */
static void chain_long(void)
{
	static pthread_mutex_t fourth = PTHREAD_MUTEX_INITIALIZER;
	const struct actor actors[] = {
		{"w1", {take_mutex, &second}, {take_mutex, &first}},
		{"w2", {take_mutex, &third}, {take_mutex, &second}},
		{"w3", {NULL, NULL}, {take_mutex, &third}},
		{"w4", {NULL, NULL}, {take_mutex, &fourth}},
		{"w5", {NULL, NULL}, {take_end_of, &players[3]}},
		{"root", {take_mutex, &first}, {take_sleep, NULL}},
	};
	pthread_mutex_lock(&fourth);
	play_threads_and(actors, 6, (struct step){take_end_of, &players[5]});
}

/* --- locks in shared memory --- */

struct shared_locks {
	pthread_mutex_t left, right;
};

static struct shared_locks *shared_locks(void)
{
	struct shared_locks *locks = shared_memory(sizeof(*locks));
	init_mutex(&locks->left, PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);
	init_mutex(&locks->right, PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);
	return locks;
}

static void shared_cycle(void)
{
	struct shared_locks *locks = shared_locks();
	const struct actor actors[] = {
		{"a", {take_mutex, &locks->left}, {take_mutex, &locks->right}},
		{"b", {take_mutex, &locks->right}, {take_mutex, &locks->left}},
	};
	play_processes(actors, 2);
}

/* b and its lock are well: that a waits is b's sleep. */
static void shared_chain(void)
{
	struct shared_locks *locks = shared_locks();
	const struct actor actors[] = {
		{"a", {NULL, NULL}, {take_mutex, &locks->left}},
		{"b", {take_mutex, &locks->left}, {take_sleep, NULL}},
	};
	play_processes(actors, 2);
}

static void stop_oneself(void *unused)
{
	(void)unused;
	raise(SIGSTOP);
}

static void shared_stopped(void)
{
	struct shared_locks *locks = shared_locks();
	const struct actor actors[] = {
		{"a", {NULL, NULL}, {take_mutex, &locks->left}},
		{"b", {take_mutex, &locks->left}, {stop_oneself, NULL}},
	};
	play_processes(actors, 2);
}

static void hold_and_die(void *mutex)
{
	pthread_mutex_lock(mutex);
	raise(SIGKILL);
}

static void owner_killed(bool reap)
{
	struct shared_locks *locks = shared_locks();
	siginfo_t info;
	stage(1, 0);
	pid_t child = play_process(hold_and_die, &locks->left);
	must(waitid(P_PID, (id_t)child, &info, WEXITED | (reap ? 0 : WNOWAIT)) == 0, "waitid");
	arrive("a");
	pthread_mutex_lock(&locks->left);
	sleep_for_ever();
}

static void shared_killed(void)
{
	owner_killed(true);
}

static void shared_zombie(void)
{
	owner_killed(false);
}

/* --- what fork() copies --- */

static void want_first(void *role)
{
	arrive(role);
	pthread_mutex_lock(&first);
}

static void *hold_first(void *role)
{
	pthread_mutex_lock(&first);
	gather();
	arrive(role);
	sleep_for_ever();
}

/* The child's copy of the lock stays locked, whatever its owner does in the parent. */
static void fork_locked(void)
{
	static pid_t child;
	stage(3, 2);
	play(hold_first, "holder");
	gather();
	child = play_process(want_first, "child");
	arrive("main");
	wait_for_child(&child);
	sleep_for_ever();
}

/* The same, and the parent waits for nobody. */
static void fork_locked_alone(void)
{
	stage(3, 2);
	play(hold_first, "holder");
	gather();
	play_process(want_first, "child");
	arrive("main");
	sleep_for_ever();
}

/* --- pipes and children --- */

static int out[2], in[2];

static void fill_out(void *role)
{
	end_pipe(out, 0);
	arrive(role);
	fill(&out[1]);
}

/* The parent reads what the child says when it has ended, and it cannot end. */
static void child_full_pipe(void)
{
	static pid_t child;
	stage(2, 0);
	must(pipe(out) == 0, "pipe");
	child = play_process(fill_out, "child");
	end_pipe(out, 1);
	arrive("parent");
	wait_for_child(&child);
	sleep_for_ever();
}

/* The same, but somebody else could read too. */
static void child_full_pipe_third(void)
{
	static pid_t child;
	stage(3, 0);
	must(pipe(out) == 0, "pipe");
	play_process(sleep_as, "third");
	child = play_process(fill_out, "child");
	end_pipe(out, 1);
	arrive("parent");
	wait_for_child(&child);
	sleep_for_ever();
}

/* Waits for any child; one is well. */
static void one_child_of_two(void)
{
	stage(3, 0);
	must(pipe(out) == 0, "pipe");
	play_process(fill_out, "child");
	play_process(sleep_as, "well");
	end_pipe(out, 1);
	arrive("parent");
	while (wait(NULL) < 0)
		must(errno == EINTR, "wait");
	sleep_for_ever();
}

static void *arrive_and_read(void *role)
{
	arrive(role);
	sleep_for_ever();
}

/* The same, but another thread of the parent is there, which sleeps before it reads. */
static void child_full_pipe_thread(void)
{
	static pid_t child;
	stage(3, 0);
	must(pipe(out) == 0, "pipe");
	play(arrive_and_read, "reader");
	child = play_process(fill_out, "child");
	end_pipe(out, 1);
	arrive("parent");
	wait_for_child(&child);
	sleep_for_ever();
}

/* popen(), and wait() before reading. */
static void popen_unread(void)
{
	stage(1, 0);
	FILE *stream = popen("exec yes", "r");
	must(stream != NULL, "popen");
	arrive("parent");
	while (wait(NULL) < 0)
		must(errno == EINTR, "wait");
	sleep_for_ever();
}

/* A child that does its work, as far as anybody can tell. */
static void system_sleeps(void)
{
	stage(1, 0);
	arrive("parent");
	must(system("sleep 100000; true") == 0, "system");
	sleep_for_ever();
}

static void other_side(void *role)
{
	end_pipe(out, 1);
	end_pipe(in, 0);
	arrive(role);
	read_one(&out[0]);
	sleep_for_ever();
}

static void other_side_writes(void *role)
{
	end_pipe(out, 1);
	end_pipe(in, 0);
	arrive(role);
	fill(&in[1]);
	sleep_for_ever();
}

/* out leads from us to the child, in from the child to us. */
static void begin_conversation(void (*child)(void *))
{
	must(pipe(out) == 0 && pipe(in) == 0, "pipe");
	play_process(child, "b");
	end_pipe(out, 0);
	end_pipe(in, 1);
	arrive("a");
}

static void pipes_read(void)
{
	stage(2, 0);
	begin_conversation(other_side);
	read_one(&in[0]);
	sleep_for_ever();
}

static void pipes_full(void)
{
	stage(2, 0);
	begin_conversation(other_side_writes);
	fill(&out[1]);
}

/* A third process has the ends too, by accident; it could write. */
static void pipes_read_third(void)
{
	stage(3, 0);
	must(pipe(out) == 0 && pipe(in) == 0, "pipe");
	play_process(sleep_as, "third");
	play_process(other_side, "b");
	end_pipe(out, 0);
	end_pipe(in, 1);
	arrive("a");
	read_one(&in[0]);
	sleep_for_ever();
}

/* Waits for the end of file, which its own descriptor keeps away. */
static void pipe_own_end(void)
{
	stage(1, 0);
	must(pipe(in) == 0, "pipe");
	arrive("a");
	read_one(&in[0]);
	sleep_for_ever();
}

static void write_in_handler(int number)
{
	(void)number;
	must(write(in[1], "", 1) == 1, "write");
}

/* The same, but for a handler that writes when somebody sends a signal. */
static void pipe_own_handler(void)
{
	stage(1, 0);
	must(pipe(in) == 0, "pipe");
	signal(SIGUSR1, write_in_handler);
	arrive("a");
	read_one(&in[0]);
	sleep_for_ever();
}

/* The same with a second thread, which sleeps: it could write. */
static void pipe_own_end_thread(void)
{
	stage(2, 0);
	must(pipe(in) == 0, "pipe");
	play(arrive_and_read, "b");
	arrive("a");
	read_one(&in[0]);
	sleep_for_ever();
}

/* A lock and a pipe: who should write waits for the lock that the reader has. */
static void pipe_and_lock(void)
{
	must(pipe(in) == 0, "pipe");
	const struct actor actors[] = {
		{"a", {take_mutex, &first}, {read_one, &in[0]}},
		{"b", {NULL, NULL}, {take_mutex, &first}},
	};
	play_threads(actors, 2);
}

static void wait_for_end_of_file(void *role)
{
	end_pipe(out, 1);
	arrive(role);
	read_one(&out[0]);
	sleep_for_ever();
}

/* Everybody who should have closed the pipe has; a process that never heard of it has not. */
static void pipe_leaked(void)
{
	static pid_t reader;
	stage(3, 0);
	must(pipe(out) == 0, "pipe");
	play_process(sleep_as, "leak");
	reader = play_process(wait_for_end_of_file, "reader");
	end_pipe(out, 0);
	end_pipe(out, 1);
	arrive("main");
	wait_for_child(&reader);
	sleep_for_ever();
}

static void (*fill_socket)(void *fd);

static void fill_from_child(void *role)
{
	end_pipe(out, 0);
	arrive(role);
	fill_socket(&out[1]);
}

/* Both write before they read. */
static void sockets_full(int family, void (*how)(void *))
{
	int size = 4096;
	fill_socket = how;
	stage(2, 0);
	if (family == AF_UNIX) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, out) == 0, "socketpair");
	} else {
		connect_tcp();
		out[0] = connection[0];
		out[1] = connection[1];
	}
	for (int i = 0; i < 2; i++) {
		setsockopt(out[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(out[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	play_process(fill_from_child, "b");
	end_pipe(out, 1);
	arrive("a");
	how(&out[0]);
}

static void sockets_full_unix(void)
{
	sockets_full(AF_UNIX, fill);
}

static void sockets_full_tcp(void)
{
	sockets_full(AF_INET, fill);
}

static void sockets_half_done(void)
{
	sockets_full(AF_UNIX, fill_at_once);
}

/* The child sticks in what posix_spawn() does for it before it is another program. */
static void spawn_stuck(void)
{
	extern char **environ;
	char *arguments[] = {(char *)"true", NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	must(mkfifo("fifo", 0600) == 0, "mkfifo");
	must(posix_spawn_file_actions_init(&actions) == 0, "file_actions_init");
	must(posix_spawn_file_actions_addopen(&actions, 3, "fifo", O_RDONLY, 0) == 0, "addopen");
	stage(1, 0);
	arrive("parent");
	posix_spawnp(&child, "true", &actions, NULL, arguments, environ);
	sleep_for_ever();
}

/* --- System V semaphores --- */

static int semaphores;

static void take_sysv(void *number)
{
	struct sembuf operation = {.sem_num = *(unsigned short *)number, .sem_op = -1};
	while (semop(semaphores, &operation, 1) < 0)
		must(errno == EINTR, "semop");
}

/* They outlive their users, so somebody who is no descendant of ours waits for our end. */
static void remove_semaphores_at_end(void)
{
	int ends[2];
	must(pipe(ends) == 0, "pipe");
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		char byte;
		if (fork())
			_exit(0);
		close(ends[1]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		while (read(ends[0], &byte, 1) < 0)
			;
		semctl(semaphores, 0, IPC_RMID);
		_exit(0);
	}
	close(ends[0]);
	waitpid(child, NULL, 0);
}

static void make_semaphores(void)
{
	unsigned short ones[2] = {1, 1};
	semaphores = semget(IPC_PRIVATE, 2, 0600);
	if (semaphores < 0)
		unsupported("semget");
	must(semctl(semaphores, 0, SETALL, ones) == 0, "semctl");
	remove_semaphores_at_end();
}

static unsigned short zeroth = 0, first_of_two = 1;

static void sysv_chain(void)
{
	const struct actor actors[] = {
		{"a", {NULL, NULL}, {take_sysv, &zeroth}},
		{"b", {take_sysv, &zeroth}, {take_sleep, NULL}},
	};
	make_semaphores();
	play_processes(actors, 2);
}

static void sysv_cycle(void)
{
	const struct actor actors[] = {
		{"a", {take_sysv, &zeroth}, {take_sysv, &first_of_two}},
		{"b", {take_sysv, &first_of_two}, {take_sysv, &zeroth}},
	};
	make_semaphores();
	play_processes(actors, 2);
}

const struct verdict_row verdict_process_rows[] = {
	{"chain-sleep", chain_sleep},
	{"chain-pipe", chain_pipe},
	{"chain-tcp", chain_tcp},
	{"chain-own-end", chain_own_end},
	{"chain-spin", chain_spin},
	{"chain-long", chain_long},
	{"shared-cycle", shared_cycle},
	{"shared-chain", shared_chain},
	{"shared-stopped", shared_stopped},
	{"shared-killed", shared_killed},
	{"shared-zombie", shared_zombie},
	{"fork-locked", fork_locked},
	{"fork-locked-alone", fork_locked_alone},
	{"child-full-pipe", child_full_pipe},
	{"child-full-pipe-third", child_full_pipe_third},
	{"child-full-pipe-thread", child_full_pipe_thread},
	{"one-child-of-two", one_child_of_two},
	{"popen-unread", popen_unread},
	{"system-sleeps", system_sleeps},
	{"pipes-read", pipes_read},
	{"pipes-full", pipes_full},
	{"pipes-read-third", pipes_read_third},
	{"pipe-own-end", pipe_own_end},
	{"pipe-own-handler", pipe_own_handler},
	{"pipe-own-end-thread", pipe_own_end_thread},
	{"pipe-and-lock", pipe_and_lock},
	{"pipe-leaked", pipe_leaked},
	{"sockets-full-unix", sockets_full_unix},
	{"sockets-full-tcp", sockets_full_tcp},
	{"sockets-half-done", sockets_half_done},
	{"spawn-stuck", spawn_stuck},
	{"sysv-chain", sysv_chain},
	{"sysv-cycle", sysv_cycle},
	{0},
};
