/*
 * The fixture table: programs that hang where unwinding is hard, walked with each engine alone and
 * with both.  A row says which frames must come, in which way the hardest of them was found, and
 * how the walk ends.  With UNWIND_TABLE set, the results are printed as the Markdown of README.md.
 */
#include "unit/unwind/target.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COLUMNS = 4, CHAIN_MAX = 12, TRIES_MAX = 2000 };

static const enum unwinder columns[COLUMNS] = {UNWINDER_AUTO, UNWINDER_LIBDW, UNWINDER_LIBUNWIND,
					       UNWINDER_PTRACE};

/* A shell command; $S: where the sources are, $O: the program to make, $D: a place for parts. */
#define NO_CFI "-fno-asynchronous-unwind-tables -fno-unwind-tables "

struct fixture {
	const char *name;
	const char *needs; /* a command that must be there; NULL: $CC only */
	const char *build;
	/* Frames by function, innermost first; others may stand between, but none of these. */
	const char *chain[CHAIN_MAX];
	/*
	 * For each column what became of it: one letter for each frame of the chain: r registers,
	 * c call frame information, f frame pointer, s scan; upper case: doubtful.  "short" where
	 * the engine alone is known not to get there; then its walk must say why.  No last entry:
	 * as the first.
	 */
	const char *found[COLUMNS];
	bool no_stop;
	const char *until; /* capture again until frame 0 is in this object: it does not sleep */
	bool incomplete;   /* its first frame cannot be known */
};

