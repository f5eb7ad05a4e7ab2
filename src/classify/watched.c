#include "classify/watched.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "classify/fd.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#define FD_CAP 65536 /* descriptors of a select set that are looked at */

static void add(struct watched_list *list, struct watched watched)
{
	if (list->count < ARRAY_SIZE(list->items))
		list->items[list->count++] = watched;
	else
		list->whole = false;
}

static bool read_poll(struct subject *subject, struct watched_list *list)
{
	struct pollfd fds[CAPTURE_WATCHED_MOST];
	/* nfds is an unsigned int to the kernel. */
	list->total = (uint32_t)argument(subject, 1);
	size_t n = list->total < ARRAY_SIZE(fds) ? (size_t)list->total : ARRAY_SIZE(fds);
	list->whole = n == list->total;
	/* A long one may not have been captured to its end. */
	while (n && !subject_read(subject, argument(subject, 0), fds, n * sizeof(fds[0]))) {
		n /= 2;
		list->whole = false;
	}
	for (size_t i = 0; i < n; i++) {
		short events = fds[i].events;
		if (fds[i].fd >= 0)
			add(list, (struct watched){.fd = fds[i].fd,
						   .in = events & (POLLIN | POLLRDNORM),
						   .out = events & (POLLOUT | POLLWRNORM),
						   .pri = events & POLLPRI});
	}
	return n || !list->total;
}

static bool bit(const uint64_t *set, unsigned i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static bool read_select(struct subject *subject, struct watched_list *list)
{
	int32_t limit = argument_int(subject, 0);
	unsigned n = limit < 0 ? 0 : limit < FD_CAP ? (unsigned)limit : FD_CAP;
	size_t words = (n + 63) / 64;
	_cleanup_free_ uint64_t *sets = xcalloc(3 * words + 1, sizeof(*sets));
	list->whole = limit <= FD_CAP;
	for (unsigned i = 0; i < 3; i++) {
		/* The kernel reads whole longs. */
		uint64_t address = argument(subject, 1 + i);
		if (address && words &&
		    !subject_read(subject, address, sets + i * words, words * 8))
			return false;
	}
	for (unsigned fd = 0; fd < n; fd++) {
		struct watched watched = {.fd = (int)fd,
					  .in = bit(sets, fd),
					  .out = bit(sets + words, fd),
					  .pri = bit(sets + 2 * words, fd)};
		if (!watched.in && !watched.out && !watched.pri)
			continue;
		list->total++;
		add(list, watched);
	}
	return true;
}

/* "tfd:  7 events: 19 data: 7 pos:0 ino:b sdev:c" for each. */
static bool parse_epoll_line(const char *line, struct watched *ret)
{
	if (strncmp(line, "tfd:", 4) != 0)
		return false;
	size_t length = strcspn(line, "\n");
	const char *events = memmem(line, length, "events:", 7);
	const char *inode = memmem(line, length, " ino:", 5);
	uint64_t mask = events ? strtoull(events + 7, NULL, 16) : 0;
	*ret = (struct watched){.fd = (int)strtol(line + 4, NULL, 10),
				.in = mask & (EPOLLIN | EPOLLRDNORM),
				.out = mask & (EPOLLOUT | EPOLLWRNORM),
				.pri = mask & EPOLLPRI,
				.inode = inode ? strtoull(inode + 5, NULL, 16) : 0};
	return true;
}

static bool read_epoll(struct subject *subject, struct watched_list *list)
{
	const struct capture_descriptor *epoll =
		subject_descriptor(subject, argument_int(subject, 0));
	const struct fd_type *type = fd_type_of(epoll);
	if (!type || type->read != WAIT_EPOLL || !epoll->info)
		return false;
	list->whole = true;
	for (const char *line = epoll->info; line && *line; line = strchr(line, '\n')) {
		struct watched watched;
		line += *line == '\n';
		if (!parse_epoll_line(line, &watched))
			continue;
		list->total++;
		add(list, watched);
	}
	return true;
}

bool watched_read(struct subject *subject, struct watched_list *ret)
{
	*ret = (struct watched_list){.count = 0};
	switch (subject->row ? subject->row->family : FAMILY_OTHER) {
	case FAMILY_POLL:
		return read_poll(subject, ret);
	case FAMILY_SELECT:
		return read_select(subject, ret);
	case FAMILY_EPOLL:
		return read_epoll(subject, ret);
	default:
		return false;
	}
}

const struct capture_descriptor *watched_descriptor(const struct subject *subject,
						    const struct watched *watched)
{
	const struct capture_descriptor *descriptor = subject_descriptor(subject, watched->fd);
	if (descriptor && watched->inode && descriptor->inode &&
	    watched->inode != descriptor->inode)
		return NULL;
	return descriptor;
}

static void add_socket(const struct subject *subject, const struct capture_descriptor *descriptor,
		       struct text *text)
{
	const struct capture_socket *socket = fd_socket(subject, descriptor);
	text_add(text, socket ? fd_socket_kind(socket) : "socket");
	if (socket && socket->peer)
		text_printf(text, " to %s", socket->peer);
	else if (socket && socket->local)
		text_printf(text, " %s", socket->local);
}

/* What it is, where that is known: " (pipe)". */
static void add_what(const struct subject *subject, const struct watched *watched,
		     struct text *text)
{
	const struct capture_descriptor *descriptor = watched_descriptor(subject, watched);
	const struct fd_type *type = fd_type_of(descriptor);
	if (!type)
		return;
	text_add(text, " (");
	if (type->read == WAIT_SOCKET_READ)
		add_socket(subject, descriptor, text);
	else
		text_add(text, type->is_path ? descriptor->target : type->kind);
	text_add(text, ")");
}

const char *watched_text(struct subject *subject, const struct watched_list *list, unsigned most)
{
	struct text text = {0};
	for (unsigned i = 0; i < list->count && i < most; i++) {
		const struct watched *watched = &list->items[i];
		text_printf(&text, "%s%d%s%s%s", i ? ", " : "", watched->fd,
			    watched->in ? " in" : "", watched->out ? " out" : "",
			    watched->pri ? " pri" : "");
		add_what(subject, watched, &text);
	}
	if (list->count && (list->count > most || !list->whole))
		text_add(&text, ", ...");
	_cleanup_free_ char *s = text_steal(&text);
	return strpool_add(subject->context->strings, s);
}
