#include "base/duration.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *suffix;
	double ms;
} units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};

static const char *parse_unit(const char *s, double *ret_ms)
{
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i].suffix);
		if (strncmp(s, units[i].suffix, n) == 0 && !isalpha((unsigned char)s[n])) {
			*ret_ms = units[i].ms;
			return s + n;
		}
	}
	return NULL;
}

bool duration_parse(const char *s, uint64_t *ret_ms)
{
	const char *first = s;
	double total = 0;
	if (!*s)
		return false;
	while (*s) {
		/* strtod also takes signs, blanks, hexadecimal, "inf" and "nan". */
		if (strspn(s, "0123456789.") == 0 || s[1] == 'x' || s[1] == 'X')
			return false;
		bool is_first = s == first;
		char *end;
		double number = strtod(s, &end), unit = 1e3;
		if (end == s || !isfinite(number))
			return false;
		s = end;
		if (*s) {
			s = parse_unit(s, &unit);
			if (!s)
				return false;
		} else if (!is_first) {
			return false; /* "1h30": thirty what? */
		}
		total += number * unit;
	}
	if (!(total < 9e15))
		return false;
	/* Never round a limit down to "no limit". */
	*ret_ms = (uint64_t)ceil(total);
	return true;
}

bool duration_minutes(int64_t ms, char *buf, unsigned size)
{
	int64_t minutes = ms / 60000;
	if (ms < 0 || minutes < 1)
		return false;
	snprintf(buf, size, "%" PRId64 " minute%s", minutes, minutes == 1 ? "" : "s");
	return true;
}

void duration_short(int64_t ms, char *buf, unsigned size)
{
	static const struct {
		int64_t below_ms, unit_ms;
		const char *name;
	} steps[] = {{10000, 1, "ms"},
		     {600000, 1000, "s"},
		     {36000000, 60000, "min"},
		     {864000000, 3600000, "h"},
		     {INT64_MAX, 86400000, "d"}};
	if (ms < 0)
		ms = 0;
	unsigned i = 0;
	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && ms >= steps[i].below_ms)
		i++;
	snprintf(buf, size, "%" PRId64 " %s", ms / steps[i].unit_ms, steps[i].name);
}
