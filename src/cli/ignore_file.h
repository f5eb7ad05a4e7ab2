/* Files that say which threads are no leaks. */
#ifndef HANGDUMP_CLI_IGNORE_FILE_H
#define HANGDUMP_CLI_IGNORE_FILE_H

#include "base/error.h"
#include "diff/diff.h"

struct ignore_list {
	array(struct ignore) items;
	array(char *) lines; /* what their globs point into */
	size_t own;	     /* so many, the first, are not the built-in ones */
};

/* Adds the patterns of a file; "-" is standard input. */
struct error *ignore_list_read(struct ignore_list *list, const char *path);
void ignore_list_add_defaults(struct ignore_list *list);
void ignore_list_deinit(struct ignore_list *list);

/* As a file that could be read again. */
void print_default_ignores(void);
/* On standard error, those that are not built in and have matched nothing: how many. */
size_t report_unused_ignores(const struct ignore_list *list);

#endif
