/* A part of a text, and how to take it apart.  Nothing is copied; all are linear in its length. */
#ifndef HANGDUMP_PARSE_PIECE_H
#define HANGDUMP_PARSE_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece {
	const char *s; /* not NUL-terminated */
	size_t n;
};

bool piece_equals(struct piece piece, const char *word);
bool piece_starts(struct piece piece, const char *word);
bool piece_ends(struct piece piece, const char *word);

/* Where `word` begins, or piece.n. */
size_t piece_find(struct piece piece, const char *word);

/* Cuts `word` off the front, or the end, where it is there. */
bool piece_take(struct piece *piece, const char *word);
bool piece_take_end(struct piece *piece, const char *word);
/* Cuts off what comes before the first `word`, and the word; the same from the end. */
bool piece_split(struct piece *piece, const char *word, struct piece *ret_before);
bool piece_split_end(struct piece *piece, const char *word, struct piece *ret_after);

/* Cuts a number off the front.  False, with nothing cut, where there is none up to `most`. */
bool piece_take_number(struct piece *piece, uint64_t most, uint64_t *ret);
/* The same for "0x1f", of up to 16 digits. */
bool piece_take_hex(struct piece *piece, uint64_t *ret);
/* A number and nothing else. */
bool piece_number(struct piece piece, uint64_t most, uint64_t *ret);

#endif
