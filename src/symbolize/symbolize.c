#include "symbolize/symbolize.h"

#include "base/address_map.h"
#include "base/cleanup.h"
#include "symbolize/debug_helper.h"

/* What is known of one address: its frames, innermost first, the last one has its own. */
struct known {
	uint64_t address;
	uint64_t start; /* of the function; 0: no name */
	const char *module, *build_id;
	uint64_t bias;
	place_array places;
};

/* What is known of one address of data. */
struct named {
	const char *name;
};

struct symbolize {
	struct objects *objects;
	struct symbolize_options options;
	struct strpool *strings;
	struct address_map known; /* struct known */
	struct address_map named; /* struct named */
	struct debug_helper *debug;
	array(struct symbol_index) functions, data; /* by object's number */
	/* Addresses of the stack in hand that debug information is still to be asked about. */
	array(struct debug_question) questions;
	array(struct known *) asked;
	bool perf_tried;
	struct perf_map *perf;
	bool cut;
};

struct symbolize *symbolize_new(struct objects *objects, const struct symbolize_options *options,
				struct strpool *strings)
{
	struct symbolize *symbolize = xcalloc(1, sizeof(*symbolize));
	symbolize->objects = objects;
	symbolize->options = *options;
	symbolize->strings = strings;
	symbolize->debug = debug_helper_new(objects, options, strings);
	for (size_t i = 0; i < objects_count(objects); i++) {
		array_append(&symbolize->functions);
		array_append(&symbolize->data);
	}
	return symbolize;
}

static void free_known(void *value)
{
	struct known *known = value;
	array_deinit(&known->places);
	free(known);
}

void symbolize_free(struct symbolize *symbolize)
{
	if (!symbolize)
		return;
	address_map_deinit(&symbolize->known, free_known);
	address_map_deinit(&symbolize->named, free);
	debug_helper_free(symbolize->debug);
	array_for_each (&symbolize->functions, functions)
		symbol_index_deinit(functions);
	array_for_each (&symbolize->data, data)
		symbol_index_deinit(data);
	array_deinit(&symbolize->questions);
	array_deinit(&symbolize->asked);
	array_deinit(&symbolize->functions);
	array_deinit(&symbolize->data);
	perf_map_free(symbolize->perf);
	free(symbolize);
}

bool symbolize_was_cut(const struct symbolize *symbolize)
{
	return symbolize->cut;
}

static bool is_cut(struct symbolize *symbolize)
{
	if (deadline_passed(symbolize->options.deadline))
		symbolize->cut = true;
	return symbolize->cut;
}

static size_t index_of(const struct symbolize *symbolize, const struct object *object)
{
	return (size_t)(object - objects_peek(symbolize->objects, 0));
}

static void name_jit(struct symbolize *symbolize, struct known *known)
{
	if (!symbolize->perf_tried)
		symbolize->perf = perf_map_load(symbolize->objects, symbolize->options.deadline);
	symbolize->perf_tried = true;
	struct place *place = array_append(&known->places);
	const char *name = perf_map_find(symbolize->perf, known->address, &known->start);
	place->function = name_in_pool(symbolize->strings, name);
}

/* From the symbol table; the rest is asked for with all the others of the stack. */
static void name_native(struct symbolize *symbolize, const struct object *object,
			struct known *known)
{
	const struct symbolize_options *options = &symbolize->options;
	size_t index = index_of(symbolize, object);
	struct place *place = array_append(&known->places);
	place->function = symbols_function(&symbolize->functions.items[index], object,
					   symbolize->strings, known->address, &known->start);
	if (!options->lines && !options->inlines)
		return;
	*array_append(&symbolize->questions) = (struct debug_question){
		.kind = QUESTION_PLACES, .object = (uint32_t)index, .address = known->address};
	*array_append(&symbolize->asked) = known;
}

/*
 * The concrete function has the name that the symbol table has for this address (it tells clones
 * apart: "f.cold"), and that of the debug information only where there is none.
 */
static void add_debug(const struct symbolize *symbolize, struct known *known, place_array *places)
{
	if (!places->count)
		return;
	const char *function = known->places.items[0].function;
	array_deinit(&known->places);
	known->places = *places;
	*places = (place_array){0};
	struct place *outermost = &known->places.items[known->places.count - 1];
	if (function)
		outermost->function = function;
	else
		known->start = outermost->start;
	for (size_t i = 0; !symbolize->options.lines && i < known->places.count; i++) {
		known->places.items[i].file = NULL;
		known->places.items[i].line = 0;
	}
}

static void ask_debug(struct symbolize *symbolize)
{
	size_t count = symbolize->questions.count;
	if (count && !is_cut(symbolize)) {
		_cleanup_free_ place_array *answers = xcalloc(count, sizeof(*answers));
		debug_helper_ask(symbolize->debug, symbolize->questions.items, count, answers);
		for (size_t i = 0; i < count; i++) {
			add_debug(symbolize, symbolize->asked.items[i], &answers[i]);
			array_deinit(&answers[i]);
		}
	}
	symbolize->questions.count = symbolize->asked.count = 0;
}

