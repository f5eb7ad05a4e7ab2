if CMOCKA
check_PROGRAMS += tests/unit/base/base_test
TESTS += tests/unit/base/base_test
tests_unit_base_base_test_SOURCES = tests/unit/base/base_test.c
tests_unit_base_base_test_CPPFLAGS = $(unit_cppflags)
tests_unit_base_base_test_LDADD = $(unit_ldadd)
endif
