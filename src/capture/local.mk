libhangdump_a_SOURCES += \
	src/capture/arena.c \
	src/capture/arena.h \
	src/capture/capture.h \
	src/capture/clock.c \
	src/capture/copy.c \
	src/capture/helper.c \
	src/capture/helper.h \
	src/capture/hold.c \
	src/capture/live.c \
	src/capture/live_memory.c \
	src/capture/live_memory.h \
	src/capture/look.c \
	src/capture/memory.c \
	src/capture/memory.h \
	src/capture/proc.c \
	src/capture/proc.h \
	src/capture/raw.c \
	src/capture/raw.h \
	src/capture/reader.c \
	src/capture/reader.h \
	src/capture/refusal.c \
	src/capture/restart.c \
	src/capture/survey.c \
	src/capture/take.c \
	src/capture/verify.c
