/* Words on standard error: "hangdump: what: why", and a line of advice where there is some. */
#ifndef HANGDUMP_CLI_REPORT_H
#define HANGDUMP_CLI_REPORT_H

#include "base/error.h"
#include "base/text.h"

void report_error(const struct error *error);
/* The same lines, appended to *to. */
void report_add_error(struct text *to, const struct error *error);

#endif
