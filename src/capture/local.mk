libhangdump_a_SOURCES += \
	src/capture/capture.h \
	src/capture/memory.c \
	src/capture/memory.h \
	src/capture/reader.h
