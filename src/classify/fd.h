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
/* Does somebody else have the other end, or may have? */
bool fd_has_ends(const struct fd_type *type);
/* What fdinfo says of it, in words; NULL: nothing. */
const char *fd_detail(struct subject *subject, const struct fd_type *type, const char *info);
/* The number after key (which ends in a colon) at the beginning of a line of fdinfo. */
bool fd_info_number(const char *info, const char *key, int base, uint64_t *ret);
/* "pipe:[123]" after "pipe:[": 123; 0: it is something else. */
uint64_t fd_number_in_link(const struct capture_descriptor *descriptor, const char *prefix);
/* What was found out about it beyond the process, or NULL. */
const struct capture_socket *fd_socket(const struct subject *subject,
				       const struct capture_descriptor *descriptor);
const char *fd_socket_kind(const struct capture_socket *socket);
/* The kind of socket, by the kernel's functions; "socket" when they don't say. */
const char *socket_kind(const struct subject *subject);
/* The address of a struct sockaddr in the target, in words; NULL: not readable.  Fills *ret_kind. */
const char *socket_address(struct subject *subject, uint64_t address, uint64_t length,
			   const char **ret_kind);

#endif
