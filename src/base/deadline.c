#include "base/deadline.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

uint64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void sleep_until_ns(uint64_t monotonic)
{
	const struct timespec when = {(time_t)(monotonic / 1000000000),
				      (long)(monotonic % 1000000000)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		continue;
}

void sleep_ms(uint64_t ms)
{
	const uint64_t most = INT64_MAX / 1000000;
	sleep_until_ns(monotonic_ns() + (ms < most ? ms : most) * 1000000);
}

struct deadline deadline_in_ms(uint64_t ms)
{
	if (ms == 0 || ms > INT64_MAX / 1000000)
		return (struct deadline){0};
	return (struct deadline){monotonic_ns() + ms * 1000000u};
}

struct deadline deadline_share(struct deadline deadline, unsigned percent)
{
	uint64_t now = monotonic_ns();
	if (!deadline.at_ns || deadline.at_ns <= now)
		return deadline;
	return (struct deadline){now + (deadline.at_ns - now) / 100 * percent};
}

bool deadline_passed(struct deadline deadline)
{
	return deadline.at_ns && monotonic_ns() >= deadline.at_ns;
}

struct deadline deadline_halfway(struct deadline deadline)
{
	uint64_t now = monotonic_ns();
	if (!deadline.at_ns || deadline.at_ns <= now)
		return deadline;
	return (struct deadline){now + (deadline.at_ns - now) / 2};
}

struct deadline deadline_at_least(struct deadline deadline, uint64_t ms)
{
	struct deadline least = deadline_in_ms(ms);
	return !deadline.at_ns || deadline.at_ns > least.at_ns ? deadline : least;
}

int deadline_poll_ms(struct deadline deadline)
{
	if (!deadline.at_ns)
		return -1;
	uint64_t now = monotonic_ns();
	if (now >= deadline.at_ns)
		return 0;
	uint64_t ms = (deadline.at_ns - now + 999999) / 1000000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
