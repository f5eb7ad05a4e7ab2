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

const char *symbol_name(struct strpool *strings, const char *raw)
{
	_cleanup_free_ char *bare = xstrndup(raw, without_version(raw));
	_cleanup_free_ char *plain = symbolize_demangle(bare);
	return strpool_add(strings, plain ? plain : bare);
}

const char *symbols_function(const struct object *object, struct strpool *strings, uint64_t address,
			     uint64_t *ret_start)
{
	GElf_Off offset;
	GElf_Sym sym;
	const char *raw =
	    dwfl_module_addrinfo(object->module, address, &offset, &sym, NULL, NULL, NULL);
	if (!raw || !*raw || GELF_ST_TYPE(sym.st_info) == STT_OBJECT ||
	    GELF_ST_TYPE(sym.st_info) == STT_TLS || offset > address)
		return NULL;
	*ret_start = address - offset;
	return symbol_name(strings, raw);
}

static int compare_data(const void *a, const void *b)
{
	const struct data_symbol *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->global != y->global)
		return x->global ? 1 : -1; /* the last of equals is found first */
	return x->size < y->size ? 1 : x->size > y->size ? -1 : strcmp(y->raw, x->raw);
}

static void build(struct data_symbols *data, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);
	for (int i = 1; i < count; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		const char *raw =
		    dwfl_module_getsym_info(module, i, &sym, &address, NULL, NULL, NULL);
		int type = GELF_ST_TYPE(sym.st_info);
		if (!raw || !*raw || (type != STT_OBJECT && type != STT_COMMON) ||
		    sym.st_shndx == SHN_UNDEF || sym.st_size == 0)
			continue;
		*array_append(&data->symbols) =
		    (struct data_symbol){.start = address,
					 .size = sym.st_size,
					 .raw = raw,
					 .global = GELF_ST_BIND(sym.st_info) == STB_GLOBAL};
	}
	if (data->symbols.count)
		qsort(data->symbols.items, data->symbols.count, sizeof(*data->symbols.items),
		      compare_data);
}

const struct data_symbol *data_symbols_at(struct data_symbols *data, const struct object *object,
					  uint64_t address)
{
	if (!data->built && object->module)
		build(data, object->module);
	data->built = true;
	size_t low = 0, high = data->symbols.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (data->symbols.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Symbols hardly ever lie inside of others, but they have aliases. */
	for (size_t back = 0; back < 16 && back < low; back++) {
		const struct data_symbol *symbol = &data->symbols.items[low - 1 - back];
		if (address - symbol->start < symbol->size)
			return symbol;
	}
	return NULL;
}

void data_symbols_deinit(struct data_symbols *data)
{
	array_deinit(&data->symbols);
}
