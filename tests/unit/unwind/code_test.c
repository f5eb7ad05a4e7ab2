/* What machine code is taken for. */
#include "unwind/code.h"

#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
	uint8_t at[CODE_BYTES];
	size_t n;
};
#define BYTES(...)                                                                                 \
	{                                                                                          \
		{__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})                                    \
	}

static void every_form_of_a_near_call_is_recognised(void **state)
{
	static const struct {
		struct bytes bytes;
		enum call_form form;
	} rows[] = {
		{BYTES(0xe8, 1, 0, 0, 0), CALL_DIRECT},
		{BYTES(0xff, 0x15, 8, 0, 0, 0), CALL_SLOT},
		{BYTES(0xff, 0xd0), CALL_INDIRECT},		      /* *%rax */
		{BYTES(0x41, 0xff, 0xd4), CALL_INDIRECT},	      /* *%r12 */
		{BYTES(0xff, 0x13), CALL_INDIRECT},		      /* *(%rbx) */
		{BYTES(0xff, 0x14, 0xd8), CALL_INDIRECT},	      /* *(%rax,%rbx,8) */
		{BYTES(0xff, 0x50, 0x18), CALL_INDIRECT},	      /* *24(%rax) */
		{BYTES(0xff, 0x54, 0x24, 0x08), CALL_INDIRECT},	      /* *8(%rsp) */
		{BYTES(0xff, 0x90, 0, 1, 0, 0), CALL_INDIRECT},	      /* *256(%rax) */
		{BYTES(0xff, 0x94, 0xd8, 0, 1, 0, 0), CALL_INDIRECT}, /* *256(%rax,%rbx,8) */
		{BYTES(0xff, 0x14, 0x25, 0, 1, 0, 0), CALL_INDIRECT}, /* *0x100 */
		{BYTES(0xff, 0x14, 0xc5, 0, 1, 0, 0), CALL_INDIRECT}, /* *256(,%rax,8) */
		{BYTES(0xff, 0xe0), CALL_NONE},			      /* jmp *%rax */
		{BYTES(0xff, 0x25, 8, 0, 0, 0), CALL_NONE},	      /* jmp *8(%rip) */
		{BYTES(0xff, 0xd8), CALL_NONE},	      /* a far one: not with registers */
		{BYTES(0xe9, 1, 0, 0, 0), CALL_NONE}, /* jmp */
		{BYTES(0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90), CALL_NONE},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t to = 0;
		assert_int_equal(code_call_before(rows[i].bytes.at, rows[i].bytes.n, 0x1000, &to),
				 rows[i].form);
		if (rows[i].form == CALL_DIRECT)
			assert_int_equal(to, 0x1001);
		if (rows[i].form == CALL_SLOT)
			assert_int_equal(to, 0x1008);
		/* Cut short it is none, and nothing beyond is read. */
		assert_int_equal(code_call_before(rows[i].bytes.at, 0, 0x1000, &to), CALL_NONE);
	}
}

static void a_call_backwards_has_its_target_below(void **state)
{
	static const uint8_t call[] = {0xe8, 0xf0, 0xff, 0xff, 0xff};
	uint64_t to;
	(void)state;
	assert_int_equal(code_call_before(call, sizeof(call), 0x1000, &to), CALL_DIRECT);
	assert_int_equal(to, 0xff0);
	assert_int_equal(code_call_before(call, sizeof(call), 8, &to), CALL_DIRECT);
	assert_int_equal(to, (uint64_t)-8);
}

static void stubs_of_all_linkers_are_recognised(void **state)
{
	static const struct {
		struct bytes bytes;
		bool after_push_got;
		int above; /* -1: no stub */
	} rows[] = {
		{BYTES(0xff, 0x25, 1, 2, 3, 0, 0x68, 0, 0, 0, 0), false, 0},
		{BYTES(0x68, 1, 0, 0, 0, 0xe9, 0, 0, 0, 0), false, 0},
		{BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 1, 2, 3, 0), false, 0},
		{BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 1, 2, 3, 0), false, 0},
		{BYTES(0xf2, 0xff, 0x25, 1, 2, 3, 0), false, 0},
		{BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0x68, 1, 0, 0, 0, 0xf2, 0xe9, 0, 0, 0, 0), false, 0},
		{BYTES(0xff, 0x35, 1, 2, 3, 0, 0xff, 0x25, 1, 2, 3, 0), false, 8},
		{BYTES(0xff, 0x25, 1, 2, 3, 0), true, 16},
		{BYTES(0x68, 1, 0, 0, 0, 0xe8, 0, 0, 0, 0), false, -1},
		{BYTES(0x55, 0x48, 0x89, 0xe5), false, -1},
		{BYTES(0xff, 0x25), false, -1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned above = 99;
		bool is = code_is_plt_stub(rows[i].bytes.at, rows[i].bytes.n,
					   rows[i].after_push_got, &above);
		assert_int_equal(is ? (int)above : -1, rows[i].above);
	}
}

