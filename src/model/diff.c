#include "model/diff.h"

const char *const ignore_kind_names[IGNORE_KINDS] = {[IGNORE_FUNCTION] = "function",
						     [IGNORE_TOP] = "top",
						     [IGNORE_MODULE] = "module",
						     [IGNORE_NAME] = "name"};

void diff_deinit(struct diff *diff)
{
	array_for_each (&diff->groups, group)
		array_deinit(&group->members);
	array_deinit(&diff->processes);
	array_deinit(&diff->threads);
	array_deinit(&diff->groups);
	array_deinit(&diff->findings);
	array_for_each (&diff->leaks, leak)
		array_deinit(&leak->members);
	array_deinit(&diff->leaks);
}
