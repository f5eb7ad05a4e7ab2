/* Whose code issues a futex system call: by it the layouts that its objects may have are known. */
#ifndef HANGDUMP_CLASSIFY_MAKER_H
#define HANGDUMP_CLASSIFY_MAKER_H

#include "classify/subject.h"

enum maker {
	MAKER_UNKNOWN,
	MAKER_GLIBC,
	MAKER_MUSL,
	MAKER_STATIC, /* the executable itself: a static libc, Go, or the program's own futex */
	MAKER_GOMP,
	MAKER_OTHER,
};

enum maker maker_of(const struct subject *subject);
/* Does the process map a libc?  A static program has it in itself. */
bool maker_has_libc(const struct capture_process *process);

#endif
