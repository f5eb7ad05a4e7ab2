/* Waits on many things at once: poll, select, epoll, io_uring, native asynchronous I/O. */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "classify/fd.h"
#include "classify/frames.h"
#include "classify/owners.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>

#define SHOWN  16
#define FD_CAP 65536 /* descriptors of a select set that are looked at */

/* A row of a library that says more of this wait than the call does. */
static void refine_by_frames(struct subject *subject)
{
	struct frame_match match;
	if (!frames_match(subject, IN_EVENTS, &match))
		return;
	subject_decide(subject, match.row->class,
		       match.doubtful ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN, match.row->pattern);
	owners_by_class(subject);
	if (match.row->kind)
		subject->wait->resource.kind = match.row->kind;
}

static const char *events_text(short events)
{
	bool in = events & (POLLIN | POLLRDNORM), out = events & (POLLOUT | POLLWRNORM);
	return in && out ? " in out" : in ? " in" : out ? " out" : events & POLLPRI ? " pri" : "";
}

static const char *pollfds_text(struct subject *subject, uint64_t address, uint64_t count)
{
	struct pollfd fds[SHOWN];
	size_t shown = count < SHOWN ? (size_t)count : SHOWN;
	struct text text = {0};
	text_printf(&text, "%" PRIu64 " descriptor%s", count, count == 1 ? "" : "s");
	if (subject_read(subject, address, fds, shown * sizeof(fds[0]))) {
		for (size_t i = 0; i < shown; i++)
			text_printf(&text, "%s%d%s", i ? ", " : ": ", fds[i].fd,
				    events_text(fds[i].events));
		text_add(&text, shown < count ? ", ..." : "");
	}
	_cleanup_free_ char *s = text_steal(&text);
	return strpool_add(subject->context->strings, s);
}

void classify_poll(struct subject *subject)
{
	/* nfds is an unsigned int to the kernel. */
	uint32_t count = (uint32_t)argument(subject, 1);
	if (count == 0) {
		subject_decide(subject, WAIT_SLEEP, CONFIDENCE_CERTAIN, "poll of nothing");
		return;
	}
	subject_decide(subject, WAIT_POLL, CONFIDENCE_CERTAIN, "poll");
	subject->wait->resource.kind = "descriptors";
	subject->wait->resource.detail = pollfds_text(subject, argument(subject, 0), count);
	refine_by_frames(subject);
}

static bool bit(const uint64_t *set, unsigned i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static bool read_set(const struct subject *subject, uint64_t address, unsigned n, uint64_t *set)
{
	memset(set, 0, (n + 63) / 64 * 8);
	/* The kernel reads whole longs. */
	return !address || subject_read(subject, address, set, (n + 63) / 64 * 8);
}

static const char *sets_text(struct subject *subject, unsigned n, unsigned *ret_count)
{
	static const char *const names[] = {" in", " out", " pri"};
	_cleanup_free_ uint64_t *sets = xcalloc(3 * ((n + 63) / 64) + 1, sizeof(*sets));
	uint64_t *set[3];
	struct text text = {0};
	for (unsigned i = 0; i < 3; i++) {
		set[i] = sets + i * ((n + 63) / 64);
		if (!read_set(subject, argument(subject, 1 + i), n, set[i]))
			return NULL;
	}
	*ret_count = 0;
	for (unsigned fd = 0; fd < n; fd++) {
		if (!bit(set[0], fd) && !bit(set[1], fd) && !bit(set[2], fd))
			continue;
		if (++*ret_count > SHOWN)
			continue;
		text_printf(&text, "%s%u", *ret_count == 1 ? "" : ", ", fd);
		for (unsigned i = 0; i < 3; i++)
			text_add(&text, bit(set[i], fd) ? names[i] : "");
	}
	_cleanup_free_ char *list = text_steal(&text);
	return subject_printf(subject, "%u descriptor%s: %s%s", *ret_count,
			      *ret_count == 1 ? "" : "s", list, *ret_count > SHOWN ? ", ..." : "");
}

void classify_select(struct subject *subject)
{
	int n = argument_int(subject, 0);
	bool sets = argument(subject, 1) || argument(subject, 2) || argument(subject, 3);
	if (n <= 0 || !sets) {
		subject_decide(subject, WAIT_SLEEP, CONFIDENCE_CERTAIN, "select of nothing");
		return;
	}
	unsigned count = 0;
	const char *text = sets_text(subject, n < FD_CAP ? (unsigned)n : FD_CAP, &count);
	subject_decide(subject, WAIT_SELECT, CONFIDENCE_CERTAIN, "select");
	subject->wait->resource.kind = "descriptors";
	subject->wait->resource.detail = text;
	refine_by_frames(subject);
}

void classify_epoll(struct subject *subject)
{
	const struct fd_type *type = classify_set_fd(subject, 0);
	if (!type)
		subject->wait->resource.kind = "epoll";
	subject_decide(subject, WAIT_EPOLL, CONFIDENCE_CERTAIN, "epoll");
	refine_by_frames(subject);
}

void classify_io_uring(struct subject *subject)
{
	classify_set_fd(subject, 0);
	subject->wait->resource.kind = "io_uring";
	/* With a registered ring the argument is an index, not a descriptor. */
	if (argument(subject, 3) & 16 /* IORING_ENTER_REGISTERED_RING */) {
		subject->wait->resource = (struct resource){.kind = "io_uring", .fd = -1};
		subject->wait->resource.detail = subject_printf(subject, "registered ring %u",
								(uint32_t)argument(subject, 0));
	}
	subject_decide(subject, WAIT_IO_URING, CONFIDENCE_CERTAIN, "io_uring_enter");
}

void classify_aio(struct subject *subject)
{
	subject_set_object(subject, "aio context", argument(subject, 0));
	subject_decide(subject, WAIT_AIO, CONFIDENCE_CERTAIN, "io_getevents");
}
