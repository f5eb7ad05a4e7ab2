if CMOCKA
check_PROGRAMS += tests/unit/launch/launch_test
TESTS += tests/unit/launch/launch_test
tests_unit_launch_launch_test_SOURCES = tests/unit/launch/launch_test.c
tests_unit_launch_launch_test_CPPFLAGS = $(unit_cppflags)
tests_unit_launch_launch_test_LDADD = $(unit_ldadd)
endif
