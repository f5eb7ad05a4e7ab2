#include "unwind/fallback.h"

#include "base/array.h"
#include "unwind/expression.h"

#include <string.h>

enum {
	FRAME_SIZE_MAX = 1 << 20,
	SCAN_WORDS = 512,
	FAR_WORDS = 128,
	EPILOGUE_BYTES = 512,
	NEAR_FUNCTION = 1 << 16
};

bool fallback_is_return_address(struct sites *sites, uint64_t address)
{
	const struct site *site = site_at(sites, address);
	/* Interpreters and JIT compilers make return addresses that follow no call. */
	return site->executable &&
	       (site->foreign || site->call != CALL_NONE || site->go == GO_FIRST);
}

bool fallback_sigreturn(struct stack_memory *stack, const struct registers *registers,
			struct step_to *ret)
{
	/*
	 * struct ucontext of the kernel's ABI (arch/x86/include/uapi/asm/sigcontext.h): flags,
	 * link and stack_t take 40 bytes, then come the registers, in this order.
	 */
	enum { REGISTERS_OFFSET = 40 };
	static const uint8_t order[DWARF_COUNT] = {
		DWARF_R8,  DWARF_R9,  DWARF_R10, DWARF_R11, DWARF_R12, DWARF_R13,
		DWARF_R14, DWARF_R15, DWARF_RDI, DWARF_RSI, DWARF_RBP, DWARF_RBX,
		DWARF_RDX, DWARF_RAX, DWARF_RCX, DWARF_RSP, DWARF_RIP,
	};
	uint64_t context, values[DWARF_COUNT];
	if (!register_get(registers, DWARF_RSP, &context) ||
	    !stack_read(stack, context + REGISTERS_OFFSET, values, sizeof(values)))
		return false;
	*ret = (struct step_to){.signal = true, .cfa = context};
	for (unsigned i = 0; i < DWARF_COUNT; i++)
		ret->registers.value[order[i]] = values[i];
	ret->registers.valid = (1u << DWARF_COUNT) - 1;
	return true;
}

/* The caller's registers when its return address is at `slot` and nothing was pushed before it. */
static bool return_through(struct stack_memory *stack, uint64_t slot,
			   const struct registers *registers, struct step_to *ret)
{
	uint64_t pc;
	if (slot > UINT64_MAX - 8 || !stack_read_u64(stack, slot, &pc))
		return false;
	*ret = (struct step_to){.registers = *registers, .cfa = slot + 8};
	ret->registers.value[DWARF_RIP] = pc;
	ret->registers.value[DWARF_RSP] = slot + 8;
	ret->registers.valid |= 1u << DWARF_RIP | 1u << DWARF_RSP;
	return true;
}

/* Code that has not yet pushed anything, or has taken it all down: how far up the address is. */
static bool returns_near_top(struct sites *sites, const struct site *site, unsigned *ret_bytes)
{
	uint8_t at[CODE_BYTES], before[6];
	size_t n = sites_read_code(sites, site->address, at, sizeof(at));
	*ret_bytes = 0;
	if (code_is_return(at, n))
		return true;
	bool after_push_got = sites_read_code(sites, site->address - 6, before, 6) == 6 &&
			      code_is_push_got(before, 6);
	if (code_is_plt_stub(at, n, after_push_got, ret_bytes))
		return true;
	/* At the jump of a lazy stub, behind its push. */
	uint8_t lazy[5 + CODE_BYTES];
	n = sites_read_code(sites, site->address - 5, lazy, sizeof(lazy));
	*ret_bytes = 8;
	unsigned ignored;
	return n > 5 && lazy[0] == 0x68 && code_is_plt_stub(lazy, n, false, &ignored);
}

bool fallback_leaf(struct sites *sites, struct stack_memory *stack, const struct step_from *from,
		   struct step_to *ret)
{
	uint64_t sp;
	unsigned bytes = 0;
	const struct site *site = from->site;
	if (!register_get(from->registers, DWARF_RSP, &sp))
		return false;
	bool vsyscall = site->mapping && strcmp(site->mapping->path, "[vsyscall]") == 0;
	if (site->executable && !vsyscall && !returns_near_top(sites, site, &bytes))
		return false;
	return return_through(stack, sp + bytes, from->registers, ret) &&
	       fallback_is_return_address(sites, ret->registers.value[DWARF_RIP]);
}

size_t fallback_frame_prologue(struct sites *sites, uint64_t start)
{
	uint8_t bytes[CODE_BYTES];
	size_t n = sites_read_code(sites, start, bytes, sizeof(bytes));
	return code_frame_prologue(bytes, n);
}