static void look_up(struct symbolize *symbolize, struct known *known)
{
	const struct object *object = objects_at(symbolize->objects, known->address);
	if (object) {
		known->module = strpool_add(symbolize->strings, object->path);
		known->build_id = strpool_add(symbolize->strings, object->build_id);
		known->bias = object->module ? object->bias : object->start;
	}
	if (is_cut(symbolize))
		array_append(&known->places);
	else if (object && object->module)
		name_native(symbolize, object, known);
	else
		name_jit(symbolize, known);
}

static const struct known *known_at(struct symbolize *symbolize, uint64_t address)
{
	struct known *known = address_map_get(&symbolize->known, address);
	if (known)
		return known;
	known = xcalloc(1, sizeof(*known));
	known->address = address;
	address_map_put(&symbolize->known, address, known);
	look_up(symbolize, known);
	return known;
}

static const struct known *known_of(struct symbolize *symbolize, const struct frame *frame)
{
	return frame->kind == FRAME_KERNEL ? NULL : known_at(symbolize, frame->lookup_pc);
}

/* All of a stack's addresses are asked about together; how many frames it has then. */
static size_t learn(struct symbolize *symbolize, const struct stack *stack)
{
	size_t count = 0;
	for (size_t i = 0; i < stack->count; i++)
		known_of(symbolize, &stack->frames[i]);
	ask_debug(symbolize);
	for (size_t i = 0; i < stack->count; i++) {
		const struct known *known = known_of(symbolize, &stack->frames[i]);
		count += known ? known->places.count : 1;
	}
	return count;
}

static void fill(struct frame *frame, const struct known *known, const struct place *place)
{
	frame->function = place->function;
	frame->file = place->file;
	frame->line = place->file ? place->line : 0;
	frame->module = known->module;
	frame->build_id = known->build_id;
	frame->module_offset = known->module ? frame->pc - known->bias : 0;
	frame->offset = !frame->inlined && known->start ? frame->pc - known->start : 0;
}

/* The frames that stand for one; `to` may be `from` when it is one. */
static size_t put(const struct known *known, const struct frame *from, struct frame *to)
{
	const struct frame frame = *from;
	size_t count = known ? known->places.count : 1;
	for (size_t i = 0; i < count; i++) {
		to[i] = frame;
		if (i + 1 < count) {
			to[i].inlined = true;
			to[i].found_by = FOUND_BY_INLINE;
		}
		if (known)
			fill(&to[i], known, &known->places.items[i]);
	}
	return count;
}

void symbolize_stack(struct symbolize *symbolize, struct stack *stack)
{
	size_t count = learn(symbolize, stack), done = 0;
	struct frame *frames = stack->frames;
	if (count != stack->count)
		frames = xcalloc(count, sizeof(*frames));
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *from = &stack->frames[i];
		done += put(known_of(symbolize, from), from, &frames[done]);
	}
	if (frames != stack->frames)
		free(stack->frames);
	stack->frames = frames;
	stack->count = count;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* ".lock (bank.c:12)": what lies at offset in the variable, and where that is declared. */
static const char *declared(struct symbolize *symbolize, const char *name,
			    const struct place *variable)
{
	if (!variable->file || !variable->line)
		return strpool_printf(symbolize->strings, "%s%s", name, variable->function);
	return strpool_printf(symbolize->strings, "%s%s (%s:%u)", name, variable->function,
			      base_name(variable->file), variable->line);
}

static const char *name_data(struct symbolize *symbolize, const struct object *object,
			     uint64_t address)
{
	size_t index = index_of(symbolize, object);
	const struct symbol *symbol =
		symbol_index_find(&symbolize->data.items[index], object, SYMBOL_DATA, address);
	if (!symbol)
		return NULL;
	const char *name = symbol_name(symbolize->strings, symbol->raw);
	uint64_t offset = address - symbol->start;
	place_array variable = {0};
	const struct debug_question question = {QUESTION_VARIABLE, (uint32_t)index, symbol->start,
						offset};
	if (!is_cut(symbolize))
		debug_helper_ask(symbolize->debug, &question, 1, &variable);
	if (variable.count && variable.items[0].function)
		name = declared(symbolize, name, &variable.items[0]);
	else if (offset)
		name = strpool_printf(symbolize->strings, "%s+0x%llx", name,
				      (unsigned long long)offset);
	array_deinit(&variable);
	return name;
}

uint64_t symbolize_find_variable(struct symbolize *symbolize, const char *library, const char *name)
{
	for (size_t i = 0; i < objects_count(symbolize->objects) && !is_cut(symbolize); i++) {
		const char *path = objects_peek(symbolize->objects, i)->path;
		if (strncmp(base_name(path), library, strlen(library)) != 0)
			continue;
		const struct object *object = objects_get(symbolize->objects, i);
		return symbol_index_address(&symbolize->data.items[i], object, SYMBOL_DATA, name);
	}
	return 0;
}

const char *symbolize_data(struct symbolize *symbolize, uint64_t address)
{
	const struct named *known = address_map_get(&symbolize->named, address);
	if (known)
		return known->name;
	if (is_cut(symbolize))
		return NULL;
	struct named *named = xcalloc(1, sizeof(*named));
	address_map_put(&symbolize->named, address, named);
	const struct object *object = objects_at_data(symbolize->objects, address);
	if (object && object->module)
		named->name = name_data(symbolize, object, address);
	return named->name;
}
