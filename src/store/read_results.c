#include "base/array.h"
#include "store/read.h"

static void read_members(struct reader *reader, const struct fields *fields, struct group *group,
			 pid_t pid)
{
	const json_t *tids = field_array(fields, "tids"), *element;
	size_t i;
	json_array_foreach(tids, i, element)
	{
		pid_t tid = element_pid(fields, "tids", element);
		struct place *place = tid ? reader_place(reader, pid, tid) : NULL;
		if (!place) {
			cursor_fail(fields->cursor, "a group of thread %d, which is not there",
				    tid);
			return;
		}
		if (place->grouped) {
			cursor_fail(fields->cursor, "thread %d is in two groups", tid);
			return;
		}
		place->grouped = true;
		*array_append(&group->members) = place->thread;
	}
}

static void make_group(struct reader *reader, const struct fields *fields)
{
	pid_t pid = field_pid(fields, "pid");
	struct place *process = reader_place(reader, pid, 0);
	struct fields since = fields_of(fields, "since_ms");
	if (!process) {
		cursor_fail(fields->cursor, "a group of process %d, which is not there", pid);
		return;
	}
	struct group *group = array_append(&reader->dump->groups);
	group->process = process->process;
	read_members(reader, fields, group, pid);
	if (!group->members.count) {
		cursor_fail(fields->cursor, "a group of no threads");
		return;
	}
	field_require(fields, "class");
	group->class = read_class(reader, fields);
	group->since_min_ms = field_number(&since, "min", INT64_MAX, -1);
	group->since_max_ms = field_number(&since, "max", INT64_MAX, -1);
	group->idle = field_flag(fields, "idle");
}

void read_group(struct reader *reader)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object);
	/* Of goroutines: read_process() says that those are not known. */
	if (object && (json_object_get(object, "tids") || !json_object_get(object, "goids")))
		make_group(reader, &fields);
	json_decref(object);
}

static void read_doubts(const struct fields *fields, struct finding *finding)
{
	const json_t *doubts = field_array(fields, "doubts"), *element;
	size_t i;
	json_array_foreach(doubts, i, element)
	{
		const char *word = json_string_value(element);
		int doubt = word ? find_word(word, finding_doubt_names, FINDING_DOUBTS) : -1;
		if (doubt < 0)
			cursor_fail(fields->cursor, "\"doubts\" has a word that is none of them");
		else
			finding->doubts |= 1u << doubt;
	}
}

static void read_lists(const struct fields *fields, struct finding *finding)
{
	const json_t *element;
	size_t i;
	json_array_foreach(field_array(fields, "threads"), i, element)
	{
		struct fields id = fields_of_element(fields, element);
		*array_append(&finding->threads) = read_thread_id(&id);
	}
	json_array_foreach(field_array(fields, "resources"), i, element)
	{
		struct fields resource = fields_of_element(fields, element);
		*array_append(&finding->resources) = read_resource(&resource);
	}
	json_array_foreach(field_array(fields, "evidence"), i, element)
	{
		*array_append(&finding->evidence) = element_text(fields, "evidence", element, NULL);
	}
}

void read_finding(struct reader *reader)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object);
	field_require(&fields, "kind");
	field_require(&fields, "confidence");
	const char *word = field_text(&fields, "kind");
	int kind = word ? find_word(word, finding_kind_names, FINDING_KINDS) : 0;
	if (kind < 0) {
		reader_note_unknown(reader, "kind of finding", word);
		json_decref(object);
		return;
	}
	struct finding *finding = array_append(&reader->dump->findings);
	finding->kind = (enum finding_kind)kind;
	finding->confidence = (enum confidence)field_choice(&fields, "confidence", confidence_names,
							    ARRAY_SIZE(confidence_names), 0);
	finding->summary = field_text(&fields, "summary");
	read_doubts(&fields, finding);
	finding->behind = (size_t)field_number(&fields, "behind", INT64_MAX, 0);
	read_lists(&fields, finding);
	json_decref(object);
}

void read_neighbour(struct reader *reader)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object);
	struct neighbour *neighbour = array_append(&reader->dump->neighbours);
	neighbour->id = read_thread_id(&fields);
	neighbour->name = field_text(&fields, "name");
	neighbour->state = field_letter(&fields, "state");
	neighbour->start_time = (uint64_t)field_number(&fields, "start_time", INT64_MAX, 0);
	json_decref(object);
}

void read_error(struct reader *reader)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object);
	struct dump_error *error = array_append(&reader->dump->errors);
	field_require(&fields, "what");
	error->pid = field_pid(&fields, "pid");
	error->tid = field_pid(&fields, "tid");
	error->what = field_text(&fields, "what");
	error->why = field_text(&fields, "why");
	json_decref(object);
}
