libhangdump_a_SOURCES += \
	src/launch/command.c \
	src/launch/command.h \
	src/launch/launch.c \
	src/launch/launch.h \
	src/launch/link.c \
	src/launch/link.h \
	src/launch/signals.c \
	src/launch/signals.h \
	src/launch/supervisor.c \
	src/launch/supervisor.h
