libhangdump_a_SOURCES += \
	src/render/render.h
