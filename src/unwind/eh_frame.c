#include "unwind/eh_frame.h"

#include "base/array.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

enum { FDES_MAX = 1 << 22 };

/* Bytes of the file that lie at `address` (as in the file: p_vaddr) when loaded. */
struct range {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
};

struct fde_place {
	uint64_t start, end; /* as in the file */
	size_t offset;	     /* in the section */
};

struct eh_frame {
	const unsigned char *ident;
	uint64_t bias;
	struct range section;
	struct range table; /* of .eh_frame_hdr: pairs of int32; size 0: not usable */
	uint64_t table_base;
	array(struct fde_place) index; /* by start; when there is no table */
};

static bool raw_range(Elf *elf, uint64_t offset, uint64_t size, uint64_t address, struct range *ret)
{
	size_t file_size;
	if (!elf_rawfile(elf, &file_size) || offset > file_size)
		return false;
	if (size > file_size - offset)
		size = file_size - offset;
	Elf_Data *data = size ? elf_getdata_rawchunk(elf, (int64_t)offset, size, ELF_T_BYTE) : NULL;
	if (!data || !data->d_buf)
		return false;
	*ret = (struct range){data->d_buf, data->d_size, address};
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
static bool loaded_range(Elf *elf, uint64_t address, struct range *ret)
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

static bool section_by_name(Elf *elf, const char *name, struct range *ret)
{
	size_t names;
	Elf_Scn *section = NULL;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
		    !(header.sh_flags & SHF_ALLOC))
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
	struct range header;
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
		eh_frame->table = (struct range){header.bytes + 12, (size_t)count * 8, 0};
	eh_frame->table_base = header.address;
	return true;
}

/* Size of a pointer in this encoding; 0 for those that have no place here. */
static size_t encoded_size(uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return 8;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4:
		return 4;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2:
		return 2;
	default:
		return 0;
	}
}

static uint64_t encoded_value(const uint8_t *at, uint8_t encoding)
{
	uint64_t value = 0;
	size_t size = encoded_size(encoding);
	memcpy(&value, at, size);
	if ((encoding & DW_EH_PE_signed) && size < 8) {
		unsigned unused = 64 - 8 * (unsigned)size;
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	}
	return value;
}

struct cie_facts {
	uint8_t encoding; /* of the addresses in its FDEs */
	bool signal;
};

static bool read_cie(const Dwarf_CIE *cie, struct cie_facts *ret)
{
	const char *letters = cie->augmentation;
	const uint8_t *data = cie->augmentation_data;
	const uint8_t *end = data + cie->augmentation_data_size;
	*ret = (struct cie_facts){.encoding = DW_EH_PE_absptr};
	if (!letters || letters[0] != 'z')
		return letters && letters[0] == '\0';
	for (letters++; *letters; letters++) {
		if (*letters == 'S') {
			ret->signal = true;
			continue;
		}
		if (*letters == 'B') /* aarch64 pointer authentication; no data */
			continue;
		if (!data || data >= end)
			return false;
		if (*letters == 'R') {
			ret->encoding = *data++;
		} else if (*letters == 'L') {
			data++;
		} else if (*letters == 'P') {
			size_t size = encoded_size(*data);
			if (!size || (size_t)(end - data) < 1 + size)
				return false;
			data += 1 + size;
		} else {
			return false;
		}
	}
	return true;
}

static int next_entry(const struct eh_frame *eh_frame, size_t offset, Dwarf_Off *ret_next,
		      Dwarf_CFI_Entry *ret)
{
	Elf_Data data = {
		.d_buf = (void *)eh_frame->section.bytes,
		.d_type = ELF_T_BYTE,
		.d_version = EV_CURRENT,
		.d_size = eh_frame->section.size,
	};
	return dwarf_next_cfi(eh_frame->ident, &data, true, offset, ret_next, ret);
}

static bool read_fde(const struct eh_frame *eh_frame, const Dwarf_FDE *fde, struct fde_place *ret,
		     bool *ret_signal)
{
	Dwarf_Off next;
	Dwarf_CFI_Entry cie;
	struct cie_facts facts;
	if (fde->CIE_pointer >= eh_frame->section.size ||
	    next_entry(eh_frame, fde->CIE_pointer, &next, &cie) != 0 || !dwarf_cfi_cie_p(&cie) ||
	    !read_cie(&cie.cie, &facts))
		return false;
	size_t size = encoded_size(facts.encoding);
	uint8_t relative = facts.encoding & 0xf0;
	if (!size || (relative != 0 && relative != DW_EH_PE_pcrel) ||
	    (size_t)(fde->end - fde->start) < 2 * size)
		return false;
	uint64_t start = encoded_value(fde->start, facts.encoding);
	if (relative == DW_EH_PE_pcrel)
		start += eh_frame->section.address +
			 (uint64_t)(fde->start - eh_frame->section.bytes);
	/* A length is never relative, and never negative. */
	uint64_t length = encoded_value(fde->start + size, facts.encoding & 0x07);
	if (length == 0 || start > UINT64_MAX - length)
		return false;
	ret->start = start;
	ret->end = start + length;
	*ret_signal = facts.signal;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct fde_place *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

static void build_index(struct eh_frame *eh_frame)
{
	Dwarf_Off offset = 0, next;
	Dwarf_CFI_Entry entry;
	while (offset < eh_frame->section.size && eh_frame->index.count < FDES_MAX &&
	       next_entry(eh_frame, offset, &next, &entry) == 0) {
		struct fde_place place = {.offset = offset};
		bool signal;
		if (!dwarf_cfi_cie_p(&entry) && read_fde(eh_frame, &entry.fde, &place, &signal))
			*array_append(&eh_frame->index) = place;
		if (next <= offset)
			break;
		offset = next;
	}
	if (eh_frame->index.count)
		qsort(eh_frame->index.items, eh_frame->index.count, sizeof(struct fde_place),
		      by_start);
}

struct eh_frame *eh_frame_open(const struct object *object)
{
	if (!object->elf || gelf_getclass(object->elf) != ELFCLASS64)
		return NULL;
	struct eh_frame *eh_frame = xcalloc(1, sizeof(*eh_frame));
	eh_frame->ident = (const unsigned char *)elf_getident(object->elf, NULL);
	eh_frame->bias = object->bias;
	if (!open_header(eh_frame, object->elf) &&
	    !section_by_name(object->elf, ".eh_frame", &eh_frame->section)) {
		free(eh_frame);
		return NULL;
	}
	if (!eh_frame->table.size)
		build_index(eh_frame);
	return eh_frame;
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
	const uint8_t *rows = eh_frame->table.bytes;
	size_t low = 0, high = eh_frame->table.size / 8;
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
	Dwarf_Off next;
	Dwarf_CFI_Entry entry;
	struct fde_place place;
	uint64_t in_file = address - eh_frame->bias;
	bool found = eh_frame->table.size ? find_in_table(eh_frame, in_file, &place.offset)
					  : find_in_index(eh_frame, in_file, &place.offset);
	if (!found || next_entry(eh_frame, place.offset, &next, &entry) != 0 ||
	    dwarf_cfi_cie_p(&entry) || !read_fde(eh_frame, &entry.fde, &place, &ret->signal) ||
	    in_file < place.start || in_file >= place.end)
		return false;
	ret->start = place.start + eh_frame->bias;
	ret->end = place.end + eh_frame->bias;
	ret->address = eh_frame->section.address + place.offset + eh_frame->bias;
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
