/* What a file descriptor is. */
#ifndef HANGDUMP_CLASSIFY_FD_H
#define HANGDUMP_CLASSIFY_FD_H

#include "classify/subject.h"

struct fd_type {
	const char *target; /* how the link begins; NULL: st_mode decides */
	unsigned mode;	    /* S_IFMT bits, or 0 for any */
	const char *kind;   /* of resource */
	enum wait_class read, write;
	bool is_path; /* the link is a path: the resource's name */
	const char *source;
};

/* NULL: it is not known what the descriptor is. */
const struct fd_type *fd_type_of(const struct capture_descriptor *descriptor);
/* What fdinfo says of it, in words; NULL: nothing. */
const char *fd_detail(struct subject *subject, const struct fd_type *type, const char *info);
/* The kind of socket, by the kernel's functions; "socket" when they don't say. */
const char *socket_kind(const struct subject *subject);
/* The address of a struct sockaddr in the target, in words; NULL: not readable.  Fills *ret_kind. */
const char *socket_address(struct subject *subject, uint64_t address, uint64_t length,
			   const char **ret_kind);

#endif
