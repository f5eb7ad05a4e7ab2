#include "objects/objects.h"

#include "objects/private.h"
#include "objects/sigbus.h"

#include <limits.h>
#include <unistd.h>

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **ret_path, Elf **ret_elf)
{
	struct object *object = *userdata;
	(void)module, (void)name, (void)base, (void)ret_path;
	*ret_elf = object->elf;
	return -1;
}

static void find_text_relocations(Elf *elf, struct object *object)
{
	size_t count;
	if (elf_getphdrnum(elf, &count) != 0)
		return;
	for (size_t i = 0; i < count && i < OBJECT_MAX_PHDRS; i++) {
		GElf_Phdr phdr;
		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_DYNAMIC)
			continue;
		Elf_Data *data =
			elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz, ELF_T_DYN);
		GElf_Dyn dyn;
		for (int j = 0; data && gelf_getdyn(data, j, &dyn) && dyn.d_tag != DT_NULL; j++) {
			if (dyn.d_tag == DT_TEXTREL ||
			    (dyn.d_tag == DT_FLAGS && dyn.d_un.d_val & DF_TEXTREL))
				object->private->text_relocated = true;
		}
	}
}

/*
 * libdwfl derives the bias from the start of the module and the first segment's address, rounded
 * down to its alignment: the start that it is told is the one that yields ours.
 */
static bool report(struct objects *objects, struct object *object, Elf *elf)
{
	const struct segment *first = &object->private->segments.items[0];
	uint64_t low = object->bias + (first->vaddr & -first->align);
	if (low >= object->end)
		return false;
	dwfl_report_begin_add(objects->dwfl);
	Dwfl_Module *module = dwfl_report_module(objects->dwfl, object->path, low, object->end);
	dwfl_report_end(objects->dwfl, NULL, NULL);
	if (!module)
		return false;
	void **userdata;
	dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = object;
	object->elf = elf;
	Dwarf_Addr bias;
	object->module = module;
	if (dwfl_module_getelf(module, &bias) != elf || bias != object->bias) {
		object->module = NULL;
		return false;
	}
	return true;
}

static void open_object(struct objects *objects, struct object *object)
{
	object->private->tried = true;
	objects->reading = true;
	Elf *elf = object_find_elf(objects, object);
	objects->reading = false;
	if (!elf)
		return;
	find_text_relocations(elf, object);
	if (!report(objects, object, elf)) {
		object->from = OBJECT_NOT_OPENED;
		object->why_not = "its program headers make no sense";
		/* Once the Dwfl has it, it is the Dwfl's. */
		if (!object->elf)
			elf_end(elf);
		object->elf = NULL;
		return;
	}
	const unsigned char *bits;
	GElf_Addr at;
	int n = dwfl_module_build_id(object->module, &bits, &at);
	if (n > 0)
		object->build_id = bytes_hex(&objects->strings, bits, (size_t)n);
}

/*
 * A mute server costs minutes, so that libdw must not find one on its own; we ask, with a deadline,
 * when the user wants it.  Of several that are open at a time, the first has emptied the
 * environment for all.
 */
static const char *take_debuginfod_urls(void)
{
	static char *taken;
	const char *urls = getenv("DEBUGINFOD_URLS");
	if (!taken && urls)
		taken = xstrdup(urls);
	unsetenv("DEBUGINFOD_URLS");
	return taken;
}