bool fallback_frame_pointer(struct sites *sites, struct stack_memory *stack,
			    const struct step_from *from, struct step_to *ret, bool *ret_certain)
{
	uint64_t sp, fp, words[2], start;
	*ret_certain = false;
	if (!register_get(from->registers, DWARF_RSP, &sp) ||
	    !register_get(from->registers, DWARF_RBP, &fp) || fp % 8 || fp < sp ||
	    fp - sp >= FRAME_SIZE_MAX)
		return false;
	const struct capture_mapping *region = capture_mapping_at(sites_process(sites), sp);
	if (!region || region->end - fp < sizeof(words) || fp >= region->end ||
	    !stack_read(stack, fp, words, sizeof(words)))
		return false;
	if (!fallback_is_return_address(sites, words[1]))
		return false;
	*ret = (struct step_to){.cfa = fp + 16};
	ret->registers.value[DWARF_RBP] = words[0];
	ret->registers.value[DWARF_RIP] = words[1];
	ret->registers.value[DWARF_RSP] = fp + 16;
	ret->registers.valid = 1u << DWARF_RBP | 1u << DWARF_RIP | 1u << DWARF_RSP;
	if (site_function_start(from->site, &start)) {
		size_t prologue = fallback_frame_prologue(sites, start);
		*ret_certain = prologue && from->lookup_pc - start >= prologue;
	}
	bool chained = words[0] == 0 || (words[0] > fp && words[0] < region->end);
	const struct site *caller = site_at(sites, words[1]);
	return *ret_certain || chained || caller->foreign || caller->call == CALL_INDIRECT;
}

static enum likeness likeness_of(struct sites *sites, const struct step_from *from, uint64_t word)
{
	/* Most words are no addresses of code: ask the mappings before making a site. */
	const struct capture_mapping *mapping = capture_mapping_at(sites_process(sites), word);
	if (!mapping || !mapping->executable)
		return UNLIKE;
	uint64_t start;
	const struct site *site = site_at(sites, word);
	if (site->call == CALL_NONE)
		return UNLIKE;
	bool start_known = site_function_start(from->site, &start);
	if (start_known && site_call_leads_to(sites, site, start))
		return CALLS_THIS_FUNCTION;
	/* No direct call leads into code that no file has, unless from such code. */
	if (from->site->foreign && (site->call == CALL_INDIRECT || site->foreign))
		return CALLS_SOMETHING;
	bool near = !start_known && site->call == CALL_DIRECT && from->site->mapping == mapping &&
		    from->lookup_pc - site->call_to < NEAR_FUNCTION;
	return near ? CALLS_NEARBY : CALLS_OTHER;
}

/* Where the code ahead would return to, if that is after a call: slot and saved rbp. */
static bool epilogue_slot(struct sites *sites, struct stack_memory *stack,
			  const struct step_from *from, uint64_t sp, uint64_t *ret_slot,
			  uint64_t *ret_rbp)
{
	uint8_t bytes[EPILOGUE_BYTES];
	uint64_t size, word;
	size_t n = sites_read_code(sites, from->site->address, bytes, sizeof(bytes));
	if (!code_epilogue(bytes, n, &size, ret_rbp) || sp > UINT64_MAX - size)
		return false;
	struct stack_memory probe = {.memory = stack->memory};
	*ret_slot = sp + size;
	return stack_read_u64(&probe, *ret_slot, &word) && likeness_of(sites, from, word) != UNLIKE;
}

bool fallback_scan(struct sites *sites, struct stack_memory *stack, const struct step_from *from,
		   struct scan_result *ret)
{
	static const struct registers none;
	uint64_t sp, fp, word, best_slot = 0;
	*ret = (struct scan_result){.likeness = UNLIKE};
	if (!register_get(from->registers, DWARF_RSP, &sp) || sp % 8)
		return false;
	for (unsigned i = 0; i < SCAN_WORDS && ret->likeness != CALLS_THIS_FUNCTION; i++) {
		/* That the stack ends before the scan does is nothing to tell. */
		struct stack_memory probe = {.memory = stack->memory};
		uint64_t slot = sp + 8 * (uint64_t)i;
		if (slot < sp || !stack_read_u64(i ? &probe : stack, slot, &word))
			break;
		enum likeness likeness = likeness_of(sites, from, word);
		/* Far up there is always some call through a pointer; it says little here. */
		if (likeness == CALLS_SOMETHING && ret->likeness == CALLS_OTHER && i >= FAR_WORDS)
			continue;
		if (likeness > ret->likeness) {
			ret->likeness = likeness;
			best_slot = slot;
		}
	}
	uint64_t end_slot, end_rbp = UINT64_MAX;
	bool by_end = ret->likeness < WHERE_CODE_RETURNS &&
		      epilogue_slot(sites, stack, from, sp, &end_slot, &end_rbp);
	if (by_end) {
		ret->likeness = WHERE_CODE_RETURNS;
		best_slot = end_slot;
	}
	if (ret->likeness == UNLIKE || !return_through(stack, best_slot, &none, &ret->to))
		return false;
	const struct site *site = site_at(sites, ret->to.registers.value[DWARF_RIP]);
	ret->called = site->call == CALL_DIRECT ? site->call_to : 0;
	bool saved = by_end && end_rbp != UINT64_MAX;
	if (saved ? stack_read_u64(stack, sp + end_rbp, &fp)
		  : register_get(from->registers, DWARF_RBP, &fp) && fp >= ret->to.cfa) {
		/* A function that has no use for rbp leaves it to its caller. */
		ret->to.registers.value[DWARF_RBP] = fp;
		ret->to.registers.valid |= 1u << DWARF_RBP;
	}
	return true;
}
