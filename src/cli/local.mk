libhangdump_a_SOURCES += \
	src/cli/ci.c \
	src/cli/ci.h \
	src/cli/cli.c \
	src/cli/cli.h \
	src/cli/cmd_dump.c \
	src/cli/cmd_run.c \
	src/cli/cmd_show.c \
	src/cli/command.h \
	src/cli/exit_code.h \
	src/cli/file_template.c \
	src/cli/file_template.h \
	src/cli/live_options.c \
	src/cli/live_options.h \
	src/cli/load.c \
	src/cli/load.h \
	src/cli/outlet.c \
	src/cli/outlet.h \
	src/cli/output.c \
	src/cli/output.h \
	src/cli/report.c \
	src/cli/report.h \
	src/cli/report_options.c \
	src/cli/report_options.h \
	src/cli/run_report.c \
	src/cli/run_report.h \
	src/cli/words.c \
	src/cli/words.h
