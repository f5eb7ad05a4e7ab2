#include "cli/report.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void report_error(const struct error *error)
{
	_cleanup_free_ char *why = error_why(error);
	const char *advice = error_advice(error);
	struct text line = {0};
	text_add(&line, "hangdump: ");
	if (*error->subject)
		text_add_escaped(&line, error->subject, strlen(error->subject));
	else
		text_add(&line, "''");
	text_add(&line, ": ");
	text_add_escaped(&line, why, strlen(why));
	text_add(&line, "\n");
	if (advice)
		text_printf(&line, "hangdump: %s\n", advice);
	fputs(line.bytes, stderr);
	text_deinit(&line);
}
