libhangdump_a_SOURCES += \
	src/group/group.c \
	src/group/group.h \
	src/group/key.c \
	src/group/key.h \
	src/group/order.c \
	src/group/order.h
