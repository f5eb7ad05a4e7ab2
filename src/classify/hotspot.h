/* Java's threads and the monitors that they wait for, as HotSpot's own tables describe them. */
#ifndef HANGDUMP_CLASSIFY_HOTSPOT_H
#define HANGDUMP_CLASSIFY_HOTSPOT_H

#include "classify/subject.h"

/*
 * The thread waits for a monitor, or in one: says which, and whose it is where that can be told.
 * Never certain: it is read after the threads were let go.
 */
void hotspot_find_monitor(struct subject *subject);

/* What a process's threads share of it; made by the first that asks. */
struct hotspot;
/* Accepts NULL. */
void hotspot_free(struct hotspot *hotspot);

#endif
