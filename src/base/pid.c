#include "base/pid.h"

#include <limits.h>
#include <string.h>

pid_t parse_pid(const char *text)
{
	long value = 0;
	if (!*text || strlen(text) > 10)
		return 0;
	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9')
			return 0;
		value = value * 10 + (*at - '0');
	}
	return value <= INT_MAX ? (pid_t)value : 0;
}
