/*
 * A small program, built in a directory of its own, run, captured and symbolized.  The program
 * tells the addresses that it is about, 8 bytes each, on its standard output, and then sleeps.
 */
#ifndef HANGDUMP_TESTS_LAB_H
#define HANGDUMP_TESTS_LAB_H

#include "capture/capture.h"
#include "symbolize/symbolize.h"

#include <stdio.h>

#define LAB_ADDRESSES 16

struct lab {
	char dir[64];
	pid_t child;
	uint64_t addresses[LAB_ADDRESSES];
	size_t count;
	struct capture *capture;
	struct objects *objects;
	struct symbolize *symbolize;
	struct strpool strings;
};

/* Writes the program's sources. */
void lab_open(struct lab *lab);
/* A file in its directory. */
void lab_write(struct lab *lab, const char *name, const char *text);
/* In its directory; false when the command fails. */
bool lab_sh(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Runs it and takes `count` addresses. */
void lab_run(struct lab *lab, const char *program, size_t count);
/* Captures it; objects and symbolize are there from then on. */
void lab_capture(struct lab *lab);
struct capture_process *lab_process(struct lab *lab);
/* The frames of one pc, as if it was the innermost of a stack: stack_deinit() them. */
struct stack lab_frames(struct lab *lab, uint64_t pc);
/* The object with this base name, opened. */
const struct object *lab_object(struct lab *lab, const char *name);
/* Ends the program, frees and removes everything. */
void lab_close(struct lab *lab);

#endif
