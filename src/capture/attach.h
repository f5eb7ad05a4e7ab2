/*
 * Who may attach: what the kernel asks of whoever wants to trace a process, copy its memory or
 * know its system calls (PTRACE_MODE_ATTACH, ptrace(2)).  /proc's other files ask for less.
 */
#ifndef HANGDUMP_CAPTURE_ATTACH_H
#define HANGDUMP_CAPTURE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* kernel.yama.ptrace_scope, 0 to 3; 0 where there is no Yama (admin-guide/LSM/Yama.rst). */
int attach_yama_scope(void);

/* May we, for all that Yama has against it at scope 1, because pid is a descendant of ours? */
bool attach_is_descendant(pid_t pid);

/*
 * Only an ancestor may attach, and to at least one of these we are one: a child process of ours,
 * which is no ancestor of anybody, would be refused what a thread of ours may do.  Tests can force
 * it by an environment variable, HANGDUMP_ATTACH=thread.
 */
bool attach_needs_thread(const pid_t *pids, size_t count);

#endif
