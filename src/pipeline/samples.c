#include "pipeline/samples.h"

#include "analyse/analyse.h"
#include "diff/diff.h"
#include "group/group.h"

void pipeline_take_sample(struct dump *dump, struct dump *next)
{
	diff_mark_progress(dump, next);
	next->watched_ms =
		dump->watched_ms + (int64_t)(next->monotonic_ns - dump->monotonic_ns) / 1000000;
	analyse_dump(next);
	group_threads(next);
	dump_deinit(dump);
	*dump = *next;
}
