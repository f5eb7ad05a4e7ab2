/* cli: file names made for a dump never lead anywhere but where the user said. */
#include "cli/file_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_expands(const char *template, const char *name, const char *expected)
{
	struct file_template_values values = {.pid = 4242,
					      .name = name,
					      .host = "build.host",
					      .seconds = 1700000000,
					      .number = 3};
	char *got = file_template_expand(template, &values);
	assert_string_equal(got, expected);
	free(got);
}

static void every_letter_has_its_value(void **state)
{
	(void)state;
	assert_null(file_template_fault("a-%p.%e.%h.%t.%n.100%%"));
	assert_expands("a-%p.%e.%h.%t.%n.100%%", "bank",
		       "a-4242.bank.build.host.1700000000.3.100%");
	assert_expands("plain.json", "bank", "plain.json");
	assert_expands("%%p", "bank", "%p");
}

static void other_letters_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"%", "a%", "%x", "%%%", "%p%", "% p", "%P", "%5p"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!file_template_fault(bad[i]))
			fail_msg("'%s' was taken for a template", bad[i]);
	}
	assert_string_equal(file_template_fault("%p-%x-%y"), "%x-%y");
}

static void a_name_is_a_part_of_one_component(void **state)
{
	(void)state;
	assert_expands("d/%e", "../../etc/passwd", "d/___.._etc_passwd");
	assert_expands("d/%e", "..", "d/__");
	assert_expands("d/%e/x", ".", "d/_/x");
	assert_expands("d/%e", "", "d/_");
	assert_expands("d/%e", NULL, "d/_");
	assert_expands("d/%e", "/", "d/_");
	assert_expands("d/.%e", "./x", "d/.__x");
	assert_expands("d/%e", "a.b", "d/a.b");
	assert_expands("d/%e", "%p", "d/_p");
}

/* The name is told in lines that others read: it must not be a command or end the line. */
static void a_name_has_only_plain_letters(void **state)
{
	(void)state;
	assert_expands("%e", "a\nb\tc d\33[1m", "a_b_c_d__1m");
	assert_expands("%e", "##[error]x", "___error_x");
	assert_expands("%e", "::stop", "__stop");
	assert_expands("%e", "na\xc3\xafve", "na__ve");
	assert_expands("%e", "Worker-1_x+y", "Worker-1_x+y");
}

static void assert_numbered(const char *name, const char *expected)
{
	char *got = file_template_numbered(name, 2);
	assert_string_equal(got, expected);
	free(got);
}

static void a_number_goes_before_the_suffix(void **state)
{
	(void)state;
	assert_numbered("a.json", "a-2.json");
	assert_numbered("d.d/a", "d.d/a-2");
	assert_numbered("d/a.b.txt", "d/a.b-2.txt");
	assert_numbered("d/.hidden", "d/.hidden-2");
	assert_numbered("a", "a-2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_letter_has_its_value),
		cmocka_unit_test(other_letters_are_refused),
		cmocka_unit_test(a_name_is_a_part_of_one_component),
		cmocka_unit_test(a_name_has_only_plain_letters),
		cmocka_unit_test(a_number_goes_before_the_suffix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
