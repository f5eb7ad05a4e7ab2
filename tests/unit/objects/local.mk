if CMOCKA
objects_tests = tests/unit/objects/objects_test tests/unit/objects/opener_test
check_PROGRAMS += $(objects_tests)
TESTS += $(objects_tests)
tests_unit_objects_objects_test_SOURCES = tests/unit/objects/objects_test.c
tests_unit_objects_objects_test_CPPFLAGS = $(unit_cppflags)
tests_unit_objects_objects_test_LDADD = $(unit_ldadd)
tests_unit_objects_opener_test_SOURCES = tests/unit/objects/opener_test.c
tests_unit_objects_opener_test_CPPFLAGS = $(unit_cppflags)
tests_unit_objects_opener_test_LDADD = $(unit_ldadd)
endif
