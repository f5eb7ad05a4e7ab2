libhangdump_a_SOURCES += \
	src/store/convert.c \
	src/store/convert.h \
	src/store/cursor.c \
	src/store/cursor.h \
	src/store/diff.c \
	src/store/fields.c \
	src/store/fields.h \
	src/store/frames.c \
	src/store/frames.h \
	src/store/json.c \
	src/store/json.h \
	src/store/read.c \
	src/store/read.h \
	src/store/read_frames.c \
	src/store/read_process.c \
	src/store/read_results.c \
	src/store/read_thread.c \
	src/store/read_wait.c \
	src/store/store.c \
	src/store/store.h
dist_pkgdata_DATA = src/store/hangdump.schema.json src/store/hangdump-diff.schema.json
