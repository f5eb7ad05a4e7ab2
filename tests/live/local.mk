# Tests of the whole program on live processes.  Each is a script that says TAP and exits 0, 1 or,
# when nothing of it can run here, 77.
AM_TESTS_ENVIRONMENT = HANGDUMP_BUILDDIR='$(abs_top_builddir)'; export HANGDUMP_BUILDDIR; \
	HANGDUMP='$(abs_top_builddir)/hangdump'; export HANGDUMP; \
	HANGDUMP_SANITIZERS='$(enable_sanitizers)'; export HANGDUMP_SANITIZERS; \
	CC='$(CC)'; export CC; \
	HANGDUMP_HEADER_FLAGS='-I$(abs_top_builddir) $(ELFUTILS_CFLAGS) $(UNWIND_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)'; \
	export HANGDUMP_HEADER_FLAGS; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;

live_tests = \
	tests/live/attach.py \
	tests/live/classes.py \
	tests/live/diff.py \
	tests/live/hostile_files.py \
	tests/live/memory.py \
	tests/live/never_hangs.py \
	tests/live/no_harm.py \
	tests/live/output_file.py \
	tests/live/owners.py \
	tests/live/real_programs.py \
	tests/live/recipes.py \
	tests/live/refusals.py \
	tests/live/run_contract.py \
	tests/live/run_report.py \
	tests/live/run_signals.py \
	tests/live/run_terminal.py \
	tests/live/run_tree.py \
	tests/live/sandbox.py \
	tests/live/second_look.py \
	tests/live/show.py \
	tests/live/texts.py \
	tests/live/verdicts.py \
	tests/live/verdicts_crowd.py \
	tests/live/verdicts_real.py
TESTS += $(live_tests)
EXTRA_DIST += $(live_tests) \
	tests/live/recipes \
	tests/compare/compare_gdb.py \
	tests/lib/hang.py \
	tests/lib/run.py \
	tests/lib/saved.py \
	tests/lib/verdict.py
