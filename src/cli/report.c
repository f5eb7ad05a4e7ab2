#include "cli/report.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void report_add_error(struct text *to, const struct error *error)
{
	_cleanup_free_ char *why = error_why(error);
	const char *advice = error_advice(error);
	text_add(to, "hangdump: ");
	if (*error->subject)
		text_add_escaped(to, error->subject, strlen(error->subject));
	else
		text_add(to, "''");
	text_add(to, ": ");
	text_add_escaped(to, why, strlen(why));
	text_add(to, "\n");
	if (advice)
		text_printf(to, "hangdump: %s\n", advice);
}

void report_error(const struct error *error)
{
	struct text line = {0};
	report_add_error(&line, error);
	fputs(line.bytes, stderr);
	text_deinit(&line);
}
