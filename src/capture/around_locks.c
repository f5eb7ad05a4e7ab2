/*
 * /proc/locks: who waits behind whose lock.  Each lock that is held comes with those that wait for
 * it, and theirs, in one piece (fs/locks.c, locks_show()); the file as a whole is no snapshot.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "capture/around.h"
#include "capture/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_MOST = 64 << 20,
	/* Half-milliseconds, for all threads: on a busy machine they get no CPU for that long. */
	PATIENCE = 1000,
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " ");
}

/* "name " at *at: moves on to what follows. */
static size_t word(const char **at)
{
	size_t n = strcspn(*at, " \n");
	*at = skip_blanks(*at + n);
	return n;
}

static bool parse_range(const char *at, struct capture_file_lock *lock)
{
	char *end;
	lock->start = strtoull(at, &end, 10);
	if (end == at || *end != ' ')
		return false;
	at = skip_blanks(end);
	if (strncmp(at, "EOF", 3) == 0) {
		lock->end = UINT64_MAX;
		return true;
	}
	lock->end = strtoull(at, &end, 10);
	return end != at;
}

/*
 * "1:  -> POSIX  ADVISORY  WRITE 2651 fe:00:10051586 10 19", an arrow for what waits, with more
 * blanks before it the deeper it does; "<none>:0" for a file system that has gone.
 */
bool parse_lock_line(const char *line, struct lock_line *ret)
{
	struct lock_line parsed = {.depth = 0};
	struct capture_file_lock *lock = &parsed.lock;
	char *end;
	lock->id = (unsigned)strtoul(line, &end, 10);
	if (end == line || *end != ':')
		return false;
	const char *at = skip_blanks(end + 1);
	if (strncmp(at, "-> ", 3) == 0) {
		parsed.depth = (unsigned)(at - end - 1);
		lock->waits = true;
		at = skip_blanks(at + 3);
	}
	lock->kind = at;
	parsed.kind_length = word(&at);
	word(&at); /* ADVISORY, ACTIVE, BREAKER ... */
	lock->writes = strncmp(at, "WRITE ", 6) == 0;
	if (!lock->writes && strncmp(at, "READ ", 5) != 0)
		return false;
	word(&at);
	long pid = strtol(at, &end, 10);
	if (end == at || *end != ' ' || pid < -1 || pid > INT_MAX)
		return false;
	lock->pid = (pid_t)pid;
	at = skip_blanks(end);
	if (sscanf(at, "%x:%x:%" SCNu64, &lock->device_major, &lock->device_minor, &lock->inode) !=
	    3)
		return false;
	word(&at);
	if (!parsed.kind_length || !parse_range(at, lock))
		return false;
	*ret = parsed;
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct around_thread *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static bool is_waiter_of_ours(const struct around *around, const struct capture_file_lock *lock)
{
	const struct around_thread key = {.pid = lock->pid};
	if (!lock->waits)
		return false;
	/* An OFD lock's waiter is not named: it may be one of ours. */
	return lock->pid <= 0 || bsearch(&key, around->lock_waiters.items,
					 around->lock_waiters.count, sizeof(key), by_pid);
}

static const char *static_kind(const char *kind, size_t length)
{
	static const char *const kinds[] = {"POSIX", "FLOCK",  "OFDLCK", "LEASE",
					    "DELEG", "LAYOUT", "ACCESS"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i]) == length && memcmp(kinds[i], kind, length) == 0)
			return kinds[i];
	}
	return "other";
}

/* A lock and all that wait for it: of use when one of those is ours. */
static void keep(struct around *around, struct capture_file_lock *locks, size_t count)
{
	bool ours = false;
	for (size_t i = 0; i < count; i++)
		ours = ours || is_waiter_of_ours(around, &locks[i]);
	for (size_t i = 0; ours && i < count; i++) {
		around_add(around, &around->found->file_locks, &locks[i], sizeof(locks[i]));
		/* These belong to the open file, whoever has it by now. */
		if (!locks[i].waits &&
		    (strcmp(locks[i].kind, "FLOCK") == 0 || strcmp(locks[i].kind, "OFDLCK") == 0))
			*array_append(&around->held) = locks[i];
	}
}

static void take_apart(struct around *around, const char *text)
{
	array(struct capture_file_lock) family = {0};
	for (const char *line = text; *line;) {
		struct lock_line parsed;
		const char *end = strchrnul(line, '\n');
		if (parse_lock_line(line, &parsed)) {
			parsed.lock.kind = static_kind(parsed.lock.kind, parsed.kind_length);
			if (!parsed.lock.waits ||
			    (family.count && family.items[0].id != parsed.lock.id)) {
				keep(around, family.items, family.count);
				family.count = 0;
			}
			*array_append(&family) = parsed.lock;
		}
		line = *end ? end + 1 : end;
	}
	keep(around, family.items, family.count);
	array_deinit(&family);
}

/* Those that our stop has woken wait in the list again only once they have slept again. */
static void let_them_go_back_to_sleep(const struct around *around)
{
	unsigned patience = PATIENCE;
	/* The others need time as well. */
	struct deadline deadline = deadline_halfway(around->deadline);
	array_for_each (&around->lock_waiters, waiter) {
		char path[64], text[1024];
		struct proc_stat stat;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", waiter->pid, waiter->tid);
		while (patience && !deadline_passed(deadline) &&
		       proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
		       parse_stat(text, &stat) && stat.state == 'R') {
			patience--;
			nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
		}
	}
}

static int read_whole(const char *path, struct text *text)
{
	char piece[65536];
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return 0;
		if (text->length + (size_t)n > FILE_MOST)
			return EFBIG;
		text_add_n(text, piece, (size_t)n);
	}
}

void around_file_locks(struct around *around)
{
	struct text text = {0};
	if (!around->lock_waiters.count)
		return;
	array_sort(&around->lock_waiters, by_pid);
	let_them_go_back_to_sleep(around);
	int why = read_whole("/proc/locks", &text);
	if (why)
		around_error(around, "/proc/locks", "%s", strerrordesc_np(why));
	else
		take_apart(around, text.bytes ? text.bytes : "");
	around->found->file_locks_done = !why;
	text_deinit(&text);
}
