#include "unwind/site.h"

#include "base/array.h"
#include "unwind/cfi_section.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

enum { THUNK_BYTES = 64, UNSIZED_MAX = 256 };

struct object_facts {
	const struct object *object;
	struct eh_frame *eh_frame;
	bool go;
	/* site_debug_cfi() asks once. */
	bool debug_asked;
	Dwarf_CFI *debug_cfi;
	Dwarf_Addr debug_bias;
};

struct sites {
	struct capture_process *process;
	struct objects *objects;
	struct address_map map;
	array(struct object_facts *) facts;
};

struct sites *sites_new(struct capture_process *process, struct objects *objects)
{
	struct sites *sites = xcalloc(1, sizeof(*sites));
	sites->process = process;
	sites->objects = objects;
	return sites;
}

void sites_free(struct sites *sites)
{
	if (!sites)
		return;
	address_map_deinit(&sites->map, free);
	array_for_each (&sites->facts, facts) {
		eh_frame_close((*facts)->eh_frame);
		free(*facts);
	}
	array_deinit(&sites->facts);
	free(sites);
}

struct capture_process *sites_process(struct sites *sites)
{
	return sites->process;
}

static bool is_go(Elf *elf)
{
	size_t names;
	Elf_Scn *section = NULL;
	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		if (name && (strcmp(name, ".gopclntab") == 0 ||
			     strcmp(name, ".data.rel.ro.gopclntab") == 0))
			return true;
	}
	return false;
}

static struct object_facts *facts_of(struct sites *sites, const struct object *object)
{
	array_for_each (&sites->facts, known)
		if ((*known)->object == object)
			return *known;
	struct object_facts *facts = xcalloc(1, sizeof(*facts));
	*array_append(&sites->facts) = facts;
	facts->object = object;
	facts->eh_frame = eh_frame_open(object);
	facts->go = is_go(object->elf);
	return facts;
}

/* In the bytes that libdw reads: it has inflated them in place. */
static bool debug_frame_is_good(Dwfl_Module *module)
{
	size_t names;
	Dwarf_Addr bias;
	Elf_Scn *section = NULL;
	Elf *elf = dwarf_getelf(dwfl_module_getdwarf(module, &bias));
	if (!elf || gelf_getclass(elf) != ELFCLASS64 || elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;
		if (!name ||
		    (strcmp(name, ".debug_frame") != 0 && strcmp(name, ".zdebug_frame") != 0))
			continue;
		Elf_Data *data = elf_rawdata(section, NULL);
		struct cfi_section bytes = {.is_debug = true};
		if (data) {
			bytes.bytes = data->d_buf;
			bytes.size = data->d_buf ? data->d_size : 0;
		}
		if ((header.sh_flags & SHF_COMPRESSED) || !cfi_visit(&bytes, NULL, NULL))
			return false;
	}
	return true;
}

static void ask_debug_cfi(struct object_facts *facts)
{
	Dwfl_Module *module = facts->object->module;
	facts->debug_asked = true;
	Dwarf_CFI *cfi = module ? dwfl_module_dwarf_cfi(module, &facts->debug_bias) : NULL;
	if (cfi && debug_frame_is_good(module))
		facts->debug_cfi = cfi;
}

Dwarf_CFI *site_debug_cfi(const struct site *site, Dwarf_Addr *ret_bias)
{
	struct object_facts *facts = site->facts;
	if (!facts)
		return NULL;
	if (!facts->debug_asked)
		ask_debug_cfi(facts);
	*ret_bias = facts->debug_bias;
	return facts->debug_cfi;
}

Dwarf_CFI *site_eh_cfi(const struct site *site, Dwarf_Addr *ret_bias)
{
	if (!site->has_fde || !site->object->module)
		return NULL;
	return dwfl_module_eh_cfi(site->object->module, ret_bias);
}

void sites_prepare(struct sites *sites, struct deadline deadline)
{
	for (size_t i = 0; i < objects_count(sites->objects); i++) {
		const struct object *object = objects_get(sites->objects, i);
		Dwarf_Addr bias;
		if (object->from == OBJECT_NOT_OPENED)
			continue;
		struct object_facts *facts = facts_of(sites, object);
		if (object->module && facts->eh_frame)
			dwfl_module_eh_cfi(object->module, &bias);
		facts->debug_asked = true;
		if (!object->module || deadline_passed(deadline))
			continue;
		ask_debug_cfi(facts);
		dwfl_module_getsymtab(object->module);
	}
}

size_t sites_read_code(struct sites *sites, uint64_t address, void *buf, size_t n)
{
	while (n && !memory_read(&sites->process->memory, address, buf, n, NULL))
		n /= 2;
	return n;
}

