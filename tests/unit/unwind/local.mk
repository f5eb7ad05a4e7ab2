if CMOCKA
unwind_tests = tests/unit/unwind/code_test \
	tests/unit/unwind/eh_frame_test \
	tests/unit/unwind/engines_test \
	tests/unit/unwind/expression_test \
	tests/unit/unwind/fixtures_test \
	tests/unit/unwind/walk_test
check_PROGRAMS += $(unwind_tests)
TESTS += $(unwind_tests)
tests_unit_unwind_code_test_SOURCES = tests/unit/unwind/code_test.c
tests_unit_unwind_code_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_code_test_LDADD = $(unit_ldadd)
tests_unit_unwind_eh_frame_test_SOURCES = tests/unit/unwind/eh_frame_test.c
tests_unit_unwind_eh_frame_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_eh_frame_test_LDADD = $(unit_ldadd)
tests_unit_unwind_engines_test_SOURCES = tests/unit/unwind/engines_test.c tests/unit/unwind/target.c \
	tests/unit/unwind/target.h
tests_unit_unwind_engines_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_engines_test_LDADD = $(unit_ldadd)
tests_unit_unwind_expression_test_SOURCES = tests/unit/unwind/expression_test.c
tests_unit_unwind_expression_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_expression_test_LDADD = $(unit_ldadd)
tests_unit_unwind_fixtures_test_SOURCES = tests/unit/unwind/fixtures_test.c tests/unit/unwind/target.c \
	tests/unit/unwind/target.h
tests_unit_unwind_fixtures_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_fixtures_test_LDADD = $(unit_ldadd)
tests_unit_unwind_walk_test_SOURCES = tests/unit/unwind/walk_test.c
tests_unit_unwind_walk_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_walk_test_LDADD = $(unit_ldadd)
endif
EXTRA_DIST += tests/unit/unwind/README \
	tests/unit/unwind/fixtures/chain.c \
	tests/unit/unwind/fixtures/coroutine.c \
	tests/unit/unwind/fixtures/endless_letters.S \
	tests/unit/unwind/fixtures/fixture.h \
	tests/unit/unwind/fixtures/hang.go \
	tests/unit/unwind/fixtures/jit.c \
	tests/unit/unwind/fixtures/leaf.S \
	tests/unit/unwind/fixtures/many.c \
	tests/unit/unwind/fixtures/middle.c \
	tests/unit/unwind/fixtures/noreturn.c \
	tests/unit/unwind/fixtures/null_call.c \
	tests/unit/unwind/fixtures/odd_rule.S \
	tests/unit/unwind/fixtures/own_start.c \
	tests/unit/unwind/fixtures/plt.c \
	tests/unit/unwind/fixtures/recursion.c \
	tests/unit/unwind/fixtures/signal.c \
	tests/unit/unwind/fixtures/thread.c \
	tests/unit/unwind/fixtures/vdso.c
