/* The look beyond the dumped processes: its plan, its helper, and its results as plain data. */
#include "capture/around.h"

#include "base/helper.h"
#include "capture/find.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	SHARE_PERCENT = 30, /* of the time that is left */
	GRACE_MS = 100,	    /* for the helper to end by itself, with words */
};

void around_add(struct around *around, struct around_list *list, const void *item, size_t size)
{
	struct around_item *copy = arena_alloc(&around->raw->arena, sizeof(*copy) + size);
	if (!copy) {
		around->found->full = true;
		return;
	}
	memcpy(copy->payload, item, size);
	copy->next = list->first;
	__atomic_store_n(&list->first, copy, __ATOMIC_RELEASE);
}

void around_error(struct around *around, const char *what, const char *why_format, ...)
{
	char why[256];
	struct arena *arena = &around->raw->arena;
	va_list ap;
	va_start(ap, why_format);
	vsnprintf(why, sizeof(why), why_format, ap);
	va_end(ap);
	struct capture_error error = {.what = arena_string(arena, what, strlen(what)),
				      .why = arena_string(arena, why, strlen(why))};
	around_add(around, &around->found->errors, &error, sizeof(error));
}

static void plan_need(struct around *around, struct raw_process *process,
		      const struct capture_thread *thread, const struct capture_need *need)
{
	struct around_file *last = NULL;
	if (around->files.count)
		last = &around->files.items[around->files.count - 1];
	switch (need->kind) {
	case NEED_FILE:
	case NEED_WATCHED:
		*array_append(&around->files) = (struct around_file){
			.process = process,
			.fd = need->fd,
			.wait = need->kind == NEED_WATCHED ? around->wait_count : 0};
		break;
	case NEED_NAMED:
		if (last && need->name_length <= sizeof(last->name)) {
			memcpy(last->name, need->name, need->name_length);
			last->name_length = need->name_length;
		}
		break;
	case NEED_FILE_LOCK:
		*array_append(&around->lock_waiters) =
			(struct around_lock_waiter){.id = {process->pid, thread->tid},
						    .number = thread->syscall.number,
						    .request = need->lock};
		break;
	case NEED_VFORK:
		*array_append(&around->vfork_parents) =
			(struct around_thread){process->pid, thread->tid};
		around->children = true;
		break;
	case NEED_CHILDREN:
		around->children = true;
		break;
	case NEED_SEMAPHORE:
		*array_append(&around->semaphores) =
			(struct around_semaphore){process, need->id, need->number};
		break;
	}
}

static void plan_process(struct around *around, struct capture_process *process,
			 struct raw_process *raw)
{
	struct capture_need needs[CAPTURE_NEEDS_MOST];
	array_for_each (&process->threads, thread) {
		if (thread->syscall.state != SYSCALL_INSIDE ||
		    (thread->state != 'S' && thread->state != 'D'))
			continue;
		unsigned count = around->raw->options.needs(process, thread, needs);
		around->wait_count++;
		for (unsigned i = 0; i < count; i++)
			plan_need(around, raw, thread, &needs[i]);
	}
}

static bool is_empty(const struct around *around)
{
	return !around->files.count && !around->lock_waiters.count && !around->children &&
	       !around->semaphores.count;
}

static void work(void *context)
{
	struct around *around = context;
	/* From what is soonest over to what may take long. */
	around_semaphores(around);
	around_file_locks(around);
	/* Who waits for a process, or is kept by one, wants to know what it is called. */
	if (around->children || around->semaphores.count || around->found->file_locks.first)
		around_processes(around);
	around_resolve_files(around);
	around_sockets(around);
	around_choose_ends(around);
	around_ends(around);
}

#define COLLECT(to, from, type)                                                                    \
	around_for_each (type, (from), item)                                                       \
	*array_append(to) = *item

