libhangdump_a_SOURCES += \
	src/group/group.h
