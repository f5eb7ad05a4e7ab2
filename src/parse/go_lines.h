/*
 * The lines of a goroutine dump, one by one.  Sources: goroutineheader(), traceback2(),
 * printcreatedby1() and printAncestorTraceback() of runtime/traceback.go, Go 1.5 to 1.26; String()
 * of goleak's Stack, 1.0 to 1.3.
 */
#ifndef HANGDUMP_PARSE_GO_LINES_H
#define HANGDUMP_PARSE_GO_LINES_H

#include "parse/piece.h"

/* "goroutine 42 gp=0xc0 m=nil [select, 5 minutes, locked to thread]:" */
struct go_header {
	struct piece prefix; /* what stands before it */
	uint64_t goid;
	struct piece words; /* "select"; with what no known version says, as it is written */
	int64_t minutes;    /* -1: not said */
	bool locked_to_thread;
	struct piece bubble; /* "synctest bubble 1"; n 0: none */
	struct piece labels; /* "{"k": "v"}"; n 0: none */
};

/* "\t/src/main.go:12 +0x1f fp=0x2 sp=0x1 pc=0x47" */
struct go_place {
	struct piece file;
	unsigned line;
	bool has_offset;
	uint64_t offset;
	uint64_t pc; /* 0: not said */
};

/*
 * Also "runtime stack:", the stack that a thread schedules on, and goleak's "Goroutine 42 in state
 * select, with main.f on top of the stack:".
 */
bool go_header_parse(struct piece line, struct go_header *ret);

/* "main.(*T).f(0x1, ...)": the name.  `inlined` when the arguments are nothing but "...". */
bool go_call_parse(struct piece line, struct piece *ret_function, bool *ret_inlined);

bool go_place_parse(struct piece line, struct go_place *ret);

/* "created by main.f in goroutine 1"; goid 0 where it is not said. */
bool go_creator_parse(struct piece line, struct piece *ret_function, uint64_t *ret_goid);

/* "...23 frames elided..."; 0: "...additional frames elided...", which does not say how many. */
bool go_elided_parse(struct piece line, uint64_t *ret_frames);

/* "non-Go function at pc=0x7f": of C, nothing else is known. */
bool go_foreign_parse(struct piece line, uint64_t *ret_pc);

/* "rax    0x0": registers come after the last stack, without a blank line. */
bool go_is_register(struct piece line);

/* "panic: test timed out after 1s", "SIGQUIT: quit": why a dump follows.  From there on. */
bool go_occasion_parse(struct piece line, struct piece *ret);

#endif
