EXTRA_DIST += tests/unit/render/bank.txt tests/unit/render/tracee.txt
if CMOCKA
check_PROGRAMS += tests/unit/render/brief_test tests/unit/render/render_test
TESTS += tests/unit/render/brief_test tests/unit/render/render_test
tests_unit_render_brief_test_SOURCES = tests/unit/render/brief_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_render_brief_test_CPPFLAGS = $(unit_cppflags)
tests_unit_render_brief_test_LDADD = $(unit_ldadd)
tests_unit_render_render_test_SOURCES = tests/unit/render/render_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_render_render_test_CPPFLAGS = $(unit_cppflags)
tests_unit_render_render_test_LDADD = $(unit_ldadd)
check_PROGRAMS += tests/unit/render/select_test
TESTS += tests/unit/render/select_test
tests_unit_render_select_test_SOURCES = tests/unit/render/select_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_render_select_test_CPPFLAGS = $(unit_cppflags)
tests_unit_render_select_test_LDADD = $(unit_ldadd)
endif
