libhangdump_a_SOURCES += \
	src/objects/build_id.c \
	src/objects/debug_files.c \
	src/objects/debuginfod.c \
	src/objects/elf_file.c \
	src/objects/elf_memory.c \
	src/objects/file_memory.c \
	src/objects/group.c \
	src/objects/objects.c \
	src/objects/objects.h \
	src/objects/opener.c \
	src/objects/opener.h \
	src/objects/private.h \
	src/objects/segments.c \
	src/objects/sigbus.c \
	src/objects/sigbus.h
