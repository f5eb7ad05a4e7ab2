libhangdump_a_SOURCES += \
	src/classify/classify.c \
	src/classify/classify.h \
	src/classify/events.c \
	src/classify/fd.c \
	src/classify/fd.h \
	src/classify/frame_rows.c \
	src/classify/frames.c \
	src/classify/frames.h \
	src/classify/futex.c \
	src/classify/idle.c \
	src/classify/io.c \
	src/classify/locks.c \
	src/classify/locks.h \
	src/classify/locks_glibc.c \
	src/classify/locks_musl.c \
	src/classify/names.c \
	src/classify/process.c \
	src/classify/restart.c \
	src/classify/states.c \
	src/classify/subject.c \
	src/classify/subject.h \
	src/classify/syscall_table.c \
	src/classify/syscall_table.h \
	src/classify/time.c \
	src/classify/words.c \
	src/classify/words.h
