/*
 * The parts of the text report.  Each ends its own lines, and all but the header begin with an
 * empty one, unless said otherwise.
 */
#ifndef HANGDUMP_RENDER_PARTS_H
#define HANGDUMP_RENDER_PARTS_H

#include "render/printer.h"

/* "hangdump: process 4242 (bank), ..." and the command; for several, how many. */
void print_header(struct printer *p);
/* The same for one of several. */
void print_process_header(struct printer *p, const struct process *process);
/* No end of line: "held for 1.8 ms". */
void print_held(struct printer *p, int64_t us);

void print_findings(struct printer *p);
/* One of them, with words before its title. */
void print_finding(struct printer *p, const char *before, const struct finding *finding);
/* No end of line: "2 threads wait for each other". */
void print_summary(struct printer *p, const struct finding *finding);
/* One sentence a line; `add` gets each, which is its own. */
typedef void add_sentence_fn(void *context, const char *sentence);
void tell_evidence(struct printer *p, const struct finding *finding, add_sentence_fn *add,
		   void *context);

/* With a filter for it; an empty line before each resource. */
void print_who(struct printer *p);

/* No end of line: "[mutex lock, 5 minutes, idle]". */
void print_bracket(struct printer *p, const struct group *group);
/* "threads", "goroutine". */
const char *member_word(bool of_goroutines, size_t count);
/* The line over a group, what it waits on, and its stack. */
void print_group(struct printer *p, const struct group *group);

/* No end of line: "stuck", "3 stuck, 1 moved"; nothing when there was no second dump. */
void print_progress(struct printer *p, const char *before, const struct group *group);
/* No empty line: "  Over 1.0 s: 2 stuck."; nothing when there was no second dump. */
void print_finding_progress(struct printer *p, const struct finding *finding);

/* No end of line: "4245-4254, 4260 "worker-1".."worker-10"". */
void print_members(struct printer *p, const struct group *group);
/*
 * No end of line: "4245-4254, 4260 and 2 more"; at most `most` ranges.  ids must be sorted; at their
 * end are those that are not known.
 */
#define ID_UNKNOWN UINT64_MAX
void print_ids(struct printer *p, const uint64_t *ids, size_t count, size_t most);

/* No end of line: "mutex current (bank.c:11) at 0x5581c0de40c0". */
void print_resource(struct printer *p, const struct resource *resource, bool with_address);
/* No end of line: " (3 bytes to read)", or nothing. */
void print_detail(struct printer *p, const struct resource *resource);
/*
 * No end of line: "held by thread 4243 (transfer-1)", "owner not recorded", with `before` before
 * it; nothing when nobody in particular has to act.
 */
void print_owners(struct printer *p, const char *before, const struct wait *wait, pid_t home,
		  bool with_names);
/* No empty line: "on mutex ..., held by ..."; nothing when there is nothing to say. */
void print_waiting_on(struct printer *p, const struct group *group);

/* No empty line. */
void print_stack(struct printer *p, const struct thread *thread);
/* The same: who created a group's goroutines, and in which goroutines; nothing when not known. */
void print_creator(struct printer *p, const struct group *group);

void print_errors(struct printer *p);

/* -v.  No empty line before the first two. */
void print_member_details(struct printer *p, const struct group *group);
void print_origin(struct printer *p);
void print_modules(struct printer *p);

#endif
