# Programs that wait to be dumped.  Never sanitized: a victim should be what users have.
victim_cflags = $(HANGDUMP_CFLAGS) -fno-sanitize=all -O1 -g -pthread
victim_ldflags = -pthread

EXTRA_DIST += tests/victims/blocking.h tests/victims/hop.h

check_PROGRAMS += tests/victims/blocking
tests_victims_blocking_SOURCES = \
	tests/victims/blocking.c \
	tests/victims/blocking_descriptor.c \
	tests/victims/blocking_ipc.c \
	tests/victims/blocking_socket.c
tests_victims_blocking_CFLAGS = $(victim_cflags)
tests_victims_blocking_LDFLAGS = $(victim_ldflags)
tests_victims_blocking_LDADD = -lrt

check_PROGRAMS += tests/victims/busy
tests_victims_busy_SOURCES = tests/victims/busy.c
tests_victims_busy_CFLAGS = $(victim_cflags)
tests_victims_busy_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/forker
tests_victims_forker_SOURCES = tests/victims/forker.c
tests_victims_forker_CFLAGS = $(victim_cflags)
tests_victims_forker_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/hopper
tests_victims_hopper_SOURCES = tests/victims/hopper.c
tests_victims_hopper_CFLAGS = $(victim_cflags)
tests_victims_hopper_LDFLAGS = $(victim_ldflags)
tests_victims_hopper_LDADD = -ldl

check_PROGRAMS += tests/victims/libhop.so
tests_victims_libhop_so_SOURCES = tests/victims/libhop.c
tests_victims_libhop_so_CFLAGS = $(victim_cflags) -fPIC
tests_victims_libhop_so_LDFLAGS = -shared

check_PROGRAMS += tests/victims/names
tests_victims_names_SOURCES = tests/victims/names.c
tests_victims_names_CFLAGS = $(victim_cflags)
tests_victims_names_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/progress
tests_victims_progress_SOURCES = tests/victims/progress.c
tests_victims_progress_CFLAGS = $(victim_cflags)
tests_victims_progress_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/signals
tests_victims_signals_SOURCES = tests/victims/signals.c
tests_victims_signals_CFLAGS = $(victim_cflags)
tests_victims_signals_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/sleeper
tests_victims_sleeper_SOURCES = tests/victims/sleeper.c
tests_victims_sleeper_CFLAGS = $(victim_cflags)
tests_victims_sleeper_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/spin
tests_victims_spin_SOURCES = tests/victims/spin.c
tests_victims_spin_CFLAGS = $(victim_cflags)
tests_victims_spin_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/storm
tests_victims_storm_SOURCES = tests/victims/storm.c
tests_victims_storm_CFLAGS = $(victim_cflags)
tests_victims_storm_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/tracer
tests_victims_tracer_SOURCES = tests/victims/tracer.c
tests_victims_tracer_CFLAGS = $(victim_cflags)
tests_victims_tracer_LDFLAGS =

check_PROGRAMS += tests/victims/userfault
tests_victims_userfault_SOURCES = tests/victims/userfault.c
tests_victims_userfault_CFLAGS = $(victim_cflags)
tests_victims_userfault_LDFLAGS = $(victim_ldflags)

check_PROGRAMS += tests/victims/vfork_parent
tests_victims_vfork_parent_SOURCES = tests/victims/vfork_parent.c
tests_victims_vfork_parent_CFLAGS = $(victim_cflags)
tests_victims_vfork_parent_LDFLAGS =

check_PROGRAMS += tests/victims/zombie_leader
tests_victims_zombie_leader_SOURCES = tests/victims/zombie_leader.c
tests_victims_zombie_leader_CFLAGS = $(victim_cflags)
tests_victims_zombie_leader_LDFLAGS = $(victim_ldflags)

EXTRA_DIST += tests/victims/classes.h

check_PROGRAMS += tests/victims/classes
tests_victims_classes_SOURCES = \
	tests/victims/classes.c \
	tests/victims/classes_descriptor.c \
	tests/victims/classes_lock.c \
	tests/victims/classes_process.c
tests_victims_classes_CFLAGS = $(victim_cflags)
tests_victims_classes_LDFLAGS = $(victim_ldflags)
tests_victims_classes_LDADD =

if HAVE_CXX
check_PROGRAMS += tests/victims/classes_cxx
tests_victims_classes_cxx_SOURCES = tests/victims/classes_cxx.cc
tests_victims_classes_cxx_CXXFLAGS = -std=c++20 -O1 -g -pthread
tests_victims_classes_cxx_LDFLAGS = $(victim_ldflags)
tests_victims_classes_cxx_LDADD =
endif

# The test that runs those in other languages builds them.
EXTRA_DIST += \
	tests/victims/Verdicts.java \
	tests/victims/dead_mount.py \
	tests/victims/verdicts.go \
	tests/victims/verdicts.h \
	tests/victims/verdicts.rs \
	tests/victims/verdicts_glib.c \
	tests/victims/verdicts_openmp.c \
	tests/victims/verdicts_python.py

check_PROGRAMS += tests/victims/verdicts
tests_victims_verdicts_SOURCES = \
	tests/victims/verdicts.c \
	tests/victims/verdicts_crowd.c \
	tests/victims/verdicts_event.c \
	tests/victims/verdicts_file.c \
	tests/victims/verdicts_lock.c \
	tests/victims/verdicts_lone.c \
	tests/victims/verdicts_moving.c \
	tests/victims/verdicts_process.c \
	tests/victims/verdicts_tables.c
tests_victims_verdicts_CFLAGS = $(victim_cflags)
tests_victims_verdicts_LDFLAGS = $(victim_ldflags)
tests_victims_verdicts_LDADD = -ldl

check_PROGRAMS += tests/victims/libverdict.so
tests_victims_libverdict_so_SOURCES = tests/victims/libverdict.c
tests_victims_libverdict_so_CFLAGS = $(victim_cflags) -fPIC
tests_victims_libverdict_so_LDFLAGS = -shared -pthread

if HAVE_CXX
check_PROGRAMS += tests/victims/verdicts_cxx
tests_victims_verdicts_cxx_SOURCES = tests/victims/verdicts_cxx.cc tests/victims/verdicts.c
tests_victims_verdicts_cxx_CFLAGS = $(victim_cflags)
tests_victims_verdicts_cxx_CXXFLAGS = -std=c++20 -O1 -g -pthread
tests_victims_verdicts_cxx_LDFLAGS = $(victim_ldflags)
tests_victims_verdicts_cxx_LDADD =
endif
