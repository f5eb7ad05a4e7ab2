/* base: durations, escaping, interning, errors. */
#include "base/duration.h"
#include "base/error.h"
#include "base/proc.h"
#include "base/strpool.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void durations_are_read_as_documented(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		uint64_t ms;
	} good[] = {{"0", 0},	      {"5", 5000},     {"1.5s", 1500},	 {"300ms", 300},
		    {"10m", 600000},  {"2h", 7200000}, {"1d", 86400000}, {"1h30m", 5400000},
		    {"1m30s", 90000}, {".5", 500},     {"0.0001s", 1}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t ms = 77;
		assert_true(duration_parse(good[i].word, &ms));
		assert_int_equal(ms, good[i].ms);
	}
	static const char *const bad[] = {"",	 "-1",	" 1",	"1 ",	"1x",	"s",  "1sm", "1e30",
					  "inf", "nan", "0x10", "1ms2", "1h30", "..", "1mm"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t ms = 77;
		if (duration_parse(bad[i], &ms))
			fail_msg("'%s' was taken for a duration", bad[i]);
		assert_int_equal(ms, 77);
	}
}

static void minutes_are_written_as_go_writes_them(void **state)
{
	(void)state;
	char buf[32];
	assert_false(duration_minutes(-1, buf, sizeof(buf)));
	assert_false(duration_minutes(59999, buf, sizeof(buf)));
	assert_true(duration_minutes(60000, buf, sizeof(buf)));
	assert_string_equal(buf, "1 minute");
	assert_true(duration_minutes(5 * 60000 + 1, buf, sizeof(buf)));
	assert_string_equal(buf, "5 minutes");
}

static void escaped(const char *in, size_t n, const char *out)
{
	struct text text = {0};
	text_add(&text, "");
	text_add_escaped(&text, in, n);
	assert_string_equal(text.bytes, out);
	text_deinit(&text);
}

static void nothing_reaches_a_terminal_unescaped(void **state)
{
	(void)state;
	escaped("plain caf\xc3\xa9", 11, "plain caf\xc3\xa9");
	escaped("\x1b[31mred", 8, "\\x1b[31mred");
	escaped("a\nb\tc\rd", 7, "a\\nb\\tc\\x0dd");
	escaped("nul\0x", 5, "nul\\x00x");
	escaped("\xc2\x9b"
		"31m",
		5, "\\x9b31m");					/* C1 CSI */
	escaped("\xe2\x80\xaegnp.exe", 10, "\\u{202e}gnp.exe"); /* right-to-left override */
	escaped("\xff\xc0\x80", 3, "\\xff\\xc0\\x80");		/* invalid, overlong */
	escaped("cut \xe2\x82", 6, "cut \\xe2\\x82");
}

static void invalid_utf8_is_replaced(void **state)
{
	(void)state;
	struct text text = {0};
	text_add_utf8(&text, "a\xff\xed\xa0\x80z", 6);
	assert_string_equal(text.bytes, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
	text_deinit(&text);
}

static void equal_strings_are_one_pointer(void **state)
{
	(void)state;
	struct strpool pool;
	strpool_init(&pool);
	const char *kept[2000];
	for (int i = 0; i < 2000; i++)
		kept[i] = strpool_printf(&pool, "string %d", i);
	for (int i = 0; i < 2000; i++)
		assert_ptr_equal(strpool_printf(&pool, "string %d", i), kept[i]);
	assert_ptr_equal(strpool_add_n(&pool, "string 12345", 8), strpool_add(&pool, "string 1"));
	assert_null(strpool_add(&pool, NULL));
	size_t big = 200000;
	char *s = malloc(big + 1);
	memset(s, 'x', big);
	s[big] = '\0';
	assert_string_equal(strpool_add(&pool, s), s);
	free(s);
	strpool_deinit(&pool);
}

static void every_error_has_words(void **state)
{
	(void)state;
	for (int reason = 0; reason < ERROR_REASONS; reason++) {
		struct error *error = error_new(reason, 0, "4242", NULL);
		char *why = error_why(error);
		assert_true(strlen(why) > 5);
		free(why);
		error_free(error);
	}
	struct error *error = error_new(ERROR_TRACED, 1, "1", "by %s (pid %d)", "gdb", 9);
	char *why = error_why(error);
	assert_string_equal(why, "already traced by gdb (pid 9): Operation not permitted");
	free(why);
	error_free(error);
	error_free(NULL);
}

/* Who is in 65,536 groups has a status file of half a megabyte, the groups in its middle. */
static void a_status_file_is_read_past_its_groups(void **state)
{
	char path[] = "/tmp/hangdump-status-XXXXXX", text[512];
	uint64_t value;
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	dprintf(fd, "Name:\tGroups:\nState:\tS\nGroups:\t");
	for (unsigned i = 0; i < 65536; i++)
		dprintf(fd, "%u ", i);
	dprintf(fd, "\nSeccomp:\t2\nvoluntary_ctxt_switches:\t77\n");
	close(fd);
	assert_true(proc_read_status(AT_FDCWD, path, text, sizeof(text)) > 0);
	assert_true(parse_number(text, "Seccomp", 10, &value) && value == 2);
	assert_true(parse_number(text, "voluntary_ctxt_switches", 10, &value) && value == 77);
	assert_non_null(strstr(text, "Name:\tGroups:\nState:\tS\nGroups:\nSeccomp"));
	/* What does not fit is cut, as by proc_read(). */
	assert_int_equal(proc_read_status(AT_FDCWD, path, text, 10), 9);
	assert_string_equal(text, "Name:\tGro");
	unlink(path);
	assert_int_equal(proc_read_status(AT_FDCWD, path, text, sizeof(text)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_as_documented),
		cmocka_unit_test(minutes_are_written_as_go_writes_them),
		cmocka_unit_test(nothing_reaches_a_terminal_unescaped),
		cmocka_unit_test(invalid_utf8_is_replaced),
		cmocka_unit_test(equal_strings_are_one_pointer),
		cmocka_unit_test(every_error_has_words),
		cmocka_unit_test(a_status_file_is_read_past_its_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
