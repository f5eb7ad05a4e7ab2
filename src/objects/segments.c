/* Program headers against mappings: where an ELF file lies in memory. */
#include "objects/private.h"

bool object_read_segments(struct object *object, Elf *elf)
{
	struct object_private *p = object->private;
	GElf_Ehdr ehdr;
	size_t count;
	p->segments.count = 0;
	if (!gelf_getehdr(elf, &ehdr) || gelf_getclass(elf) != ELFCLASS64 ||
	    (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN) || ehdr.e_machine != EM_X86_64)
		return false;
	if (elf_getphdrnum(elf, &count) != 0 || count > OBJECT_MAX_PHDRS)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;
		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_LOAD)
			continue;
		if (phdr.p_offset + phdr.p_filesz < phdr.p_offset ||
		    phdr.p_vaddr + phdr.p_memsz < phdr.p_vaddr)
			return false;
		struct segment *segment = array_append(&p->segments);
		*segment = (struct segment){.vaddr = phdr.p_vaddr,
					    .offset = phdr.p_offset,
					    .file_size = phdr.p_filesz,
					    .memory_size = phdr.p_memsz,
					    .align = phdr.p_align,
					    .writable = phdr.p_flags & PF_W,
					    .executable = phdr.p_flags & PF_X};
	}
	return p->segments.count > 0;
}

/* If the segment is what is mapped here, then the file lies at *ret. */
static bool bias_of(const struct segment *segment, const struct span *span, uint64_t *ret)
{
	uint64_t first = segment->offset & ~(uint64_t)(OBJECT_PAGE - 1);
	if (span->offset < first || span->offset >= segment->offset + segment->file_size)
		return false;
	*ret = span->start - (segment->vaddr - segment->offset + span->offset);
	return true;
}

static bool fits(const struct object_private *p, const struct span *span, uint64_t bias)
{
	for (size_t i = 0; i < p->segments.count; i++) {
		uint64_t its;
		if (bias_of(&p->segments.items[i], span, &its) && its == bias)
			return true;
	}
	return false;
}

static size_t count_fitting(struct objects *objects, struct object *object, uint64_t bias)
{
	size_t count = 0;
	for_each_span(objects, object, span)
	{
		count += fits(object->private, span, bias);
	}
	return count;
}

bool object_place(struct objects *objects, struct object *object)
{
	struct object_private *p = object->private;
	const struct span *code = NULL;
	size_t best = 0;
	for_each_span(objects, object, span)
	{
		if (span->executable && !code)
			code = span;
	}
	for (size_t i = 0; code && i < p->segments.count; i++) {
		uint64_t bias;
		if (!p->segments.items[i].executable ||
		    !bias_of(&p->segments.items[i], code, &bias))
			continue;
		size_t count = count_fitting(objects, object, bias);
		if (count > best) {
			best = count;
			object->bias = bias;
		}
	}
	if (!best)
		return false;
	object->start = UINT64_MAX;
	object->end = 0;
	for_each_span(objects, object, span)
	{
		span->foreign = !fits(p, span, object->bias);
		if (span->foreign)
			continue;
		if (span->start < object->start)
			object->start = span->start;
		if (span->end > object->end)
			object->end = span->end;
	}
	return true;
}
