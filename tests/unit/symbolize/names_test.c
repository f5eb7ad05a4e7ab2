/* symbolize: demangling and the names that JIT compilers write down. */
#include "symbolize/private.h"
#include "symbolize/symbolize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_demangle(void **state)
{
	static const struct {
		const char *mangled, *plain;
	} rows[] = {
		{"_ZN3foo3barEv", "foo::bar()"},
		{"_ZNKSt6vectorIiSaIiEE4sizeEv",
		 "std::vector<int, std::allocator<int> >::size() const"},
		{"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const"},
		{"_ZN12_GLOBAL__N_14readEi", "(anonymous namespace)::read(int)"},
		{"_Z3foov.cold", "foo() [clone .cold]"},
		{"_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"},
		{"_ZN42_$LT$Test$u20$as$u20$std..fmt..Display$GT$3fmt17h0123456789abcdefE",
		 "<Test as std::fmt::Display>::fmt"},
		{"_RNvC6_123foo3bar", "123foo::bar"},
		{"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
		{"_D8demangle4testFaZv", "demangle.test(char)"},
		{"_Dmain", "D main"},
		/* Not mangled, or broken. */
		{"main", NULL},
		{"_start", NULL},
		{"_DYNAMIC", NULL},
		{"_Znope", NULL},
		{"_Z", NULL},
		{"_", NULL},
		{"", NULL},
		{"_R", NULL},
		{"runtime.goexit", NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *plain = symbolize_demangle(rows[i].mangled);
		if (rows[i].plain) {
			assert_non_null(plain);
			assert_string_equal(plain, rows[i].plain);
		} else if (plain) {
			fail_msg("%s became %s", rows[i].mangled, plain);
		}
		free(plain);
	}
}

/* Each step doubles what the last one stands for: 2^40 letters from a hundred. */
static void test_demangle_explosion_is_cut(void **state)
{
	struct text {
		char s[8192];
	} name = {"_Z1fSt4pairIiiE"};
	char *to = name.s + strlen(name.s);
	(void)state;
	for (int i = 0; i < 40; i++)
		to += sprintf(to, "St4pairIS%c_S%c_E", i < 10 ? '0' + i : 'A' + i - 10,
			      i < 10 ? '0' + i : 'A' + i - 10);
	uint64_t before = monotonic_ns();
	free(symbolize_demangle(name.s));
	assert_true(monotonic_ns() - before < 5000000000u);
}

static void test_demangle_depth(void **state)
{
	size_t n = 100000;
	char *name = xmalloc(n + 1);
	(void)state;
	memset(name, 'P', n);
	memcpy(name, "_Z1f", 4);
	name[n] = '\0';
	free(symbolize_demangle(name));
	name[8000] = '\0';
	free(symbolize_demangle(name));
	memset(name, 'R', 8000);
	memcpy(name, "_RNvC1a1f", 3);
	free(symbolize_demangle(name));
	free(name);
}

static void test_versions(void **state)
{
	struct strpool strings = {0};
	(void)state;
	assert_string_equal(symbol_name(&strings, "pthread_cond_wait@@GLIBC_2.3.2"),
			    "pthread_cond_wait");
	assert_string_equal(symbol_name(&strings, "memcpy@GLIBC_2.2.5"), "memcpy");
	assert_string_equal(symbol_name(&strings, "_ZN3foo3barEv@@FOO_1"), "foo::bar()");
	assert_string_equal(symbol_name(&strings, "@odd"), "@odd");
	assert_string_equal(symbol_name(&strings, "plain"), "plain");
	strpool_deinit(&strings);
}

static void test_long_names(void **state)
{
	struct strpool strings = {0};
	char *name = xmalloc(1u << 20);
	(void)state;
	memset(name, 'a', 1u << 20);
	name[(1u << 20) - 1] = '\0';
	const char *cut = symbol_name(&strings, name);
	assert_int_equal(strlen(cut), NAME_LIMIT);
	assert_string_equal(cut + NAME_LIMIT - 4, "a...");
	name[NAME_LIMIT] = '\0';
	assert_string_equal(symbol_name(&strings, name), name);
	free(name);
	strpool_deinit(&strings);
}

static const char *find(const char *text, uint64_t address, uint64_t *ret_start)
{
	static char name[256];
	struct perf_map *map = perf_map_parse(text, strlen(text), (struct deadline){0});
	const char *found = perf_map_find(map, address, ret_start);
	if (found)
		snprintf(name, sizeof(name), "%s", found);
	perf_map_free(map);
	return found ? name : NULL;
}

static void test_perf_map(void **state)
{
	static const char text[] = "1000 10 first\n"
				   "0x2000 0x20 with prefix and spaces  \n"
				   "1000 8 again\r\n"
				   "nonsense\n"
				   "\n"
				   "3000\n"
				   "3000 10\n"
				   "4000 0 empty\n"
				   "ffffffffffffffff ffffffffffffffff overflow\n"
				   "11111111111111111 10 too long a number\n"
				   "5000 10 cut sh";
	uint64_t start = 0;
	(void)state;
	assert_string_equal(find(text, 0x1004, &start), "again");
	assert_string_equal(find(text, 0x100c, &start), "first");
	assert_int_equal(start, 0x1000);
	assert_string_equal(find(text, 0x201f, &start), "with prefix and spaces  ");
	assert_null(find(text, 0x2020, &start));
	assert_null(find(text, 0xfff, &start));
	assert_null(find(text, 0x3000, &start));
	assert_null(find(text, 0x4000, &start));
	assert_null(find(text, UINT64_MAX, &start));
	assert_null(find(text, 0x1111111111111111, &start));
	assert_null(find(text, 0x5000, &start));
	assert_null(find("", 0, &start));
	assert_null(perf_map_find(NULL, 0, &start));
}

static void test_perf_map_keeps_the_last_lines(void **state)
{
	size_t lines = (1u << 20) + 1, n = 0;
	char *text = xmalloc(lines * 16);
	uint64_t start;
	(void)state;
	for (size_t i = 0; i < lines; i++)
		n += (size_t)sprintf(text + n, "%zx 1 f\n", i);
	struct perf_map *map = perf_map_parse(text, n, (struct deadline){0});
	assert_null(perf_map_find(map, 0, &start));
	assert_non_null(perf_map_find(map, 1, &start));
	assert_non_null(perf_map_find(map, lines - 1, &start));
	perf_map_free(map);
	map = perf_map_parse(text, n, (struct deadline){1});
	assert_null(perf_map_find(map, lines - 1, &start));
	perf_map_free(map);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_demangle),
		cmocka_unit_test(test_demangle_explosion_is_cut),
		cmocka_unit_test(test_demangle_depth),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_perf_map),
		cmocka_unit_test(test_perf_map_keeps_the_last_lines),
		cmocka_unit_test(test_long_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
