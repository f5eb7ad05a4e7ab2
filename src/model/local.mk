libhangdump_a_SOURCES += \
	src/model/diff.c \
	src/model/diff.h \
	src/model/dump.c \
	src/model/dump.h \
	src/model/glance.c \
	src/model/glance.h \
	src/model/goroutine.c \
	src/model/goroutine.h \
	src/model/stack.c \
	src/model/stack.h \
	src/model/wait.c \
	src/model/wait.h
