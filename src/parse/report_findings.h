/* Findings of a report: told first, but to be understood only when all threads are known. */
#ifndef HANGDUMP_PARSE_REPORT_FINDINGS_H
#define HANGDUMP_PARSE_REPORT_FINDINGS_H

#include "parse/draft.h"

struct report_findings {
	bool is_open; /* the last finding's lines may still come */
	array(struct finding_thread {
		size_t finding;
		const char *line; /* "thread 4243 (transfer-1) waits for ..." */
	}) threads;
};

/* "DEADLOCK (likely): 2 threads wait for each other".  False: it begins no finding. */
bool report_findings_begin(struct report_findings *findings, struct draft *draft,
			   struct piece line);
/* A line below it. */
bool report_findings_take(struct report_findings *findings, struct draft *draft, struct piece line);
/* When all threads are there. */
void report_findings_finish(struct report_findings *findings, struct draft *draft);
void report_findings_forget(struct report_findings *findings);

#endif
