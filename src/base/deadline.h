/* Moments on CLOCK_MONOTONIC by which work must be over. */
#ifndef HANGDUMP_BASE_DEADLINE_H
#define HANGDUMP_BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t monotonic_ns(void);
/* Sleeps until then, whatever signals are handled meanwhile; for so long. */
void sleep_until_ns(uint64_t monotonic);
void sleep_ms(uint64_t ms);

struct deadline {
	uint64_t at_ns; /* 0: none */
};

/* ms after now; 0 means no limit. */
struct deadline deadline_in_ms(uint64_t ms);
/* A part of the time that is left, so that what comes after has its own. */
struct deadline deadline_share(struct deadline deadline, unsigned percent);
bool deadline_passed(struct deadline deadline);
/* The later one of the deadline and ms after now. */
struct deadline deadline_at_least(struct deadline deadline, uint64_t ms);
/* The moment when half of the time that is left will be over; without a limit, the same. */
struct deadline deadline_halfway(struct deadline deadline);
/* Milliseconds left, for poll(2): -1 when there is no limit, 0 when it has passed. */
int deadline_poll_ms(struct deadline deadline);

#endif
