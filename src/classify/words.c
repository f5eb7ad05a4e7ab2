#include "classify/words.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *signal_set_text(uint64_t mask)
{
	struct text text = {0};
	unsigned shown = 0, count = (unsigned)__builtin_popcountll(mask);
	/* A nearly full set is better told by what is not in it. */
	bool inverse = count > 32;
	if (inverse) {
		text_add(&text, count == 64 ? "all" : "all but ");
		mask = ~mask;
	}
	for (int i = 1; i <= 64; i++) {
		if (!(mask & (1ull << (i - 1))))
			continue;
		const char *name = i < 32 ? sigabbrev_np(i) : NULL;
		text_add(&text, shown++ ? ", " : "");
		if (name)
			text_printf(&text, "SIG%s", name);
		else
			text_printf(&text, "%d", i);
	}
	if (!shown && !inverse)
		text_add(&text, "none");
	return text_steal(&text);
}

bool timerfd_left_ms(const char *info, int64_t *ret)
{
	const char *line = info ? strstr(info, "it_value: (") : NULL;
	long long seconds, nanoseconds;
	if (!line || sscanf(line, "it_value: (%lld, %lld)", &seconds, &nanoseconds) != 2)
		return false;
	if (seconds < 0 || nanoseconds < 0 || nanoseconds > 999999999 ||
	    seconds > INT64_MAX / 1000 - 1)
		return false;
	*ret = seconds * 1000 + (nanoseconds + 999999) / 1000000;
	return true;
}
