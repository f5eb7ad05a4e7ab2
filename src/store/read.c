#include "store/read.h"

#include "base/alloc.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_UNKNOWN = 20 };

void reader_deinit(struct reader *reader)
{
	array_deinit(&reader->processes);
	array_deinit(&reader->places);
	array_deinit(&reader->unknown);
	free(reader->frames.slots);
}

void reader_note_unknown(struct reader *reader, const char *what, const char *word)
{
	const char *note = strpool_printf(&reader->dump->strings, "%s \"%s\"", what, word);
	array_for_each (&reader->unknown, known) {
		if (*known == note)
			return;
	}
	if (reader->unknown.count < MOST_UNKNOWN)
		*array_append(&reader->unknown) = note;
}

struct fields reader_fields(struct reader *reader, const json_t *object)
{
	struct fields fields = {&reader->cursor, &reader->dump->strings, NULL};
	return object ? fields_of_element(&fields, object) : fields;
}

static int by_pid(const void *a, const void *b)
{
	const struct process_place *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int by_number(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->of_goroutines != y->of_goroutines)
		return x->of_goroutines ? 1 : -1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->number ? 0 : (x->index > y->index) - (x->index < y->index);
}

static void check_processes(struct reader *reader)
{
	for (size_t i = 1; i < reader->processes.count; i++) {
		const struct process_place *place = &reader->processes.items[i];
		if (!place->pid || by_pid(place - 1, place) != 0)
			continue;
		reader->cursor.value = place->text;
		cursor_fail(&reader->cursor, "process %d is there twice", place->pid);
	}
}

static void check_threads(struct reader *reader)
{
	for (size_t i = 1; i < reader->places.count; i++) {
		const struct place *place = &reader->places.items[i];
		if (by_number(place - 1, place) != 0)
			continue;
		reader->cursor.value = place->text;
		cursor_fail(&reader->cursor, "%s %" PRIu64 " is there twice",
			    place->of_goroutines ? "goroutine" : "thread", place->number);
	}
}

void reader_sort_places(struct reader *reader)
{
	array_sort(&reader->processes, by_pid);
	array_sort(&reader->places, by_number);
	check_processes(reader);
	check_threads(reader);
}

const struct process_place *reader_process(struct reader *reader, pid_t pid)
{
	const struct process_place key = {.pid = pid};
	if (!reader->processes.count)
		return NULL;
	return bsearch(&key, reader->processes.items, reader->processes.count, sizeof(key), by_pid);
}

struct place *reader_place(struct reader *reader, const struct place *key)
{
	if (!reader->places.count)
		return NULL;
	return bsearch(key, reader->places.items, reader->places.count, sizeof(*key), by_number);
}

/* As store_write_json() has it: "2026-11-30T21:04:42.123Z". */
static int64_t read_moment(const struct fields *fields, const char *key)
{
	const char *text = field_text(fields, key);
	struct tm tm = {0};
	if (!text)
		return 0;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t seconds = end ? timegm(&tm) : -1;
	if (seconds < 0 || seconds >= INT64_MAX / 1000000000 || strlen(end) != 5 || *end != '.' ||
	    strspn(end + 1, "0123456789") != 3 || end[4] != 'Z') {
		cursor_fail(fields->cursor, "\"%s\" must be like 2026-11-30T21:04:42.123Z", key);
		return 0;
	}
	return seconds * 1000000000 + strtol(end + 1, NULL, 10) * 1000000;
}

static void check_version(const struct fields *fields)
{
	struct cursor *cursor = fields->cursor;
	const char *format = field_text(fields, "format");
	int64_t version = field_number(fields, "version", INT64_MAX, 0);
	if (!format || strcmp(format, STORE_FORMAT) != 0)
		cursor_fail(cursor, "its \"format\" is not \"" STORE_FORMAT "\"");
	if (!cursor->error && version > STORE_VERSION)
		cursor->error = error_new(ERROR_UNSUPPORTED, 0, cursor->name,
					  "(version %" PRId64
					  " of the format; this hangdump reads version %d)",
					  version, STORE_VERSION);
	if (version < 1)
		cursor_fail(cursor, "\"version\" is missing");
}

