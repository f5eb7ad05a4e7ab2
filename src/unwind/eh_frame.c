#include "unwind/eh_frame.h"

#include "base/array.h"
#include "unwind/cfi_section.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct fde_place {
	uint64_t start; /* as in the file */
	size_t offset;	/* in the section */
};

struct eh_frame {
	uint64_t bias;
	struct cfi_section section;
	const uint8_t *rows; /* of .eh_frame_hdr's table: pairs of int32 */
	size_t row_count;    /* 0: no usable table */
	uint64_t table_base;
	array(struct fde_place) index; /* by start; when there is no table */
};

/* Bytes of the file that lie at `address` (as in the file: p_vaddr) when loaded. */
static bool raw_range(Elf *elf, uint64_t offset, uint64_t size, uint64_t address,
		      struct cfi_section *ret)
{
	size_t file_size;
	if (!elf_rawfile(elf, &file_size) || offset > file_size)
		return false;
	if (size > file_size - offset)
		size = file_size - offset;
	Elf_Data *data = size ? elf_getdata_rawchunk(elf, (int64_t)offset, size, ELF_T_BYTE) : NULL;
	if (!data || !data->d_buf)
		return false;
	*ret = (struct cfi_section){.bytes = data->d_buf, .size = data->d_size, .address = address};
	return true;
}

static bool segment_by_type(Elf *elf, uint32_t type, GElf_Phdr *ret)
{
	size_t count;
	if (elf_getphdrnum(elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(elf, (int)i, ret) && ret->p_type == type)
			return true;
	return false;
}

/* From address to the end of the bytes that the file has for its segment. */
static bool loaded_range(Elf *elf, uint64_t address, struct cfi_section *ret)
{
	size_t count;
	if (elf_getphdrnum(elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    address - segment.p_vaddr >= segment.p_filesz)
			continue;
		uint64_t skip = address - segment.p_vaddr;
		return raw_range(elf, segment.p_offset + skip, segment.p_filesz - skip, address,
				 ret);
	}
	return false;
}

static bool section_by_name(Elf *elf, const char *name, struct cfi_section *ret)
{
	size_t names;
	Elf_Scn *section = NULL;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		const char *its = elf_strptr(elf, names, header.sh_name);
		if (its && strcmp(its, name) == 0)
			return raw_range(elf, header.sh_offset, header.sh_size, header.sh_addr,
					 ret);
	}
	return false;
}

