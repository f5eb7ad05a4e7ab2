/* Variables of static storage by address, and what lies inside of them. */
#include "symbolize/private.h"

#include "base/text.h"

#define MAX_DEPTH     64u
#define MAX_DIES      (4u << 20) /* of one unit */
#define MAX_VARIABLES (4u << 20) /* of one object */
#define MAX_MEMBERS   (64u << 10)

static bool address_of(Dwarf_Die *die, Dwarf_Addr *ret)
{
	Dwarf_Attribute location, indexed;
	Dwarf_Op *ops;
	size_t count;
	if (!dwarf_attr(die, DW_AT_location, &location) ||
	    dwarf_getlocation(&location, &ops, &count) != 0 || count != 1)
		return false;
	if (ops[0].atom == DW_OP_addr) {
		*ret = ops[0].number;
		return true;
	}
	return (ops[0].atom == DW_OP_addrx || ops[0].atom == DW_OP_GNU_addr_index) &&
	       dwarf_getlocation_attr(&location, &ops[0], &indexed) == 0 &&
	       dwarf_formaddr(&indexed, ret) == 0;
}

static bool is_walked(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_lexical_block;
}

static void add_variables(struct debug_info *info, struct die_walk *walk, Dwarf_Die *parent,
			  unsigned depth)
{
	Dwarf_Die die;
	if (depth > MAX_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);
		Dwarf_Addr address;
		if (tag == DW_TAG_variable && address_of(&die, &address))
			*array_append(&info->variables) = (struct variable){address, die};
		else if (is_walked(tag))
			add_variables(info, walk, &die, depth + 1);
	} while (info->variables.count < MAX_VARIABLES && die_next(walk, &die));
}

static int compare_variables(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void build(struct debug_info *info)
{
	Dwarf_CU *cu = NULL, *next;
	Dwarf_Die die;
	uint8_t type;
	while (dwarf_get_units(info->dwarf, cu, &next, NULL, &type, &die, NULL) == 0 &&
	       !deadline_passed(info->deadline)) {
		cu = next;
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		struct unit *unit = debug_info_unit(info, &die);
		struct die_walk walk = {info->deadline, MAX_DIES};
		if (unit->has_top)
			add_variables(info, &walk, &unit->top, 0);
	}
	array_sort(&info->variables, compare_variables);
}

bool debug_info_variable(struct debug_info *info, uint64_t address, Dwarf_Die *ret)
{
	if (!debug_info_open(info))
		return false;
	if (!info->variables_built)
		build(info);
	info->variables_built = true;
	Dwarf_Addr wanted = address - info->bias;
	size_t low = 0, high = info->variables.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (info->variables.items[middle].address < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == info->variables.count || info->variables.items[low].address != wanted)
		return false;
	*ret = info->variables.items[low].die;
	return true;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;
	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), ret) &&
	       dwarf_peel_type(ret, ret) == 0;
}

/* A lock is one thing, whatever libc builds it of. */
static bool is_opaque(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type))
		return true;
	const char *name = dwarf_diename(&type);
	return name && (strncmp(name, "pthread_", 8) == 0 || strcmp(name, "sem_t") == 0 ||
			strcmp(name, "mtx_t") == 0 || strcmp(name, "cnd_t") == 0);
}

static bool element(Dwarf_Die *array, uint64_t *offset, struct text *path, Dwarf_Die *ret)
{
	Dwarf_Word size;
	Dwarf_Die whole = *array;
	Dwarf_Die child;
	unsigned dimensions = 0;
	struct die_walk walk = {.left = MAX_MEMBERS};
	if (dwarf_child(&whole, &child) == 0) {
		do
			dimensions += dwarf_tag(&child) == DW_TAG_subrange_type;
		while (die_next(&walk, &child));
	}
	if (dimensions != 1 || !type_of(&whole, ret) || dwarf_aggregate_size(ret, &size) != 0 ||
	    size == 0)
		return false;
	text_printf(path, "[%llu]", (unsigned long long)(*offset / size));
	*offset %= size;
	return true;
}

static bool holds(Dwarf_Die *member, uint64_t offset, uint64_t *ret_at)
{
	Dwarf_Attribute attribute;
	Dwarf_Word at = 0, size;
	Dwarf_Die type;
	/* A static member has none (before DWARF 5 it is a member nevertheless); nor a bit field. */
	if (!dwarf_attr(member, DW_AT_data_member_location, &attribute) ||
	    dwarf_formudata(&attribute, &at) != 0)
		return false;
	if (offset < at || !type_of(member, &type) || dwarf_aggregate_size(&type, &size) != 0)
		return false;
	*ret_at = at;
	return offset - at < size;
}

static bool member(Dwarf_Die *type, uint64_t *offset, struct text *path, Dwarf_Die *ret)
{
	Dwarf_Die child;
	struct die_walk walk = {.left = MAX_MEMBERS};
	if (dwarf_child(type, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);
		uint64_t at;
		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
		    !holds(&child, *offset, &at))
			continue;
		const char *name = tag == DW_TAG_member ? dwarf_diename(&child) : NULL;
		if (name) {
			text_add(path, ".");
			text_add_n(path, name, strnlen(name, NAME_LIMIT));
		}
		*offset -= at;
		*ret = child;
		return true;
	} while (die_next(&walk, &child));
	return false;
}

char *variable_member(Dwarf_Die *variable, uint64_t offset)
{
	struct text path = {0};
	Dwarf_Die at = *variable, type;
	for (unsigned depth = 0; depth < 16 && !is_opaque(&at) && type_of(&at, &type); depth++) {
		int tag = dwarf_tag(&type);
		Dwarf_Die next;
		if (tag == DW_TAG_array_type) {
			/* The array's own type is its element's. */
			if (!element(&type, &offset, &path, &next))
				break;
			at = type;
			continue;
		}
		/* At the beginning the whole is meant as well as its first member. */
		if (offset == 0 || (tag != DW_TAG_structure_type && tag != DW_TAG_class_type) ||
		    !member(&type, &offset, &path, &next))
			break;
		at = next;
	}
	if (offset)
		text_printf(&path, "+0x%llx", (unsigned long long)offset);
	return text_steal(&path);
}
