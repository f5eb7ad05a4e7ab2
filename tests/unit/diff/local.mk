if CMOCKA
check_PROGRAMS += tests/unit/diff/diff_test tests/unit/diff/leaks_test tests/unit/diff/report_test
TESTS += tests/unit/diff/diff_test tests/unit/diff/leaks_test tests/unit/diff/report_test
tests_unit_diff_diff_test_SOURCES = tests/unit/diff/diff_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_diff_diff_test_CPPFLAGS = $(unit_cppflags)
tests_unit_diff_diff_test_LDADD = $(unit_ldadd)
tests_unit_diff_leaks_test_SOURCES = tests/unit/diff/leaks_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_diff_leaks_test_CPPFLAGS = $(unit_cppflags)
tests_unit_diff_leaks_test_LDADD = $(unit_ldadd)
tests_unit_diff_report_test_SOURCES = tests/unit/diff/report_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_diff_report_test_CPPFLAGS = $(unit_cppflags)
tests_unit_diff_report_test_LDADD = $(unit_ldadd)
endif
