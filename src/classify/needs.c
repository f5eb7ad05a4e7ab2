/* What has to be known beyond the process, by the call that a thread sleeps in. */
#include "base/array.h"
#include "classify/fd.h"
#include "classify/peers.h"
#include "classify/watched.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

enum { SEMAPHORES_MOST = 16 }; /* operations of one semop that are looked at */

struct needs {
	struct subject *subject;
	struct capture_need *items;
	unsigned count;
};

static struct capture_need *add(struct needs *needs, enum capture_need_kind kind)
{
	static struct capture_need surplus;
	if (needs->count == CAPTURE_NEEDS_MOST)
		return &surplus;
	struct capture_need *need = &needs->items[needs->count++];
	*need = (struct capture_need){.kind = kind, .fd = -1};
	return need;
}

static void add_file(struct needs *needs, int fd)
{
	const struct fd_type *type = fd_type_of(subject_descriptor(needs->subject, fd));
	if (type && fd_has_ends(type))
		add(needs, NEED_FILE)->fd = fd;
}

static void add_files(struct needs *needs)
{
	const struct syscall_row *row = needs->subject->row;
	for (unsigned i = 0; i < ARRAY_SIZE(row->fd); i++) {
		if (row->fd[i])
			add_file(needs, argument_int(needs->subject, row->fd[i] - 1u));
	}
}

static void add_name(struct needs *needs, uint64_t address, uint64_t length)
{
	struct sockaddr_un name;
	size_t before = offsetof(struct sockaddr_un, sun_path);
	if (!needs->count || needs->items[needs->count - 1].kind != NEED_FILE || length <= before ||
	    length > sizeof(name) || !subject_read(needs->subject, address, &name, length) ||
	    name.sun_family != AF_UNIX)
		return;
	struct capture_need *need = add(needs, NEED_NAMED);
	need->name_length = length - before;
	memcpy(need->name, name.sun_path, need->name_length);
}

/* Where the call itself says to whom: connect, sendto, sendmsg. */
static void add_address(struct needs *needs)
{
	const struct subject *subject = needs->subject;
	struct msghdr message;
	switch (subject->wait->syscall.number) {
	case SYS_connect:
		add_name(needs, argument(subject, 1), (uint32_t)argument(subject, 2));
		break;
	case SYS_sendto:
		add_name(needs, argument(subject, 4), (uint32_t)argument(subject, 5));
		break;
	case SYS_sendmsg:
		if (subject_read(subject, argument(subject, 1), &message, sizeof(message)))
			add_name(needs, (uint64_t)(uintptr_t)message.msg_name, message.msg_namelen);
		break;
	default:
		break;
	}
}

static void add_watched(struct needs *needs)
{
	struct watched_list list;
	if (!watched_read(needs->subject, &list))
		return;
	for (unsigned i = 0; i < list.count; i++)
		add(needs, NEED_WATCHED)->fd = list.items[i].fd;
	/* One that is not there, so that no ends are looked for where not all are known. */
	if (!list.whole)
		add(needs, NEED_WATCHED)->fd = -1;
}

static void add_semaphores(struct needs *needs)
{
	struct semaphore_operation operations[SEMAPHORES_MOST];
	size_t count =
		read_semaphore_operations(needs->subject, operations, ARRAY_SIZE(operations));
	for (size_t i = 0; i < count; i++) {
		struct capture_need *need = add(needs, NEED_SEMAPHORE);
		need->id = argument_int(needs->subject, 0);
		need->number = operations[i].number;
	}
}

static void add_file_lock(struct needs *needs)
{
	struct capture_file_lock request;
	if (file_lock_request(needs->subject, &request))
		add(needs, NEED_FILE_LOCK)->lock = request;
}

static void add_of_call(struct needs *needs)
{
	switch (needs->subject->row->family) {
	case FAMILY_READ:
	case FAMILY_WRITE:
	case FAMILY_TRANSFER:
		add_files(needs);
		break;
	case FAMILY_SOCKET:
	case FAMILY_CONNECT:
		add_files(needs);
		add_address(needs);
		break;
	case FAMILY_POLL:
	case FAMILY_SELECT:
	case FAMILY_EPOLL:
		add_watched(needs);
		break;
	case FAMILY_FLOCK:
	case FAMILY_FCNTL:
		add_file_lock(needs);
		break;
	case FAMILY_OPEN:
		if (subject_in_kernel(needs->subject, "__break_lease"))
			add_file_lock(needs);
		break;
	case FAMILY_CHILD:
		add(needs, NEED_CHILDREN);
		break;
	case FAMILY_CLONE:
		if (needs->subject->thread->state == 'D')
			add(needs, NEED_VFORK);
		break;
	case FAMILY_SEMAPHORE:
		add_semaphores(needs);
		break;
	default:
		break;
	}
}

unsigned classify_needs(struct capture_process *process, const struct capture_thread *thread,
			struct capture_need ret[CAPTURE_NEEDS_MOST])
{
	struct strpool strings = {0};
	struct stack stack = {0};
	struct wait wait;
	bool read_live = false;
	struct classify_context context = {.process = process, .strings = &strings};
	struct subject subject = {.context = &context,
				  .process = process,
				  .thread = thread,
				  .stack = &stack,
				  .wait = &wait,
				  .read_live = &read_live,
				  .sp = thread->syscall.sp,
				  .pc = thread->syscall.pc};
	struct needs needs = {.subject = &subject, .items = ret};
	wait_init(&wait);
	long number = classify_restarted_number(&subject, thread->syscall.number);
	wait.syscall.number = number;
	memcpy(wait.syscall.arguments, thread->syscall.arguments, sizeof(wait.syscall.arguments));
	subject.row = syscall_row(number);
	if (subject.row)
		add_of_call(&needs);
	strpool_deinit(&strings);
	return needs.count;
}
