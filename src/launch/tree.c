#include "launch/tree.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

size_t tree_list(const struct tree *tree, struct relative **ret)
{
	size_t count = relatives_of(tree->root, tree->others, tree->other_count, ret), living = 0;
	for (size_t i = 0; i < count; i++) {
		if (relative_is_alive(&(*ret)[i]))
			(*ret)[living++] = (*ret)[i];
	}
	return living;
}

bool children_of(pid_t pid, pid_t tid, pid_t **ret, size_t *ret_count)
{
	char path[64];
	array(pid_t) children = {0};
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	int child;
	if (!file)
		return false;
	while (fscanf(file, "%d", &child) == 1)
		*array_append(&children) = child;
	*ret = children.items;
	*ret_count = children.count;
	return true;
}

static bool is_other(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->other_count; i++) {
		if (tree->others[i] == pid)
			return true;
	}
	return false;
}

/* A helper of the supervisor's that cannot even be killed is nothing that the command has started. */
static bool is_stuck_helper(const struct tree *tree, pid_t pid)
{
	struct relative child;
	return relative_read(pid, &child) && child.stat.group == tree->root &&
	       child.stat.state == 'D';
}

static bool is_alive(pid_t pid)
{
	struct relative process;
	return relative_read(pid, &process) && relative_is_alive(&process);
}

bool tree_is_empty(const struct tree *tree)
{
	_cleanup_free_ pid_t *children = NULL;
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count;
	/* Of a root that has ended, the children are somebody else's. */
	bool is_sure = tree->root == getpid();
	if (!children_of(tree->root, tree->root, &children, &count))
		return is_alive(tree->root) && tree_list(tree, &relatives) == 0;
	for (size_t i = 0; i < count; i++) {
		if (is_other(tree, children[i]) || is_stuck_helper(tree, children[i]))
			continue;
		/* Of any other that has ended, a child may be the root's by now, and not in the list. */
		if (children[i] != tree->command || is_alive(children[i]))
			return false;
		is_sure = true;
	}
	return is_sure;
}

/*
 * Signals the process that was seen, and no other that has got its id since: the descriptor is of
 * one process, which is compared with the one that was meant.
 */
static bool is_still(const struct relative *seen)
{
	struct relative now;
	return relative_read(seen->pid, &now) && now.stat.start_time == seen->stat.start_time;
}

static void signal_one(const struct relative *seen, int signal_number)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, seen->pid, 0);
	bool is_gone = fd < 0 && errno == ESRCH;
	if (is_gone || !is_still(seen))
		return;
	if (fd >= 0)
		syscall(SYS_pidfd_send_signal, fd, signal_number, NULL, 0);
	else
		kill(seen->pid, signal_number); /* before Linux 5.3, or forbidden */
}

bool tree_signal_command(const struct tree *tree, int signal_number)
{
	if (!tree->command || tree->reaped)
		return false;
	if (tree->has_group && kill(-tree->command, signal_number) == 0)
		return true;
	kill(tree->command, signal_number);
	return false;
}

void tree_signal(const struct tree *tree, int signal_number)
{
	_cleanup_free_ struct relative *relatives = NULL;
	/* The group at once, as timeout(1) does, so that nobody sees another one die first. */
	bool was_group = tree_signal_command(tree, signal_number);
	size_t count = tree_list(tree, &relatives);
	for (size_t i = 0; i < count; i++) {
		bool has_it = was_group ? relatives[i].stat.group == tree->command
					: relatives[i].pid == tree->command && !tree->reaped;
		if (!has_it)
			signal_one(&relatives[i], signal_number);
	}
	/* What is stopped has to run in order to end. */
	tree_signal_command(tree, SIGCONT);
	for (size_t i = 0; i < count; i++) {
		if (!tree->has_group || relatives[i].stat.group != tree->command)
			signal_one(&relatives[i], SIGCONT);
	}
}

bool tree_kill(const struct tree *tree)
{
	_cleanup_free_ struct relative *relatives = NULL;
	if (tree->has_group)
		tree_signal_command(tree, SIGKILL);
	size_t count = tree_list(tree, &relatives);
	for (size_t i = 0; i < count; i++) {
		/* Of a group that one of them leads nobody escapes by forking. */
		if (relatives[i].stat.group == relatives[i].pid && is_still(&relatives[i]))
			kill(-relatives[i].pid, SIGKILL);
		signal_one(&relatives[i], SIGKILL);
	}
	return count == 0;
}

bool tree_kill_children(const struct tree *tree, pid_t but)
{
	_cleanup_free_ pid_t *children = NULL;
	size_t count;
	bool found = false;
	if (!children_of(tree->root, tree->root, &children, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (children[i] == but || is_other(tree, children[i]))
			continue;
		kill(children[i], SIGKILL);
		found = true;
	}
	return found;
}

static bool is_member(const struct relative *relatives, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++) {
		if (relatives[i].pid == pid)
			return true;
	}
	return false;
}

static pid_t tracer_of(pid_t pid)
{
	char path[64], text[4096];
	uint64_t tracer = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (proc_read_status(AT_FDCWD, path, text, sizeof(text)) > 0)
		parse_number(text, "TracerPid", 10, &tracer);
	return (pid_t)tracer;
}

pid_t tree_tracer(const struct tree *tree, char *name, size_t size)
{
	_cleanup_free_ struct relative *relatives = NULL;
	size_t count = tree_list(tree, &relatives);
	/* Who follows us and all that comes of us, as strace -f does, is no debugger of the command. */
	pid_t ours = tracer_of(getpid());
	for (size_t i = 0; i < count; i++) {
		pid_t tracer = tracer_of(relatives[i].pid);
		if (!tracer || tracer == ours || tracer == tree->root ||
		    is_member(relatives, count, tracer))
			continue;
		proc_name(tracer, name, size);
		return tracer;
	}
	return 0;
}
