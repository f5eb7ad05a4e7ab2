if CMOCKA
check_PROGRAMS += tests/unit/diff/diff_test
TESTS += tests/unit/diff/diff_test
tests_unit_diff_diff_test_SOURCES = tests/unit/diff/diff_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_diff_diff_test_CPPFLAGS = $(unit_cppflags)
tests_unit_diff_diff_test_LDADD = $(unit_ldadd)
endif
