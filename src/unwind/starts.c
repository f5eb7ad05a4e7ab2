#include "unwind/starts.h"

#include "base/array.h"

#include <string.h>

static const struct {
	const char *name;
	const char *source;
} first_functions[] = {
	{"_start", "glibc 2.x, musl 1.x: crt1.o"},
	{"_start_c", "musl 1.x: crt/crt1.c"},
	{"__libc_start_call_main", "glibc 2.34: sysdeps/nptl/libc_start_call_main.h"},
	{"__libc_start_main", "glibc 2.x: csu/libc-start.c; musl 1.x"},
	{"libc_start_main_stage2", "musl 1.1.23: src/env/__libc_start_main.c"},
	{"clone", "glibc 2.x, musl 1.x: clone.S"},
	{"__clone", "glibc 2.x, musl 1.x: clone.S"},
	{"clone3", "glibc 2.34: clone3.S"},
	{"__clone3", "glibc 2.34: clone3.S"},
	{"start_thread", "glibc 2.x: nptl/pthread_create.c"},
	/* Called by runtime.clone, or with cgo by a thread's own first function. */
	{"runtime.mstart", "Go 1.x: asm_amd64.s, TOPFRAME"},
	{"runtime.mstart.abi0", "Go 1.17: asm_amd64.s, TOPFRAME"},
	{"__start_context", "glibc 2.x: sysdeps/unix/sysv/linux/x86_64/__start_context.S"},
};

static const struct {
	const char *name;
	enum go_function is;
	const char *source;
} go_functions[] = {
	{"runtime.goexit", GO_FIRST, "Go 1.x: asm_amd64.s, TOPFRAME"},
	{"runtime.rt0_go", GO_FIRST, "Go 1.x: asm_amd64.s, TOPFRAME"},
	{"_rt0_amd64", GO_FIRST, "Go 1.x: asm_amd64.s"},
	{"_rt0_amd64_linux", GO_FIRST, "Go 1.x: rt0_linux_amd64.s"},
	{"runtime.clone", GO_FIRST, "Go 1.x: sys_linux_amd64.s"},
	/* Calls the scheduler on the thread's own stack, from its top each time. */
	{"runtime.mcall", GO_FIRST, "Go 1.x: asm_amd64.s, SPWRITE"},
	{"runtime.systemstack", GO_SWITCHES_STACK, "Go 1.x: asm_amd64.s, SPWRITE"},
	{"runtime.morestack", GO_SWITCHES_STACK, "Go 1.x: asm_amd64.s, SPWRITE"},
	{"runtime.asmcgocall", GO_SWITCHES_STACK, "Go 1.x: asm_amd64.s"},
};

bool start_is_first_function(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(first_functions); i++)
		if (strcmp(first_functions[i].name, name) == 0)
			return true;
	return false;
}

enum go_function start_go_function(const char *name)
{
	/* Assembly functions have a second name for their calling convention since Go 1.17. */
	static const char abi[] = ".abi0";
	size_t length = strlen(name);
	if (length > sizeof(abi) - 1 && strcmp(name + length - (sizeof(abi) - 1), abi) == 0)
		length -= sizeof(abi) - 1;
	for (size_t i = 0; i < ARRAY_SIZE(go_functions); i++)
		if (strlen(go_functions[i].name) == length &&
		    strncmp(go_functions[i].name, name, length) == 0)
			return go_functions[i].is;
	return GO_ORDINARY;
}
