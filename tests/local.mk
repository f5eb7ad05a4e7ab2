# Unit tests are cmocka programs that link what ships; tests of the whole program are scripts.
unit_cppflags = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tests $(CMOCKA_CFLAGS) \
	-DSRCDIR='"$(abs_top_srcdir)"' -DBUILDDIR='"$(abs_top_builddir)"'
unit_ldadd = libhangdump.a $(hangdump_libs) $(CMOCKA_LIBS)

include tests/unit/base/local.mk
include tests/unit/model/local.mk
include tests/unit/capture/local.mk
include tests/unit/objects/local.mk
include tests/unit/unwind/local.mk
include tests/unit/symbolize/local.mk
include tests/unit/classify/local.mk
include tests/unit/analyse/local.mk
include tests/unit/group/local.mk
include tests/unit/diff/local.mk
include tests/unit/store/local.mk
include tests/unit/parse/local.mk
include tests/unit/render/local.mk
include tests/unit/launch/local.mk
include tests/unit/cli/local.mk
include tests/victims/local.mk
include tests/live/local.mk
include tests/lint/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk

# The program that ./quickstart dumps.
check_PROGRAMS += tests/victims/bank
tests_victims_bank_SOURCES = tests/victims/bank.c
tests_victims_bank_CFLAGS = -g -O1 $(AM_CFLAGS)
tests_victims_bank_LDADD = -lpthread
