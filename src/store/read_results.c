#include "base/array.h"
#include "store/read.h"

/* What a group says of one of its members. */
static struct place *find_member(struct reader *reader, const struct group *group,
				 const json_t *number, const json_t *index)
{
	struct place key = {.process = group->process,
			    .of_goroutines = group->of_goroutines,
			    .number = (uint64_t)json_integer_value(number),
			    .index = (size_t)json_integer_value(index)};
	return json_is_integer(number) ? reader_place(reader, &key) : NULL;
}

static void read_members(struct reader *reader, const struct fields *fields, struct group *group)
{
	const json_t *numbers = field_array(fields, group->of_goroutines ? "goids" : "tids");
	const json_t *indexes = field_array(fields, "members"), *number;
	size_t i;
	json_array_foreach(numbers, i, number)
	{
		struct place *place =
			find_member(reader, group, number, json_array_get(indexes, i));
		if (!place || place->grouped) {
			cursor_fail(fields->cursor, "a group of a thread that is %s",
				    place ? "in another one too" : "not there");
			return;
		}
		place->grouped = true;
		*array_append(&group->members) = place->index;
	}
	if (!group->members.count)
		cursor_fail(fields->cursor, "a group of no threads");
}

/* SIZE_MAX after an error. */
static size_t find_process(struct reader *reader, const struct fields *fields)
{
	const struct process_place *place = reader_process(reader, field_pid(fields, "pid"));
	int64_t count = (int64_t)reader->dump->processes.count;
	int64_t index = field_number(fields, "process", count - 1, -1);
	if (index >= 0)
		return (size_t)index;
	if (!place)
		cursor_fail(fields->cursor, "a group of a process that is not there");
	return place ? place->process : SIZE_MAX;
}

/* It is counted anew from the threads. */
static void check_progress(const struct fields *fields)
{
	struct fields progress = fields_of(fields, "progress");
	for (int i = PROGRESS_NONE + 1; i < PROGRESSES; i++)
		field_number(&progress, progress_names[i], INT64_MAX, 0);
}

void read_group(struct reader *reader)
{
	json_t *object = cursor_value(&reader->cursor);
	struct fields fields = reader_fields(reader, object),
		      since = fields_of(&fields, "since_ms");
	struct group *group = array_append(&reader->dump->groups);
	group->of_goroutines = field_array(&fields, "goids") != NULL;
	group->process = find_process(reader, &fields);
	group->since_min_ms = field_number(&since, "min", INT64_MAX, -1);
	group->since_max_ms = field_number(&since, "max", INT64_MAX, -1);
	group->idle = field_flag(&fields, "idle");
	field_text(&fields, "class");
	check_progress(&fields);
	if (group->process != SIZE_MAX)
		read_members(reader, &fields, group);
	if (group->members.count)
		group->class =
			group_threads_of(reader->dump, group)[group->members.items[0]].wait.class;
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
