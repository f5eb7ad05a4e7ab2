libhangdump_a_SOURCES += \
	src/diff/diff.c \
	src/diff/diff.h \
	src/diff/differences.c \
	src/diff/findings.c \
	src/diff/findings.h \
	src/diff/groups.c \
	src/diff/groups.h \
	src/diff/ignores.c \
	src/diff/key.c \
	src/diff/key.h \
	src/diff/leaks.c \
	src/diff/pair.c \
	src/diff/pair.h \
	src/diff/progress.c \
	src/diff/progress.h
