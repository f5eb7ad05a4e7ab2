#include "unwind/expression.h"

#include <dwarf.h>

enum { STACK_DEPTH = 64, STEPS_MAX = EXPRESSION_OPS_MAX };

struct machine {
	const struct expression_context *context;
	uint64_t stack[STACK_DEPTH];
	unsigned depth;
	bool failed; /* sticky: too deep, too shallow, no such register or memory */
};

bool register_get(const struct registers *registers, uint64_t number, uint64_t *ret)
{
	if (number >= DWARF_COUNT || !(registers->valid & 1u << number))
		return false;
	*ret = registers->value[number];
	return true;
}

static void push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK_DEPTH)
		m->failed = true;
	else
		m->stack[m->depth++] = value;
}

static uint64_t pop(struct machine *m)
{
	if (m->depth)
		return m->stack[--m->depth];
	m->failed = true;
	return 0;
}

/* From the top, 0 is the top itself. */
static uint64_t pick(struct machine *m, uint64_t index)
{
	if (index < m->depth)
		return m->stack[m->depth - 1 - index];
	m->failed = true;
	return 0;
}

static void push_register(struct machine *m, uint64_t number, uint64_t offset)
{
	uint64_t value = 0;
	if (!register_get(m->context->registers, number, &value))
		m->failed = true;
	push(m, value + offset);
}

static void dereference(struct machine *m, uint64_t size)
{
	uint64_t value = 0, address = pop(m);
	if (m->failed || size == 0 || size > sizeof(value) ||
	    !stack_read(m->context->stack, address, &value, size))
		m->failed = true;
	push(m, value);
}

static void push_cfa(struct machine *m)
{
	if (!m->context->has_cfa)
		m->failed = true;
	push(m, m->context->cfa);
}

static uint64_t shift_arithmetic(uint64_t a, uint64_t b)
{
	if (b > 63)
		b = 63;
	return (uint64_t)((int64_t)a >> b);
}

