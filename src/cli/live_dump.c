#include "cli/live_dump.h"

#include "render/render.h"

struct error *live_dump(const pid_t *pids, size_t count, struct live_options *live,
			struct error **failures, struct dump *ret)
{
	live->pipeline.deadline = deadline_in_ms(live->deadline_ms);
	watchdog_start(live);
	struct error *error = pipeline_dump_live(pids, count, &live->pipeline, failures, ret);
	/* How long the reader of the report takes is up to the reader. */
	watchdog_stop();
	render_describe_findings(ret);
	return error;
}

struct error *live_dump_one(pid_t pid, struct live_options *live, struct dump *ret)
{
	struct error *failure = NULL;
	struct error *error = live_dump(&pid, 1, live, &failure, ret);
	if (!error)
		return failure;
	error_free(failure);
	return error;
}
