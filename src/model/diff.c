#include "model/diff.h"

void diff_deinit(struct diff *diff)
{
	array_for_each (&diff->groups, group)
		array_deinit(&group->members);
	array_deinit(&diff->processes);
	array_deinit(&diff->threads);
	array_deinit(&diff->groups);
	array_deinit(&diff->findings);
}
