#include "classify/maker.h"

#include "base/array.h"
#include "classify/memo.h"

#include <string.h>

static enum maker maker_of_library(const char *path)
{
	static const struct {
		const char *prefix;
		enum maker maker;
	} rows[] = {
		{"libc.so.6", MAKER_GLIBC},  {"libc-2.", MAKER_GLIBC},
		{"libpthread", MAKER_GLIBC}, {"ld-linux-x86", MAKER_GLIBC},
		{"ld-2.", MAKER_GLIBC},	     {"ld-musl-", MAKER_MUSL},
		{"libc.musl-", MAKER_MUSL},  {"libgomp.so", MAKER_GOMP},
	};
	const char *base = path_base(path);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strncmp(base, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return rows[i].maker;
	}
	/* What musl's loader is a link to. */
	return strcmp(base, "libc.so") == 0 ? MAKER_MUSL : MAKER_OTHER;
}

bool maker_has_libc(const struct capture_process *process)
{
	array_for_each (&process->mappings, mapping) {
		enum maker maker = maker_of_library(mapping->path);
		if (maker == MAKER_GLIBC || maker == MAKER_MUSL)
			return true;
	}
	return false;
}

static enum maker maker_of_file(const struct subject *subject, const char *path)
{
	const char *executable = subject->process->executable;
	enum maker maker = maker_of_library(path);
	if (maker != MAKER_OTHER || !executable || strcmp(path, executable) != 0)
		return maker;
	return memo_has_libc(subject->memo) ? MAKER_OTHER : MAKER_STATIC;
}

/* The first frame of the thread itself that is no system call stub called "syscall". */
static const struct frame *caller_of_syscall(const struct subject *subject)
{
	const struct stack *stack = subject->stack;
	bool through_syscall = false;
	for (size_t i = 0; stack && i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->kind != FRAME_NATIVE || frame->inlined)
			continue;
		if (through_syscall)
			return frame;
		if (strcmp(memo_name(subject->memo, frame)->normal, "syscall") != 0)
			return NULL;
		through_syscall = true;
	}
	return NULL;
}

enum maker maker_of(const struct subject *subject)
{
	const struct frame *caller = caller_of_syscall(subject);
	uint64_t pc = caller ? caller->lookup_pc : subject->pc;
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, pc);
	return mapping ? maker_of_file(subject, mapping->path) : MAKER_UNKNOWN;
}
