libhangdump_a_SOURCES += \
	src/symbolize/symbolize.h
