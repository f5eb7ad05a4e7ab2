/* Functions that nothing calls: where a stack that tells it in no other way begins.  Rows only. */
#ifndef HANGDUMP_UNWIND_STARTS_H
#define HANGDUMP_UNWIND_STARTS_H

#include <stdbool.h>

/* A runtime gives its threads or coroutines their stack with this function as the first frame. */
bool start_is_first_function(const char *name);

enum go_function {
	GO_ORDINARY,
	GO_FIRST,	   /* the first on its stack */
	GO_SWITCHES_STACK, /* its caller is on another stack, that of the goroutine */
};
/* Functions of Go's runtime whose call frame information describes no caller, or a wrong one. */
enum go_function start_go_function(const char *name);

#endif
