# Fuzz targets: fuzz.h tells how they are built and run.  A further one is a file here, a corpus, and
# the same lines again.
fuzz_common = tests/fuzz/check.c tests/fuzz/fuzz.h
fuzz_cppflags = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tests
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/json.dict

FUZZ_CC = clang
FUZZ_CFLAGS = -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=undefined
# Only the rooms that saved dumps pass through.
fuzz_build = @sources= && for source in $(fuzz_common) $(libhangdump_a_SOURCES); do \
		case $$source in \
		*.h) ;; \
		tests/*|src/base/*|src/model/*|src/group/*|src/store/*|src/parse/*|src/render/*) \
			sources="$$sources $(srcdir)/$$source";; \
		esac; \
	done && mkdir -p tests/fuzz && echo "  FUZZ     $@" && \
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(DEFS) -I. $(fuzz_cppflags) $$sources $(hangdump_libs) -o

fuzz-json:
	$(fuzz_build) tests/fuzz/fuzz-json $(srcdir)/tests/fuzz/json.c
.PHONY: fuzz-json
CLEANFILES += tests/fuzz/fuzz-json

check_PROGRAMS += tests/fuzz/json_corpus
TESTS += tests/fuzz/json_corpus
tests_fuzz_json_corpus_SOURCES = tests/fuzz/json.c tests/fuzz/replay.c $(fuzz_common)
tests_fuzz_json_corpus_CPPFLAGS = $(fuzz_cppflags) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/json"'
tests_fuzz_json_corpus_LDADD = libhangdump.a $(hangdump_libs)

fuzz-goroutines:
	$(fuzz_build) tests/fuzz/fuzz-goroutines $(srcdir)/tests/fuzz/goroutines.c
.PHONY: fuzz-goroutines
CLEANFILES += tests/fuzz/fuzz-goroutines

check_PROGRAMS += tests/fuzz/goroutines_corpus
TESTS += tests/fuzz/goroutines_corpus
tests_fuzz_goroutines_corpus_SOURCES = tests/fuzz/goroutines.c tests/fuzz/replay.c $(fuzz_common)
tests_fuzz_goroutines_corpus_CPPFLAGS = $(fuzz_cppflags) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/goroutines"'
tests_fuzz_goroutines_corpus_LDADD = libhangdump.a $(hangdump_libs)

fuzz-report:
	$(fuzz_build) tests/fuzz/fuzz-report $(srcdir)/tests/fuzz/report.c
.PHONY: fuzz-report
CLEANFILES += tests/fuzz/fuzz-report

check_PROGRAMS += tests/fuzz/report_corpus
TESTS += tests/fuzz/report_corpus
tests_fuzz_report_corpus_SOURCES = tests/fuzz/report.c tests/fuzz/replay.c $(fuzz_common)
tests_fuzz_report_corpus_CPPFLAGS = $(fuzz_cppflags) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/report"'
tests_fuzz_report_corpus_LDADD = libhangdump.a $(hangdump_libs)
