#include "unwind/cfi_section.h"

#include <dwarf.h>
#include <string.h>

/*
 * Compilers write up to six letters, and CIEs below 100 bytes.  FDEs of generated functions with
 * thousands of exits have tens of kilobytes; libdw takes up to 400 bytes of memory for each of them.
 */
enum { LETTERS_MAX = 8, CIE_MAX = 4096, FDE_MAX = 1 << 18, ENTRIES_MAX = 1 << 22 };

struct entry {
	size_t next; /* offset of the one behind it */
	bool is_cie;
	uint64_t cie; /* offset of an FDE's CIE */
	const uint8_t *body, *end;
};

struct cie {
	enum cfi_entry is;
	uint8_t encoding; /* of the addresses in its FDEs */
	bool signal;
};

/* Of the last CIE: the FDEs that refer to one stand together. */
struct last_cie {
	bool known;
	uint64_t offset;
	struct cie cie;
};

static uint64_t read_unsigned(const uint8_t *at, size_t size)
{
	uint64_t value = 0;
	memcpy(&value, at, size);
	return value;
}

/* False where the section ends: behind it, at its terminator, or in an entry that is cut short. */
static bool entry_at(const struct cfi_section *section, uint64_t offset, struct entry *ret)
{
	if (offset >= section->size || section->size - offset < 4)
		return false;
	const uint8_t *at = section->bytes + offset, *stop = section->bytes + section->size;
	size_t width = 4;
	uint64_t length = read_unsigned(at, 4);
	at += 4;
	if (length == UINT32_MAX) {
		width = 8;
		if (stop - at < 8)
			return false;
		length = read_unsigned(at, 8);
		at += 8;
	}
	if (length <= width || length > (uint64_t)(stop - at))
		return false;
	uint64_t id = read_unsigned(at, width), here = (uint64_t)(at - section->bytes);
	ret->end = at + length;
	ret->next = (size_t)(ret->end - section->bytes);
	ret->body = at + width;
	if (section->is_debug) {
		ret->is_cie = id == (width == 4 ? UINT32_MAX : UINT64_MAX);
		ret->cie = id;
	} else {
		ret->is_cie = id == 0;
		ret->cie = here - id;
	}
	return true;
}

static bool skip_leb128(const uint8_t **at, const uint8_t *end)
{
	while (*at < end)
		if (!(*(*at)++ & 0x80))
			return true;
	return false;
}

static bool read_uleb128(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;
		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

size_t cfi_encoded_size(uint8_t encoding)
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
	size_t size = cfi_encoded_size(encoding);
	uint64_t value = read_unsigned(at, size);
	if ((encoding & DW_EH_PE_signed) && size < 8) {
		unsigned unused = 64 - 8 * (unsigned)size;
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	}
	return value;
}

/* What the letters behind 'z' say, with their data in [data, end). */
static void read_letters(const char *letters, const uint8_t *data, const uint8_t *end,
			 struct cie *ret)
{
	for (; *letters; letters++) {
		/* B: aarch64 pointer authentication. */
		if (*letters == 'S' || *letters == 'B') {
			ret->signal |= *letters == 'S';
			continue;
		}
		if (*letters != 'R' && *letters != 'L' && *letters != 'P') {
			ret->is = CFI_UNKNOWN;
			return;
		}
		size_t size = 0;
		if (data < end && *letters == 'P')
			size = cfi_encoded_size(*data);
		if (data >= end || (*letters == 'P' && !size) || (size_t)(end - data) < 1 + size) {
			ret->is = CFI_BAD;
			return;
		}
		if (*letters == 'R')
			ret->encoding = *data;
		data += 1 + size;
	}
}

