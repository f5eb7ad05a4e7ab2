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
	src/parse/piece.h \
	src/parse/report.c \
	src/parse/report_findings.c \
	src/parse/report_findings.h \
	src/parse/report_lines.c \
	src/parse/report_lines.h \
	src/parse/report_stack.c \
	src/parse/report_stack.h \
	src/parse/report_waits.c
