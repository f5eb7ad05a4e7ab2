#include "symbolize/answers.h"

#include "symbolize/private.h"

struct answers {
	struct strpool strings;
	array(struct file_answers *) files;
};

struct answers *answers_new(void)
{
	struct answers *answers = xcalloc(1, sizeof(*answers));
	strpool_init(&answers->strings);
	return answers;
}

struct answer {
	uint64_t offset; /* of the question */
	place_array places;
};

static void free_answer(void *value)
{
	struct answer *answer = value;
	array_deinit(&answer->places);
	free(answer);
}

void answers_free(struct answers *answers)
{
	if (!answers)
		return;
	array_for_each (&answers->files, file) {
		for (size_t i = 0; i < ARRAY_SIZE((*file)->by_kind); i++)
			address_map_deinit(&(*file)->by_kind[i], free_answer);
		free(*file);
	}
	array_deinit(&answers->files);
	strpool_deinit(&answers->strings);
	free(answers);
}

static bool is_same(const struct object_identity *a, const struct object_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed_ns == b->changed_ns && a->root == b->root;
}

struct file_answers *answers_of(struct answers *answers, const struct object *object)
{
	struct object_identity identity;
	if (!answers || !objects_identify(object, &identity))
		return NULL;
	/* Equal strings of one pool are one pointer. */
	const char *path = strpool_add(&answers->strings, object->path);
	identity.root = strpool_add(&answers->strings, identity.root);
	array_for_each (&answers->files, file) {
		if ((*file)->path == path && is_same(&(*file)->identity, &identity))
			return *file;
	}
	struct file_answers *file = xcalloc(1, sizeof(*file));
	file->identity = identity;
	file->path = path;
	*array_append(&answers->files) = file;
	return file;
}

/*
 * What lies at one address is one variable, and one member of it; but which one is the symbol
 * table's word, and one process may have had another of those.
 */
static uint64_t key_of(const struct object *object, const struct debug_question *question)
{
	return question->address + question->offset - object->bias;
}

static void copy_places(struct strpool *strings, const place_array *from, uint64_t bias,
			place_array *to)
{
	array_for_each (from, place) {
		*array_append(to) =
			(struct place){.function = strpool_add(strings, place->function),
				       .file = strpool_add(strings, place->file),
				       .line = place->line,
				       .start = place->start ? place->start + bias : 0};
	}
}

bool answers_recall(const struct file_answers *file, const struct object *object,
		    const struct debug_question *question, struct strpool *strings,
		    place_array *ret)
{
	const struct answer *known =
		address_map_get(&file->by_kind[question->kind], key_of(object, question));
	if (!known || known->offset != question->offset)
		return false;
	copy_places(strings, &known->places, object->bias, ret);
	return true;
}

void answers_remember(struct answers *answers, struct file_answers *file,
		      const struct object *object, const struct debug_question *question,
		      const place_array *places)
{
	struct address_map *map = &file->by_kind[question->kind];
	uint64_t key = key_of(object, question);
	file->debug_path = strpool_add(&answers->strings, object->debug_path);
	file->debug_why_not = strpool_add(&answers->strings, object->debug_why_not);
	if (address_map_get(map, key))
		return;
	struct answer *known = xcalloc(1, sizeof(*known));
	known->offset = question->offset;
	copy_places(&answers->strings, places, -object->bias, &known->places);
	address_map_put(map, key, known);
}
