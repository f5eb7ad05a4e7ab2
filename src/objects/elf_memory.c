/* The ELF image of a loaded object, put together from the process's memory. */
#include "objects/private.h"

/* A limit on our own memory and time. */
#define IMAGE_MAX  (64u << 20)
#define IMAGES_MAX (256u << 20) /* of all objects at a time */
#define CHUNK_SIZE (16u * OBJECT_PAGE)

/* What cannot be read stays zero (and is not touched: no memory of ours): no unwind table, no symbol then; nothing is invented. */
static void read_pages(struct memory *memory, uint64_t address, char *to, size_t n)
{
	for (size_t done = 0; done < n;) {
		size_t chunk = n - done < CHUNK_SIZE ? n - done : CHUNK_SIZE;
		if (!memory_read(memory, address + done, to + done, chunk, NULL)) {
			size_t page = OBJECT_PAGE - ((address + done) & (OBJECT_PAGE - 1));
			chunk = chunk < page ? chunk : page;
			(void)memory_read(memory, address + done, to + done, chunk, NULL);
		}
		done += chunk;
	}
}

static bool read_headers(struct memory *memory, uint64_t start, Elf64_Ehdr *ehdr,
			 Elf64_Phdr **ret_phdrs)
{
	if (!memory_read(memory, start, ehdr, sizeof(*ehdr), NULL) ||
	    memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0 || ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_phentsize != sizeof(Elf64_Phdr) || ehdr->e_phnum == 0 ||
	    ehdr->e_phnum > OBJECT_MAX_PHDRS || ehdr->e_phoff > UINT64_MAX - start)
		return false;
	*ret_phdrs = xcalloc(ehdr->e_phnum, sizeof(**ret_phdrs));
	return memory_read(memory, start + ehdr->e_phoff, *ret_phdrs,
			   ehdr->e_phnum * sizeof(**ret_phdrs), NULL);
}

static bool is_loaded(const Elf64_Phdr *phdr)
{
	return phdr->p_type == PT_LOAD && phdr->p_offset < IMAGE_MAX &&
	       phdr->p_filesz <= IMAGE_MAX - phdr->p_offset;
}

/* Section headers are seldom loaded (the vdso's are): else the image has none. */
static void drop_sections(Elf64_Ehdr *ehdr, const Elf64_Phdr *phdrs)
{
	uint64_t size = (uint64_t)ehdr->e_shnum * ehdr->e_shentsize;
	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		if (is_loaded(&phdrs[i]) && ehdr->e_shoff >= phdrs[i].p_offset &&
		    size <= phdrs[i].p_filesz &&
		    ehdr->e_shoff - phdrs[i].p_offset <= phdrs[i].p_filesz - size)
			return;
	}
	ehdr->e_shoff = 0;
	ehdr->e_shnum = 0;
	ehdr->e_shstrndx = SHN_UNDEF;
}

static Elf *build(struct objects *objects, struct object *object, uint64_t start)
{
	struct object_private *p = object->private;
	struct memory *memory = &objects->process->memory;
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdrs = NULL;
	if (!read_headers(memory, start, &ehdr, &phdrs)) {
		free(phdrs);
		return NULL;
	}
	uint64_t bias = 0;
	size_t size = sizeof(ehdr) + ehdr.e_phnum * sizeof(*phdrs);
	for (unsigned i = ehdr.e_phnum; i-- > 0;) {
		if (!is_loaded(&phdrs[i]))
			continue;
		if (phdrs[i].p_offset < OBJECT_PAGE)
			bias = start - (phdrs[i].p_vaddr - phdrs[i].p_offset);
		if (phdrs[i].p_offset + phdrs[i].p_filesz > size)
			size = phdrs[i].p_offset + phdrs[i].p_filesz;
	}
	if (size > IMAGES_MAX - objects->images_size) {
		free(phdrs);
		return NULL;
	}
	p->image = xcalloc(1, size);
	p->image_size = size;
	objects->images_size += size;
	for (unsigned i = 0; i < ehdr.e_phnum; i++) {
		if (is_loaded(&phdrs[i]))
			read_pages(memory, bias + phdrs[i].p_vaddr,
				   (char *)p->image + phdrs[i].p_offset, phdrs[i].p_filesz);
	}
	drop_sections(&ehdr, phdrs);
	memcpy(p->image, &ehdr, sizeof(ehdr));
	if (ehdr.e_phoff <= size - ehdr.e_phnum * sizeof(*phdrs))
		memcpy((char *)p->image + ehdr.e_phoff, phdrs, ehdr.e_phnum * sizeof(*phdrs));
	free(phdrs);
	return elf_memory(p->image, size);
}

void object_free_image(struct object *object)
{
	struct object_private *p = object->private;
	p->owner->images_size -= p->image_size;
	free(p->image);
	p->image = NULL;
	p->image_size = 0;
}

Elf *object_elf_from_memory(struct objects *objects, struct object *object)
{
	struct object_private *p = object->private;
	Elf *elf = NULL;
	for_each_span(objects, object, span)
	{
		if (span->offset == 0 && !elf && !p->image)
			elf = build(objects, object, span->start);
	}
	if (elf && object_read_segments(object, elf) && object_place(objects, object))
		return elf;
	elf_end(elf);
	object_free_image(object);
	return NULL;
}
