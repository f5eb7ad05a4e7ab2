#include "parse/lines.h"

#include <ctype.h>
#include <string.h>

#define MOST_PREFIX 200

enum { ESCAPE = 0x1b, BELL = 7 };

void lines_init(struct lines *lines, const char *text, size_t size)
{
	struct piece piece = {text, size};
	*lines = (struct lines){.text = text, .size = size};
	if (piece_take(&piece, "\xef\xbb\xbf")) /* a byte order mark */
		lines->at = 3;
}

void lines_deinit(struct lines *lines)
{
	text_deinit(&lines->clean);
	text_deinit(&lines->prefix);
}

/* "\33[1;31m"; "\33]0;title\a" and "\33_bk;t=1\a", which may also end with "\33\\". */
static size_t escape_length(const char *s, size_t n)
{
	size_t i = 2;
	if (n < 2)
		return n;
	if (s[1] == '[') {
		while (i < n && ((unsigned char)s[i] < 0x40 || (unsigned char)s[i] > 0x7e))
			i++;
		return i < n ? i + 1 : n;
	}
	if (s[1] != ']' && s[1] != '_' && s[1] != 'P')
		return 2;
	for (; i < n; i++) {
		if (s[i] == BELL)
			return i + 1;
		if (s[i] == ESCAPE)
			return i + 1 < n ? i + 2 : n;
	}
	return n;
}

static struct piece without_escapes(struct lines *lines, struct piece line)
{
	const char *escape;
	if (!line.n || !memchr(line.s, ESCAPE, line.n))
		return line;
	lines->clean.length = 0;
	while (line.n && (escape = memchr(line.s, ESCAPE, line.n))) {
		size_t before = (size_t)(escape - line.s);
		size_t length = escape_length(escape, line.n - before);
		text_add_n(&lines->clean, line.s, before);
		line.s += before + length;
		line.n -= before + length;
	}
	text_add_n(&lines->clean, line.s, line.n);
	return (struct piece){lines->clean.bytes, lines->clean.length};
}

static size_t digits_at(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && isdigit((unsigned char)s[i]))
		i++;
	return i;
}

/* Editors and logs trim the blanks at the end of a prefix that nothing follows. */
static bool is_blank(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && (s[i] == ' ' || s[i] == '\t'))
		i++;
	return i == n;
}

static struct piece without_prefix(const struct lines *lines, struct piece line)
{
	const char *prefix = lines->prefix.bytes;
	size_t i = 0, j = 0, n = lines->prefix.length;
	while (i < n && j < line.n) {
		size_t digits = digits_at(prefix + i, n - i);
		size_t others = digits_at(line.s + j, line.n - j);
		if (!digits != !others || (!digits && prefix[i] != line.s[j]))
			return line;
		i += digits ? digits : 1;
		j += digits ? others : 1;
	}
	if (i < n && !is_blank(prefix + i, n - i))
		return line;
	return (struct piece){line.s + j, line.n - j};
}

bool lines_next(struct lines *lines, struct line *ret)
{
	struct piece line = {lines->text + lines->at, lines->size - lines->at};
	if (!line.n)
		return false;
	const char *end = memchr(line.s, '\n', line.n);
	lines->is_cut = !end;
	if (end)
		line.n = (size_t)(end - line.s);
	lines->at += line.n + (end != NULL);
	lines->number++;
	while (line.n && line.s[line.n - 1] == '\r')
		line.n--;
	ret->whole = without_escapes(lines, line);
	ret->text = without_prefix(lines, ret->whole);
	return true;
}

void lines_set_prefix(struct lines *lines, struct piece prefix)
{
	lines->prefix.length = 0;
	if (prefix.n && prefix.n <= MOST_PREFIX)
		text_add_n(&lines->prefix, prefix.s, prefix.n);
}
