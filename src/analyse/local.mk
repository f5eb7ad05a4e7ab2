libhangdump_a_SOURCES += \
	src/analyse/analyse.c \
	src/analyse/analyse.h \
	src/analyse/analysis.h \
	src/analyse/bond.c \
	src/analyse/bond.h \
	src/analyse/chains.c \
	src/analyse/circles.c \
	src/analyse/components.c \
	src/analyse/components.h \
	src/analyse/graph.c \
	src/analyse/graph.h \
	src/analyse/lost_locks.c \
	src/analyse/lost_wakeups.c \
	src/analyse/no_progress.c \
	src/analyse/roots.c \
	src/analyse/roots.h \
	src/analyse/spinning.c \
	src/analyse/stuck.c \
	src/analyse/stuck.h
