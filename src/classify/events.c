/* Waits on many things at once: poll, select, epoll, io_uring, native asynchronous I/O. */
#include "classify/fd.h"
#include "classify/frames.h"
#include "classify/owners.h"
#include "classify/watched.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN	    16
#define EPOLL_SHOWN 8

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

/* "3 descriptors: 4 in (pipe), ..." */
static const char *list_text(struct subject *subject, const char *before, unsigned most)
{
	struct watched_list list;
	bool readable = watched_read(subject, &list);
	if (!readable && !list.total)
		return NULL;
	const char *text = readable ? watched_text(subject, &list, most) : "";
	return subject_printf(subject, "%s%" PRIu64 " descriptor%s%s%s", before, list.total,
			      list.total == 1 ? "" : "s", *text ? ": " : "", text);
}

void classify_poll(struct subject *subject)
{
	/* nfds is an unsigned int to the kernel. */
	if ((uint32_t)argument(subject, 1) == 0) {
		subject_decide(subject, WAIT_SLEEP, CONFIDENCE_CERTAIN, "poll of nothing");
		return;
	}
	subject_decide(subject, WAIT_POLL, CONFIDENCE_CERTAIN, "poll");
	subject->wait->resource.kind = "descriptors";
	subject->wait->resource.detail = list_text(subject, "", SHOWN);
	refine_by_frames(subject);
}

void classify_select(struct subject *subject)
{
	int n = argument_int(subject, 0);
	bool sets = argument(subject, 1) || argument(subject, 2) || argument(subject, 3);
	if (n <= 0 || !sets) {
		subject_decide(subject, WAIT_SLEEP, CONFIDENCE_CERTAIN, "select of nothing");
		return;
	}
	subject_decide(subject, WAIT_SELECT, CONFIDENCE_CERTAIN, "select");
	subject->wait->resource.kind = "descriptors";
	subject->wait->resource.detail = list_text(subject, "", SHOWN);
	refine_by_frames(subject);
}

void classify_epoll(struct subject *subject)
{
	const struct fd_type *type = classify_set_fd(subject, 0);
	const char *watches = list_text(subject, "watches ", EPOLL_SHOWN);
	if (!type)
		subject->wait->resource.kind = "epoll";
	if (watches)
		subject->wait->resource.detail =
			strncmp(watches, "watches 0 ", 10) == 0 ? "watches nothing" : watches;
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