static struct cie read_cie(const struct cfi_section *section, uint64_t offset)
{
	struct entry entry;
	struct cie bad = {.is = CFI_BAD}, unknown = {.is = CFI_UNKNOWN};
	struct cie cie = {.is = CFI_GOOD, .encoding = DW_EH_PE_absptr};
	if (!entry_at(section, offset, &entry))
		return unknown;
	if (entry.next - offset > CIE_MAX)
		return bad;
	if (!entry.is_cie)
		return unknown;
	const uint8_t *at = entry.body, *end = entry.end;
	uint8_t version = *at++;
	size_t room = (size_t)(end - at) < LETTERS_MAX + 1 ? (size_t)(end - at) : LETTERS_MAX + 1;
	const char *letters = (const char *)at;
	const uint8_t *nul = memchr(at, '\0', room);
	if (!nul)
		return bad;
	at = nul + 1;
	if (version != 1 && version != 3 && version != 4)
		return unknown;
	if (version == 4) {
		/* Sizes of an address and of a segment selector. */
		if (end - at < 2 || at[0] != 8 || at[1] != 0)
			return unknown;
		at += 2;
	}
	if (letters[0] && letters[0] != 'z')
		return unknown;
	uint64_t size;
	/* Both alignment factors, and the column of the return address. */
	if (!skip_leb128(&at, end) || !skip_leb128(&at, end) || at >= end ||
	    (version == 1 ? !at++ : !skip_leb128(&at, end)))
		return bad;
	if (!letters[0])
		return cie;
	if (!read_uleb128(&at, end, &size) || size > (uint64_t)(end - at))
		return bad;
	read_letters(letters + 1, at, at + size, &cie);
	return cie;
}

static enum cfi_entry read_addresses(const struct cfi_section *section, const struct entry *entry,
				     const struct cie *cie, struct cfi_fde *ret)
{
	size_t size = cfi_encoded_size(cie->encoding);
	uint8_t relative = cie->encoding & 0xf0;
	if (!size || (size_t)(entry->end - entry->body) < 2 * size)
		return CFI_BAD;
	if (relative != 0 && relative != DW_EH_PE_pcrel)
		return CFI_UNKNOWN;
	uint64_t start = encoded_value(entry->body, cie->encoding);
	if (relative == DW_EH_PE_pcrel)
		start += section->address + (uint64_t)(entry->body - section->bytes);
	/* A length is never relative, and never negative. */
	uint64_t length = encoded_value(entry->body + size, cie->encoding & 0x07);
	/* Of code that the linker removed. */
	if (length == 0 || start > UINT64_MAX - length)
		return CFI_UNKNOWN;
	*ret = (struct cfi_fde){start, start + length, cie->signal};
	return CFI_GOOD;
}

static enum cfi_entry read_fde(const struct cfi_section *section, const struct entry *entry,
			       struct last_cie *last, struct cfi_fde *ret)
{
	if ((size_t)(entry->end - entry->body) > FDE_MAX)
		return CFI_BAD;
	if (!last->known || last->offset != entry->cie)
		*last = (struct last_cie){true, entry->cie, read_cie(section, entry->cie)};
	return last->cie.is == CFI_GOOD ? read_addresses(section, entry, &last->cie, ret)
					: last->cie.is;
}

enum cfi_entry cfi_read_fde(const struct cfi_section *section, size_t offset, struct cfi_fde *ret)
{
	struct entry entry;
	struct last_cie last = {.known = false};
	if (!entry_at(section, offset, &entry))
		return CFI_BAD;
	return entry.is_cie ? CFI_UNKNOWN : read_fde(section, &entry, &last, ret);
}

bool cfi_visit(const struct cfi_section *section, cfi_found_fn *found, void *context)
{
	struct entry entry;
	struct last_cie last = {.known = false};
	size_t offset = 0;
	for (unsigned i = 0; entry_at(section, offset, &entry); i++) {
		struct cfi_fde fde;
		enum cfi_entry is = entry.is_cie ? read_cie(section, offset).is
						 : read_fde(section, &entry, &last, &fde);
		if (is == CFI_BAD || i == ENTRIES_MAX)
			return false;
		if (is == CFI_GOOD && !entry.is_cie && found)
			found(context, offset, &fde);
		offset = entry.next;
	}
	return true;
}
