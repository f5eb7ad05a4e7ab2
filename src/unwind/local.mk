libhangdump_a_SOURCES += \
	src/unwind/cfi_section.c \
	src/unwind/cfi_section.h \
	src/unwind/code.c \
	src/unwind/code.h \
	src/unwind/eh_frame.c \
	src/unwind/eh_frame.h \
	src/unwind/engine.h \
	src/unwind/engine_libdw.c \
	src/unwind/engine_libunwind.c \
	src/unwind/expression.c \
	src/unwind/expression.h \
	src/unwind/fallback.c \
	src/unwind/fallback.h \
	src/unwind/held.c \
	src/unwind/site.c \
	src/unwind/site.h \
	src/unwind/stack_memory.h \
	src/unwind/starts.c \
	src/unwind/starts.h \
	src/unwind/unwind.c \
	src/unwind/unwind.h \
	src/unwind/walk.c \
	src/unwind/walk.h \
	src/unwind/walker.c \
	src/unwind/words.c \
	src/unwind/words.h
