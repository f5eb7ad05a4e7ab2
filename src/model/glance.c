#include "model/glance.h"

void glance_init(struct glance *glance)
{
	*glance = (struct glance){0};
	strpool_init(&glance->strings);
}

void glance_deinit(struct glance *glance)
{
	array_for_each (&glance->processes, process)
		array_deinit(&process->threads);
	array_deinit(&glance->processes);
	strpool_deinit(&glance->strings);
}
