# Rules of the house that a machine can hold.
lint_tests = \
	tests/lint/format.py \
	tests/lint/headers.py \
	tests/lint/includes.py \
	tests/lint/manual.py \
	tests/lint/scripts.py
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests)
