if CMOCKA
check_PROGRAMS += tests/unit/base/base_test tests/unit/base/helper_test
TESTS += tests/unit/base/base_test tests/unit/base/helper_test
tests_unit_base_base_test_SOURCES = tests/unit/base/base_test.c
tests_unit_base_base_test_CPPFLAGS = $(unit_cppflags)
tests_unit_base_base_test_LDADD = $(unit_ldadd)
tests_unit_base_helper_test_SOURCES = tests/unit/base/helper_test.c
tests_unit_base_helper_test_CPPFLAGS = $(unit_cppflags)
tests_unit_base_helper_test_LDADD = $(unit_ldadd) -lpthread
endif
