libhangdump_a_SOURCES += \
	src/classify/classify.h
