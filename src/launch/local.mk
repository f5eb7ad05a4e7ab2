libhangdump_a_SOURCES += \
	src/launch/command.c \
	src/launch/command.h \
	src/launch/descriptors.c \
	src/launch/descriptors.h \
	src/launch/dumper.c \
	src/launch/dumper.h \
	src/launch/front.c \
	src/launch/front.h \
	src/launch/idle.c \
	src/launch/idle.h \
	src/launch/job.c \
	src/launch/launch.c \
	src/launch/launch.h \
	src/launch/link.c \
	src/launch/link.h \
	src/launch/signals.c \
	src/launch/signals.h \
	src/launch/supervisor.c \
	src/launch/supervisor.h \
	src/launch/terminal.c \
	src/launch/terminal.h \
	src/launch/tree.c \
	src/launch/tree.h
