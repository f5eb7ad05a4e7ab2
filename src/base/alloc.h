/*
 * Allocation that ends the program when memory is gone.  That is safe at any moment: a tracer's
 * end detaches its tracees, and nobody here sets PTRACE_O_EXITKILL.
 */
#ifndef HANGDUMP_BASE_ALLOC_H
#define HANGDUMP_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
/* Zeroed; dies also when n * size overflows. */
void *xcalloc(size_t n, size_t size);
/* xmalloc and xrealloc are also what libiberty calls, in place of its own of the same name. */
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
