/* Which descriptors a poll, select or epoll waits on. */
#ifndef HANGDUMP_CLASSIFY_WATCHED_H
#define HANGDUMP_CLASSIFY_WATCHED_H

#include "classify/subject.h"

struct watched {
	int fd;
	bool in, out, pri;
	uint64_t inode; /* of the file that an epoll was given by this number; 0 not known */
};

struct watched_list {
	struct watched items[CAPTURE_WATCHED_MOST]; /* the first of them; by fd, for select */
	unsigned count;
	uint64_t total; /* what the call names, numbers that poll(2) leaves out included */
	bool whole;	/* items are all of them */
};

/* False: the call is none of these, or its arguments could not be read. */
bool watched_read(struct subject *subject, struct watched_list *ret);
/* The descriptor, unless its number has become another file's since. */
const struct capture_descriptor *watched_descriptor(const struct subject *subject,
						    const struct watched *watched);
/* "3 in (pipe), 9 in out (tcp socket to 10.0.0.5:5432), ..." */
const char *watched_text(struct subject *subject, const struct watched_list *list, unsigned most);

#endif
