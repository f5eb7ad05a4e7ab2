if CMOCKA
model_tests = tests/unit/model/stack_test
check_PROGRAMS += $(model_tests)
TESTS += $(model_tests)
tests_unit_model_stack_test_SOURCES = tests/unit/model/stack_test.c
tests_unit_model_stack_test_CPPFLAGS = $(unit_cppflags)
tests_unit_model_stack_test_LDADD = $(unit_ldadd)
endif
