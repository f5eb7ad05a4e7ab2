/*
 * File names made for each dump, with the letters of core_pattern: %p pid and %e name of the
 * command, %h host, %t seconds since the epoch, %n number of the dump (from 1), %% a percent sign.
 */
#ifndef HANGDUMP_CLI_FILE_TEMPLATE_H
#define HANGDUMP_CLI_FILE_TEMPLATE_H

#include <stdint.h>
#include <sys/types.h>

struct file_template_values {
	pid_t pid;
	const char *name; /* any bytes; NULL: not known */
	const char *host; /* likewise */
	int64_t seconds;
	unsigned number;
};

/* The first percent sign that is followed by no letter of these, or NULL. */
const char *file_template_fault(const char *template);

/*
 * The name, for the caller to free.  What is filled in is never more than a part of one component,
 * and no line of a log is taken for more than its words: leading dots, and all but letters, digits
 * and "-_+.@=,", become underscores.
 */
char *file_template_expand(const char *template, const struct file_template_values *values);

/* The same name with "-number" before its suffix: "d/a-2.json". */
char *file_template_numbered(const char *name, unsigned number);

#endif
