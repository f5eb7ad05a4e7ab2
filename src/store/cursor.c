#include "store/cursor.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "store/json.h"

#include <stdarg.h>
#include <string.h>

enum {
	/* Of one value: a million threads in a group, and then some. */
	MOST_BYTES = 16 << 20,
	MOST_ELEMENTS = 1 << 20,
	/* Ours has five. */
	MOST_DEPTH = 64,
};

static size_t line_of(const struct cursor *cursor, const char *place)
{
	size_t line = 1;
	for (const char *at = cursor->begin; at < place; line++) {
		at = memchr(at, '\n', (size_t)(place - at));
		if (!at)
			break;
		at++;
	}
	return line;
}

void cursor_fail(struct cursor *cursor, const char *format, ...)
{
	if (cursor->error)
		return;
	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *words = xvasprintf(format, ap);
	va_end(ap);
	cursor->error = error_new(ERROR_FORMAT, 0, cursor->name, "(line %zu: %s)",
				  line_of(cursor, cursor->value), words);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && is_blank(*cursor->at))
		cursor->at++;
}

/* The next byte that means something; 0 at the end. */
static char peek(struct cursor *cursor)
{
	skip_blanks(cursor);
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

static void fail_here(struct cursor *cursor, const char *wanted)
{
	cursor->value = cursor->at;
	if (cursor->at == cursor->end)
		cursor_fail(cursor, "it ends where %s is expected", wanted);
	else
		cursor_fail(cursor, "%s is expected", wanted);
}

bool cursor_open(struct cursor *cursor, const char *brackets)
{
	if (cursor->error)
		return false;
	if (peek(cursor) != brackets[0]) {
		fail_here(cursor, *brackets == '[' ? "an array" : "an object");
		return false;
	}
	cursor->value = cursor->at++;
	if (peek(cursor) != brackets[1])
		return true;
	cursor->at++;
	return false;
}

bool cursor_more(struct cursor *cursor, const char *brackets)
{
	if (cursor->error)
		return false;
	char next = peek(cursor);
	if (next != ',' && next != brackets[1]) {
		fail_here(cursor, *brackets == '[' ? "',' or ']'" : "',' or '}'");
		return false;
	}
	cursor->at++;
	skip_blanks(cursor);
	return next == ',';
}

/* `at` is at the opening quote; the result behind the closing one, or NULL. */
static const char *string_end(const char *at, const char *end)
{
	const char *from = at + 1, *quote = from, *escape;
	while ((quote = memchr(quote, '"', (size_t)(end - quote)))) {
		for (escape = quote; escape > from && escape[-1] == '\\'; escape--)
			;
		quote++;
		if ((quote - escape) % 2)
			return quote;
	}
	return NULL;
}

static bool ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || is_blank(c);
}

struct extent {
	const char *end; /* NULL: it does not end */
	size_t elements;
	bool too_deep;
};

/* Brackets are only counted: whoever needs the value finds out which they are. */
static struct extent measure(const char *at, const char *end)
{
	struct extent extent = {.elements = 1};
	size_t depth = 0;
	while (at < end) {
		char c = *at;
		if (c == '"') {
			at = string_end(at, end);
			if (!at)
				return extent;
		} else if (!depth && ends_scalar(c)) {
			extent.end = at;
			return extent;
		} else {
			extent.elements += c == ',' || c == '{' || c == '[';
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			extent.too_deep |= depth > MOST_DEPTH;
			at++;
			if (depth || (c != '}' && c != ']'))
				continue;
		}
		if (!depth) {
			extent.end = at;
			return extent;
		}
	}
	extent.end = depth ? NULL : at;
	return extent;
}

/* Moves behind the value. */
static struct extent pass(struct cursor *cursor)
{
	struct extent none = {0};
	if (cursor->error)
		return none;
	char next = peek(cursor);
	cursor->value = cursor->at;
	if (!next || ends_scalar(next) || next == ':') {
		fail_here(cursor, "a value");
		return none;
	}
	struct extent extent = measure(cursor->at, cursor->end);
	if (!extent.end)
		cursor_fail(cursor, "what begins here does not end");
	else if (extent.too_deep)
		cursor_fail(cursor, "nested more than %d deep", MOST_DEPTH);
	if (cursor->error)
		return none;
	cursor->at = extent.end;
	return extent;
}

const char *cursor_text(struct cursor *cursor, size_t *ret_length)
{
	struct extent extent = pass(cursor);
	*ret_length = extent.end ? (size_t)(extent.end - cursor->value) : 0;
	return extent.end ? cursor->value : NULL;
}

json_t *cursor_parse(struct cursor *cursor, const char *text, size_t length)
{
	json_error_t why;
	json_t *value = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	if (!value) {
		/* What stands near may be of any length. */
		why.text[strcspn(why.text, "\n")] = '\0';
		cursor_fail(cursor, "%.100s", why.text);
	}
	return value;
}

json_t *cursor_value(struct cursor *cursor)
{
	struct extent extent = pass(cursor);
	if (!extent.end)
		return NULL;
	size_t length = (size_t)(extent.end - cursor->value);
	if (length > MOST_BYTES || extent.elements > MOST_ELEMENTS) {
		cursor_fail(cursor, "a value of more than %d bytes or %d elements", MOST_BYTES,
			    MOST_ELEMENTS);
		return NULL;
	}
	return cursor_parse(cursor, cursor->value, length);
}

const char *cursor_key(struct cursor *cursor)
{
	cursor->key[0] = '\0';
	if (!cursor->error && peek(cursor) != '"')
		fail_here(cursor, "a key");
	json_t *value = cursor_value(cursor);
	if (value)
		snprintf(cursor->key, sizeof(cursor->key), "%s", json_string_value(value));
	json_decref(value);
	if (!cursor->error && peek(cursor) != ':')
		fail_here(cursor, "':'");
	if (cursor->error)
		return "";
	cursor->at++;
	return cursor->key;
}

void cursor_finish(struct cursor *cursor)
{
	if (cursor->error || !peek(cursor))
		return;
	cursor->value = cursor->at;
	cursor_fail(cursor, "something comes after the dump");
}

static bool is_among(const char *key, const char *const *keys)
{
	for (; *keys; keys++) {
		size_t n = strlen(*keys);
		if (strncmp(key, *keys, n) == 0 && (!key[n] || strcmp(key + n, JSON_BYTES) == 0))
			return true;
	}
	return false;
}

json_t *cursor_members(struct cursor *cursor, const char *const *keys, cursor_walk_fn *walk,
		       void *context)
{
	json_t *members = json_object();
	for (bool more = cursor_open(cursor, "{}"); more; more = cursor_more(cursor, "{}")) {
		char key[sizeof(cursor->key)];
		strcpy(key, cursor_key(cursor));
		if (json_object_get(members, key)) {
			cursor_fail(cursor, "\"%s\" is there twice", key);
			break;
		}
		if (walk && walk(context, key))
			json_put(members, key, json_null());
		else if (is_among(key, keys))
			json_put(members, key, cursor_value(cursor));
		else
			pass(cursor);
	}
	return members;
}
