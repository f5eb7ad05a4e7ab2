/* A fixture built and run, held still in a capture, and walked. */
#ifndef TESTS_UNWIND_TARGET_H
#define TESTS_UNWIND_TARGET_H

#include "base/array.h"
#include "capture/capture.h"
#include "objects/objects.h"
#include "unwind/unwind.h"

struct target {
	pid_t pid, tid; /* tid: of the thread that hangs */
	int output;
	array(struct target_function) functions; /* what it announced */
	struct capture *capture;
	struct objects *objects;
	const char *gone; /* a file that is removed before a held walk begins; NULL: none */
};

struct target_function {
	char name[48];
	uint64_t address;
};

/* Setup and teardown of a cmocka group: *state is the path of a directory for programs. */
int target_make_directory(void **state);
int target_remove_directory(void **state);

/*
 * Makes a program with a shell command: $CC; $S is where the fixtures' sources are, $O the program
 * to make, $D the directory.  False, with a word, when the command `needs` (may be NULL) is not
 * there; fails the test when it cannot be built.
 */
bool target_build(const char *directory, const char *name, const char *needs, const char *command,
		  char **ret_program);
/* Such a command, for chain.c with middle.c. */
#define TARGET_SPLIT(main_flags, middle_flags, link_flags)                                         \
	"$CC -O2 " middle_flags " -c $S/middle.c -o $O.o && "                                      \
	"$CC -O2 " main_flags " $S/chain.c $O.o -o $O " link_flags

/* Starts the program, waits until it has announced everything and its thread sleeps. */
void target_start(struct target *target, const char *program, bool sleeps);
/* Captures it; with no_stop from /proc alone. */
void target_capture(struct target *target, bool no_stop);
/*
 * Walks the thread that hangs while the test itself holds it, in the captured process's mappings
 * but with no memory of the capture's.
 */
void target_walk_held(const struct target *target, struct held_walk *ret);
void target_release_capture(struct target *target);
void target_end(struct target *target);

struct capture_process *target_process(const struct target *target);
const struct capture_thread *target_thread(const struct target *target);
/* The function's name: the symbol's, else what was announced, else NULL. */
const char *target_name(const struct target *target, const struct frame *frame);

#endif
