/* Dumps by hand, in few words.  Everything not given is "not known". */
#ifndef HANGDUMP_TESTS_LIB_MAKE_DUMP_H
#define HANGDUMP_TESTS_LIB_MAKE_DUMP_H

#include "model/dump.h"

/* Valid until the next one is made, as always with arrays. */
struct process *make_process(struct dump *dump, pid_t pid, const char *name);
struct thread *make_thread(struct dump *dump, struct process *process, pid_t tid, const char *name,
			   enum wait_class class);

/* A native frame of the thread's, outside those made before, in /bin/prog; complete stays true. */
struct frame *make_frame(struct dump *dump, struct thread *thread, const char *function,
			 uint64_t offset, const char *file, unsigned line);
void make_resource(struct dump *dump, struct thread *thread, const char *kind, uint64_t address,
		   const char *name);
void make_owner(struct thread *thread, pid_t pid, pid_t tid);

/* Complete, waiting in Go's words since not known; no thread, no creator. */
struct thread *make_goroutine(struct dump *dump, struct process *process, uint64_t goid,
			      const char *words);
struct frame *make_go_frame(struct dump *dump, struct thread *thread, const char *function,
			    uint64_t offset, const char *file, unsigned line);

struct finding *make_finding(struct dump *dump, enum finding_kind kind);
void make_finding_thread(struct finding *finding, pid_t pid, pid_t tid);

/* The contract's example: a bank whose two transfers hold each other's account. */
void make_bank(struct dump *dump);

/* dump_init(), and the same with a value for everything, most of it in its second thread. */
void make_full(struct dump *dump);

/* The contract's other example: three goroutines that have leaked, stuck in one send. */
void make_tracee(struct dump *dump);

/* `threads` threads of `frames` frames, of `kinds` different stacks. */
void make_crowd(struct dump *dump, size_t threads, size_t frames, size_t kinds);

#endif
