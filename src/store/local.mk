libhangdump_a_SOURCES += \
	src/store/convert.c \
	src/store/convert.h \
	src/store/frames.c \
	src/store/frames.h \
	src/store/json.c \
	src/store/json.h \
	src/store/store.c \
	src/store/store.h
dist_pkgdata_DATA = src/store/hangdump.schema.json
