/* DWARF expressions, right and hostile. */
#include "unwind/expression.h"

#include "base/array.h"

#include <dwarf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t words(void *context, uint64_t address, void *buf, size_t n)
{
	/* Eight words at 0x1000: the address of each times two. */
	uint64_t value = address * 2;
	(void)context;
	if (address < 0x1000 || address >= 0x1040 || address % 8 || n > 8)
		return 0;
	memcpy(buf, &value, n);
	return n;
}

static bool evaluate(const Dwarf_Op *ops, size_t count, uint64_t *ret, bool *ret_value)
{
	struct memory memory = {.count = 0};
	memory_add_source(&memory, MEMORY_CAPTURED, words, NULL);
	struct stack_memory stack = {.memory = &memory};
	struct registers registers = {.valid = 1u << DWARF_RSP | 1u << DWARF_RIP};
	registers.value[DWARF_RSP] = 0x1000;
	registers.value[DWARF_RIP] = 0x40000b;
	struct expression_context context = {.registers = &registers,
					     .stack = &stack,
					     .bias = 0x100,
					     .has_cfa = true,
					     .cfa = 0x1010};
	return expression_evaluate(ops, count, &context, ret, ret_value);
}

#define OPS(...) (const Dwarf_Op[]){__VA_ARGS__}, ARRAY_SIZE(((const Dwarf_Op[]){__VA_ARGS__}))

static void gives(uint64_t expected, const Dwarf_Op *ops, size_t count)
{
	uint64_t value;
	bool is_value;
	assert_true(evaluate(ops, count, &value, &is_value));
	assert_int_equal(value, expected);
}

static void fails(const Dwarf_Op *ops, size_t count)
{
	uint64_t value;
	bool is_value;
	assert_false(evaluate(ops, count, &value, &is_value));
}

static void the_expression_of_a_plt_entry_is_evaluated(void **state)
{
	/* GNU ld's: rsp + 8 + ((rip & 15) >= 11) << 3 */
	(void)state;
	gives(0x1010, OPS({DW_OP_breg7, 8}, {DW_OP_breg16, 0}, {DW_OP_lit15}, {DW_OP_and},
			  {DW_OP_lit11}, {DW_OP_ge}, {DW_OP_lit3}, {DW_OP_shl}, {DW_OP_plus}));
}

static void each_operation_does_what_the_standard_says(void **state)
{
	(void)state;
	gives(0x2010, OPS({DW_OP_breg7, 8}, {DW_OP_deref}));
	gives(0x10, OPS({DW_OP_breg7, 8}, {DW_OP_deref_size, 1}));
	gives(0x300, OPS({DW_OP_addr, 0x200}));
	gives(0x1018, OPS({DW_OP_call_frame_cfa}, {DW_OP_plus_uconst, 8}));
	gives(3, OPS({DW_OP_lit5}, {DW_OP_lit2}, {DW_OP_minus}));
	gives((uint64_t)-2, OPS({DW_OP_const1s, (Dwarf_Word)-5}, {DW_OP_lit2}, {DW_OP_div}));
	gives(1, OPS({DW_OP_lit7}, {DW_OP_lit3}, {DW_OP_mod}));
	gives(1, OPS({DW_OP_const1s, (Dwarf_Word)-1}, {DW_OP_lit0}, {DW_OP_lt}));
	gives((uint64_t)-1,
	      OPS({DW_OP_const1s, (Dwarf_Word)-8}, {DW_OP_const1u, 70}, {DW_OP_shra}));
	gives(0, OPS({DW_OP_lit1}, {DW_OP_const1u, 64}, {DW_OP_shl}));
	gives(1, OPS({DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_swap}));
	gives(2, OPS({DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_lit3}, {DW_OP_rot}));
	gives(1, OPS({DW_OP_lit1}, {DW_OP_lit2}, {DW_OP_over}));
	gives(5, OPS({DW_OP_const1s, (Dwarf_Word)-5}, {DW_OP_abs}));
	gives(0x1000, OPS({DW_OP_reg7}));
	gives(0x1000, OPS({DW_OP_regx, 7}));
}

