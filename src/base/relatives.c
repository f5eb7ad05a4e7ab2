#include "base/relatives.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/pid.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

typedef array(struct relative) relatives;

static int by_parent(const void *a, const void *b)
{
	const struct relative *x = a, *y = b;
	if (x->stat.ppid != y->stat.ppid)
		return x->stat.ppid < y->stat.ppid ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

bool relative_read(pid_t pid, struct relative *ret)
{
	char path[64], text[1024];
	ret->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return proc_read(AT_FDCWD, path, text, sizeof(text)) > 0 && parse_stat(text, &ret->stat);
}

static void read_all(relatives *all)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		struct relative one;
		pid_t pid = parse_pid(entry->d_name);
		if (pid && relative_read(pid, &one))
			*array_append(all) = one;
	}
	array_sort(all, by_parent);
}

static bool is_in(pid_t pid, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

static void add_children(const relatives *all, pid_t parent, const pid_t *without,
			 size_t without_count, relatives *tree)
{
	size_t low = 0, high = all->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (all->items[middle].stat.ppid < parent)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < all->count && all->items[low].stat.ppid == parent; low++) {
		if (!is_in(all->items[low].pid, without, without_count))
			*array_append(tree) = all->items[low];
	}
}

size_t relatives_of(pid_t pid, const pid_t *without, size_t without_count, struct relative **ret)
{
	relatives all = {0}, tree = {0};
	read_all(&all);
	add_children(&all, pid, without, without_count, &tree);
	/*
	 * What was read while ids were being used again could go round in a circle: nobody is in the
	 * tree twice, so it can be no larger than all.
	 */
	for (size_t i = 0; i < tree.count && tree.count <= all.count; i++)
		add_children(&all, tree.items[i].pid, without, without_count, &tree);
	array_deinit(&all);
	*ret = tree.items;
	return tree.count;
}

bool relative_is_alive(const struct relative *relative)
{
	char state = relative->stat.state;
	return (state != 'Z' && state != 'X') || relative->stat.threads > 1;
}
