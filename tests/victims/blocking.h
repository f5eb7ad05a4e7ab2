/*
 * The system calls that a dump must not disturb: each row blocks in one, and can end it properly.
 * The program around the rows is blocking.c.
 */
#ifndef HANGDUMP_TESTS_VICTIMS_BLOCKING_H
#define HANGDUMP_TESTS_VICTIMS_BLOCKING_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What prepare, block and feed of one row share. */
struct slot {
	int fd[3];
	int id;
	long value;
	pid_t tid, child;
	void *memory;
	uint32_t word;
	sem_t semaphore;
	char path[108];
};

struct blocking_row {
	const char *name;
	/* NULL or: false, with errno, when this kernel or sandbox has no such thing. */
	bool (*prepare)(struct slot *slot);
	/* Blocks; returns what the call returned, with its errno. */
	long (*block)(struct slot *slot);
	/* Lets it end as its caller hopes. */
	void (*feed)(struct slot *slot);
};

/* Ended by a row without a name. */
extern const struct blocking_row blocking_descriptor_rows[];
extern const struct blocking_row blocking_socket_rows[];
extern const struct blocking_row blocking_ipc_rows[];
extern const struct blocking_row blocking_timed_rows[];

/* Ends the victim, naming the step, when a step of a test's preparation fails. */
void must(bool done, const char *what);

/* Writes one byte. */
void poke(int fd);

/* Long enough to outlive every test, short enough not to overflow anything. */
#define LONG_WHILE_S 100000

#endif
