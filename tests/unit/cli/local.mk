if CMOCKA
check_PROGRAMS += tests/unit/cli/ci_test tests/unit/cli/file_template_test \
	tests/unit/cli/outlet_test tests/unit/cli/run_headline_test
TESTS += tests/unit/cli/ci_test tests/unit/cli/file_template_test tests/unit/cli/outlet_test \
	tests/unit/cli/run_headline_test
tests_unit_cli_ci_test_SOURCES = tests/unit/cli/ci_test.c
tests_unit_cli_ci_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cli_ci_test_LDADD = $(unit_ldadd)
tests_unit_cli_file_template_test_SOURCES = tests/unit/cli/file_template_test.c
tests_unit_cli_file_template_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cli_file_template_test_LDADD = $(unit_ldadd)
tests_unit_cli_outlet_test_SOURCES = tests/unit/cli/outlet_test.c
tests_unit_cli_outlet_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cli_outlet_test_LDADD = $(unit_ldadd)
tests_unit_cli_run_headline_test_SOURCES = tests/unit/cli/run_headline_test.c
tests_unit_cli_run_headline_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cli_run_headline_test_LDADD = $(unit_ldadd)
endif
