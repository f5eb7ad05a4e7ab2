libhangdump_a_SOURCES += \
	src/parse/draft.c \
	src/parse/draft.h \
	src/parse/go_lines.c \
	src/parse/go_lines.h \
	src/parse/go_stack.c \
	src/parse/go_stack.h \
	src/parse/goroutines.c \
	src/parse/lines.c \
	src/parse/lines.h \
	src/parse/parse.h \
	src/parse/piece.c \
	src/parse/piece.h
