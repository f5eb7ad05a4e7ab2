/* Units of DWARF by address, and what they say about one: lines and functions. */
#include "symbolize/private.h"

#include "base/cleanup.h"

void debug_info_deinit(struct debug_info *info)
{
	for (size_t i = 0; i < info->units.count; i++) {
		array_deinit(&info->units.items[i]->functions);
		free(info->units.items[i]);
	}
	array_deinit(&info->units);
	array_deinit(&info->ranges);
	array_deinit(&info->variables);
}

bool debug_info_open(struct debug_info *info)
{
	if (!info->tried)
		info->dwarf = objects_dwarf(info->object, &info->bias);
	info->tried = true;
	return info->dwarf != NULL;
}

/* DW_AT_sibling may point anywhere: backwards, or at its own DIE. */
bool die_next(struct die_walk *walk, Dwarf_Die *die)
{
	Dwarf_Die next;
	if (!walk->left || (walk->left % 64 == 0 && deadline_passed(walk->deadline))) {
		walk->left = 0;
		return false;
	}
	walk->left--;
	if (dwarf_siblingof(die, &next) != 0 || dwarf_dieoffset(&next) <= dwarf_dieoffset(die))
		return false;
	*die = next;
	return true;
}

static const char *own_string(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

/*
 * libdw opens a .dwo file by the names in the skeleton unit, whatever lies there: beside the object
 * and in the directory of compilation.
 */
static bool split_is_safe(struct debug_info *info, Dwarf_Die *cu)
{
	const char *name = own_string(cu, DW_AT_dwo_name);
	const char *dir = own_string(cu, DW_AT_comp_dir);
	const char *from = info->object->debug_path ? info->object->debug_path : info->object->path;
	const char *slash = strrchr(from, '/');
	if (!name)
		name = own_string(cu, DW_AT_GNU_dwo_name);
	if (!name)
		return false;
	if (name[0] == '/')
		return objects_is_harmless(info->objects, name);
	_cleanup_free_ char *beside =
		xasprintf("%.*s/%s", slash ? (int)(slash - from) : 0, from, name);
	_cleanup_free_ char *in_dir = xasprintf("%s/%s", dir ? dir : "", name);
	return objects_is_harmless(info->objects, beside) &&
	       (!dir || dir[0] != '/' || objects_is_harmless(info->objects, in_dir));
}

static void find_top(struct debug_info *info, struct unit *unit)
{
	uint8_t type = 0;
	Dwarf_Half version;
	unit->top = unit->cu;
	unit->has_top = true;
	if (dwarf_cu_info(unit->cu.cu, &version, &type, NULL, NULL, NULL, NULL, NULL) != 0)
		return;
	if (type != DW_UT_skeleton)
		return;
	Dwarf_Die split = {0};
	unit->has_top =
		split_is_safe(info, &unit->cu) &&
		dwarf_cu_info(unit->cu.cu, &version, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
		split.addr != NULL;
	if (unit->has_top)
		unit->top = split;
}

struct unit *debug_info_unit(struct debug_info *info, Dwarf_Die *cu)
{
	Dwarf_Off offset = dwarf_dieoffset(cu);
	size_t low = 0, high = info->units.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (info->units.items[middle]->offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < info->units.count && info->units.items[low]->offset == offset)
		return info->units.items[low];
	struct unit *unit = xcalloc(1, sizeof(*unit));
	unit->offset = offset;
	unit->cu = *cu;
	find_top(info, unit);
	array_append(&info->units);
	memmove(&info->units.items[low + 1], &info->units.items[low],
		(info->units.count - 1 - low) * sizeof(*info->units.items));
	info->units.items[low] = unit;
	return unit;
}

static int compare_unit_ranges(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;
	return x->low < y->low ? -1 : x->low > y->low;
}

/* clang writes no .debug_aranges: then all units are asked once where their code is. */
static void build_ranges(struct debug_info *info)
{
	Dwarf_CU *cu = NULL, *next;
	Dwarf_Die die;
	uint8_t type;
	while (dwarf_get_units(info->dwarf, cu, &next, NULL, &type, &die, NULL) == 0) {
		Dwarf_Addr base, low, high;
		ptrdiff_t at = 0;
		cu = next;
		if ((type != DW_UT_compile && type != DW_UT_skeleton) ||
		    (info->ranges.count % 256 == 0 && deadline_passed(info->deadline)))
			continue;
		while ((at = dwarf_ranges(&die, at, &base, &low, &high)) > 0) {
			if (low < high)
				*array_append(&info->ranges) =
					(struct unit_range){low, high, dwarf_dieoffset(&die)};
		}
	}
	array_sort(&info->ranges, compare_unit_ranges);
}

static bool find_in_ranges(struct debug_info *info, Dwarf_Addr address, Dwarf_Die *ret)
{
	if (!info->ranges_built)
		build_ranges(info);
	info->ranges_built = true;
	size_t low = 0, high = info->ranges.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (info->ranges.items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Ranges of removed code all begin at 0 and can cover others. */
	for (size_t back = 0; back < 64 && back < low; back++) {
		const struct unit_range *range = &info->ranges.items[low - 1 - back];
		if (address < range->high)
			return dwarf_offdie(info->dwarf, range->unit, ret) != NULL;
	}
	return false;
}

struct unit *debug_info_unit_at(struct debug_info *info, Dwarf_Addr address)
{
	Dwarf_Die cu;
	if (!dwarf_addrdie(info->dwarf, address, &cu) && !find_in_ranges(info, address, &cu))
		return NULL;
	return debug_info_unit(info, &cu);
}

static void take_line(struct debug_info *info, struct unit *unit, Dwarf_Addr address,
		      struct place *ret)
{
	int number;
	/* Without a line table of its own, a skeleton unit would make libdw open its .dwo file. */
	if (!dwarf_hasattr(&unit->cu, DW_AT_stmt_list))
		return;
	Dwarf_Line *line = dwarf_getsrc_die(&unit->cu, address);
	if (!line)
		return;
	ret->file = source_path(info->strings, dwarf_linesrc(line, NULL, NULL), &unit->cu);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		ret->line = (unsigned)number;
}

static void take_call_site(struct debug_info *info, struct unit *unit, Dwarf_Die *inlined,
			   struct place *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file, line;
	Dwarf_Files *files;
	size_t count;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 &&
	    line <= UINT32_MAX)
		ret->line = (unsigned)line;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
	    dwarf_getsrcfiles(&unit->top, &files, &count) == 0 && file < count)
		ret->file = source_path(info->strings, dwarf_filesrc(files, file, NULL, NULL),
					&unit->cu);
}

static void take_functions(struct debug_info *info, struct unit *unit, Dwarf_Addr address,
			   place_array *ret)
{
	Dwarf_Die function;
	die_array inlines = {0};
	if (!unit->has_top || !unit_find_function(unit, info->deadline, address, &function))
		return;
	function_find_inlines(&function, info->deadline, address, &inlines);
	for (size_t i = inlines.count; i-- > 0;) {
		ret->items[ret->count - 1].function = die_function_name(
			info->strings, info->deadline, &inlines.items[i], &unit->top);
		take_call_site(info, unit, &inlines.items[i], array_append(ret));
	}
	array_deinit(&inlines);
	struct place *last = &ret->items[ret->count - 1];
	Dwarf_Addr entry;
	last->function = die_function_name(info->strings, info->deadline, &function, &unit->top);
	if (dwarf_entrypc(&function, &entry) == 0)
		last->start = entry + info->bias;
}

void debug_info_places(struct debug_info *info, uint64_t address, bool inlines, place_array *ret)
{
	if (!debug_info_open(info))
		return;
	struct unit *unit = debug_info_unit_at(info, address - info->bias);
	if (!unit)
		return;
	take_line(info, unit, address - info->bias, array_append(ret));
	if (inlines)
		take_functions(info, unit, address - info->bias, ret);
}
