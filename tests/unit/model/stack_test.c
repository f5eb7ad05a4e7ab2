/* model: which frame two stacks of one thread have in common. */
#include "base/array.h"
#include "model/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Functions have their own addresses for names. */
#define FRAME(at, by, address)                                                                     \
	{                                                                                          \
		.pc = (at) + (by), .offset = (by), .cfa = (address), .function = #at               \
	}
#define HOLDER(at, by, address, where)                                                             \
	{                                                                                          \
		.pc = (at) + (by), .offset = (by), .cfa = (address), .function = #at,              \
		.file = "a.c", .line = (where)                                                     \
	}
#define INLINED(name, at, by, address, where)                                                      \
	{                                                                                          \
		.pc = (at) + (by), .cfa = (address), .function = (name), .inlined = true,          \
		.file = "a.c", .line = (where)                                                     \
	}

#define COMMON(first, second) common(first, ARRAY_SIZE(first), second, ARRAY_SIZE(second))

static size_t common(struct frame *first, size_t first_count, struct frame *second,
		     size_t second_count)
{
	const struct stack a = {.frames = first, .count = first_count};
	const struct stack b = {.frames = second, .count = second_count};
	return stack_common_frame(&a, &b);
}

static void a_function_that_moves_on_is_in_both(void **state)
{
	(void)state;
	struct frame first[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x2000, 9, 0x7100)};
	struct frame second[] = {FRAME(0x1000, 8, 0x7000), FRAME(0x2000, 9, 0x7100)};
	assert_int_equal(COMMON(first, second), 0);
}

static void callees_of_another_call_are_others(void **state)
{
	(void)state;
	/* The same leaf, as deep as before, but called from elsewhere in its caller. */
	struct frame first[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x2000, 9, 0x7100),
				FRAME(0x3000, 1, 0x7200)};
	struct frame second[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x2000, 30, 0x7100),
				 FRAME(0x3000, 1, 0x7200)};
	assert_int_equal(COMMON(first, second), 1);
	/* The same under another function. */
	struct frame third[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x4000, 9, 0x7100),
				FRAME(0x3000, 1, 0x7200)};
	assert_int_equal(COMMON(first, third), 2);
}

static void a_function_at_another_depth_is_another(void **state)
{
	(void)state;
	struct frame first[] = {FRAME(0x1000, 5, 0x6f00), FRAME(0x2000, 9, 0x7100)};
	struct frame second[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x2000, 9, 0x7100)};
	assert_int_equal(COMMON(first, second), 1);
}

static void one_may_be_deeper(void **state)
{
	(void)state;
	struct frame first[] = {FRAME(0x2000, 9, 0x7100), FRAME(0x3000, 1, 0)};
	struct frame second[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x2000, 9, 0x7100),
				 FRAME(0x3000, 1, 0)};
	assert_int_equal(COMMON(first, second), 0);
	assert_int_equal(COMMON(second, first), 1);
}

static void nothing_is_in_common_with_other_stacks(void **state)
{
	(void)state;
	struct frame first[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x2000, 9, 0x7100)};
	struct frame other_function[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x4000, 9, 0x7100)};
	struct frame elsewhere[] = {FRAME(0x1000, 5, 0x9000), FRAME(0x2000, 9, 0x9100)};
	assert_int_equal(COMMON(first, other_function), 2);
	assert_int_equal(COMMON(first, elsewhere), 2);
	assert_int_equal(common(first, 2, NULL, 0), 2);
	assert_int_equal(common(NULL, 0, first, 2), 0);
}

static void code_without_names_is_the_same_where_it_stands_still(void **state)
{
	(void)state;
	struct frame first[] = {{.pc = 0x1234, .cfa = 0x7000}, FRAME(0x2000, 9, 0x7100)};
	struct frame still[] = {{.pc = 0x1234, .cfa = 0x7000}, FRAME(0x2000, 9, 0x7100)};
	struct frame moved[] = {{.pc = 0x1238, .cfa = 0x7000}, FRAME(0x2000, 9, 0x7100)};
	assert_int_equal(COMMON(first, still), 0);
	assert_int_equal(COMMON(first, moved), 1);
}

static void stacks_that_were_cut_meet_where_both_go_on(void **state)
{
	(void)state;
	struct frame first[] = {FRAME(0x1000, 5, 0x7000), FRAME(0x1000, 7, 0x7010),
				FRAME(0x1000, 7, 0x7020), FRAME(0x1000, 7, 0x7030)};
	struct frame second[] = {FRAME(0x4000, 5, 0x6ff0), FRAME(0x1000, 7, 0x7000),
				 FRAME(0x1000, 7, 0x7010)};
	assert_int_equal(COMMON(first, second), 0);
	assert_int_equal(COMMON(second, first), 1);
}

static void inlined_functions_count_while_they_are_called_from_one_line(void **state)
{
	(void)state;
	struct frame first[] = {INLINED("leaf", 0x1000, 5, 0x7000, 40),
				INLINED("middle", 0x1000, 5, 0x7000, 30),
				HOLDER(0x1000, 5, 0x7000, 20), FRAME(0x2000, 9, 0x7100)};
	struct frame same[] = {INLINED("leaf", 0x1000, 8, 0x7000, 41),
			       INLINED("middle", 0x1000, 8, 0x7000, 30),
			       HOLDER(0x1000, 8, 0x7000, 20), FRAME(0x2000, 9, 0x7100)};
	struct frame other_leaf[] = {INLINED("leaf", 0x1000, 8, 0x7000, 40),
				     INLINED("middle", 0x1000, 8, 0x7000, 31),
				     HOLDER(0x1000, 8, 0x7000, 20), FRAME(0x2000, 9, 0x7100)};
	struct frame none[] = {HOLDER(0x1000, 8, 0x7000, 22), FRAME(0x2000, 9, 0x7100)};
	assert_int_equal(COMMON(first, same), 0);
	assert_int_equal(COMMON(first, other_leaf), 1);
	assert_int_equal(COMMON(first, none), 2);
}

static void frames_of_the_kernel_do_not_count(void **state)
{
	(void)state;
	struct frame first[] = {{.kind = FRAME_KERNEL, .function = "schedule"},
				FRAME(0x1000, 5, 0x7000)};
	struct frame second[] = {FRAME(0x1000, 8, 0x7000)};
	struct frame kernel_only[] = {{.kind = FRAME_KERNEL, .function = "schedule"}};
	assert_int_equal(COMMON(first, second), 1);
	assert_int_equal(COMMON(kernel_only, second), 1);
	assert_int_equal(COMMON(kernel_only, kernel_only), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_that_moves_on_is_in_both),
		cmocka_unit_test(callees_of_another_call_are_others),
		cmocka_unit_test(a_function_at_another_depth_is_another),
		cmocka_unit_test(one_may_be_deeper),
		cmocka_unit_test(nothing_is_in_common_with_other_stacks),
		cmocka_unit_test(code_without_names_is_the_same_where_it_stands_still),
		cmocka_unit_test(stacks_that_were_cut_meet_where_both_go_on),
		cmocka_unit_test(inlined_functions_count_while_they_are_called_from_one_line),
		cmocka_unit_test(frames_of_the_kernel_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
