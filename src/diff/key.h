/*
 * When threads of different runs are in the same place: the relation, and a hash that agrees with
 * it.  The same class (for "system call" the same call) and the same functions in files of the
 * same name; what has no function counts as its offset in the file.  The kernel's frames count
 * only where there are no others, because not everybody may read them.  Goroutines, never with
 * threads, also have the same creator and wait in the same words of Go's.
 *
 * by_name: functions count by their names alone, because a text does not say in which file a
 * function is whose source it names (diff.by_name).
 */
#ifndef HANGDUMP_DIFF_KEY_H
#define HANGDUMP_DIFF_KEY_H

#include "model/dump.h"

#include <stdbool.h>
#include <stdint.h>

uint64_t place_hash(const struct thread *thread, bool by_name);
bool place_equal(const struct thread *a, const struct thread *b, bool by_name);

/* The last part of a path, without " (deleted)": where it begins, and its length. */
const char *module_base(const char *path, size_t *ret_length);

/* For all hashes of this room. */
uint64_t hash_mix(uint64_t hash, uint64_t value);
uint64_t hash_text(uint64_t hash, const char *s, size_t n);

#endif
