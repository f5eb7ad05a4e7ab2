libhangdump_a_SOURCES += \
	src/unwind/unwind.h
