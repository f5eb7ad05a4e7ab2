/* Each thing of the model as a JSON object of the format's version 1. */
#ifndef HANGDUMP_STORE_CONVERT_H
#define HANGDUMP_STORE_CONVERT_H

#include "model/dump.h"

#include <jansson.h>

/* RFC 3339, from nanoseconds since the epoch; null below 1. */
json_t *convert_moment(int64_t ns);
/* All that stands before "processes". */
json_t *convert_head(const struct dump *dump);
/* A process without its threads, modules, runtimes and goroutines. */
json_t *convert_process(const struct process *process);
json_t *convert_runtime(const struct runtime *runtime);
/* A thread and a goroutine up to its frames, and after them. */
json_t *convert_thread(const struct thread *thread);
json_t *convert_goroutine(const struct thread *thread);
json_t *convert_stack_end(const struct stack *stack);
json_t *convert_frame(const struct frame *frame);
json_t *convert_module(const struct module *module);
json_t *convert_group(const struct dump *dump, const struct group *group);
/* {"stuck": 3, "moved": 1}: those that there are. */
json_t *convert_progress(const size_t count[PROGRESSES]);
json_t *convert_finding(const struct finding *finding);
json_t *convert_neighbour(const struct neighbour *neighbour);
json_t *convert_error(const struct dump_error *error);

#endif
