/*
 * Who has a file open: the descriptors of all processes.  Links are read, and fdinfo; the files
 * themselves are left alone, but for the inode of what may be a FIFO.
 *
 * Descriptors move while they are read: a shell parks one at 10 while it redirects another, and
 * processes hand them to their children and end.  Whoever ran during its look is looked at again,
 * and counts with all that it was ever seen to have; whoever is born meanwhile is looked at, too.
 */
#include "base/cleanup.h"
#include "capture/around.h"
#include "capture/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	DESCRIPTORS_MOST = 200000, /* of one process */
	INFO_MOST = 4 << 20,	   /* with the locks of a file, of which there may be thousands */
	CHECK_EVERY = 256,	   /* descriptors, between looks at the clock */
	LOOKS_MOST = 5,		   /* at a process that runs; at who was born meanwhile */
	THREADS_MOST = 512,	   /* of a process that is asked whether it ran */
};

struct scan {
	struct around *around;
	bool sockets, pipes, fifos, eventfds, locks;
	struct capture_neighbour *process; /* the one that is looked at */
	int fds, infos;			   /* its directories */
	const char *name;		   /* the descriptor that is looked at */
	const char *link;
	char *info; /* its fdinfo: INFO_MOST */
};

enum scan_end { SCAN_DONE, SCAN_GONE, SCAN_REFUSED, SCAN_LATE };

static bool is_sought(const struct scan *scan, const struct capture_end *end)
{
	return bsearch(end, scan->around->sought.items, scan->around->sought.count, sizeof(*end),
		       around_compare_files) != NULL;
}