static int by_pid(const void *a, const void *b)
{
	const struct capture_neighbour *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int by_file(const void *a, const void *b)
{
	const struct capture_end *x = a, *y = b;
	int order = around_compare_files(a, b);
	if (order)
		return order;
	order = (x->pid > y->pid) - (x->pid < y->pid);
	return order ? order : (x->fd > y->fd) - (x->fd < y->fd);
}

static int by_socket_inode(const void *a, const void *b)
{
	const struct capture_socket *x = a, *y = b;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int by_lock_id(const void *a, const void *b)
{
	const struct capture_file_lock *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->waits - y->waits;
}

static int by_held_lock(const void *a, const void *b)
{
	const struct capture_lock_holder *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int by_semaphore(const void *a, const void *b)
{
	const struct capture_semaphore *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* One socket may be the file of several waits. */
static void drop_doubles(struct capture_surroundings *to)
{
	size_t kept = 0;
	array_for_each (&to->sockets, socket) {
		struct capture_socket *last = kept ? &to->sockets.items[kept - 1] : NULL;
		if (!last || last->inode != socket->inode)
			to->sockets.items[kept++] = *socket;
		else if (last->link == SOCKET_LINK_NONE)
			*last = *socket;
	}
	to->sockets.count = kept;
}

/* Whoever ran was looked at several times. */
static void drop_double_ends(struct capture_surroundings *to)
{
	size_t kept = 0;
	array_for_each (&to->ends, end) {
		const struct capture_end *last = kept ? &to->ends.items[kept - 1] : NULL;
		if (!last || by_file(last, end) != 0 || last->reads != end->reads ||
		    last->writes != end->writes)
			to->ends.items[kept++] = *end;
	}
	to->ends.count = kept;
}

static void collect(const struct around_found *found, struct capture_surroundings *to)
{
	COLLECT(&to->processes, &found->processes, struct capture_neighbour);
	COLLECT(&to->ends, &found->ends, struct capture_end);
	COLLECT(&to->sockets, &found->sockets, struct capture_socket);
	COLLECT(&to->file_locks, &found->file_locks, struct capture_file_lock);
	COLLECT(&to->lock_holders, &found->lock_holders, struct capture_lock_holder);
	COLLECT(&to->semaphores, &found->semaphores, struct capture_semaphore);
	array_sort(&to->processes, by_pid);
	array_sort(&to->ends, by_file);
	array_sort(&to->sockets, by_socket_inode);
	array_sort(&to->file_locks, by_lock_id);
	array_sort(&to->lock_holders, by_held_lock);
	array_sort(&to->semaphores, by_semaphore);
	drop_doubles(to);
	drop_double_ends(to);
	to->looked_at_processes = found->processes_done && !found->full;
	to->looked_at_ends = found->ends_done && !found->full;
	to->looked_at_sockets = found->sockets_done && !found->full;
	to->looked_at_file_locks = found->file_locks_done && !found->full;
	to->ends_unread = found->ends_refused + found->ends_late + found->ends_unsettled;
	to->hidden = found->hidden;
	to->contained = found->contained;
}

static void add_error(struct capture *capture, const char *what, const char *why)
{
	*array_append(&capture->errors) = (struct capture_error){.what = what, .why = why};
}

static void tell_unread(struct capture *capture, unsigned count, const char *why)
{
	if (count)
		add_error(capture,
			  strpool_printf(&capture->strings, "descriptors of %u process%s", count,
					 count == 1 ? "" : "es"),
			  why);
}

static void tell_errors(struct capture *capture, const struct around_found *found,
			enum helper_end end)
{
	/* Whoever is refused by a foreign process finds that with each owner: others are possible. */
	tell_unread(capture, found->ends_late, "not all were looked at before the deadline");
	COLLECT(&capture->errors, &found->errors, struct capture_error);
	if (found->full)
		add_error(capture, "other processes", "there is no room for all that was found");
	if (end == HELPER_TIMED_OUT)
		add_error(capture, "other processes", "looking at them did not end in time");
	else if (end == HELPER_FAILED)
		add_error(capture, "other processes", "the helper process that looks failed");
}

static void forget_plan(struct around *around)
{
	array_deinit(&around->files);
	array_deinit(&around->semaphores);
	array_deinit(&around->lock_waiters);
	array_deinit(&around->vfork_parents);
}

void capture_look_around(struct capture *capture, struct deadline deadline)
{
	struct raw_capture *raw = capture->maker;
	if (!raw)
		return;
	capture->finder = finder_new(capture, raw);
	if (!raw->options.needs)
		return;
	struct around around = {.raw = raw};
	array_for_each (&capture->processes, process) {
		for (size_t i = 0; i < raw->process_count; i++) {
			if (raw->processes[i].pid == process->pid)
				plan_process(&around, process, &raw->processes[i]);
		}
	}
	around.found = is_empty(&around) ? NULL : arena_alloc(&raw->arena, sizeof(*around.found));
	if (around.found) {
		around_prepare_files(&around);
		around.deadline = deadline_share(deadline, SHARE_PERCENT);
		struct deadline last = around.deadline;
		if (last.at_ns)
			last.at_ns += GRACE_MS * 1000000u;
		enum helper_end end = helper_run(work, &around, last);
		around_sort_descriptors(&around);
		collect(around.found, &capture->surroundings);
		tell_errors(capture, around.found, end);
	}
	forget_plan(&around);
}
