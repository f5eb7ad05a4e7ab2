# Not part of `make check`: see tests/bench/bench.py.
EXTRA_DIST += tests/bench/bench.py tests/bench/bench_run.py

check_PROGRAMS += tests/bench/crowd
tests_bench_crowd_SOURCES = tests/bench/crowd.c
tests_bench_crowd_CFLAGS = $(victim_cflags)
tests_bench_crowd_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/bench/bare_stop
tests_bench_bare_stop_SOURCES = tests/bench/bare_stop.c
tests_bench_bare_stop_CFLAGS = $(victim_cflags)
tests_bench_bare_stop_LDFLAGS =

check_PROGRAMS += tests/bench/measure
tests_bench_measure_SOURCES = tests/bench/measure.c
tests_bench_measure_CFLAGS = $(victim_cflags)
tests_bench_measure_LDFLAGS =