/* Its fdinfo, and how it was opened.  False: closed meanwhile, or open as a name only. */
static bool read_info(const struct scan *scan, struct capture_end *end)
{
	uint64_t flags;
	if (proc_read(scan->infos, scan->name, scan->info, INFO_MOST) <= 0 ||
	    !parse_number(scan->info, "flags", 8, &flags) || flags & O_PATH)
		return false;
	end->reads = (flags & O_ACCMODE) == O_RDONLY || (flags & O_ACCMODE) == O_RDWR;
	end->writes = (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
	return true;
}

static void add_end(const struct scan *scan, struct capture_end *end)
{
	end->pid = scan->process->pid;
	end->fd = (int)strtol(scan->name, NULL, 10);
	around_add(scan->around, &scan->around->found->ends, end, sizeof(*end));
}

static void look_at_number(const struct scan *scan, enum capture_end_kind kind, const char *number)
{
	struct capture_end end = {.kind = kind, .inode = strtoull(number, NULL, 10)};
	if (!is_sought(scan, &end))
		return;
	if (kind == END_SOCKET)
		end.reads = end.writes = true;
	else if (!read_info(scan, &end))
		return;
	add_end(scan, &end);
}

static void look_at_eventfd(const struct scan *scan)
{
	struct capture_end end = {.kind = END_EVENTFD};
	if (read_info(scan, &end) && parse_number(scan->info, "eventfd-id", 10, &end.inode) &&
	    is_sought(scan, &end))
		add_end(scan, &end);
}

static int compare_inodes(const void *a, const void *b)
{
	const struct capture_end *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool is_sought_inode(const struct scan *scan, uint64_t inode)
{
	const struct capture_end key = {.kind = END_FIFO, .inode = inode};
	return bsearch(&key, scan->around->sought.items, scan->around->sought.count, sizeof(key),
		       compare_inodes) != NULL;
}

static void look_at_fifo(const struct scan *scan, const char *info, struct capture_end *end)
{
	uint64_t inode;
	struct statx stx;
	/* Since Linux 5.14 fdinfo has the inode: most files need not be asked. */
	if (parse_number(info, "ino", 10, &inode) && !is_sought_inode(scan, inode))
		return;
	if (statx(scan->fds, scan->name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_INO, &stx) != 0 ||
	    !S_ISFIFO(stx.stx_mode))
		return;
	end->kind = END_FIFO;
	end->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	end->inode = stx.stx_ino;
	if (is_sought(scan, end))
		add_end(scan, end);
}

static bool same_lock(const struct capture_file_lock *a, const struct lock_line *b)
{
	return strlen(a->kind) == b->kind_length &&
	       memcmp(a->kind, b->lock.kind, b->kind_length) == 0 && a->writes == b->lock.writes &&
	       a->pid == b->lock.pid && a->device_major == b->lock.device_major &&
	       a->device_minor == b->lock.device_minor && a->inode == b->lock.inode &&
	       a->start == b->lock.start && a->end == b->lock.end;
}

/* "lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF": locks of this open file. */
static void look_at_locks(const struct scan *scan, const char *info)
{
	for (const char *line = info; (line = strstr(line, "lock:\t"));) {
		struct lock_line parsed;
		bool whole_line = line == info || line[-1] == '\n';
		line += strlen("lock:\t");
		if (!whole_line || !parse_lock_line(line, &parsed) || parsed.depth)
			continue;
		array_for_each (&scan->around->held, lock) {
			if (!same_lock(lock, &parsed))
				continue;
			struct capture_lock_holder holder = {lock->id, scan->process->pid,
							     (int)strtol(scan->name, NULL, 10)};
			around_add(scan->around, &scan->around->found->lock_holders, &holder,
				   sizeof(holder));
		}
	}
}

static void look_at_path(const struct scan *scan)
{
	struct capture_end end = {.kind = END_OTHER};
	if (!read_info(scan, &end))
		return;
	if (scan->locks)
		look_at_locks(scan, scan->info);
	if (scan->fifos)
		look_at_fifo(scan, scan->info, &end);
}

static void look_at_descriptor(const struct scan *scan)
{
	const char *link = scan->link;
	if (scan->pipes && strncmp(link, "pipe:[", 6) == 0)
		look_at_number(scan, END_PIPE, link + 6);
	else if (scan->sockets && strncmp(link, "socket:[", 8) == 0)
		look_at_number(scan, END_SOCKET, link + 8);
	else if (scan->eventfds && strcmp(link, "anon_inode:[eventfd]") == 0)
		look_at_eventfd(scan);
	else if ((scan->fifos || scan->locks) && link[0] == '/')
		look_at_path(scan);
}

/* dir: of descriptors.  *ret_count: how many it has. */
static enum scan_end scan_descriptors(struct scan *scan, DIR *dir, size_t *ret_count)
{
	char link[PATH_MAX];
	struct dirent *entry;
	scan->fds = dirfd(dir);
	scan->link = link;
	*ret_count = 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (++*ret_count > DESCRIPTORS_MOST)
			return SCAN_LATE;
		if (*ret_count % CHECK_EVERY == 0 && deadline_passed(scan->around->deadline))
			return SCAN_LATE;
		scan->name = entry->d_name;
		ssize_t n = readlinkat(scan->fds, scan->name, link, sizeof(link) - 1);
		if (n < 0 && (errno == EACCES || errno == EPERM))
			return SCAN_REFUSED;
		if (n < 0)
			continue;
		link[n] = '\0';
		look_at_descriptor(scan);
	}
	return SCAN_DONE;
}

/* Through thread tid of the process. */
static enum scan_end scan_through(struct scan *scan, pid_t tid, size_t *ret_count)
{
	char path[64];
	*ret_count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", scan->process->pid, tid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	if (!dir)
		return errno == EACCES || errno == EPERM   ? SCAN_REFUSED
		       : errno == ENOENT || errno == ESRCH ? SCAN_GONE
							   : SCAN_LATE;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo", scan->process->pid, tid);
	_cleanup_close_ int infos = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scan->infos = infos;
	return scan_descriptors(scan, dir, ret_count);
}

/* The main thread may have ended before the others, and shows nothing then. */
static enum scan_end scan_process(struct scan *scan)
{
	size_t count;
	pid_t pid = scan->process->pid;
	enum scan_end end = scan_through(scan, pid, &count);
	if (scan->process->state != 'Z' || scan->process->threads < 2 || count || end == SCAN_GONE)
		return end;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		pid_t tid = parse_pid(entry->d_name);
		if (!tid || tid == pid)
			continue;
		end = scan_through(scan, tid, &count);
		if (count)
			return end;
	}
	return end;
}

