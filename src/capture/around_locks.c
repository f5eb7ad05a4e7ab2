/*
 * /proc/locks: who waits behind whose lock.  Each lock that is held comes with those that wait for
 * it, and theirs, in one piece (fs/locks.c, locks_show()).  The file as a whole is no snapshot: the
 * kernel hands out a page at a time and goes on by counting, so that a lock that is taken or let go
 * anywhere on the machine in between makes others come twice or not at all.  It is read again until
 * it has shown those that are sought.
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
	/* Where locks of 300 files are taken and let go without a pause, one in four goes wrong. */
	READINGS = 40,
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

#define ORDER(x, y)                                                                                \
	if ((x) != (y))                                                                            \
	return (x) < (y) ? -1 : 1

/* What is alike is side by side. */
static int by_request(const void *a, const void *b)
{
	const struct capture_file_lock *x = &((const struct around_lock_waiter *)a)->request;
	const struct capture_file_lock *y = &((const struct around_lock_waiter *)b)->request;
	ORDER(x->inode, y->inode);
	ORDER(x->pid, y->pid);
	ORDER(x->start, y->start);
	ORDER(x->end, y->end);
	ORDER(x->writes, y->writes);
	return strcmp(x->kind, y->kind);
}

/* Returns the first of those that ask the same. */
static struct around_lock_waiter *waiter_like(const struct around *around,
					      const struct capture_file_lock *request)
{
	const struct around_lock_waiter key = {.request = *request};
	size_t low = 0, high = around->lock_waiters.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_request(&around->lock_waiters.items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == around->lock_waiters.count)
		return NULL;
	struct around_lock_waiter *found = &around->lock_waiters.items[low];
	return by_request(found, &key) == 0 ? found : NULL;
}

/* Marks who asks that and was not seen yet: is there anybody? */
static bool mark_seen(struct around *around, struct capture_file_lock request)
{
	bool any = false;
	struct around_lock_waiter *end = around->lock_waiters.items + around->lock_waiters.count;
	struct around_lock_waiter *waiter = waiter_like(around, &request);
	for (struct around_lock_waiter *at = waiter;
	     at && at < end && !at->seen && by_request(at, waiter) == 0; at++)
		any = at->seen = true;
	return any;
}

static bool shows_waiter(struct around *around, const struct capture_file_lock *line)
{
	struct capture_file_lock request = *line;
	bool any = mark_seen(around, request);
	request.start = CAPTURE_LOCK_ANYWHERE;
	request.end = UINT64_MAX;
	any |= mark_seen(around, request);
	request.inode = 0;
	request.writes = false;
	return mark_seen(around, request) || any;
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
		ours |= locks[i].waits && shows_waiter(around, &locks[i]);
	if (!ours)
		return;
	around->lock_count++;
	for (size_t i = 0; i < count; i++) {
		/* The kernel's counts are those of one reading. */
		locks[i].id = around->lock_count;
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

static bool read_of(const struct around_lock_waiter *waiter, const char *name, char *text,
		    size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", waiter->id.pid, waiter->id.tid, name);
	return proc_read(AT_FDCWD, path, text, size) > 0;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

/* Those that our stop has woken wait in the list again only once they have slept again. */
static void let_them_go_back_to_sleep(const struct around *around, struct deadline deadline,
				      unsigned *patience)
{
	array_for_each (&around->lock_waiters, waiter) {
		char text[1024];
		struct proc_stat stat;
		while (!waiter->seen && *patience && !deadline_passed(deadline) &&
		       read_of(waiter, "stat", text, sizeof(text)) && parse_stat(text, &stat) &&
		       stat.state == 'R') {
			--*patience;
			pause_a_little();
		}
	}
}

/* Is there somebody who still waits, and was not seen doing so? */
static bool is_incomplete(const struct around *around)
{
	array_for_each (&around->lock_waiters, waiter) {
		char text[1024];
		struct raw_syscall call;
		if (waiter->seen || !read_of(waiter, "syscall", text, sizeof(text)))
			continue;
		parse_syscall(text, &call);
		if (call.state == SYSCALL_RUNNING ||
		    (call.state == SYSCALL_INSIDE && call.number == waiter->number))
			return true;
	}
	return false;
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
	unsigned patience = PATIENCE;
	/* The others need time as well. */
	struct deadline deadline = deadline_halfway(around->deadline);
	int why = 0;
	if (!around->lock_waiters.count)
		return;
	array_sort(&around->lock_waiters, by_request);
	for (unsigned readings = 0; readings < READINGS && !why; readings++) {
		struct text text = {0};
		let_them_go_back_to_sleep(around, deadline, &patience);
		why = read_whole("/proc/locks", &text);
		if (!why)
			take_apart(around, text.bytes ? text.bytes : "");
		text_deinit(&text);
		if (deadline_passed(deadline) || !is_incomplete(around))
			break;
		pause_a_little();
	}
	if (why)
		around_error(around, "/proc/locks", "%s", strerrordesc_np(why));
	around->found->file_locks_done = !why;
}
