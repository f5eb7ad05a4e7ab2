/* cli: the first line of a run's report. */
#include "cli/run_headline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char program[] = "./test", option[] = "--all";
static char *const command[] = {program, option, NULL};

static void assert_headline(char *const *words, struct launch_event event, const char *expected)
{
	char *got = run_headline(words, &event);
	assert_string_equal(got, expected);
	free(got);
}

static void the_reason_is_told(void **state)
{
	(void)state;
	assert_headline(command,
			(struct launch_event){
				.reason = LAUNCH_EXPIRED, .limit_ms = 300000, .elapsed_ms = 300005},
			"./test --all: timed out after 5 minutes");
	assert_headline(command,
			(struct launch_event){
				.reason = LAUNCH_IDLE, .limit_ms = 90000, .elapsed_ms = 400000},
			"./test --all: nothing happened for 90 s, after 6 minutes");
	assert_headline(command,
			(struct launch_event){
				.reason = LAUNCH_SIGNALLED, .signal = SIGINT, .elapsed_ms = 1500},
			"./test --all: ended by SIGINT after 1.5 s");
	assert_headline(command, (struct launch_event){.reason = LAUNCH_ASKED, .elapsed_ms = 12345},
			"./test --all: asked for a dump after 12 s");
}

static void a_limit_is_told_as_it_was_given(void **state)
{
	(void)state;
	static const struct {
		uint64_t ms;
		const char *words;
	} limits[] = {{500, "500 ms"},	   {1000, "1 s"},	    {1500, "1.5 s"},
		      {60000, "1 minute"}, {90000, "90 s"},	    {330000, "330 s"},
		      {100500, "100.5 s"}, {7200000, "120 minutes"}};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char expected[64];
		snprintf(expected, sizeof(expected), "./test --all: timed out after %s",
			 limits[i].words);
		assert_headline(
			command,
			(struct launch_event){.reason = LAUNCH_EXPIRED, .limit_ms = limits[i].ms},
			expected);
	}
}

static void a_command_is_one_bounded_line(void **state)
{
	(void)state;
	struct launch_event event = {.reason = LAUNCH_EXPIRED, .limit_ms = 1000};
	char shell[] = "sh", script[] = "a\nb\33[2J", *const lines[] = {shell, script, NULL};
	assert_headline(lines, event, "sh a\\nb\\x1b[2J: timed out after 1 s");
	char *word = calloc(1, 100001), *const words[] = {word, word, NULL};
	memset(word, 'x', 100000);
	char *got = run_headline(words, &event);
	assert_int_equal(strlen(got), 200 + strlen("...: timed out after 1 s"));
	free(got);
	free(word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reason_is_told),
		cmocka_unit_test(a_limit_is_told_as_it_was_given),
		cmocka_unit_test(a_command_is_one_bounded_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