/* How often the thread was given a CPU; false: it is on one, or that is not known. */
static bool turns_of(pid_t pid, pid_t tid, uint64_t *sum)
{
	char path[64], text[1024];
	struct proc_stat stat;
	uint64_t turns;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0 || !parse_stat(text, &stat) ||
	    stat.state == 'R')
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*u %*u %" SCNu64, &turns) != 1)
		return false;
	*sum += turns;
	return true;
}

/* All of the process's threads. */
static bool turns_of_all(pid_t pid, uint64_t *ret)
{
	char path[64];
	unsigned count = 0;
	struct dirent *entry;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	*ret = 0;
	while (dir && (entry = readdir(dir))) {
		pid_t tid = parse_pid(entry->d_name);
		if (tid && (++count > THREADS_MOST || !turns_of(pid, tid, ret)))
			return false;
	}
	return count > 0;
}

/* *ret_settled: it stood still meanwhile. */
static enum scan_end scan_settled(struct scan *scan, bool *ret_settled)
{
	uint64_t before, after;
	enum scan_end end = SCAN_DONE;
	pid_t pid = scan->process->pid;
	*ret_settled = false;
	if (scan->process->threads > THREADS_MOST)
		return scan_process(scan);
	for (unsigned looks = 0; looks < LOOKS_MOST && end == SCAN_DONE && !*ret_settled; looks++) {
		bool still = turns_of_all(pid, &before);
		end = scan_process(scan);
		*ret_settled = still && turns_of_all(pid, &after) && after == before;
	}
	return end;
}

static bool is_dumped(const struct around *around, pid_t pid)
{
	for (size_t i = 0; i < around->raw->process_count; i++) {
		if (around->raw->processes[i].pid == pid)
			return true;
	}
	return false;
}

static void visit(struct scan *scan, struct capture_neighbour *process)
{
	struct around *around = scan->around;
	enum scan_end end = SCAN_LATE;
	bool settled = false;
	scan->process = process;
	if (process->kernel_thread)
		return;
	if (!deadline_passed(around->deadline))
		end = scan_settled(scan, &settled);
	/* Links of what ends just then are refused, too: proc_pid_readlink(). */
	if (end == SCAN_REFUSED && thread_is_surely_gone(process->pid))
		end = SCAN_GONE;
	bool unsettled = end == SCAN_DONE && !settled;
	process->ends_unread = end == SCAN_REFUSED || end == SCAN_LATE || unsettled;
	around->found->ends_unsettled += unsettled;
	around->found->ends_refused += end == SCAN_REFUSED;
	around->found->ends_late += end == SCAN_LATE;
}

/* Returns whether there were none. */
static bool visit_newborn(struct scan *scan)
{
	struct around_list *list = &scan->around->found->processes;
	const struct around_item *before = list->first;
	if (around_newborn(scan->around))
		return true;
	for (struct around_item *at = list->first; at != before; at = at->next)
		visit(scan, (struct capture_neighbour *)at->payload);
	return false;
}

void around_ends(struct around *around)
{
	struct around_found *found = around->found;
	struct scan scan = {.around = around, .locks = around->held.count};
	array_for_each (&around->sought, end) {
		scan.pipes |= end->kind == END_PIPE;
		scan.fifos |= end->kind == END_FIFO;
		scan.sockets |= end->kind == END_SOCKET;
		scan.eventfds |= end->kind == END_EVENTFD;
	}
	if (!around->sought.count && !around->held.count)
		return;
	_cleanup_free_ char *info = xmalloc(INFO_MOST);
	scan.info = info;
	around_processes(around);
	/* Where time is short, those that most likely have something to do with it come first. */
	around_for_each (struct capture_neighbour, &found->processes, process) {
		if (is_dumped(around, process->pid))
			visit(&scan, process);
	}
	around_for_each (struct capture_neighbour, &found->processes, process) {
		if (!is_dumped(around, process->pid))
			visit(&scan, process);
	}
	for (unsigned looks = 0; found->processes_done && !visit_newborn(&scan); looks++) {
		if (looks == LOOKS_MOST || deadline_passed(around->deadline)) {
			found->ends_unsettled++;
			break;
		}
	}
	found->ends_done = found->processes_done;
}
