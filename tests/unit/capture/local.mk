if CMOCKA
capture_tests = tests/unit/capture/proc_test tests/unit/capture/memory_test \
	tests/unit/capture/restart_test tests/unit/capture/live_test \
	tests/unit/capture/around_test tests/unit/capture/around_text_test \
	tests/unit/capture/attach_test
check_PROGRAMS += $(capture_tests)
TESTS += $(capture_tests)
tests_unit_capture_proc_test_SOURCES = tests/unit/capture/proc_test.c
tests_unit_capture_proc_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_proc_test_LDADD = $(unit_ldadd)
tests_unit_capture_memory_test_SOURCES = tests/unit/capture/memory_test.c
tests_unit_capture_memory_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_memory_test_LDADD = $(unit_ldadd)
tests_unit_capture_restart_test_SOURCES = tests/unit/capture/restart_test.c
tests_unit_capture_restart_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_restart_test_LDADD = $(unit_ldadd)
tests_unit_capture_live_test_SOURCES = tests/unit/capture/live_test.c
tests_unit_capture_live_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_live_test_LDADD = $(unit_ldadd) -lpthread
tests_unit_capture_around_test_SOURCES = tests/unit/capture/around_test.c
tests_unit_capture_around_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_around_test_LDADD = $(unit_ldadd) -lpthread
tests_unit_capture_around_text_test_SOURCES = tests/unit/capture/around_text_test.c
tests_unit_capture_around_text_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_around_text_test_LDADD = $(unit_ldadd)
tests_unit_capture_attach_test_SOURCES = tests/unit/capture/attach_test.c
tests_unit_capture_attach_test_CPPFLAGS = $(unit_cppflags)
tests_unit_capture_attach_test_LDADD = $(unit_ldadd) -lpthread
endif
