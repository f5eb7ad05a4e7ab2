if CMOCKA
check_PROGRAMS += tests/unit/analyse/analyse_test
TESTS += tests/unit/analyse/analyse_test
tests_unit_analyse_analyse_test_SOURCES = tests/unit/analyse/analyse_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_analyse_analyse_test_CPPFLAGS = $(unit_cppflags)
tests_unit_analyse_analyse_test_LDADD = $(unit_ldadd)
endif