/* By its links, which answer even where the file system does not. */
static const char *name_root(struct strpool *strings, const char *process)
{
	char link[64], mounts[64] = "", root[PATH_MAX] = "";
	snprintf(link, sizeof(link), "/proc/%s/ns/mnt", process);
	if (readlink(link, mounts, sizeof(mounts) - 1) <= 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/%s/root", process);
	if (readlink(link, root, sizeof(root) - 1) <= 0)
		return NULL;
	return strpool_printf(strings, "%s %s", mounts, root);
}

/* Equal names of one pool are one pointer; that of a changed root is shown as seen from there. */
static void find_root(struct objects *objects, pid_t tid)
{
	char process[16];
	snprintf(process, sizeof(process), "%d", tid);
	objects->root_name = name_root(&objects->strings, process);
	const char *ours = name_root(&objects->strings, "self");
	objects->shares_root =
		ours && ours == objects->root_name && strcmp(strchr(ours, ' '), " /") == 0;
}

struct objects *objects_open(struct capture_process *process, const struct objects_options *options)
{
	struct objects *objects = xcalloc(1, sizeof(*objects));
	objects->process = process;
	objects->options = *options;
	strpool_init(&objects->strings);
	objects->opener = opener_new();
	snprintf(objects->root, sizeof(objects->root), "/proc/%d/root", process->live_tid);
	find_root(objects, process->live_tid);
	objects->debuginfod_urls = take_debuginfod_urls();
	objects->callbacks = (Dwfl_Callbacks){
		.find_elf = find_elf,
		.find_debuginfo = object_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	elf_version(EV_CURRENT);
	sigbus_guard();
	objects->dwfl = dwfl_begin(&objects->callbacks);
	objects_group(objects);
	memory_add_source(&process->memory, MEMORY_FILE, objects_read_file_memory, objects);
	return objects;
}

static void remove_sources(struct memory *memory, enum memory_origin origin,
			   const struct objects *objects)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < memory->count; i++) {
		bool is_ours = !objects || memory->sources[i].context == objects;
		if (memory->sources[i].origin != origin || !is_ours)
			memory->sources[kept++] = memory->sources[i];
	}
	memory->count = kept;
}

void objects_close(struct objects *objects)
{
	if (!objects)
		return;
	remove_sources(&objects->process->memory, MEMORY_FILE, objects);
	dwfl_end(objects->dwfl);
	array_for_each (&objects->objects, object) {
		struct object_private *p = object->private;
		object_close_dwz(object);
		if (p->fd >= 0)
			close(p->fd);
		object_free_image(object);
		array_deinit(&p->segments);
		free(p);
	}
	array_deinit(&objects->objects);
	array_deinit(&objects->spans);
	array_deinit(&objects->order);
	array_deinit(&objects->stuck);
	opener_free(objects->opener);
	strpool_deinit(&objects->strings);
	free(objects);
}

const struct capture_process *objects_process(const struct objects *objects)
{
	return objects->process;
}

size_t objects_count(const struct objects *objects)
{
	return objects->objects.count;
}

const struct object *objects_peek(const struct objects *objects, size_t index)
{
	return &objects->objects.items[index];
}

const struct object *objects_get(struct objects *objects, size_t index)
{
	struct object *object = &objects->objects.items[index];
	if (!object->private->tried)
		open_object(objects, object);
	return object;
}

/* The last span that begins at or below address. */
static const struct span *span_below(const struct objects *objects, uint64_t address)
{
	size_t low = 0, high = objects->spans.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (objects->spans.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &objects->spans.items[low - 1] : NULL;
}

const struct span *objects_span_at(const struct objects *objects, uint64_t address)
{
	const struct span *span = span_below(objects, address);
	return span && address < span->end ? span : NULL;
}

const struct object *objects_at(struct objects *objects, uint64_t address)
{
	const struct span *span = objects_span_at(objects, address);
	if (!span)
		return NULL;
	const struct object *object = objects_get(objects, span->object);
	/* Known only now. */
	return span->foreign ? NULL : object;
}

const struct object *objects_at_data(struct objects *objects, uint64_t address)
{
	const struct object *object = objects_at(objects, address);
	const struct span *span = object ? NULL : span_below(objects, address);
	if (!span)
		return object;
	object = objects_get(objects, span->object);
	for (size_t i = 0; i < object->private->segments.count; i++) {
		const struct segment *s = &object->private->segments.items[i];
		if (object->module && address - (object->bias + s->vaddr) < s->memory_size)
			return object;
	}
	return NULL;
}

void objects_learn_debug(struct objects *objects, size_t index, const char *debug_path,
			 const char *debug_why_not)
{
	struct object *object = &objects->objects.items[index];
	object->debug_path = strpool_add(&objects->strings, debug_path);
	object->debug_why_not = strpool_add(&objects->strings, debug_why_not);
}

void objects_in_child(struct objects *objects)
{
	opener_in_child(objects->opener);
	remove_sources(&objects->process->memory, MEMORY_LIVE, NULL);
}

bool objects_identify(const struct object *object, struct object_identity *ret)
{
	*ret = object->private->identity;
	return object->private->fd >= 0 && ret->root;
}

Dwfl *objects_dwfl(struct objects *objects)
{
	return objects->dwfl;
}
