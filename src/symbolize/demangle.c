#include "base/alloc.h"
#include "base/text.h"
#include "symbolize/symbolize.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <setjmp.h>

/*
 * Back references let a short name stand for an endless one, and libiberty's work grows with its
 * output; so that is where it is stopped.  A name that long is of no use demangled.
 */
#define MANGLED_MAX   8192u
#define D_MAX	      2048u
#define DEMANGLED_MAX 16384u

struct output {
	struct text text;
	jmp_buf too_long;
};

static void take(const char *s, size_t n, void *opaque)
{
	struct output *output = opaque;
	if (n > DEMANGLED_MAX - output->text.length)
		longjmp(output->too_long, 1);
	text_add_n(&output->text, s, n);
}

typedef int callback_demangler(const char *mangled, int options, demangle_callbackref callback,
			       void *opaque);

/* The callback forms hold nothing on the heap, so that leaving them half-way leaks nothing. */
static bool run(callback_demangler *demangler, const char *name, struct output *output)
{
	return setjmp(output->too_long) == 0 &&
	       demangler(name, DMGL_PARAMS | DMGL_ANSI, take, output) && output->text.length;
}

static char *demangle_bounded(callback_demangler *demangler, const char *name)
{
	struct output output = {0};
	if (run(demangler, name, &output))
		return text_steal(&output.text);
	text_deinit(&output.text);
	return NULL;
}

/* "_D4core6thread...", "_Dmain". */
static bool is_d(const char *name)
{
	return name[0] == '_' && name[1] == 'D' &&
	       (isdigit((unsigned char)name[2]) || strcmp(name, "_Dmain") == 0);
}

char *symbolize_demangle(const char *name)
{
	size_t length = strnlen(name, MANGLED_MAX + 1);
	char *plain = NULL;
	if (length > MANGLED_MAX || name[0] != '_')
		return NULL;
	/* Rust's older form is C++'s with a hash at the end: ask for Rust first. */
	if (name[1] == 'R' || name[1] == 'Z')
		plain = demangle_bounded(rust_demangle_callback, name);
	if (!plain && name[1] == 'Z')
		plain = demangle_bounded(cplus_demangle_v3_callback, name);
	if (!plain && is_d(name) && length <= D_MAX)
		plain = dlang_demangle(name, DMGL_PARAMS | DMGL_ANSI);
	return plain;
}
