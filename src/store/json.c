#include "store/json.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

json_t *json_text(const char *s)
{
	if (!s)
		return json_null();
	json_t *value = json_string(s); /* NULL when it is not UTF-8 */
	if (value)
		return value;
	struct text text = {0};
	text_add_utf8(&text, s, strlen(s));
	value = json_stringn(text.bytes ? text.bytes : "", text.length);
	text_deinit(&text);
	return value;
}

json_t *json_address(uint64_t address)
{
	char buf[32];
	snprintf(buf, sizeof(buf), "0x%" PRIx64, address);
	return json_string(buf);
}

json_t *json_known(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

json_t *json_nonzero(uint64_t value)
{
	return value == 0 || value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

json_t *json_count(uint64_t value)
{
	return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

void json_put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new_nocheck(object, key, value);
}

json_t *json_bytes(const char *s)
{
	struct text bytes = {0};
	for (const char *c = s; *c; c++)
		text_printf(&bytes, "%02x", (unsigned char)*c);
	json_t *value = json_stringn(bytes.bytes ? bytes.bytes : "", bytes.length);
	text_deinit(&bytes);
	return value;
}

bool json_is_exact(const json_t *value, const char *s)
{
	return !s || strcmp(json_string_value(value), s) == 0;
}

void json_put_text(json_t *object, const char *key, const char *s)
{
	json_t *value = json_text(s);
	json_put(object, key, value);
	if (json_is_exact(value, s))
		return;
	_cleanup_free_ char *bytes_key = xasprintf("%s" JSON_BYTES, key);
	json_put(object, bytes_key, json_bytes(s));
}

#define FLUSH_AT   65536
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY)

/* jansson leaves DEL as it is.  Outside of strings it cannot occur. */
static int write_escaping_del(const char *bytes, size_t n, void *data)
{
	struct json_stream *stream = data;
	const char *del;
	while ((del = memchr(bytes, 0x7f, n))) {
		json_write_raw(stream, bytes, (size_t)(del - bytes));
		json_write_word(stream, "\\u007f");
		n -= (size_t)(del - bytes) + 1;
		bytes = del + 1;
	}
	json_write_raw(stream, bytes, n);
	return stream->failed ? -1 : 0;
}

static void dump_value(struct json_stream *stream, json_t *value, size_t flags)
{
	if (!stream->failed && json_dump_callback(value, write_escaping_del, stream, flags) < 0)
		stream->failed = true;
	json_decref(value);
}

static void flush(struct json_stream *stream)
{
	size_t n = stream->text.length;
	stream->text.length = 0;
	if (stream->failed || n == 0 || fwrite(stream->text.bytes, 1, n, stream->to) == n)
		return;
	stream->failed = true;
	stream->os_errno = errno;
}

void json_stream_finish(struct json_stream *stream)
{
	flush(stream);
	text_deinit(&stream->text);
}

void json_write_raw(struct json_stream *stream, const char *bytes, size_t n)
{
	text_add_n(&stream->text, bytes, n);
	if (stream->to && stream->text.length >= FLUSH_AT)
		flush(stream);
}

void json_write_word(struct json_stream *stream, const char *word)
{
	json_write_raw(stream, word, strlen(word));
}

void json_write(struct json_stream *stream, json_t *value)
{
	dump_value(stream, value, DUMP_FLAGS);
}

void json_write_members(struct json_stream *stream, json_t *object)
{
	dump_value(stream, object, DUMP_FLAGS | JSON_EMBED);
}
