if CMOCKA
unwind_tests = tests/unit/unwind/fixtures_test
check_PROGRAMS += $(unwind_tests)
TESTS += $(unwind_tests)
unwind_target = tests/unit/unwind/target.c tests/unit/unwind/target.h
tests_unit_unwind_fixtures_test_SOURCES = tests/unit/unwind/fixtures_test.c $(unwind_target)
tests_unit_unwind_fixtures_test_CPPFLAGS = $(unit_cppflags)
tests_unit_unwind_fixtures_test_LDADD = $(unit_ldadd)
endif
EXTRA_DIST += tests/unit/unwind/README \
	tests/unit/unwind/fixtures/chain.c \
	tests/unit/unwind/fixtures/coroutine.c \
	tests/unit/unwind/fixtures/fixture.h \
	tests/unit/unwind/fixtures/hang.go \
	tests/unit/unwind/fixtures/jit.c \
	tests/unit/unwind/fixtures/leaf.S \
	tests/unit/unwind/fixtures/many.c \
	tests/unit/unwind/fixtures/middle.c \
	tests/unit/unwind/fixtures/noreturn.c \
	tests/unit/unwind/fixtures/null_call.c \
	tests/unit/unwind/fixtures/plt.c \
	tests/unit/unwind/fixtures/recursion.c \
	tests/unit/unwind/fixtures/signal.c \
	tests/unit/unwind/fixtures/thread.c \
	tests/unit/unwind/fixtures/vdso.c
