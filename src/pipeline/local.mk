libhangdump_a_SOURCES += \
	src/pipeline/neighbours.c \
	src/pipeline/neighbours.h \
	src/pipeline/pipeline.c \
	src/pipeline/pipeline.h \
	src/pipeline/samples.c \
	src/pipeline/samples.h \
	src/pipeline/second_look.c \
	src/pipeline/second_look.h
