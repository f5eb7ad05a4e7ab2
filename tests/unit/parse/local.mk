EXTRA_DIST += tests/data/go/README tests/data/go/hang.go tests/data/go/leak_test.go \
	tests/data/go/asleep.go tests/data/go/ancestors-1.26.txt tests/data/go/asleep-1.26.txt \
	tests/data/go/crash-1.26.txt tests/data/go/goleak-1.1.txt tests/data/go/goleak-1.3.txt \
	tests/data/go/pprof-1.19.txt tests/data/go/quit-1.19.txt tests/data/go/quit-1.26.txt \
	tests/data/go/stack-1.26.txt tests/data/go/timeout-1.26.txt tests/data/go/variants.txt
if CMOCKA
check_PROGRAMS += tests/unit/parse/goroutines_test
TESTS += tests/unit/parse/goroutines_test
tests_unit_parse_goroutines_test_SOURCES = tests/unit/parse/goroutines_test.c \
	tests/unit/parse/texts.c tests/unit/parse/texts.h
tests_unit_parse_goroutines_test_CPPFLAGS = $(unit_cppflags)
tests_unit_parse_goroutines_test_LDADD = $(unit_ldadd)

check_PROGRAMS += tests/unit/parse/report_test
TESTS += tests/unit/parse/report_test
tests_unit_parse_report_test_SOURCES = tests/unit/parse/report_test.c \
	tests/unit/parse/texts.c tests/unit/parse/texts.h \
	tests/lib/make_dump.c tests/lib/make_dump.h
tests_unit_parse_report_test_CPPFLAGS = $(unit_cppflags)
tests_unit_parse_report_test_LDADD = $(unit_ldadd)
endif
