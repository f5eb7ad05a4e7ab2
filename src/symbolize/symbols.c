/* The symbol table by address. */
#include "symbolize/private.h"
#include "symbolize/symbolize.h"

#include "base/cleanup.h"

#include <ctype.h>

/* "pthread_cond_wait@@GLIBC_2.3.2": the version is the linker's affair. */
static size_t without_version(const char *raw)
{
	const char *at = strchr(raw + (raw[0] != '\0'), '@');
	return at && (at[1] == '@' || isalpha((unsigned char)at[1])) ? (size_t)(at - raw)
								     : strlen(raw);
}

/* What a target calls its functions is stored, compared and shown many times over. */
const char *name_in_pool(struct strpool *strings, const char *name)
{
	if (!name || strnlen(name, NAME_LIMIT + 1) <= NAME_LIMIT)
		return strpool_add(strings, name);
	return strpool_printf(strings, "%.*s...", (int)NAME_LIMIT - 3, name);
}

const char *symbol_name(struct strpool *strings, const char *raw)
{
	if (strnlen(raw, NAME_LIMIT + 1) > NAME_LIMIT)
		return name_in_pool(strings, raw);
	_cleanup_free_ char *bare = xstrndup(raw, without_version(raw));
	_cleanup_free_ char *plain = symbolize_demangle(bare);
	return name_in_pool(strings, plain ? plain : bare);
}

/* Of the names of one address, the one that its users know: "poll", not "__GI___poll". */
static unsigned strangeness(const struct symbol *symbol)
{
	unsigned underscores = (unsigned)strspn(symbol->raw, "_");
	if (underscores > 9)
		underscores = 9;
	return (symbol->local ? 100 : 0) + (strncmp(symbol->raw, "__GI_", 5) == 0 ? 10 : 0) +
	       underscores;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/* The best of equals comes last, where a look-up begins. */
	unsigned strange_x = strangeness(x), strange_y = strangeness(y);
	if (strange_x != strange_y)
		return strange_x > strange_y ? -1 : 1;
	return strcmp(y->raw, x->raw);
}

static bool is_wanted(enum symbol_kind kind, const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);
	if (sym->st_shndx == SHN_UNDEF || sym->st_size == 0)
		return false;
	if (kind == SYMBOL_DATA)
		return type == STT_OBJECT || type == STT_COMMON;
	return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

static void build(struct symbol_index *index, Dwfl_Module *module, enum symbol_kind kind)
{
	int count = dwfl_module_getsymtab(module);
	for (int i = 1; i < count; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		const char *raw =
			dwfl_module_getsym_info(module, i, &sym, &address, NULL, NULL, NULL);
		if (!raw || !*raw)
			continue;
		if (GELF_ST_BIND(sym.st_info) == STB_LOCAL && GELF_ST_TYPE(sym.st_info) == STT_FUNC)
			index->has_locals = true;
		if (is_wanted(kind, &sym))
			*array_append(&index->symbols) =
				(struct symbol){.start = address,
						.size = sym.st_size,
						.raw = raw,
						.local = GELF_ST_BIND(sym.st_info) == STB_LOCAL};
	}
	array_sort(&index->symbols, compare);
}

static void build_once(struct symbol_index *index, const struct object *object,
		       enum symbol_kind kind)
{
	if (!index->built && object->module)
		build(index, object->module, kind);
	index->built = true;
}

uint64_t symbol_index_address(struct symbol_index *index, const struct object *object,
			      enum symbol_kind kind, const char *name)
{
	build_once(index, object, kind);
	array_for_each (&index->symbols, symbol) {
		if (strncmp(symbol->raw, name, strlen(name)) == 0 &&
		    without_version(symbol->raw) == strlen(name))
			return symbol->start;
	}
	return 0;
}

const struct symbol *symbol_index_find(struct symbol_index *index, const struct object *object,
				       enum symbol_kind kind, uint64_t address)
{
	build_once(index, object, kind);
	size_t low = 0, high = index->symbols.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (index->symbols.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Symbols seldom lie inside of others, but they have aliases, some of them too short. */
	for (size_t back = 0; back < 64 && back < low; back++) {
		const struct symbol *symbol = &index->symbols.items[low - 1 - back];
		if (address - symbol->start < symbol->size)
			return symbol;
	}
	return NULL;
}

void symbol_index_deinit(struct symbol_index *index)
{
	array_deinit(&index->symbols);
}

const char *symbols_function(struct symbol_index *index, const struct object *object,
			     struct strpool *strings, uint64_t address, uint64_t *ret_start)
{
	const struct symbol *symbol = symbol_index_find(index, object, SYMBOL_FUNCTION, address);
	if (symbol) {
		*ret_start = symbol->start;
		return symbol_name(strings, symbol->raw);
	}
	/*
	 * libdwfl knows how far a symbol without a size reaches: assembler code has such.  It
	 * reaches too far where local symbols were stripped: musl's system calls are no memset.
	 */
	if (!index->has_locals)
		return NULL;
	GElf_Off offset;
	GElf_Sym sym;
	const char *raw =
		dwfl_module_addrinfo(object->module, address, &offset, &sym, NULL, NULL, NULL);
	if (!raw || !*raw || sym.st_size != 0 || GELF_ST_TYPE(sym.st_info) == STT_OBJECT ||
	    GELF_ST_TYPE(sym.st_info) == STT_TLS || offset > address)
		return NULL;
	*ret_start = address - offset;
	return symbol_name(strings, raw);
}
