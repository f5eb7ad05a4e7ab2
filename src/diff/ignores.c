#include "diff/diff.h"

#include <string.h>

/* Begun by a library behind the program's back, and never joined. */
const struct ignore default_ignores[] = {
	{IGNORE_FUNCTION, "__sanitizer::BackgroundThread*",
	 "LLVM, compiler-rt/lib/sanitizer_common/sanitizer_common_libcdep.cpp", false},
	{IGNORE_FUNCTION, "__tsan::BackgroundThread*",
	 "LLVM, compiler-rt/lib/tsan/rtl/tsan_rtl.cpp", false},
	{IGNORE_FUNCTION, "timer_helper_thread",
	 "glibc, sysdeps/unix/sysv/linux/timer_routines.c: SIGEV_THREAD timers", false},
	{IGNORE_FUNCTION, "handle_fildes_io",
	 "glibc, sysdeps/pthread/aio_misc.c: workers of POSIX AIO, which end when idle", false},
	{IGNORE_NAME, "jemalloc_bg_thd", "jemalloc, src/background_thread.c", false},
	{IGNORE_NAME, "gmain", "GLib, glib/gmain.c: its worker context", false},
	{IGNORE_NAME, "gdbus", "GLib, gio/gdbusprivate.c", false},
	{IGNORE_NAME, "pool-spawner", "GLib, glib/gthreadpool.c", false},
	{IGNORE_NAME, "iou-wrk-*", "Linux, io_uring/io-wq.c: the kernel's workers", false},
	{IGNORE_NAME, "iou-sqp-*", "Linux, io_uring/sqpoll.c", false},
};
const size_t default_ignore_count = ARRAY_SIZE(default_ignores);

bool ignore_parse(const char *line, struct ignore *ret)
{
	line += strspn(line, " \t");
	*ret = (struct ignore){0};
	if (!*line || *line == '#')
		return true;
	for (int i = 0; i < IGNORE_KINDS; i++) {
		size_t n = strlen(ignore_kind_names[i]);
		if (strncmp(line, ignore_kind_names[i], n) != 0 || line[n] != ':')
			continue;
		ret->kind = (enum ignore_kind)i;
		ret->glob = line + n + 1 + strspn(line + n + 1, " \t");
		return *ret->glob != '\0';
	}
	return false;
}
