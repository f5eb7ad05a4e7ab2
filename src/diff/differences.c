/* Whether there is a difference, and which: what an exit status is made of. */
#include "diff/diff.h"

static bool is_at_rest(const struct thread *thread)
{
	return thread->wait.idle || thread->wait.class == WAIT_EXITED;
}

static bool counts(const struct thread_diff *thread)
{
	switch (thread->progress) {
	case PROGRESS_NONE:
		return false;
	case PROGRESS_STUCK:
	case PROGRESS_CYCLING:
		return !is_at_rest(thread->new);
	case PROGRESS_UNKNOWN:
		return thread->why_unknown != UNKNOWN_BOTH &&
		       thread->why_unknown != UNKNOWN_NO_TIME;
	default:
		return true;
	}
}

unsigned diff_differences(const struct diff *diff)
{
	unsigned found = diff->leaks.count ? DIFFERS_LEAK : 0;
	array_for_each (&diff->threads, thread) {
		if (counts(thread))
			found |= DIFFERS_BY(thread->progress);
	}
	array_for_each (&diff->groups, group) {
		if (!diff->same_run && group->after > group->before)
			found |= DIFFERS_BY(PROGRESS_NEW);
		if (!diff->same_run && group->after < group->before)
			found |= DIFFERS_BY(PROGRESS_GONE);
	}
	array_for_each (&diff->findings, finding) {
		if (finding->change == FINDING_IS_NEW)
			found |= DIFFERS_FINDING;
		if (finding->change == FINDING_RESOLVED)
			found |= DIFFERS_RESOLVED;
	}
	return found;
}
