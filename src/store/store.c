#include "store/store.h"

#include "base/alloc.h"
#include "store/convert.h"
#include "store/frames.h"
#include "store/json.h"

#include <stdlib.h>

struct writer {
	struct json_stream stream;
	struct frame_texts *frames;
};

/* What goes before an element of a list: a line of its own each. */
static void next_element(struct writer *writer, bool is_first)
{
	json_write_word(&writer->stream, is_first ? "\n" : ",\n");
}

static void write_thread(struct writer *writer, const struct thread *thread)
{
	json_write_word(&writer->stream, "{");
	json_write_members(&writer->stream,
			   thread->goroutine ? convert_goroutine(thread) : convert_thread(thread));
	json_write_word(&writer->stream, ",\"frames\":[");
	for (size_t i = 0; i < thread->stack.count; i++) {
		next_element(writer, i == 0);
		frame_texts_write(writer->frames, &thread->stack.frames[i], &writer->stream);
	}
	json_write_word(&writer->stream, "],");
	json_write_members(&writer->stream, convert_stack_end(&thread->stack));
	json_write_word(&writer->stream, "}");
}

static void write_process(struct writer *writer, const struct process *process)
{
	json_write_word(&writer->stream, "{");
	json_write_members(&writer->stream, convert_process(process));
	json_write_word(&writer->stream, ",\"threads\":[");
	array_for_each (&process->threads, thread) {
		next_element(writer, thread == process->threads.items);
		write_thread(writer, thread);
	}
	json_write_word(&writer->stream, "],\n\"modules\":[");
	array_for_each (&process->modules, module) {
		next_element(writer, module == process->modules.items);
		json_write(&writer->stream, convert_module(module));
	}
	json_write_word(&writer->stream, "],\n\"runtimes\":[");
	array_for_each (&process->runtimes, runtime) {
		next_element(writer, runtime == process->runtimes.items);
		json_write(&writer->stream, convert_runtime(runtime));
	}
	json_write_word(&writer->stream, "],\n\"goroutines\":[");
	array_for_each (&process->goroutines, goroutine) {
		next_element(writer, goroutine == process->goroutines.items);
		write_thread(writer, goroutine);
	}
	json_write_word(&writer->stream, "]}");
}

static void write_results(struct writer *writer, const struct dump *dump)
{
	json_write_word(&writer->stream, "],\n\"groups\":[");
	array_for_each (&dump->groups, group) {
		next_element(writer, group == dump->groups.items);
		json_write(&writer->stream, convert_group(dump, group));
	}
	json_write_word(&writer->stream, "],\n\"findings\":[");
	array_for_each (&dump->findings, finding) {
		next_element(writer, finding == dump->findings.items);
		json_write(&writer->stream, convert_finding(finding));
	}
	json_write_word(&writer->stream, "],\n\"neighbours\":[");
	array_for_each (&dump->neighbours, neighbour) {
		next_element(writer, neighbour == dump->neighbours.items);
		json_write(&writer->stream, convert_neighbour(neighbour));
	}
	json_write_word(&writer->stream, "],\n\"errors\":[");
	array_for_each (&dump->errors, error) {
		next_element(writer, error == dump->errors.items);
		json_write(&writer->stream, convert_error(error));
	}
	json_write_word(&writer->stream, "]}\n");
}

struct error *store_write_json(const struct dump *dump, FILE *to)
{
	struct writer writer = {.stream.to = to, .frames = frame_texts_new()};
	/* Memory that is gone ends the program, as everywhere: no value is ever missing. */
	json_set_alloc_funcs(xmalloc, free);
	json_write_word(&writer.stream, "{");
	json_write_members(&writer.stream, convert_head(dump));
	json_write_word(&writer.stream, ",\n\"processes\":[");
	array_for_each (&dump->processes, process) {
		next_element(&writer, process == dump->processes.items);
		write_process(&writer, process);
	}
	write_results(&writer, dump);
	json_stream_finish(&writer.stream);
	frame_texts_free(writer.frames);
	if (ferror(to))
		return error_new(ERROR_UNWRITABLE, writer.stream.os_errno, "JSON", NULL);
	if (writer.stream.failed)
		return error_new(ERROR_INTERNAL, 0, "JSON", ": it could not be made");
	return NULL;
}
