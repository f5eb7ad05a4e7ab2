libhangdump_a_SOURCES += \
	src/objects/objects.h