static void the_slot_of_a_stub_is_relative_to_the_next_instruction(void **state)
{
	static const uint8_t stub[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x10, 0, 0, 0};
	uint64_t slot;
	(void)state;
	assert_true(code_plt_slot(stub, sizeof(stub), 0x1000, &slot));
	assert_int_equal(slot, 0x1000 + sizeof(stub) + 0x10);
	assert_false(code_plt_slot(stub, sizeof(stub) - 1, 0x1000, &slot));
}

static void trampolines_and_first_frames_are_recognised(void **state)
{
	static const uint8_t glibc[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t musl[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t other_call[] = {0xb8, 0x0e, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t clone3[] = {0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t hlt[] = {0xf4};
	(void)state;
	assert_true(code_is_sigreturn(glibc, sizeof(glibc)));
	assert_true(code_is_sigreturn(musl, sizeof(musl)));
	assert_false(code_is_sigreturn(other_call, sizeof(other_call)));
	assert_false(code_is_sigreturn(glibc, sizeof(glibc) - 1));
	assert_true(code_is_after_first_call(clone3, sizeof(clone3)));
	assert_true(code_is_after_first_call(hlt, sizeof(hlt)));
	assert_false(code_is_after_first_call(musl, sizeof(musl)));
	assert_false(code_is_after_first_call(hlt, 0));
}

static void a_prologue_may_have_other_instructions_in_between(void **state)
{
	static const uint8_t plain[] = {0x55, 0x48, 0x89, 0xe5};
	static const uint8_t mixed[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48,
					0x63, 0xff, 0x48, 0x89, 0xe5};
	static const uint8_t no_push[] = {0x53, 0x48, 0x89, 0xe5};
	(void)state;
	assert_int_equal(code_frame_prologue(plain, sizeof(plain)), sizeof(plain));
	assert_int_equal(code_frame_prologue(mixed, sizeof(mixed)), sizeof(mixed));
	assert_int_equal(code_frame_prologue(plain, 3), 0);
	assert_int_equal(code_frame_prologue(no_push, sizeof(no_push)), 0);
}

static void an_epilogue_says_where_the_return_address_is(void **state)
{
	/* nop; add $0x28, %rsp; pop %rbx; pop %rbp; pop %r12; ret */
	static const uint8_t code[] = {0x90, 0x48, 0x83, 0xc4, 0x28, 0x5b, 0x5d, 0x41, 0x5c, 0xc3};
	static const uint8_t bare[] = {0x90, 0xc3};
	static const uint8_t negative[] = {0x48, 0x83, 0xc4, 0x80, 0xc3};
	uint64_t size, rbp;
	(void)state;
	assert_true(code_epilogue(code, sizeof(code), &size, &rbp));
	assert_int_equal(size, 0x28 + 3 * 8);
	assert_int_equal(rbp, 0x28 + 8);
	assert_false(code_epilogue(code, sizeof(code) - 1, &size, &rbp));
	assert_false(code_epilogue(bare, sizeof(bare), &size, &rbp));
	assert_false(code_epilogue(negative, sizeof(negative), &size, &rbp));
}

static void a_jump_counts_only_to_its_exact_target(void **state)
{
	static const uint8_t code[] = {0x90, 0xe9, 0xfa, 0, 0, 0, 0xc3};
	(void)state;
	assert_true(code_jumps_to(code, sizeof(code), 0x1000, 0x1100));
	assert_false(code_jumps_to(code, sizeof(code), 0x1000, 0x1101));
	assert_false(code_jumps_to(code, 5, 0x1000, 0x1100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_near_call_is_recognised),
		cmocka_unit_test(a_call_backwards_has_its_target_below),
		cmocka_unit_test(stubs_of_all_linkers_are_recognised),
		cmocka_unit_test(the_slot_of_a_stub_is_relative_to_the_next_instruction),
		cmocka_unit_test(trampolines_and_first_frames_are_recognised),
		cmocka_unit_test(a_prologue_may_have_other_instructions_in_between),
		cmocka_unit_test(an_epilogue_says_where_the_return_address_is),
		cmocka_unit_test(a_jump_counts_only_to_its_exact_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
