/*
 * Who beyond the process's own memory must act for a wait to end: those who have the other end of
 * a pipe or socket, hold a file lock, are a child.  The facts are the capture's surroundings.
 *
 * Counted are those that make the wait end by what they do with their end.  Not counted is whoever
 * might call shutdown(2) on the waiter's own end of a socket, or fork a further child for it.
 */
#ifndef HANGDUMP_CLASSIFY_PEERS_H
#define HANGDUMP_CLASSIFY_PEERS_H

#include "classify/subject.h"

/*
 * Fills wait.owners and what is known of them (see model/wait.h), and adds to resource.detail.
 * After the wait is classified and its time limit is known.  Without a capture in the context it
 * does nothing.
 */
void classify_peers(struct subject *subject);

/* By kind; `found` collects. */
struct peers {
	array(pid_t) pids;
	bool all;		    /* nobody else could end the wait */
	bool searched;		    /* see struct wait's owners_by_search */
	bool named;		    /* but that anybody may open it by its name */
	enum confidence confidence; /* of their being the ones */
};
/* Have the descriptors of every process been looked at? */
bool peers_all_seen(const struct subject *subject);
void peers_add(struct peers *peers, pid_t pid);
/* Those that have a file open to write to, or to read from; how many ends of it they have. */
size_t peers_add_ends(const struct subject *subject, enum capture_end_kind kind, uint64_t device,
		      uint64_t inode, bool writers, struct peers *peers);
/* Appends "; words" to the resource's detail, or makes it that. */
void peers_say(struct subject *subject, const char *words);
/* "process 77 (cat)", in the pool. */
const char *peers_name(struct subject *subject, pid_t pid);

void peers_of_socket(struct subject *subject, const struct capture_socket *socket,
		     struct peers *peers);
void peers_say_socket(struct subject *subject, const struct capture_socket *socket);
void peers_of_file_lock(struct subject *subject, struct peers *peers);
void peers_of_children(struct subject *subject, struct peers *peers);
void peers_of_vfork(struct subject *subject, struct peers *peers);
void peers_of_semaphore(struct subject *subject, struct peers *peers);

/* What the thread's call asks for; false: it is no such call, or cannot be read. */
bool file_lock_request(const struct subject *subject, struct capture_file_lock *ret);

/* struct sembuf, uapi/linux/sem.h */
struct semaphore_operation {
	uint16_t number;
	int16_t operation, flags;
};
/* What semop(2) was asked to do, the first operations of it; 0: not readable. */
size_t read_semaphore_operations(const struct subject *subject, struct semaphore_operation *ret,
				 size_t most);

#endif
