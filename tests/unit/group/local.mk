if CMOCKA
check_PROGRAMS += tests/unit/group/group_test
TESTS += tests/unit/group/group_test
tests_unit_group_group_test_SOURCES = tests/unit/group/group_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_group_group_test_CPPFLAGS = $(unit_cppflags)
tests_unit_group_group_test_LDADD = $(unit_ldadd)
endif
