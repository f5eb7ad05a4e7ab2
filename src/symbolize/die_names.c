#include "symbolize/private.h"

#include "base/text.h"

enum { SCOPES_MAX = 64, MAX_DIES = 4 << 20 };

static const char *string_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

/* Languages whose functions have one name and no scope. */
static bool is_flat(Dwarf_Die *top)
{
	switch (dwarf_srclang(top)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case 0x2c: /* DW_LANG_C17, DWARF 6 */
	case 0x3e: /* DW_LANG_C23, DWARF 6 */
	case DW_LANG_Mips_Assembler:
	case DW_LANG_ObjC:
	case DW_LANG_Go: /* its names hold the package */
		return true;
	default:
		return false;
	}
}

static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_module ||
	       tag == DW_TAG_interface_type || tag == DW_TAG_subprogram;
}

/* What has no name of its own around a function of this name. */
static const char *nameless(int tag, const char *function)
{
	if (tag == DW_TAG_namespace)
		return "(anonymous namespace)";
	return strcmp(function, "operator()") == 0 ? "{lambda}" : "{unnamed}";
}

/* The DIE that stands where the function was declared. */
static Dwarf_Die declaration_of(Dwarf_Die *die)
{
	static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
	Dwarf_Die at = *die;
	for (unsigned depth = 0; depth < 16; depth++) {
		Dwarf_Attribute attribute;
		Dwarf_Die next;
		bool went = false;
		for (unsigned i = 0; i < ARRAY_SIZE(links) && !went; i++)
			went = dwarf_formref_die(dwarf_attr(&at, links[i], &attribute), &next);
		if (!went)
			break;
		at = next;
	}
	return at;
}

/*
 * The DIEs around this one, from the outside inwards, without its unit.  libdw's own search for them
 * goes through all of a unit, and through others for units that are imported.
 */
static size_t find_scopes(struct deadline deadline, Dwarf_Die *die, Dwarf_Die ret[SCOPES_MAX])
{
	struct die_walk walk = {deadline, MAX_DIES};
	Dwarf_Off wanted = dwarf_dieoffset(die);
	Dwarf_Die at;
	size_t count = 0;
	if (!dwarf_diecu(die, &at, NULL, NULL))
		return 0;
	for (Dwarf_Die child; count < SCOPES_MAX && dwarf_child(&at, &child) == 0; at = child) {
		Dwarf_Die next = child;
		while (die_next(&walk, &next) && dwarf_dieoffset(&next) <= wanted)
			child = next;
		if (dwarf_dieoffset(&child) >= wanted)
			break;
		ret[count++] = child;
	}
	return count;
}

static const char *qualified(struct strpool *strings, struct deadline deadline, Dwarf_Die *die,
			     const char *name)
{
	Dwarf_Die declaration = declaration_of(die), scopes[SCOPES_MAX];
	size_t count = find_scopes(deadline, &declaration, scopes);
	struct text text = {0};
	for (size_t i = 0; i < count && text.length <= NAME_LIMIT; i++) {
		int tag = dwarf_tag(&scopes[i]);
		if (!is_scope(tag))
			continue;
		const char *scope = dwarf_diename(&scopes[i]);
		scope = scope && *scope ? scope : nameless(tag, name);
		text_add_n(&text, scope, strnlen(scope, NAME_LIMIT));
		text_add(&text, "::");
	}
	text_add_n(&text, name, strnlen(name, NAME_LIMIT + 1));
	const char *pooled = name_in_pool(strings, text.bytes);
	text_deinit(&text);
	return pooled;
}

const char *die_function_name(struct strpool *strings, struct deadline deadline, Dwarf_Die *die,
			      Dwarf_Die *top)
{
	const char *linkage = string_of(die, DW_AT_linkage_name);
	if (!linkage)
		linkage = string_of(die, DW_AT_MIPS_linkage_name);
	if (linkage && *linkage)
		return symbol_name(strings, linkage);
	const char *name = dwarf_diename(die);
	if (!name || !*name)
		return NULL;
	return is_flat(top) ? name_in_pool(strings, name) : qualified(strings, deadline, die, name);
}

const char *source_path(struct strpool *strings, const char *path, Dwarf_Die *cu)
{
	Dwarf_Attribute attribute;
	if (!path || !*path)
		return NULL;
	const char *dir = NULL;
	if (path[0] != '/')
		dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attribute));
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	/* A relative directory (reproducible builds) is part of the names already. */
	if (!dir || dir[0] != '/')
		return name_in_pool(strings, path);
	return strpool_printf(strings, "%s/%s", dir, path);
}