static void a_jump_goes_by_bytes(void **state)
{
	/* lit1; bra over the next; lit2; lit3 */
	(void)state;
	gives(3, OPS({DW_OP_lit1, 0, 0, 0}, {DW_OP_bra, 1, 0, 1}, {DW_OP_lit2, 0, 0, 4},
		     {DW_OP_lit3, 0, 0, 5}));
	fails(OPS({DW_OP_skip, 7, 0, 0}, {DW_OP_const2u, 1, 0, 3}, {DW_OP_lit1, 0, 0, 6},
		  {DW_OP_lit1, 0, 0, 11}));
}

static void a_value_is_told_from_an_address(void **state)
{
	uint64_t value;
	bool is_value;
	(void)state;
	assert_true(evaluate(OPS({DW_OP_lit4}, {DW_OP_stack_value}), &value, &is_value));
	assert_true(is_value);
	assert_true(evaluate(OPS({DW_OP_lit4}), &value, &is_value));
	assert_false(is_value);
}

static void what_cannot_be_known_fails(void **state)
{
	(void)state;
	fails(OPS({DW_OP_breg3, 0}));
	fails(OPS({DW_OP_bregx, 99, 0}));
	fails(OPS({DW_OP_reg6}));
	fails(OPS({DW_OP_lit0}, {DW_OP_deref}));
	fails(OPS({DW_OP_breg7, 0}, {DW_OP_deref_size, 9}));
	fails(OPS({DW_OP_breg7, 0}, {DW_OP_deref_size, 0}));
	fails(OPS({DW_OP_form_tls_address}));
	fails(NULL, 0);
}

static void hostile_expressions_end(void **state)
{
	Dwarf_Op deep[200];
	(void)state;
	fails(OPS({DW_OP_skip, (Dwarf_Word)-3, 0, 0}));
	fails(OPS({DW_OP_lit1, 0, 0, 0}, {DW_OP_bra, (Dwarf_Word)-4, 0, 1}));
	fails(OPS({DW_OP_plus}));
	fails(OPS({DW_OP_drop}));
	fails(OPS({DW_OP_lit1}, {DW_OP_plus}));
	fails(OPS({DW_OP_lit1}, {DW_OP_pick, 200}));
	fails(OPS({DW_OP_lit1}, {DW_OP_lit0}, {DW_OP_div}));
	fails(OPS({DW_OP_lit1}, {DW_OP_lit0}, {DW_OP_mod}));
	gives((uint64_t)INT64_MIN, OPS({DW_OP_const8u, (Dwarf_Word)INT64_MIN},
				       {DW_OP_const1s, (Dwarf_Word)-1}, {DW_OP_div}));
	for (size_t i = 0; i < ARRAY_SIZE(deep); i++)
		deep[i] = (Dwarf_Op){.atom = DW_OP_lit1};
	fails(deep, ARRAY_SIZE(deep));
}

static void any_operations_at_all_end(void **state)
{
	uint64_t seed = 1;
	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		Dwarf_Op ops[12];
		uint64_t value;
		bool is_value;
		for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			ops[i] = (Dwarf_Op){.atom = (uint8_t)(seed >> 56),
					    .number = seed >> 20 & 31,
					    .number2 = seed,
					    .offset = i * 2};
		}
		evaluate(ops, ARRAY_SIZE(ops), &value, &is_value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_expression_of_a_plt_entry_is_evaluated),
		cmocka_unit_test(each_operation_does_what_the_standard_says),
		cmocka_unit_test(a_jump_goes_by_bytes),
		cmocka_unit_test(a_value_is_told_from_an_address),
		cmocka_unit_test(what_cannot_be_known_fails),
		cmocka_unit_test(hostile_expressions_end),
		cmocka_unit_test(any_operations_at_all_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
