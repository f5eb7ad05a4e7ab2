/* The exit statuses of `hangdump PID`, as the manual promises them. */
#ifndef HANGDUMP_CLI_EXIT_CODE_H
#define HANGDUMP_CLI_EXIT_CODE_H

enum exit_code {
	EXIT_WHOLE = 0,	  /* everything could be read */
	EXIT_PARTIAL = 1, /* something could not: the report says what */
	EXIT_NOTHING = 2, /* there is nothing to show */
};

#endif
