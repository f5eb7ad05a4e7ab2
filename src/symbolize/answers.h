/*
 * What debug information has said so far, by file.  The processes of a dump, and the samples that
 * follow one another, mostly run the same files, and reading those takes longer than all the rest:
 * who shares this reads each once, and waits once for one that cannot be read.
 */
#ifndef HANGDUMP_SYMBOLIZE_ANSWERS_H
#define HANGDUMP_SYMBOLIZE_ANSWERS_H

struct answers;

/* For one thread at a time. */
struct answers *answers_new(void);
void answers_free(struct answers *answers);

#endif
