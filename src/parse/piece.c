#include "parse/piece.h"

#include <ctype.h>
#include <string.h>

bool piece_equals(struct piece piece, const char *word)
{
	return piece.n == strlen(word) && memcmp(piece.s, word, piece.n) == 0;
}

bool piece_starts(struct piece piece, const char *word)
{
	return piece_take(&piece, word);
}

bool piece_ends(struct piece piece, const char *word)
{
	return piece_take_end(&piece, word);
}

size_t piece_find(struct piece piece, const char *word)
{
	const char *found = piece.n ? memmem(piece.s, piece.n, word, strlen(word)) : NULL;
	return found ? (size_t)(found - piece.s) : piece.n;
}

bool piece_take(struct piece *piece, const char *word)
{
	size_t n = strlen(word);
	if (piece->n < n || memcmp(piece->s, word, n) != 0)
		return false;
	piece->s += n;
	piece->n -= n;
	return true;
}

bool piece_take_end(struct piece *piece, const char *word)
{
	size_t n = strlen(word);
	if (piece->n < n || memcmp(piece->s + piece->n - n, word, n) != 0)
		return false;
	piece->n -= n;
	return true;
}

bool piece_split(struct piece *piece, const char *word, struct piece *ret_before)
{
	size_t at = piece_find(*piece, word), n = strlen(word);
	if (at == piece->n)
		return false;
	*ret_before = (struct piece){piece->s, at};
	piece->s += at + n;
	piece->n -= at + n;
	return true;
}

bool piece_split_end(struct piece *piece, const char *word, struct piece *ret_after)
{
	size_t n = strlen(word);
	for (size_t at = piece->n; at >= n; at--) {
		if (memcmp(piece->s + at - n, word, n) == 0) {
			*ret_after = (struct piece){piece->s + at, piece->n - at};
			piece->n = at - n;
			return true;
		}
	}
	return false;
}

bool piece_take_number(struct piece *piece, uint64_t most, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;
	for (; i < piece->n && isdigit((unsigned char)piece->s[i]); i++) {
		uint64_t digit = (uint64_t)(piece->s[i] - '0');
		if (value > (most - digit) / 10 || digit > most)
			return false;
		value = value * 10 + digit;
	}
	if (!i)
		return false;
	piece->s += i;
	piece->n -= i;
	*ret = value;
	return true;
}

bool piece_take_hex(struct piece *piece, uint64_t *ret)
{
	struct piece rest = *piece;
	uint64_t value = 0;
	size_t i = 0;
	if (!piece_take(&rest, "0x"))
		return false;
	for (; i < rest.n && isxdigit((unsigned char)rest.s[i]); i++) {
		int c = tolower((unsigned char)rest.s[i]);
		if (i == 16)
			return false;
		value = value << 4 | (uint64_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	if (!i)
		return false;
	*piece = (struct piece){rest.s + i, rest.n - i};
	*ret = value;
	return true;
}

bool piece_number(struct piece piece, uint64_t most, uint64_t *ret)
{
	uint64_t value;
	if (!piece_take_number(&piece, most, &value) || piece.n)
		return false;
	*ret = value;
	return true;
}
