/* The exit statuses of `hangdump PID`, as the manual promises them. */
#ifndef HANGDUMP_CLI_EXIT_CODE_H
#define HANGDUMP_CLI_EXIT_CODE_H

enum exit_code {
	EXIT_WHOLE = 0,	  /* everything could be read */
	EXIT_PARTIAL = 1, /* something could not: the report says what */
	EXIT_NOTHING = 2, /* there is nothing to show */
};

/* Of `hangdump run`, where it is not the command's own: timeout(1) has the same. */
enum {
	EXIT_TIMED_OUT = 124,
	EXIT_OWN_FAILURE = 125,
	EXIT_NOT_RUNNABLE = 126,
	EXIT_NOT_FOUND = 127,
};

#endif