static const struct fixture fixtures[] = {
	{.name = "C at -O2",
	 .build = TARGET_SPLIT("", "", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "ccccc"}},
	{.name = "C at -O0",
	 .build = TARGET_SPLIT("-O0", "-O0", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "ccccc"}},
	{.name = "stripped, with CFI",
	 .build = TARGET_SPLIT("-s", "", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "ccccc"}},
	{.name = "middle without CFI or frame pointer",
	 .build = TARGET_SPLIT("", NO_CFI, ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"cSSCC", "cSSCC", "cSSCC"}},
	{.name = "the same, stripped",
	 .build = TARGET_SPLIT("-s", NO_CFI, ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"cSSCC", "cSSCC", "cSSCC"}},
	{.name = "middle without CFI, with frame pointers",
	 .build = TARGET_SPLIT("", NO_CFI "-fno-omit-frame-pointer", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"cffcc", "cffcc", "cffcc"}},
	{.name = "the same, stripped",
	 .build = TARGET_SPLIT("-s", NO_CFI "-fno-omit-frame-pointer", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"cFSCC", "cFSCC", "cFSCC"}},
	{.name = "no frame pointers under frames with them",
	 .build = TARGET_SPLIT("-O0", NO_CFI, ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"cSSCC", "cSSCC", "cSSCC"}},
	{.name = "middle with .debug_frame only",
	 .build = TARGET_SPLIT("", "-g -fno-asynchronous-unwind-tables", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "cSSCC"}},
	{.name = "assembly leaf without CFI in a system call",
	 .build = "$CC -O2 $S/chain.c $S/leaf.S -o $O",
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"rSCCC", "rSCCC", "rSCCC"}},
	{.name = "start_thread of a library that is not libc, without CFI",
	 .build = "$CC -O2 " NO_CFI "-fPIC -shared $S/own_start.c -o $D/libc-client.so && "
		  "$CC -O2 -DMAIN $S/own_start.c -L$D -l:libc-client.so -Wl,-rpath,$D -o $O",
	 .chain = {"inner", "start_thread", "main", "_start"},
	 .found = {"ccSC", "ccSC", "ccSC"}},
	{.name = "return address by a rule of 1500 operations",
	 .build = "$CC -O2 -DLONG $S/chain.c $S/odd_rule.S -o $O",
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"rcccc", "rcSCC", "rcccc"}},
	{.name = "return address that is said not to change",
	 .build = "$CC -O2 $S/chain.c $S/odd_rule.S -o $O",
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"rcSCC", "rcSCC", "rcSCC"}},
	{.name = "static, without .eh_frame_hdr",
	 .build = TARGET_SPLIT("", "", "-static -Wl,--no-eh-frame-hdr"),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "ccccc"}},
	{.name = ".eh_frame_hdr without its table",
	 .needs = "objcopy",
	 .build = TARGET_SPLIT("", "",
			       "") " && objcopy --dump-section .eh_frame_hdr=$O.hdr $O && "
				   "printf '\\377\\377' | dd of=$O.hdr bs=1 seek=2 conv=notrunc "
				   "status=none && "
				   "objcopy --update-section .eh_frame_hdr=$O.hdr $O",
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "ccccc"}},
	{.name = "in the vdso",
	 .build = "$CC -O2 $S/vdso.c -o $O",
	 .chain = {"inner", "middle", "main", "_start"},
	 .until = "[vdso]",
	 .found = {"cccc", "cccc", "cccc"}},
	{.name = "signal handler",
	 .build = "$CC -O2 $S/signal.c -o $O",
	 .chain = {"in_handler", "handler", "__restore_rt", "first", "middle", "main", "_start"},
	 .found = {"ccccccc", "ccccccc", "ccccccc"}},
	{.name = "signal handler on its own stack",
	 .build = "$CC -O2 -DALTERNATE $S/signal.c -o $O",
	 .chain = {"in_handler", "handler", "__restore_rt", "first", "middle", "main", "_start"},
	 .found = {"ccccccc", "ccccccc", "ccccccc"}},
	{.name = "call of a null pointer",
	 .build = "$CC -O2 $S/null_call.c -o $O",
	 .chain = {"handler", "middle", "main", "_start"},
	 .found = {"cccc", "cccc", "cccc"}},
	{.name = "PLT stub of GNU ld",
	 .needs = "ld.bfd",
	 .build = "$CC -O2 -fcf-protection=none -fuse-ld=bfd -Wl,-z,lazy $S/plt.c -o $O",
	 .chain = {"handler", "middle", "main", "_start"},
	 .found = {"rccc", "rccc", "rccc"}},
	{.name = "PLT stub of GNU ld, IBT",
	 .needs = "ld.bfd",
	 .build = "$CC -O2 -fcf-protection -fuse-ld=bfd -Wl,-z,lazy,-z,ibtplt $S/plt.c -o $O",
	 .chain = {"handler", "middle", "main", "_start"},
	 .found = {"rccc", "rccc", "rccc"}},
	{.name = "PLT stub of lld",
	 .needs = "ld.lld",
	 .build = "$CC -O2 -fcf-protection=none -fuse-ld=lld -Wl,-z,lazy $S/plt.c -o $O",
	 .chain = {"handler", "middle", "main", "_start"},
	 .found = {"rccc", "rccc", "rccc"}},
	{.name = "PLT stub of lld, IBT",
	 .needs = "ld.lld",
	 .build = "$CC -O2 -fcf-protection -fuse-ld=lld -Wl,-z,lazy,-z,force-ibt $S/plt.c -o $O",
	 .chain = {"handler", "middle", "main", "_start"},
	 .found = {"rccc", "rccc", "rccc"}},
	{.name = "coroutine of makecontext",
	 .build = "$CC -O2 $S/coroutine.c -o $O",
	 .chain = {"inner", "body", "__start_context"},
	 .found = {"ccc", "ccc", "ccc"}},
	{.name = "JIT code without frame pointer",
	 .build = "$CC -O2 $S/jit.c -o $O",
	 .chain = {"callback", "jit", "outer", "main", "_start"},
	 .found = {"ccSCC", "ccSCC", "ccSCC"}},
	{.name = "JIT code with a chain of frame pointers",
	 .build = "$CC -O2 -DCHAIN $S/jit.c -o $O",
	 .chain = {"callback", "jit", "outer", "main", "_start"},
	 .found = {"ccFCC", "ccFCC", "ccFCC"}},
	{.name = "musl, static",
	 .needs = "musl-gcc",
	 .build = "CC=musl-gcc; " TARGET_SPLIT("", "", "-static"),
	 .chain = {"inner", "middle", "outer", "main"},
	 .found = {"SCCC", "SCCC", "SCCC"}},
	{.name = "musl, dynamic",
	 .needs = "musl-gcc",
	 .build = "CC=musl-gcc; " TARGET_SPLIT("", "", ""),
	 .chain = {"inner", "middle", "outer", "main"},
	 .found = {"SCCC", "SCCC", "SCCC"}},
	{.name = "musl, a thread",
	 .needs = "musl-gcc",
	 .build = "musl-gcc -O2 -static $S/thread.c -o $O",
	 .chain = {"inner", "worker"},
	 .found = {"SC", "SC", "SC"}},
	{.name = "Go, a goroutine in a system call",
	 .needs = "go",
	 .build = "GOCACHE=$D/gocache GO111MODULE=off CGO_ENABLED=0 go build -o $O $S/hang.go",
	 .chain = {"main.inner", "main.middle", "main.main", "runtime.main", "runtime.goexit.abi0"},
	 .found = {"ccccc", "ccccc", "FFFFF"}},
	{.name = "deleted executable",
	 .build = TARGET_SPLIT("-DDELETED", "", ""),
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"ccccc", "ccccc", "ccccc"}},
	{.name = "call of a noreturn function at the end",
	 .build = "$CC -O2 $S/noreturn.c -o $O",
	 .chain = {"inner", "middle", "main", "_start"},
	 .found = {"cccc", "cccc", "cccc"}},
	{.name = "a thread of glibc",
	 .build = "$CC -O2 $S/thread.c -o $O -lpthread",
	 .chain = {"inner", "worker", "start_thread", "__clone3"},
	 .found = {"cccc", "cccc", "cccc"}},
	{.name = "not stopped: only pc and sp, -O0",
	 .build = TARGET_SPLIT("-O0", "-O0", ""),
	 .no_stop = true,
	 .chain = {"inner", "middle", "outer", "main", "_start"},
	 .found = {"cSCCC", "cSCCC", "cSSSC"}},
};

