/* Functions of a unit by address, and what was inlined into one. */
#include "symbolize/private.h"

/* Against DWARF that has no end. */
#define MAX_DEPTH  64u
#define MAX_DIES   (4u << 20)
#define MAX_RANGES (1u << 20) /* of one unit */

static void add_function(struct unit *unit, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;
	while (unit->functions.count < MAX_RANGES &&
	       (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (low < high)
			*array_append(&unit->functions) = (struct function_range){low, high, *die};
	}
}

static void add_functions(struct unit *unit, struct die_walk *walk, Dwarf_Die *parent,
			  unsigned depth)
{
	Dwarf_Die die;
	if (depth > MAX_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram)
			add_function(unit, &die);
		else if (tag == DW_TAG_namespace || tag == DW_TAG_module)
			add_functions(unit, walk, &die, depth + 1);
	} while (die_next(walk, &die));
}

static int compare_functions(const void *a, const void *b)
{
	const struct function_range *x = a, *y = b;
	return x->low < y->low ? -1 : x->low > y->low;
}

bool unit_find_function(struct unit *unit, struct deadline deadline, Dwarf_Addr address,
			Dwarf_Die *ret)
{
	if (!unit->indexed) {
		struct die_walk walk = {deadline, MAX_DIES};
		add_functions(unit, &walk, &unit->top, 0);
		array_sort(&unit->functions, compare_functions);
	}
	unit->indexed = true;
	size_t low = 0, high = unit->functions.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (unit->functions.items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Functions seldom overlap; those of removed code all begin at 0. */
	for (size_t back = 0; back < 64 && back < low; back++) {
		const struct function_range *range = &unit->functions.items[low - 1 - back];
		if (address < range->high) {
			*ret = range->die;
			return true;
		}
	}
	return false;
}

static bool can_hold_code(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

void function_find_inlines(Dwarf_Die *function, struct deadline deadline, Dwarf_Addr address,
			   die_array *ret)
{
	struct die_walk walk = {deadline, MAX_DIES};
	Dwarf_Die at = *function, child;
	for (unsigned depth = 0; depth < MAX_DEPTH && dwarf_child(&at, &child) == 0; depth++) {
		bool inside = false;
		do {
			int tag = dwarf_tag(&child);
			inside = can_hold_code(tag) && dwarf_haspc(&child, address) == 1;
			if (inside && tag == DW_TAG_inlined_subroutine)
				*array_append(ret) = child;
		} while (!inside && die_next(&walk, &child));
		if (!inside)
			return;
		at = child;
	}
}
