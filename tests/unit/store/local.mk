EXTRA_DIST += tests/unit/store/validate.py
if CMOCKA
check_PROGRAMS += tests/unit/store/store_test tests/unit/store/read_test
TESTS += tests/unit/store/store_test tests/unit/store/read_test
tests_unit_store_store_test_SOURCES = tests/unit/store/store_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_store_store_test_CPPFLAGS = $(unit_cppflags)
tests_unit_store_store_test_LDADD = $(unit_ldadd)
tests_unit_store_read_test_SOURCES = tests/unit/store/read_test.c \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_store_read_test_CPPFLAGS = $(unit_cppflags)
tests_unit_store_read_test_LDADD = $(unit_ldadd)
endif
