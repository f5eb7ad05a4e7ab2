#include "unwind/walk.h"

/* Which engines are asked, in this order; tests/unit/unwind/README has the measurements. */
static const struct unwind_engine_ops *const engines_of[UNWINDERS][WALK_ENGINES] = {
	[UNWINDER_AUTO] = {&unwind_engine_libdw, &unwind_engine_libunwind},
	[UNWINDER_LIBDW] = {&unwind_engine_libdw},
	[UNWINDER_LIBUNWIND] = {&unwind_engine_libunwind},
	[UNWINDER_PTRACE] = {&unwind_engine_libunwind, &unwind_engine_libdw},
};

void walker_init(struct walker *walker, struct capture_process *process, struct objects *objects,
		 enum unwinder which)
{
	*walker = (struct walker){.sites = sites_new(process, objects)};
	for (unsigned i = 0; i < WALK_ENGINES && engines_of[which][i]; i++) {
		walker->engines[i].ops = engines_of[which][i];
		walker->engines[i].engine = engines_of[which][i]->new (walker->sites);
	}
}

void walker_deinit(struct walker *walker)
{
	for (unsigned i = 0; i < WALK_ENGINES && walker->engines[i].ops; i++)
		walker->engines[i].ops->free(walker->engines[i].engine);
	sites_free(walker->sites);
}
