#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char words[] = "hangdump: out of memory\n";
	ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)n;
	_exit(2);
}

static void *checked(void *p, size_t size)
{
	if (!p && size)
		out_of_memory();
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size), size);
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n, size), n && size);
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size), size);
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n, size), n && size);
}

char *xstrdup(const char *s)
{
	return checked(strdup(s), 1);
}

char *xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n), 1);
}

char *xvasprintf(const char *format, va_list ap)
{
	char *s;
	if (vasprintf(&s, format, ap) < 0)
		out_of_memory();
	return s;
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *s = xvasprintf(format, ap);
	va_end(ap);
	return s;
}