static void read_head(const struct fields *fields, struct dump *dump)
{
	struct fields clock = fields_of(fields, "clock"), host = fields_of(fields, "host");
	check_version(fields);
	dump->generator = field_text(fields, "generator");
	dump->occasion = field_text(fields, "occasion");
	dump->taken_at_ns = read_moment(fields, "taken_at");
	dump->boot_id = field_text(&clock, "boot_id");
	dump->monotonic_ns = (uint64_t)field_number(&clock, "monotonic_ns", INT64_MAX, 0);
	dump->watched_ms = field_number(fields, "watched_ms", INT64_MAX, 0);
	dump->host_name = field_text(&host, "name");
	dump->kernel = field_text(&host, "kernel");
	dump->arch = field_text(&host, "arch");
	dump->tree = field_flag(fields, "tree");
}

/* In the order in which they are read: groups are of threads. */
static const struct section {
	const char *key;
	void (*read_element)(struct reader *reader);
	bool is_required;
} sections[] = {
	{"processes", read_process, true}, {"groups", read_group, true},
	{"findings", read_finding, true},  {"neighbours", read_neighbour, false},
	{"errors", read_error, true},
};

/* Where each section begins; they come in any order, and the version decides whether to read them. */
struct outline {
	struct cursor *cursor;
	const char *sections[ARRAY_SIZE(sections)];
};

static bool note_section(void *context, const char *key)
{
	struct outline *outline = context;
	size_t length;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (strcmp(sections[i].key, key) == 0) {
			outline->sections[i] = cursor_text(outline->cursor, &length);
			return true;
		}
	}
	return false;
}

static void read_section(struct reader *reader, const struct section *section, const char *text)
{
	struct cursor *cursor = &reader->cursor;
	if (!text) {
		if (section->is_required)
			cursor_fail(cursor, "\"%s\" is missing", section->key);
		return;
	}
	cursor->at = text;
	for (bool more = cursor_open(cursor, "[]"); more; more = cursor_more(cursor, "[]"))
		section->read_element(reader);
	if (section->read_element == read_process && !cursor->error)
		reader_sort_places(reader);
}

static int by_neighbour(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;
	if (x->id.pid != y->id.pid)
		return x->id.pid < y->id.pid ? -1 : 1;
	return (x->id.tid > y->id.tid) - (x->id.tid < y->id.tid);
}

static void read_dump(struct reader *reader)
{
	static const char *const keys[] = {"format",   "version", "generator",	"taken_at",
					   "occasion", "clock",	  "watched_ms", "host",
					   "tree",     NULL};
	struct cursor *cursor = &reader->cursor;
	struct outline outline = {.cursor = cursor};
	json_t *head = cursor_members(cursor, keys, note_section, &outline);
	struct fields fields = reader_fields(reader, head);
	cursor_finish(cursor);
	cursor->value = cursor->begin;
	read_head(&fields, reader->dump);
	json_decref(head);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && !cursor->error; i++)
		read_section(reader, &sections[i], outline.sections[i]);
	array_sort(&reader->dump->neighbours, by_neighbour);
	array_for_each (&reader->unknown, what)
		dump_add_error(reader->dump, 0, 0, *what,
			       "this version of hangdump does not know it");
}

struct error *store_read_json(const char *text, size_t size, const char *name, struct dump *ret)
{
	struct dump dump;
	struct reader reader = {.dump = &dump,
				.cursor = {.begin = text,
					   .at = text,
					   .value = text,
					   .end = text + size,
					   .name = name}};
	const char *nul = memchr(text, '\0', size);
	dump_init(&dump);
	json_set_alloc_funcs(xmalloc, free);
	if (nul) {
		reader.cursor.value = nul;
		cursor_fail(&reader.cursor, "a NUL byte");
	}
	read_dump(&reader);
	reader_deinit(&reader);
	if (reader.cursor.error)
		dump_deinit(&dump);
	else
		*ret = dump;
	return reader.cursor.error;
}

bool store_looks_like_json(const char *text, size_t size)
{
	size_t i = 0;
	while (i < size && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')))
		i++;
	return i < size && text[i] == '{';
}
