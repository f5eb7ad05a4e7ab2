/*
 * Steps from libdw's view of call frame information: .eh_frame, with or without its header table,
 * and .debug_frame, compressed or in a debug file of its own.  One row of rules is kept for each
 * address that was asked about.
 */
#include "unwind/engine.h"
#include "unwind/expression.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum rule_kind {
	RULE_UNDEFINED, /* of the return address: there is no caller */
	RULE_UNUSABLE,	/* there is a rule, but not one that can be followed */
	RULE_SAME,
	RULE_SAVED,	 /* at canonical frame address + offset */
	RULE_CFA_OFFSET, /* is canonical frame address + offset */
	RULE_REGISTER,	 /* register `number` + offset: only for the frame address */
	RULE_EXPRESSION,
};

struct rule {
	enum rule_kind kind;
	uint64_t number, offset;
	Dwarf_Op *ops; /* owned */
	size_t count;
};

struct row {
	bool present; /* there is call frame information */
	bool usable;  /* and it is for x86-64, and readable */
	bool signal;
	uint64_t bias;
	struct rule cfa;
	struct rule registers[DWARF_COUNT];
};

struct libdw_engine {
	struct sites *sites;
	struct address_map rows;
};

static void free_row(void *value)
{
	struct row *row = value;
	free(row->cfa.ops);
	for (unsigned i = 0; i < DWARF_COUNT; i++)
		free(row->registers[i].ops);
	free(row);
}

static void *libdw_new(struct sites *sites)
{
	struct libdw_engine *engine = xcalloc(1, sizeof(*engine));
	engine->sites = sites;
	return engine;
}

static void libdw_free(void *context)
{
	struct libdw_engine *engine = context;
	address_map_deinit(&engine->rows, free_row);
	free(engine);
}

/* libdw's operations live as long as its frame: copy them. */
static struct rule expression_rule(const Dwarf_Op *ops, size_t count)
{
	if (count > EXPRESSION_OPS_MAX)
		return (struct rule){RULE_UNUSABLE};
	struct rule rule = {.kind = RULE_EXPRESSION, .count = count};
	rule.ops = xreallocarray(NULL, count, sizeof(*ops));
	memcpy(rule.ops, ops, count * sizeof(*ops));
	return rule;
}

static struct rule cfa_rule(const Dwarf_Op *ops, size_t count)
{
	if (count == 1 && ops[0].atom == DW_OP_bregx)
		return (struct rule){RULE_REGISTER, ops[0].number, ops[0].number2};
	if (count == 1 && ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31)
		return (struct rule){RULE_REGISTER, ops[0].atom - DW_OP_breg0, ops[0].number};
	return expression_rule(ops, count);
}

static struct rule register_rule(const Dwarf_Op *ops, size_t count, const Dwarf_Op *scratch)
{
	if (count == 0)
		return (struct rule){ops == scratch ? RULE_UNDEFINED : RULE_SAME};
	if (ops[0].atom == DW_OP_call_frame_cfa) {
		bool offset = count > 1 && ops[1].atom == DW_OP_plus_uconst;
		size_t used = offset ? 2 : 1;
		uint64_t by = offset ? ops[1].number : 0;
		if (count == used)
			return (struct rule){RULE_SAVED, 0, by};
		if (count == used + 1 && ops[used].atom == DW_OP_stack_value)
			return (struct rule){RULE_CFA_OFFSET, 0, by};
	}
	return expression_rule(ops, count);
}

static void fill_row(struct row *row, Dwarf_Frame *frame)
{
	Dwarf_Addr start, end;
	Dwarf_Op *ops;
	size_t count;
	bool signal = false;
	if (dwarf_frame_info(frame, &start, &end, &signal) != DWARF_RIP)
		return;
	row->signal = signal;
	if (dwarf_frame_cfa(frame, &ops, &count) != 0 || count == 0)
		return;
	row->cfa = cfa_rule(ops, count);
	for (unsigned i = 0; i < DWARF_COUNT; i++) {
		Dwarf_Op scratch[3];
		row->registers[i].kind = RULE_UNUSABLE;
		if (dwarf_frame_register(frame, (int)i, scratch, &ops, &count) == 0)
			row->registers[i] = register_rule(ops, count, scratch);
	}
	/* No function returns to where it is. */
	enum rule_kind pc = row->registers[DWARF_RIP].kind;
	row->usable = row->cfa.kind != RULE_UNUSABLE && pc != RULE_UNUSABLE && pc != RULE_SAME;
}

