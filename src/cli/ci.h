/*
 * What continuous integration makes of standard error and of files.
 *
 * GitHub Actions: https://docs.github.com/actions, "Workflow commands", and the runner's source
 * (src/Runner.Worker/Handlers/ScriptHandler.cs, ActionCommandManager.cs and
 * src/Runner.Common/ActionCommand.cs of actions/runner): a step's standard error is read for
 * commands just as its standard output is; "::name ...::" is one at the start of a line, after
 * blanks, and "##[name]" anywhere in it.
 * JUnit attachments: "[[ATTACHMENT|path]]" alone on a line, as Jenkins, GitLab and Azure read it.
 */
#ifndef HANGDUMP_CLI_CI_H
#define HANGDUMP_CLI_CI_H

#include "base/text.h"

#include <stdbool.h>

struct ci {
	bool github;
	bool attachments;    /* something reads JUnit attachments, or may */
	const char *summary; /* the file of the job summary, or NULL */
};

/* From the environment. */
struct ci ci_detect(void);

/* "::error title=TITLE::MESSAGE", one line, whatever bytes they have. */
void ci_add_error(struct text *to, const char *title, const char *message);

/* n bytes of foreign text that are no commands, between two lines that nobody can guess. */
void ci_add_bracketed(struct text *to, const char *bytes, size_t n);
/* The same where somebody reads commands, else the bytes alone. */
void ci_add_foreign(const struct ci *ci, struct text *to, const char *bytes, size_t n);

/* Markdown: the title, and the report as it is.  At most `most` bytes. */
void ci_add_summary(struct text *to, const char *title, const char *report, size_t most);

/* What may be appended to a job summary that has this many bytes already. */
size_t ci_summary_room(size_t used);

/* The line, for an absolute path; nothing for one that a line cannot hold. */
void ci_add_attachment(struct text *to, const char *path);

#endif
