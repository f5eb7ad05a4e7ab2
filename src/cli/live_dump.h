/* One dump of live processes, ready to be shown or stored. */
#ifndef HANGDUMP_CLI_LIVE_DUMP_H
#define HANGDUMP_CLI_LIVE_DUMP_H

#include "cli/live_options.h"
#include "model/dump.h"

/* As pipeline_dump_live(), with a deadline that begins now, the watchdog, and words for findings. */
struct error *live_dump(const pid_t *pids, size_t count, struct live_options *live,
			struct error **failures, struct dump *ret);

/* Of one process: why not is the error. */
struct error *live_dump_one(pid_t pid, struct live_options *live, struct dump *ret);

#endif
