libhangdump_a_SOURCES += \
	src/pipeline/pipeline.c \
	src/pipeline/pipeline.h
