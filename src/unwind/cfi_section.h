/*
 * The entries of a section of call frame information, .eh_frame or .debug_frame: where each lies and
 * what its header says (System V psABI 4.2.4, LSB 10.6.1, DWARF 5, 6.4.1).  No instructions are read.
 *
 * libdw reads the same bytes, believes augmentation letters beyond the entry's end, and can take
 * the square of the section's size: it may be asked only about what passes here.
 */
#ifndef HANGDUMP_UNWIND_CFI_SECTION_H
#define HANGDUMP_UNWIND_CFI_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cfi_section {
	const uint8_t *bytes;
	size_t size;
	uint64_t address; /* of the bytes, as in the file */
	bool is_debug;	  /* .debug_frame, in which a common entry is referred to in another way */
};

/* Size of a pointer of this encoding (DW_EH_PE_); 0 for those that have no place here. */
size_t cfi_encoded_size(uint8_t encoding);

/* A frame description entry with its common entry. */
struct cfi_fde {
	uint64_t start, end; /* the code that it covers, as in the file */
	bool signal;	     /* augmentation S: of a signal trampoline */
};

enum cfi_entry {
	CFI_GOOD,
	CFI_UNKNOWN, /* a version, augmentation or encoding that is not known here; or a CIE */
	CFI_BAD,     /* beyond all bounds: more than any compiler writes, or more than there is */
};

/* The frame description entry at offset. */
enum cfi_entry cfi_read_fde(const struct cfi_section *section, size_t offset, struct cfi_fde *ret);

/*
 * Calls `found` (may be NULL) for each good FDE, in order, and returns true when there is no bad
 * entry among them all.
 */
typedef void cfi_found_fn(void *context, size_t offset, const struct cfi_fde *fde);
bool cfi_visit(const struct cfi_section *section, cfi_found_fn *found, void *context);

#endif
