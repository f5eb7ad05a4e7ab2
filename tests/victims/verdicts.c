#include "verdicts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ACTORS = 16, ROLE = 16, DAY = 86400 };

/* Shared by all processes of the victim. */
static struct {
	pthread_barrier_t gathering;
	unsigned expected;
	atomic_uint arrived, complete;
	struct {
		char role[ROLE];
		pid_t pid, tid;
	} actors[ACTORS];
} * scene;

pthread_t players[ACTORS];
int verdict_number;

void must(bool done, const char *what)
{
	if (done)
		return;
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

void unsupported(const char *what)
{
	printf("unsupported: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(77);
}

pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap");
	return memory;
}

void stage(unsigned actors, unsigned gathering)
{
	pthread_barrierattr_t attributes;
	scene = shared_memory(sizeof(*scene));
	scene->expected = actors;
	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (gathering)
		must(pthread_barrier_init(&scene->gathering, &attributes, gathering) == 0,
		     "pthread_barrier_init");
}

void gather(void)
{
	pthread_barrier_wait(&scene->gathering);
}

/* By write alone: some victims hold stdio's own locks. */
static void say_ready(void)
{
	char line[ACTORS * (ROLE + 32)];
	int n = snprintf(line, sizeof(line), "ready");
	for (unsigned i = 0; i < scene->expected && i < ACTORS; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s=%d/%d",
			      scene->actors[i].role, (int)scene->actors[i].pid,
			      (int)scene->actors[i].tid);
	line[n++] = '\n';
	must(write(STDOUT_FILENO, line, (size_t)n) == n, "write");
}

void arrive(const char *role)
{
	unsigned i = atomic_fetch_add(&scene->arrived, 1);
	if (i < ACTORS) {
		snprintf(scene->actors[i].role, ROLE, "%s", role);
		scene->actors[i].pid = (pid_t)syscall(SYS_getpid);
		scene->actors[i].tid = own_tid();
	}
	if (atomic_fetch_add(&scene->complete, 1) + 1 == scene->expected)
		say_ready();
}

void arrive_as(const char *role, unsigned number)
{
	char text[ROLE];
	snprintf(text, sizeof(text), "%s%u", role, number);
	arrive(text);
}

pthread_t play(void *(*f)(void *argument), const void *argument)
{
	pthread_t thread;
	must(pthread_create(&thread, NULL, f, (void *)argument) == 0, "pthread_create");
	return thread;
}

pid_t play_process(void (*f)(void *argument), const void *argument)
{
	pid_t parent = getpid(), child = fork();
	must(child >= 0, "fork");
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	f((void *)argument);
	_exit(0);
}

static bool is_asleep(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *state = strrchr(text, ')');
	return state && strncmp(state, ") S", 3) == 0;
}

void until_asleep(pid_t pid, pid_t tid)
{
	for (int in_a_row = 0; in_a_row < 3;) {
		sleep_ms(2);
		in_a_row = is_asleep(pid, tid) ? in_a_row + 1 : 0;
	}
}

void sleep_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

void sleep_for_ever(void)
{
	for (;;)
		sleep_ms(100000000);
}

void init_mutex(pthread_mutex_t *mutex, int type, int robust, int protocol, int shared)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	must(pthread_mutexattr_settype(&attributes, type) == 0, "settype");
	must(pthread_mutexattr_setrobust(&attributes, robust) == 0, "setrobust");
	must(pthread_mutexattr_setpshared(&attributes, shared) == 0, "setpshared");
	if ((errno = pthread_mutexattr_setprotocol(&attributes, protocol)))
		unsupported("pthread_mutexattr_setprotocol");
	if ((errno = pthread_mutex_init(mutex, &attributes)))
		unsupported("pthread_mutex_init");
}

void play_in_pid_namespace(void (*f)(void *))
{
	if (unshare(CLONE_NEWPID) < 0)
		unsupported("unshare");
	pid_t child = fork(); /* its parent is 0 there: play_process() would miss us */
	must(child >= 0, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		f(NULL);
	}
	waitpid(child, NULL, 0);
	_exit(1);
}

static void take(const struct step *step)
{
	if (step->take)
		step->take((void *)step->what);
}

static void play_part(const struct actor *actor)
{
	take(&actor->holds);
	gather();
	arrive(actor->role);
	take(&actor->wants);
	sleep_for_ever();
}

static void *play_part_in_thread(void *actor)
{
	play_part(actor);
	return NULL;
}

static void play_part_in_process(void *actor)
{
	play_part(actor);
}

void play_threads_and(const struct actor *actors, unsigned count, struct step main_wants)
{
	stage(count + 1, count + 1);
	for (unsigned i = 0; i < count; i++)
		players[i] = play(play_part_in_thread, actors + i);
	gather();
	arrive("main");
	take(&main_wants);
	sleep_for_ever();
}

void play_threads(const struct actor *actors, unsigned count)
{
	play_threads_and(actors, count, (struct step){take_end_of, &players[0]});
}

void play_processes(const struct actor *actors, unsigned count)
{
	stage(count, count);
	for (unsigned i = 1; i < count; i++)
		play_process(play_part_in_process, actors + i);
	play_part(actors);
	sleep_for_ever();
}

void take_mutex(void *mutex)
{
	pthread_mutex_lock(mutex);
}

void take_mutex_timed(void *mutex)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DAY;
	pthread_mutex_timedlock(mutex, &until);
}

void take_read(void *rwlock)
{
	pthread_rwlock_rdlock(rwlock);
}

void take_write(void *rwlock)
{
	pthread_rwlock_wrlock(rwlock);
}

void take_stdio(void *file)
{
	flockfile(file);
}

void take_end_of(void *thread)
{
	pthread_join(*(pthread_t *)thread, NULL);
}

void take_sleep(void *nothing)
{
	(void)nothing;
	sleep_for_ever();
}

int main(int argc, char **argv)
{
	bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc == 3)
		verdict_number = atoi(argv[2]);
	for (size_t i = 0; verdict_tables[i]; i++) {
		for (const struct verdict_row *row = verdict_tables[i]; row->name; row++) {
			if (list)
				puts(row->name);
			else if (argc >= 2 && strcmp(argv[1], row->name) == 0)
				row->run();
		}
	}
	if (list)
		return 0;
	fprintf(stderr, "usage: %s NAME [NUMBER] | --list\n", argv[0]);
	return 2;
}
