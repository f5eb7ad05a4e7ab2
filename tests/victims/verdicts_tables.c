/* What the program `verdicts` knows; its scene is verdicts.c. */
#include "verdicts.h"

const struct verdict_row *const verdict_tables[] = {
	verdict_lock_rows, verdict_lone_rows,	verdict_process_rows, verdict_event_rows,
	verdict_file_rows, verdict_moving_rows, verdict_crowd_rows,   NULL,
};
