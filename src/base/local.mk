libhangdump_a_SOURCES += \
	src/base/address_map.c \
	src/base/address_map.h \
	src/base/alloc.c \
	src/base/alloc.h \
	src/base/array.h \
	src/base/cleanup.h \
	src/base/deadline.c \
	src/base/deadline.h \
	src/base/duration.c \
	src/base/duration.h \
	src/base/error.c \
	src/base/error.h \
	src/base/helper.c \
	src/base/helper.h \
	src/base/helper_server.c \
	src/base/helper_server.h \
	src/base/helper_thread.c \
	src/base/helper_thread.h \
	src/base/pid.c \
	src/base/pid.h \
	src/base/strpool.c \
	src/base/strpool.h \
	src/base/text.c \
	src/base/text.h
