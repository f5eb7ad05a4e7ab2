libhangdump_a_SOURCES += \
	src/render/brief.c \
	src/render/diff.c \
	src/render/diff_groups.c \
	src/render/diff_parts.h \
	src/render/evidence.c \
	src/render/errors.c \
	src/render/findings.c \
	src/render/frames.c \
	src/render/glance.c \
	src/render/header.c \
	src/render/members.c \
	src/render/parts.h \
	src/render/printer.c \
	src/render/printer.h \
	src/render/progress.c \
	src/render/render.h \
	src/render/resource.c \
	src/render/select.c \
	src/render/select.h \
	src/render/text.c \
	src/render/verbose.c \
	src/render/who.c \
	src/render/words.c \
	src/render/words.h
