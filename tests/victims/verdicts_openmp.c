/* As verdicts.h says, for OpenMP: a thread at a barrier keeps a lock that another wants. */
#include "verdicts.h"

#include <omp.h>

static void barrier_in_lock(void)
{
	omp_lock_t lock;
	omp_init_lock(&lock);
	stage(2, 2);
#pragma omp parallel num_threads(2)
	{
		if (omp_get_thread_num() == 0) {
			omp_set_lock(&lock);
			gather();
			arrive("a");
		} else {
			gather();
			arrive("b");
			omp_set_lock(&lock);
		}
#pragma omp barrier
	}
	sleep_for_ever();
}

static const struct verdict_row rows[] = {{"openmp-lock", barrier_in_lock}, {0}};

const struct verdict_row *const verdict_tables[] = {rows, NULL};
