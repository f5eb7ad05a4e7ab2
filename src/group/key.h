/* When two threads of a process belong together: the relation, and a hash that agrees with it. */
#ifndef HANGDUMP_GROUP_KEY_H
#define HANGDUMP_GROUP_KEY_H

#include "model/dump.h"

#include <stdbool.h>
#include <stdint.h>

uint64_t key_hash(const struct thread *thread);
bool key_equal(const struct thread *a, const struct thread *b);

#endif
