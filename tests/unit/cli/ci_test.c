/* cli: what a runner reads as commands is ours, whatever the target's text is. */
#include "cli/ci.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void clear_environment(void)
{
	static const char *const names[] = {"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "CI",
					    "JENKINS_URL", "TF_BUILD"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

static void the_environment_says_who_reads(void **state)
{
	(void)state;
	clear_environment();
	struct ci ci = ci_detect();
	assert_false(ci.github);
	assert_false(ci.attachments);
	assert_null(ci.summary);
	setenv("GITHUB_STEP_SUMMARY", "/s", 1);
	setenv("GITHUB_ACTIONS", "false", 1);
	ci = ci_detect();
	assert_false(ci.github);
	assert_null(ci.summary);
	setenv("GITHUB_ACTIONS", "true", 1);
	setenv("JENKINS_URL", "http://x", 1);
	ci = ci_detect();
	assert_true(ci.github);
	assert_true(ci.attachments);
	assert_string_equal(ci.summary, "/s");
	clear_environment();
}

static void an_error_is_one_line_whatever_it_says(void **state)
{
	(void)state;
	struct text text = {0};
	ci_add_error(&text, "a:b,c%\r\n::d", "x%0A\ny\r::stop-commands::z, 100%");
	assert_string_equal(text.bytes, "::error title=a%3Ab%2Cc%25%0D%0A%3A%3Ad::"
					"x%250A%0Ay%0D::stop-commands::z, 100%25\n");
	text_deinit(&text);
}

/* The token of the line that stops commands, 32 digits. */
static char *token_of(const char *text)
{
	static const char stop[] = "\n::stop-commands::";
	assert_memory_equal(text, stop, sizeof(stop) - 1);
	char *token = strndup(text + sizeof(stop) - 1, 32);
	assert_int_equal(strspn(token, "0123456789abcdef"), 32);
	assert_int_equal(text[sizeof(stop) - 1 + 32], '\n');
	return token;
}

static void foreign_text_stands_between_lines_nobody_can_guess(void **state)
{
	(void)state;
	static const char foreign[] = "::error::x\n##[add-mask]y\nno end";
	struct text first = {0}, second = {0};
	ci_add_bracketed(&first, foreign, strlen(foreign));
	ci_add_bracketed(&second, foreign, strlen(foreign));
	char *token = token_of(first.bytes), *other = token_of(second.bytes);
	assert_string_not_equal(token, other);
	char expected[256];
	snprintf(expected, sizeof(expected), "\n::stop-commands::%s\n%s\n::%s::\n", token, foreign,
		 token);
	assert_string_equal(first.bytes, expected);
	free(token);
	free(other);
	text_deinit(&first);
	text_deinit(&second);
}

static void a_bracket_around_nothing_is_whole(void **state)
{
	(void)state;
	struct text text = {0};
	ci_add_bracketed(&text, "", 0);
	char *token = token_of(text.bytes);
	assert_non_null(strstr(text.bytes + 20, token));
	free(token);
	text_deinit(&text);
}

static void nothing_ends_the_fence_of_a_summary(void **state)
{
	(void)state;
	struct text text = {0};
	ci_add_summary(&text, "t", "a\n````\n# b\n", 1000);
	assert_string_equal(text.bytes, "### t\n\n`````\na\n````\n# b\n`````\n");
	text_deinit(&text);
	ci_add_summary(&text, "t", "a", 1000);
	assert_string_equal(text.bytes, "### t\n\n```\na\n```\n");
	text_deinit(&text);
}

static void a_summary_keeps_its_bounds(void **state)
{
	(void)state;
	struct text report = {0};
	for (int i = 0; i < 1000; i++)
		text_printf(&report, "line %d\n", i);
	for (size_t most = 0; most < 400; most++) {
		struct text text = {0};
		ci_add_summary(&text, "title", report.bytes, most);
		assert_true(text.length <= most);
		if (text.length) {
			assert_non_null(strstr(text.bytes, "... cut here"));
			assert_string_equal(text.bytes + text.length - 5, "\n```\n");
		}
		text_deinit(&text);
	}
	text_deinit(&report);
}

/* One that is longer than the runner takes would be thrown away, the user's own part too. */
static void a_full_summary_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(ci_summary_room(0), 65536);
	assert_int_equal(ci_summary_room(1024 * 1024 - 100), 100);
	assert_int_equal(ci_summary_room(1024 * 1024), 0);
	assert_int_equal(ci_summary_room(SIZE_MAX), 0);
}

static void an_attachment_is_a_full_path_on_one_line(void **state)
{
	(void)state;
	struct text text = {0};
	ci_add_attachment(&text, "relative");
	ci_add_attachment(&text, "/a\nb");
	assert_null(text.bytes);
	ci_add_attachment(&text, "/d/a b.json");
	assert_string_equal(text.bytes, "[[ATTACHMENT|/d/a b.json]]\n");
	text_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_says_who_reads),
		cmocka_unit_test(an_error_is_one_line_whatever_it_says),
		cmocka_unit_test(foreign_text_stands_between_lines_nobody_can_guess),
		cmocka_unit_test(a_bracket_around_nothing_is_whole),
		cmocka_unit_test(nothing_ends_the_fence_of_a_summary),
		cmocka_unit_test(a_summary_keeps_its_bounds),
		cmocka_unit_test(a_full_summary_is_left_alone),
		cmocka_unit_test(an_attachment_is_a_full_path_on_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
