#include "store/fields.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/json.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

static const json_t *member(const struct fields *fields, const char *key)
{
	const json_t *value = json_object_get(fields->object, key);
	return json_is_null(value) ? NULL : value;
}

static const json_t *member_of_type(const struct fields *fields, const char *key, bool is_right,
				    const char *wanted)
{
	const json_t *value = member(fields, key);
	if (value && !is_right)
		cursor_fail(fields->cursor, "\"%s\" must be %s", key, wanted);
	return value && is_right ? value : NULL;
}

struct fields fields_of(const struct fields *fields, const char *key)
{
	const json_t *value =
		member_of_type(fields, key, json_is_object(member(fields, key)), "an object");
	return (struct fields){fields->cursor, fields->strings, value};
}

const json_t *field_array(const struct fields *fields, const char *key)
{
	return member_of_type(fields, key, json_is_array(member(fields, key)), "an array");
}

struct fields fields_of_element(const struct fields *fields, const json_t *element)
{
	if (!json_is_object(element))
		cursor_fail(fields->cursor, "an object is expected in an array");
	return (struct fields){fields->cursor, fields->strings,
			       json_is_object(element) ? element : NULL};
}

void field_require(const struct fields *fields, const char *key)
{
	if (!member(fields, key))
		cursor_fail(fields->cursor, "\"%s\" is missing", key);
}

bool field_flag(const struct fields *fields, const char *key)
{
	return json_is_true(
		member_of_type(fields, key, json_is_boolean(member(fields, key)), "true or false"));
}

static bool is_number(const struct fields *fields, const char *key, const json_t *value,
		      int64_t least, int64_t most)
{
	int64_t number = json_integer_value(value);
	if (json_is_integer(value) && number >= least && number <= most)
		return true;
	cursor_fail(fields->cursor, "\"%s\" must be a whole number from %" PRId64 " to %" PRId64,
		    key, least, most);
	return false;
}

int64_t field_number(const struct fields *fields, const char *key, int64_t most, int64_t missing)
{
	const json_t *value = member(fields, key);
	return value && is_number(fields, key, value, 0, most) ? json_integer_value(value)
							       : missing;
}

pid_t element_pid(const struct fields *fields, const char *key, const json_t *element)
{
	return is_number(fields, key, element, 1, INT_MAX) ? (pid_t)json_integer_value(element) : 0;
}

pid_t field_pid(const struct fields *fields, const char *key)
{
	const json_t *value = member(fields, key);
	return value ? element_pid(fields, key, value) : 0;
}

uint64_t element_address(const struct fields *fields, const char *key, const json_t *element)
{
	const char *word = json_string_value(element);
	size_t digits =
		word && strncmp(word, "0x", 2) == 0 ? strspn(word + 2, "0123456789abcdef") : 0;
	if (digits && digits <= 16 && !word[2 + digits])
		return strtoull(word + 2, NULL, 16);
	cursor_fail(fields->cursor, "\"%s\" must be an address, \"0x...\"", key);
	return 0;
}

uint64_t field_address(const struct fields *fields, const char *key)
{
	const json_t *value = member(fields, key);
	return value ? element_address(fields, key, value) : 0;
}

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = c ? strchr(digits, c) : NULL;
	return digit ? (int)(digit - digits) : -1;
}

/* In place; false when it is not pairs of hexadecimal digits, or holds a NUL. */
static bool decode_bytes(char *word)
{
	size_t length = strlen(word);
	for (size_t i = 0; i + 1 < length; i += 2) {
		int high = digit_of(word[i]), low = digit_of(word[i + 1]);
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return false;
		word[i / 2] = (char)(high << 4 | low);
	}
	if (length % 2)
		return false;
	word[length / 2] = '\0';
	return true;
}

const char *element_text(const struct fields *fields, const char *key, const json_t *element,
			 const json_t *bytes)
{
	if (!element || json_is_null(element))
		return NULL;
	if (!json_is_string(element) || (bytes && !json_is_string(bytes))) {
		cursor_fail(fields->cursor, "\"%s\" must be text", key);
		return NULL;
	}
	if (!bytes)
		return strpool_add(fields->strings, json_string_value(element));
	_cleanup_free_ char *decoded = xstrdup(json_string_value(bytes));
	if (decode_bytes(decoded))
		return strpool_add(fields->strings, decoded);
	cursor_fail(fields->cursor, "\"%s" JSON_BYTES "\" must be pairs of hexadecimal digits",
		    key);
	return NULL;
}

const char *field_text(const struct fields *fields, const char *key)
{
	char bytes_key[64];
	snprintf(bytes_key, sizeof(bytes_key), "%s" JSON_BYTES, key);
	return element_text(fields, key, member(fields, key), member(fields, bytes_key));
}

char field_letter(const struct fields *fields, const char *key)
{
	unsigned code;
	const char *text = field_text(fields, key);
	if (!text)
		return '\0';
	size_t length = strlen(text);
	if (length == 1)
		return *text;
	if (!length || utf8_decode(text, length, &code) != length)
		cursor_fail(fields->cursor, "\"%s\" must be one letter", key);
	return '?';
}

int find_word(const char *word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (names[i] && strcmp(word, names[i]) == 0)
			return i;
	}
	return -1;
}

int field_choice(const struct fields *fields, const char *key, const char *const *names, int count,
		 int missing)
{
	const json_t *value = member(fields, key);
	const char *word = json_string_value(value);
	int index = word ? find_word(word, names, count) : -1;
	if (value && index < 0)
		cursor_fail(fields->cursor, "\"%s\" is none of its words", key);
	return index < 0 ? missing : index;
}
