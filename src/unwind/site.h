/*
 * What there is to know about one address of the target's code, found out once and kept: sites are
 * shared by all threads of a process.
 */
#ifndef HANGDUMP_UNWIND_SITE_H
#define HANGDUMP_UNWIND_SITE_H

#include "base/address_map.h"
#include "unwind/code.h"
#include "unwind/eh_frame.h"
#include "unwind/starts.h"

struct object_facts;

struct site {
	uint64_t address;
	const struct capture_mapping *mapping; /* NULL: none */
	const struct object *object;	       /* NULL: none, or not opened */
	bool executable;
	bool foreign; /* executable, but not of an ELF object: JIT code, trampolines on a heap */
	/* Of the bytes before it. */
	bool before_readable;
	enum call_form call;
	uint64_t call_to;
	/* Of the bytes from it on. */
	bool sigreturn;
	bool after_first_call;
	struct object_facts *facts; /* the object's; NULL when that is not opened */
	/* What the object's .eh_frame has for it. */
	const struct eh_frame *eh_frame; /* NULL: none */
	bool has_fde;
	struct fde fde;
	enum go_function go; /* GO_ORDINARY when the object is not of Go */
	/* site_function() asks once. */
	bool function_asked, function_known;
	uint64_t function_start;
	const char *function_name; /* the object's; NULL: not known */
};

struct sites;

struct sites *sites_new(struct capture_process *process, struct objects *objects);
void sites_free(struct sites *sites);
struct capture_process *sites_process(struct sites *sites);

/*
 * Opens every object, its debug file and its tables, so that no later question waits for a file:
 * what is not open by the deadline stays unknown.
 */
void sites_prepare(struct sites *sites, struct deadline deadline);

/* Never NULL; valid until sites_free(). */
struct site *site_at(struct sites *sites, uint64_t address);

/*
 * What libdw makes of call frame information; *ret_bias: address in memory = address there +
 * *ret_bias.  NULL when there is none, or none that libdw may be asked about.
 */
Dwarf_CFI *site_eh_cfi(const struct site *site, Dwarf_Addr *ret_bias);
/* The same of .debug_frame, of the object or of its debug file. */
Dwarf_CFI *site_debug_cfi(const struct site *site, Dwarf_Addr *ret_bias);

/* Where the function that holds it starts: from its FDE, else from its symbol. */
bool site_function_start(struct site *site, uint64_t *ret);
/* The symbol's name; NULL when there is none. */
const char *site_function_name(struct site *site);

/*
 * Does the call before `site` lead to `function`: directly, through a PLT stub, or through a slot
 * that holds its address?
 */
bool site_call_leads_to(struct sites *sites, const struct site *site, uint64_t function);

/* n bytes of code, or a half, a quarter ... where not so many can be read; how many. */
size_t sites_read_code(struct sites *sites, uint64_t address, void *buf, size_t n);

#endif
