/* A growing string, and the escaping without which nothing from a target may be shown. */
#ifndef HANGDUMP_BASE_TEXT_H
#define HANGDUMP_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* NUL-terminated once anything was added, else NULL */
	size_t length;
	size_t capacity;
};

/* Accepts zeroed storage. */
void text_deinit(struct text *text);
void text_add_n(struct text *text, const char *s, size_t n);
void text_add(struct text *text, const char *s);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The string, for the caller to free; the text is empty again.  Never NULL. */
char *text_steal(struct text *text);

/*
 * Appends n bytes of s so that a terminal or a log takes them for nothing but letters: C0 and C1
 * controls, DEL, bidirectional and line-separating characters become \n, \t, \xNN or \u{N};
 * invalid UTF-8 becomes \xNN; a backslash stays.
 */
void text_add_escaped(struct text *text, const char *s, size_t n);

/* Valid UTF-8: invalid bytes become U+FFFD.  Controls stay (a JSON writer escapes them). */
void text_add_utf8(struct text *text, const char *s, size_t n);

/* Length of the valid UTF-8 character at s (1 to 4), its code in *ret; 0 when invalid. */
unsigned utf8_decode(const char *s, size_t n, unsigned *ret);

#endif
