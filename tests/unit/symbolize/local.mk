if CMOCKA
symbolize_tests = tests/unit/symbolize/names_test tests/unit/symbolize/symbolize_test \
	tests/unit/symbolize/hostile_test tests/unit/symbolize/helper_test \
	tests/unit/symbolize/answers_test
check_PROGRAMS += $(symbolize_tests)
TESTS += $(symbolize_tests)
tests_unit_symbolize_names_test_SOURCES = tests/unit/symbolize/names_test.c
tests_unit_symbolize_names_test_CPPFLAGS = $(unit_cppflags)
tests_unit_symbolize_names_test_LDADD = $(unit_ldadd)
tests_unit_symbolize_hostile_test_SOURCES = tests/unit/symbolize/hostile_test.c
tests_unit_symbolize_hostile_test_CPPFLAGS = $(unit_cppflags)
tests_unit_symbolize_hostile_test_LDADD = $(unit_ldadd)
tests_unit_symbolize_helper_test_SOURCES = tests/unit/symbolize/helper_test.c \
	tests/unit/symbolize/lab.c tests/unit/symbolize/lab.h
tests_unit_symbolize_helper_test_CPPFLAGS = $(unit_cppflags)
tests_unit_symbolize_helper_test_LDADD = $(unit_ldadd)
tests_unit_symbolize_answers_test_SOURCES = tests/unit/symbolize/answers_test.c \
	tests/unit/symbolize/lab.c tests/unit/symbolize/lab.h
tests_unit_symbolize_answers_test_CPPFLAGS = $(unit_cppflags)
tests_unit_symbolize_answers_test_LDADD = $(unit_ldadd)
tests_unit_symbolize_symbolize_test_SOURCES = tests/unit/symbolize/symbolize_test.c \
	tests/unit/symbolize/lab.c tests/unit/symbolize/lab.h
tests_unit_symbolize_symbolize_test_CPPFLAGS = $(unit_cppflags)
tests_unit_symbolize_symbolize_test_LDADD = $(unit_ldadd)
endif