static bool frame_at(Dwarf_CFI *cfi, uint64_t address, uint64_t bias, struct row *row)
{
	Dwarf_Frame *frame = NULL;
	if (!cfi || dwarf_cfi_addrframe(cfi, address - bias, &frame) != 0 || !frame)
		return false;
	row->present = true;
	row->bias = bias;
	fill_row(row, frame);
	free(frame);
	return true;
}

static const struct row *row_at(struct libdw_engine *engine, const struct site *site)
{
	struct row *row = address_map_get(&engine->rows, site->address);
	if (row)
		return row;
	row = xcalloc(1, sizeof(*row));
	address_map_put(&engine->rows, site->address, row);
	Dwarf_Addr bias = 0;
	Dwarf_CFI *cfi = site_eh_cfi(site, &bias);
	if (!frame_at(cfi, site->address, bias, row)) {
		cfi = site_debug_cfi(site, &bias);
		frame_at(cfi, site->address, bias, row);
	}
	return row;
}

static bool evaluate_cfa(const struct row *row, struct expression_context *context)
{
	bool is_value;
	uint64_t cfa;
	if (row->cfa.kind == RULE_REGISTER) {
		if (!register_get(context->registers, row->cfa.number, &cfa))
			return false;
		cfa += row->cfa.offset;
	} else if (!expression_evaluate(row->cfa.ops, row->cfa.count, context, &cfa, &is_value)) {
		return false;
	}
	context->has_cfa = true;
	context->cfa = cfa;
	return true;
}

static bool evaluate_register(const struct rule *rule, unsigned number,
			      const struct expression_context *context, uint64_t *ret)
{
	uint64_t value;
	bool is_value;
	switch (rule->kind) {
	case RULE_SAME:
		return register_get(context->registers, number, ret);
	case RULE_SAVED:
		return stack_read_u64(context->stack, context->cfa + rule->offset, ret);
	case RULE_CFA_OFFSET:
		*ret = context->cfa + rule->offset;
		return true;
	case RULE_EXPRESSION:
		if (!expression_evaluate(rule->ops, rule->count, context, &value, &is_value))
			return false;
		if (is_value) {
			*ret = value;
			return true;
		}
		return stack_read_u64(context->stack, value, ret);
	case RULE_REGISTER:
	case RULE_UNDEFINED:
	case RULE_UNUSABLE:
		break;
	}
	return false;
}

static enum step_result libdw_step(void *context, const struct step_from *from,
				   struct stack_memory *stack, struct step_to *ret)
{
	struct libdw_engine *engine = context;
	const struct row *row = row_at(engine, from->site);
	if (!row->present)
		return STEP_NO_INFORMATION;
	if (!row->usable)
		return STEP_FAILED;
	*ret = (struct step_to){.signal = row->signal};
	if (row->registers[DWARF_RIP].kind == RULE_UNDEFINED)
		return STEP_OUTERMOST;
	struct expression_context evaluation = {
		.registers = from->registers,
		.stack = stack,
		.bias = row->bias,
		.has_cfa = from->has_cfa,
		.cfa = from->cfa,
	};
	if (!from->has_cfa && !evaluate_cfa(row, &evaluation))
		return STEP_FAILED;
	ret->cfa = evaluation.cfa;
	for (unsigned i = 0; i < DWARF_COUNT; i++) {
		const struct rule *rule = &row->registers[i];
		/* Without a rule of its own the stack pointer is the frame address: the ABI. */
		bool sp_by_default =
			i == DWARF_RSP && (rule->kind == RULE_UNDEFINED || rule->kind == RULE_SAME);
		if (sp_by_default)
			ret->registers.value[i] = evaluation.cfa;
		else if (!evaluate_register(rule, i, &evaluation, &ret->registers.value[i]))
			continue;
		ret->registers.valid |= 1u << i;
	}
	uint32_t needed = 1u << DWARF_RSP | 1u << DWARF_RIP;
	return (ret->registers.valid & needed) == needed ? STEP_OK : STEP_FAILED;
}

const struct unwind_engine_ops unwind_engine_libdw = {
	.name = "libdw",
	.takes_cfa = true,
	.new = libdw_new,
	.free = libdw_free,
	.step = libdw_step,
};
