/*
 * The .eh_frame of one object: which entry covers an address.  Made from the program headers where
 * possible (they say what is loaded), with or without a usable .eh_frame_hdr table.
 */
#ifndef HANGDUMP_UNWIND_EH_FRAME_H
#define HANGDUMP_UNWIND_EH_FRAME_H

#include "objects/objects.h"

struct eh_frame;

/* A frame description entry; addresses are those in memory. */
struct fde {
	uint64_t start, end; /* the code that it covers */
	uint64_t address;    /* of the entry itself */
	bool signal;	     /* augmentation S: of a signal trampoline */
};

/*
 * NULL when it has none that can be read, or one that is made to be misread: then libdw must not be
 * asked about it either.
 */
struct eh_frame *eh_frame_open(const struct object *object);
void eh_frame_close(struct eh_frame *eh_frame);

bool eh_frame_find(const struct eh_frame *eh_frame, uint64_t address, struct fde *ret);
/* Copies what of [address, address + n) lies in the section; returns whether any does. */
bool eh_frame_read(const struct eh_frame *eh_frame, uint64_t address, void *buf, size_t n);

#endif