static char letter_of(const struct frame *frame)
{
	static const char letters[FOUND_BY_WAYS] = {
		[FOUND_BY_REGISTERS] = 'r',
		[FOUND_BY_CFI] = 'c',
		[FOUND_BY_FRAME_POINTER] = 'f',
		[FOUND_BY_SCAN] = 's',
	};
	char letter = letters[frame->found_by];
	return (char)(frame->doubtful ? letter - 'a' + 'A' : letter);
}

static bool is_in_chain(const struct fixture *fixture, const char *name)
{
	for (unsigned i = 0; name && i < CHAIN_MAX && fixture->chain[i]; i++)
		if (strcmp(fixture->chain[i], name) == 0)
			return true;
	return false;
}

static void describe(const struct target *target, const struct stack *stack, struct text *text)
{
	for (size_t i = 0; i < stack->count; i++) {
		const char *name = target_name(target, &stack->frames[i]);
		text_printf(text, "    %c %#lx %s%s\n", letter_of(&stack->frames[i]),
			    (unsigned long)stack->frames[i].pc, name ? name : "?",
			    stack->frames[i].kind == FRAME_SIGNAL ? " (signal)" : "");
	}
	text_printf(text, "    %s\n", stack->complete ? "complete" : stack->incomplete);
}

/* What was found for the chain, "wrong" when it is not the chain. */
static void result_of(const struct fixture *fixture, const struct target *target,
		      const struct stack *stack, char ret[CHAIN_MAX + 1])
{
	size_t next = 0;
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		const char *name = target_name(target, frame);
		if (frame->kind == FRAME_SIGNAL && name && strcmp(name, "__restore_rt") != 0)
			name = NULL;
		if (!is_in_chain(fixture, name))
			continue;
		if (next == CHAIN_MAX || !fixture->chain[next] ||
		    strcmp(fixture->chain[next], name) != 0) {
			strcpy(ret, "wrong");
			return;
		}
		ret[next++] = letter_of(frame);
	}
	ret[next] = '\0';
	if (fixture->chain[next])
		strcpy(ret, "short");
}

static void capture_where_wanted(const struct fixture *fixture, struct target *target)
{
	target_capture(target, fixture->no_stop);
	for (unsigned i = 0; fixture->until; i++) {
		const struct object *object = objects_at(
			target->objects, target_thread(target)->registers.value[DWARF_RIP]);
		if (object && strcmp(object->path, fixture->until) == 0)
			return;
		assert_true(i < TRIES_MAX);
		target_release_capture(target);
		target_capture(target, fixture->no_stop);
	}
}

static void walk_with(const struct fixture *fixture, const struct target *target, unsigned column,
		      bool table, unsigned *failures)
{
	char result[CHAIN_MAX + 1];
	struct strpool strings;
	struct stack stack = {0};
	strpool_init(&strings);
	const struct unwind_options options = {.which = columns[column]};
	struct unwind *unwind =
		unwind_new(target_process(target), target->objects, &options, &strings);
	unwind_thread(unwind, target_thread(target), &stack);
	result_of(fixture, target, &stack, result);
	const char *expected = fixture->found[column];
	if (!expected)
		expected = fixture->found[0];
	bool ends = stack.complete != fixture->incomplete && (stack.complete || stack.incomplete);
	if (table) {
		printf(" %s%s |", result, stack.complete ? "" : " incomplete");
		fflush(stdout);
	} else if (strcmp(result, expected) != 0 || !ends) {
		struct text text = {0};
		describe(target, &stack, &text);
		print_error("\"%s\" with %s: %s, expected %s\n%s", fixture->name,
			    unwinder_names[columns[column]], result, expected, text.bytes);
		text_deinit(&text);
		(*failures)++;
	}
	stack_deinit(&stack);
	unwind_free(unwind);
	strpool_deinit(&strings);
}

static void every_engine_walks_every_fixture(void **context)
{
	const char *directory = *context;
	bool table = getenv("UNWIND_TABLE") != NULL;
	unsigned failures = 0;
	const char *only = getenv("UNWIND_FIXTURE");
	if (table)
		printf("| fixture | auto | libdw | libunwind | ptrace |\n"
		       "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		struct target target;
		_cleanup_free_ char *program = NULL;
		if (only && !strstr(fixtures[i].name, only))
			continue;
		if (!target_build(directory, fixtures[i].name, fixtures[i].needs, fixtures[i].build,
				  &program))
			continue;
		target_start(&target, program, !fixtures[i].until);
		capture_where_wanted(&fixtures[i], &target);
		if (table)
			printf("| %s |", fixtures[i].name);
		bool same = !fixtures[i].no_stop && !fixtures[i].until;
		for (unsigned column = 0; column < (same ? COLUMNS : COLUMNS - 1); column++)
			walk_with(&fixtures[i], &target, column, table, &failures);
		if (table)
			printf("\n");
		target_end(&target);
	}
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_engine_walks_every_fixture),
	};
	return cmocka_run_group_tests(tests, target_make_directory, target_remove_directory);
}