static uint64_t divide(struct machine *m, uint64_t a, uint64_t b)
{
	if (b == 0) {
		m->failed = true;
		return 0;
	}
	return b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t modulo(struct machine *m, uint64_t a, uint64_t b)
{
	if (b == 0) {
		m->failed = true;
		return 0;
	}
	return a % b;
}

/* Operations that take two values and leave one; false when atom is none of them. */
static bool binary(struct machine *m, uint8_t atom)
{
	uint64_t b = pick(m, 0), a = m->depth > 1 ? pick(m, 1) : 0, r;
	int64_t sa = (int64_t)a, sb = (int64_t)b;
	switch (atom) {
	case DW_OP_and:
		r = a & b;
		break;
	case DW_OP_or:
		r = a | b;
		break;
	case DW_OP_xor:
		r = a ^ b;
		break;
	case DW_OP_plus:
		r = a + b;
		break;
	case DW_OP_minus:
		r = a - b;
		break;
	case DW_OP_mul:
		r = a * b;
		break;
	case DW_OP_div:
		r = divide(m, a, b);
		break;
	case DW_OP_mod:
		r = modulo(m, a, b);
		break;
	case DW_OP_shl:
		r = b > 63 ? 0 : a << b;
		break;
	case DW_OP_shr:
		r = b > 63 ? 0 : a >> b;
		break;
	case DW_OP_shra:
		r = shift_arithmetic(a, b);
		break;
	case DW_OP_eq:
		r = sa == sb;
		break;
	case DW_OP_ne:
		r = sa != sb;
		break;
	case DW_OP_lt:
		r = sa < sb;
		break;
	case DW_OP_le:
		r = sa <= sb;
		break;
	case DW_OP_gt:
		r = sa > sb;
		break;
	case DW_OP_ge:
		r = sa >= sb;
		break;
	default:
		return false;
	}
	if (m->depth < 2)
		m->failed = true;
	pop(m);
	pop(m);
	push(m, r);
	return true;
}

/* Operations that only move the stack about; false when atom is none of them. */
static bool shuffle(struct machine *m, const Dwarf_Op *op)
{
	uint64_t a, b, c;
	switch (op->atom) {
	case DW_OP_dup:
		push(m, pick(m, 0));
		break;
	case DW_OP_over:
		push(m, pick(m, 1));
		break;
	case DW_OP_pick:
		push(m, pick(m, op->number));
		break;
	case DW_OP_drop:
		pop(m);
		break;
	case DW_OP_nop:
		break;
	case DW_OP_swap:
		a = pop(m);
		b = pop(m);
		push(m, a);
		push(m, b);
		break;
	case DW_OP_rot:
		a = pop(m);
		b = pop(m);
		c = pop(m);
		push(m, a);
		push(m, c);
		push(m, b);
		break;
	default:
		return false;
	}
	return true;
}

/* Constants, registers, memory and the operations on one value. */
static bool operate(struct machine *m, const Dwarf_Op *op)
{
	uint8_t atom = op->atom;
	uint64_t a;
	if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) {
		push(m, atom - DW_OP_lit0);
		return true;
	}
	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) {
		push_register(m, atom - DW_OP_breg0, op->number);
		return true;
	}
	switch (atom) {
	case DW_OP_bregx:
		push_register(m, op->number, op->number2);
		break;
	case DW_OP_addr:
		push(m, op->number + m->context->bias);
		break;
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		push(m, op->number);
		break;
	case DW_OP_plus_uconst:
		push(m, pop(m) + op->number);
		break;
	case DW_OP_deref:
		dereference(m, sizeof(uint64_t));
		break;
	case DW_OP_deref_size:
		dereference(m, op->number);
		break;
	case DW_OP_call_frame_cfa:
		push_cfa(m);
		break;
	case DW_OP_neg:
		push(m, -pop(m));
		break;
	case DW_OP_not:
		push(m, ~pop(m));
		break;
	case DW_OP_abs:
		a = pop(m);
		push(m, (int64_t)a < 0 ? -a : a);
		break;
	default:
		return false;
	}
	return true;
}

/* The index of the operation that a jump of `op` leads to; count is the end, past it an error. */
static size_t jump_target(const Dwarf_Op *ops, size_t count, const Dwarf_Op *op)
{
	uint64_t target = op->offset + 3 + (uint64_t)(int64_t)(int16_t)op->number;
	for (size_t i = 0; i < count; i++)
		if (ops[i].offset == target)
			return i;
	/* libdw does not tell where the block ends; nothing else can lie behind the last one. */
	return target > ops[count - 1].offset ? count : SIZE_MAX;
}

static bool register_location(const Dwarf_Op *op, uint64_t *ret_number)
{
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31)
		*ret_number = op->atom - DW_OP_reg0;
	else if (op->atom == DW_OP_regx)
		*ret_number = op->number;
	else
		return false;
	return true;
}

bool expression_evaluate(const Dwarf_Op *ops, size_t count,
			 const struct expression_context *context, uint64_t *ret,
			 bool *ret_is_value)
{
	struct machine m = {.context = context};
	uint64_t number;
	size_t i = 0;
	*ret_is_value = false;
	if (count == 0)
		return false;
	if (count == 1 && register_location(&ops[0], &number)) {
		*ret_is_value = true;
		return register_get(context->registers, number, ret);
	}
	for (unsigned steps = 0; i < count && !m.failed; steps++) {
		const Dwarf_Op *op = &ops[i++];
		if (steps == STEPS_MAX)
			return false;
		if (op->atom == DW_OP_stack_value) {
			*ret_is_value = true;
			break;
		}
		if (op->atom == DW_OP_skip || (op->atom == DW_OP_bra && pop(&m)))
			i = jump_target(ops, count, op);
		else if (op->atom != DW_OP_bra && !operate(&m, op) && !shuffle(&m, op) &&
			 !binary(&m, op->atom))
			return false;
		if (i > count)
			return false;
	}
	*ret = pop(&m);
	return !m.failed;
}
