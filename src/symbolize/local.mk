libhangdump_a_SOURCES += \
	src/symbolize/answers.c \
	src/symbolize/answers.h \
	src/symbolize/debug_helper.c \
	src/symbolize/debug_helper.h \
	src/symbolize/debug_info.c \
	src/symbolize/debug_server.c \
	src/symbolize/demangle.c \
	src/symbolize/die_names.c \
	src/symbolize/functions.c \
	src/symbolize/perf_map.c \
	src/symbolize/private.h \
	src/symbolize/symbolize.c \
	src/symbolize/symbolize.h \
	src/symbolize/symbols.c \
	src/symbolize/variables.c
