#include "base/text.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_deinit(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

void text_add_n(struct text *text, const char *s, size_t n)
{
	if (text->capacity - text->length < n + 1) {
		size_t want = text->length + n + 1;
		size_t doubled = text->capacity * 2;
		text->capacity = want > doubled ? want : doubled;
		text->bytes = xreallocarray(text->bytes, text->capacity, 1);
	}
	memcpy(text->bytes + text->length, s, n);
	text->length += n;
	text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *s)
{
	text_add_n(text, s, strlen(s));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *s = xvasprintf(format, ap);
	va_end(ap);
	text_add(text, s);
}

char *text_steal(struct text *text)
{
	char *s = text->bytes ? text->bytes : xstrdup("");
	*text = (struct text){0};
	return s;
}

unsigned utf8_decode(const char *s, size_t n, unsigned *ret)
{
	const unsigned char *b = (const unsigned char *)s;
	unsigned length, code, least;
	if (n == 0)
		return 0;
	if (b[0] < 0x80) {
		*ret = b[0];
		return 1;
	} else if ((b[0] & 0xe0) == 0xc0) {
		length = 2, code = b[0] & 0x1f, least = 0x80;
	} else if ((b[0] & 0xf0) == 0xe0) {
		length = 3, code = b[0] & 0x0f, least = 0x800;
	} else if ((b[0] & 0xf8) == 0xf0) {
		length = 4, code = b[0] & 0x07, least = 0x10000;
	} else {
		return 0;
	}
	if (n < length)
		return 0;
	for (unsigned i = 1; i < length; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (b[i] & 0x3f);
	}
	/* Overlong forms, surrogates, beyond Unicode. */
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret = code;
	return length;
}

static bool is_deceptive(unsigned code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void text_add_escaped(struct text *text, const char *s, size_t n)
{
	while (n) {
		unsigned code, length = utf8_decode(s, n, &code);
		if (!length) {
			text_printf(text, "\\x%02x", (unsigned char)*s);
			length = 1;
		} else if (!is_deceptive(code)) {
			text_add_n(text, s, length);
		} else if (code == '\n') {
			text_add(text, "\\n");
		} else if (code == '\t') {
			text_add(text, "\\t");
		} else if (code < 0x100) {
			text_printf(text, "\\x%02x", code);
		} else {
			text_printf(text, "\\u{%x}", code);
		}
		s += length;
		n -= length;
	}
}

void text_add_utf8(struct text *text, const char *s, size_t n)
{
	while (n) {
		unsigned code, length = utf8_decode(s, n, &code);
		if (length) {
			text_add_n(text, s, length);
		} else {
			text_add(text, "\xef\xbf\xbd");
			length = 1;
		}
		s += length;
		n -= length;
	}
}
