#include "symbolize/symbolize.h"

#include "base/cleanup.h"
#include "symbolize/private.h"

/* What is known of one address: its frames, innermost first, the last one has its own. */
struct known {
	uint64_t address;
	bool used;
	uint64_t start; /* of the function; 0: no name */
	const char *module, *build_id;
	uint64_t bias;
	place_array places;
};

struct symbolize {
	struct objects *objects;
	struct symbolize_options options;
	struct strpool *strings;
	struct known **known; /* hash table, by address */
	size_t known_count, slot_count;
	array(struct debug_info) infos; /* by object's index */
	array(struct symbol_index) functions, data;
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
	for (size_t i = 0; i < objects_count(objects); i++) {
		*array_append(&symbolize->infos) =
			(struct debug_info){.objects = objects,
					    .object = objects_peek(objects, i),
					    .strings = strings,
					    .deadline = options->deadline};
		array_append(&symbolize->functions);
		array_append(&symbolize->data);
	}
	return symbolize;
}

void symbolize_free(struct symbolize *symbolize)
{
	if (!symbolize)
		return;
	for (size_t i = 0; i < symbolize->slot_count; i++) {
		if (!symbolize->known[i])
			continue;
		array_deinit(&symbolize->known[i]->places);
		free(symbolize->known[i]);
	}
	free(symbolize->known);
	array_for_each (&symbolize->infos, info)
		debug_info_deinit(info);
	array_for_each (&symbolize->functions, functions)
		symbol_index_deinit(functions);
	array_for_each (&symbolize->data, data)
		symbol_index_deinit(data);
	array_deinit(&symbolize->infos);
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

/*
 * The concrete function has the name that the symbol table has for this address (it tells clones
 * apart: "f.cold"), and that of the debug information only where there is none.
 */
static void name_native(struct symbolize *symbolize, const struct object *object,
			struct known *known)
{
	const struct symbolize_options *options = &symbolize->options;
	size_t index = index_of(symbolize, object);
	const char *function = symbols_function(&symbolize->functions.items[index], object,
						symbolize->strings, known->address, &known->start);
	if ((options->lines || options->inlines) && !is_cut(symbolize))
		debug_info_places(&symbolize->infos.items[index], known->address, options->inlines,
				  &known->places);
	if (!known->places.count)
		array_append(&known->places);
	struct place *outermost = &known->places.items[known->places.count - 1];
	if (function)
		outermost->function = function;
	else
		known->start = outermost->start;
	for (size_t i = 0; !options->lines && i < known->places.count; i++) {
		known->places.items[i].file = NULL;
		known->places.items[i].line = 0;
	}
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

static size_t slot_of(const struct symbolize *symbolize, uint64_t address)
{
	size_t mask = symbolize->slot_count - 1;
	size_t slot = (size_t)((address * 0x9e3779b97f4a7c15u) >> 32) & mask;
	while (symbolize->known[slot] && symbolize->known[slot]->address != address)
		slot = (slot + 1) & mask;
	return slot;
}

static void grow(struct symbolize *symbolize)
{
	struct known **old = symbolize->known;
	size_t old_count = symbolize->slot_count;
	symbolize->slot_count = old_count ? old_count * 2 : 256;
	symbolize->known = xcalloc(symbolize->slot_count, sizeof(*symbolize->known));
	for (size_t i = 0; i < old_count; i++) {
		if (old[i])
			symbolize->known[slot_of(symbolize, old[i]->address)] = old[i];
	}
	free(old);
}

static const struct known *known_at(struct symbolize *symbolize, uint64_t address)
{
	if (symbolize->known_count * 2 >= symbolize->slot_count)
		grow(symbolize);
	size_t slot = slot_of(symbolize, address);
	if (!symbolize->known[slot]) {
		struct known *known = xcalloc(1, sizeof(*known));
		known->address = address;
		look_up(symbolize, known);
		symbolize->known[slot] = known;
		symbolize->known_count++;
	}
	return symbolize->known[slot];
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

static void append(struct symbolize *symbolize, const struct frame *from, struct stack *to,
		   size_t *capacity)
{
	const struct known *known =
		from->kind == FRAME_KERNEL ? NULL : known_at(symbolize, from->lookup_pc);
	size_t count = known ? known->places.count : 1;
	if (to->count + count > *capacity) {
		*capacity = 2 * (to->count + count);
		to->frames = xreallocarray(to->frames, *capacity, sizeof(*to->frames));
	}
	for (size_t i = 0; i < count; i++) {
		struct frame *frame = &to->frames[to->count++];
		*frame = *from;
		if (i + 1 < count) {
			frame->inlined = true;
			frame->found_by = FOUND_BY_INLINE;
		}
		if (known)
			fill(frame, known, &known->places.items[i]);
	}
}

void symbolize_stack(struct symbolize *symbolize, struct stack *stack)
{
	struct stack named = *stack;
	size_t capacity = 0;
	named.frames = NULL;
	named.count = 0;
	for (size_t i = 0; i < stack->count; i++)
		append(symbolize, &stack->frames[i], &named, &capacity);
	free(stack->frames);
	*stack = named;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static const char *declared(struct symbolize *symbolize, Dwarf_Die *variable, const char *name,
			    uint64_t offset)
{
	_cleanup_free_ char *member = variable_member(variable, offset);
	const char *file = dwarf_decl_file(variable);
	int line;
	if (!file || dwarf_decl_line(variable, &line) != 0)
		return strpool_printf(symbolize->strings, "%s%s", name, member);
	return strpool_printf(symbolize->strings, "%s%s (%s:%d)", name, member, base_name(file),
			      line);
}

const char *symbolize_data(struct symbolize *symbolize, uint64_t address)
{
	if (is_cut(symbolize))
		return NULL;
	const struct object *object = objects_at_data(symbolize->objects, address);
	if (!object || !object->module)
		return NULL;
	size_t index = index_of(symbolize, object);
	const struct symbol *symbol =
		symbol_index_find(&symbolize->data.items[index], object, SYMBOL_DATA, address);
	if (!symbol)
		return NULL;
	const char *name = symbol_name(symbolize->strings, symbol->raw);
	uint64_t offset = address - symbol->start;
	Dwarf_Die variable;
	if (!is_cut(symbolize) &&
	    debug_info_variable(&symbolize->infos.items[index], symbol->start, &variable))
		return declared(symbolize, &variable, name, offset);
	if (!offset)
		return name;
	return strpool_printf(symbolize->strings, "%s+0x%llx", name, (unsigned long long)offset);
}