static void look_before(struct sites *sites, struct site *site)
{
	uint8_t bytes[CALL_BYTES_MAX];
	uint64_t there = site->address - site->mapping->start;
	size_t n = there < sizeof(bytes) ? there : sizeof(bytes);
	if (n < 2 || !memory_read(&sites->process->memory, site->address - n, bytes, n, NULL))
		return;
	site->before_readable = true;
	site->call = code_call_before(bytes, n, site->address, &site->call_to);
}

static void look_at(struct sites *sites, struct site *site)
{
	uint8_t bytes[CODE_BYTES];
	uint64_t there = site->mapping->end - site->address;
	size_t n = sites_read_code(sites, site->address, bytes,
				   there < sizeof(bytes) ? there : sizeof(bytes));
	site->sigreturn = code_is_sigreturn(bytes, n);
	site->after_first_call = site->call != CALL_NONE && code_is_after_first_call(bytes, n);
}

static void look_up(struct sites *sites, struct site *site)
{
	site->object = objects_at(sites->objects, site->address);
	/* A script or data file that is mapped so is no object; nor is one that would not open. */
	if (!site->object || site->object->from == OBJECT_NOT_OPENED)
		return;
	site->facts = facts_of(sites, site->object);
	site->eh_frame = site->facts->eh_frame;
	site->has_fde = site->eh_frame && eh_frame_find(site->eh_frame, site->address, &site->fde);
	const char *name = site->facts->go ? site_function_name(site) : NULL;
	if (name)
		site->go = start_go_function(name);
}

/* JIT compilers map their code also from files without a name. */
static bool is_foreign(const struct site *site)
{
	static const char nameless[] = "/memfd:";
	return !site->object || (site->object->from == OBJECT_NOT_OPENED &&
				 strncmp(site->mapping->path, nameless, sizeof(nameless) - 1) == 0);
}

struct site *site_at(struct sites *sites, uint64_t address)
{
	struct site *site = address_map_get(&sites->map, address);
	if (site)
		return site;
	site = xcalloc(1, sizeof(*site));
	address_map_put(&sites->map, address, site);
	site->address = address;
	site->mapping = capture_mapping_at(sites->process, address);
	if (!site->mapping || !site->mapping->executable)
		return site;
	site->executable = true;
	look_before(sites, site);
	look_at(sites, site);
	look_up(sites, site);
	site->foreign = is_foreign(site);
	return site;
}

static void ask_symbol(struct site *site)
{
	GElf_Off offset;
	GElf_Sym symbol;
	site->function_asked = true;
	if (!site->object || !site->object->module)
		return;
	site->function_name = dwfl_module_addrinfo(site->object->module, site->address, &offset,
						   &symbol, NULL, NULL, NULL);
	if (!site->function_name)
		return;
	/* Without a size it is only what comes before. */
	if (symbol.st_size == 0 && offset > UNSIZED_MAX) {
		site->function_name = NULL;
		return;
	}
	site->function_start = site->address - offset;
	site->function_known = offset <= site->address - site->mapping->start;
}

bool site_function_start(struct site *site, uint64_t *ret)
{
	if (site->has_fde) {
		*ret = site->fde.start;
		return true;
	}
	if (!site->function_asked)
		ask_symbol(site);
	*ret = site->function_start;
	return site->function_known;
}

const char *site_function_name(struct site *site)
{
	if (!site->function_asked)
		ask_symbol(site);
	return site->function_name;
}

/*
 * Directly; by a stub of a procedure linkage table, whose slot is read; or by a small function that
 * ends with a jump there.
 */
static bool code_leads_to(struct sites *sites, uint64_t code, uint64_t function)
{
	uint8_t bytes[THUNK_BYTES];
	uint64_t slot, value;
	if (code == function)
		return true;
	size_t n = sites_read_code(sites, code, bytes, sizeof(bytes));
	if (code_plt_slot(bytes, n, code, &slot))
		return memory_read_u64(&sites->process->memory, slot, &value) && value == function;
	return code_jumps_to(bytes, n, code, function);
}

bool site_call_leads_to(struct sites *sites, const struct site *site, uint64_t function)
{
	uint64_t value;
	switch (site->call) {
	case CALL_DIRECT:
		return code_leads_to(sites, site->call_to, function);
	case CALL_SLOT:
		return memory_read_u64(&sites->process->memory, site->call_to, &value) &&
		       value == function;
	case CALL_INDIRECT:
	case CALL_NONE:
		break;
	}
	return false;
}