static int32_t int32_at(const uint8_t *at)
{
	int32_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

/*
 * The header in the one form that linkers make: version 1, pointer and table pc- and
 * header-relative int32.  Sets section, and table where there is one.
 */
static bool open_header(struct eh_frame *eh_frame, Elf *elf)
{
	enum {
		PCREL_SDATA4 = DW_EH_PE_pcrel | DW_EH_PE_sdata4,
		DATAREL_SDATA4 = DW_EH_PE_datarel | DW_EH_PE_sdata4
	};
	GElf_Phdr segment;
	struct cfi_section header;
	if (!segment_by_type(elf, PT_GNU_EH_FRAME, &segment) ||
	    !loaded_range(elf, segment.p_vaddr, &header) || header.size < 8 ||
	    header.bytes[0] != 1 || header.bytes[1] != PCREL_SDATA4)
		return false;
	uint64_t section = header.address + 4 + (uint64_t)(int64_t)int32_at(header.bytes + 4);
	if (!loaded_range(elf, section, &eh_frame->section))
		return false;
	if (header.size < 12 || header.bytes[2] != DW_EH_PE_udata4 ||
	    header.bytes[3] != DATAREL_SDATA4)
		return true;
	uint32_t count = (uint32_t)int32_at(header.bytes + 8);
	if (count <= (header.size - 12) / 8)
		eh_frame->row_count = count;
	eh_frame->rows = header.bytes + 12;
	eh_frame->table_base = header.address;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct fde_place *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

static void add_fde(void *context, size_t offset, const struct cfi_fde *fde)
{
	struct eh_frame *eh_frame = context;
	*array_append(&eh_frame->index) = (struct fde_place){fde->start, offset};
}

static bool build_index(struct eh_frame *eh_frame)
{
	if (!cfi_visit(&eh_frame->section, add_fde, eh_frame))
		return false;
	array_sort(&eh_frame->index, by_start);
	return true;
}

/*
 * libdw believes section headers first: when they lead to other bytes than the program headers do,
 * or to no table, it reads all of what they lead to.
 */
static bool sections_are_good(const struct eh_frame *eh_frame, Elf *elf)
{
	struct cfi_section section, header;
	if (!section_by_name(elf, ".eh_frame", &section))
		return true;
	bool same = section.address == eh_frame->section.address;
	if (same && (!eh_frame->row_count || (section_by_name(elf, ".eh_frame_hdr", &header) &&
					      header.address == eh_frame->table_base)))
		return true;
	return cfi_visit(&section, NULL, NULL);
}

struct eh_frame *eh_frame_open(const struct object *object)
{
	if (!object->elf || gelf_getclass(object->elf) != ELFCLASS64)
		return NULL;
	struct eh_frame *eh_frame = xcalloc(1, sizeof(*eh_frame));
	eh_frame->bias = object->bias;
	bool usable = open_header(eh_frame, object->elf) ||
		      section_by_name(object->elf, ".eh_frame", &eh_frame->section);
	if (usable && !eh_frame->row_count)
		usable = build_index(eh_frame);
	if (usable && sections_are_good(eh_frame, object->elf))
		return eh_frame;
	eh_frame_close(eh_frame);
	return NULL;
}

void eh_frame_close(struct eh_frame *eh_frame)
{
	if (!eh_frame)
		return;
	array_deinit(&eh_frame->index);
	free(eh_frame);
}

/* The offset of the last entry that starts at or below address. */
static bool find_in_table(const struct eh_frame *eh_frame, uint64_t address, size_t *ret_offset)
{
	const uint8_t *rows = eh_frame->rows;
	size_t low = 0, high = eh_frame->row_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t start =
			eh_frame->table_base + (uint64_t)(int64_t)int32_at(rows + middle * 8);
		if (start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	uint64_t fde = eh_frame->table_base + (uint64_t)(int64_t)int32_at(rows + (low - 1) * 8 + 4);
	*ret_offset = fde - eh_frame->section.address;
	return *ret_offset < eh_frame->section.size;
}

static bool find_in_index(const struct eh_frame *eh_frame, uint64_t address, size_t *ret_offset)
{
	size_t low = 0, high = eh_frame->index.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (eh_frame->index.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*ret_offset = eh_frame->index.items[low - 1].offset;
	return true;
}

bool eh_frame_find(const struct eh_frame *eh_frame, uint64_t address, struct fde *ret)
{
	size_t offset;
	struct cfi_fde fde;
	uint64_t in_file = address - eh_frame->bias;
	bool found = eh_frame->row_count ? find_in_table(eh_frame, in_file, &offset)
					 : find_in_index(eh_frame, in_file, &offset);
	if (!found || cfi_read_fde(&eh_frame->section, offset, &fde) != CFI_GOOD ||
	    in_file < fde.start || in_file >= fde.end)
		return false;
	ret->start = fde.start + eh_frame->bias;
	ret->end = fde.end + eh_frame->bias;
	ret->address = eh_frame->section.address + offset + eh_frame->bias;
	ret->signal = fde.signal;
	return true;
}

bool eh_frame_read(const struct eh_frame *eh_frame, uint64_t address, void *buf, size_t n)
{
	uint64_t start = eh_frame->section.address + eh_frame->bias;
	uint64_t skip = address - start;
	if (skip < eh_frame->section.size) {
		size_t there = eh_frame->section.size - skip;
		memcpy(buf, eh_frame->section.bytes + skip, n < there ? n : there);
		return true;
	}
	/* The word in which the section begins. */
	uint64_t before = start - address;
	if (before < n) {
		size_t there = n - before;
		if (there > eh_frame->section.size)
			there = eh_frame->section.size;
		memcpy((char *)buf + before, eh_frame->section.bytes, there);
		return true;
	}
	return false;
}
