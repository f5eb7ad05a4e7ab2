/*
 * The fixture table: programs that hang where unwinding is hard, walked with each engine alone and
 * with both.  A row says which frames must come, in which way the hardest of them was found, and
 * how the walk ends.  With UNWIND_TABLE set, the results are printed as the Markdown of README.md.
 */
#include "unit/unwind/target.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { COLUMNS = 4, CHAIN_MAX = 12, TRIES_MAX = 2000 };

static const enum unwinder columns[COLUMNS] = {UNWINDER_AUTO, UNWINDER_LIBDW, UNWINDER_LIBUNWIND,
					       UNWINDER_PTRACE};

/* A shell command; $S: where the sources are, $O: the program to make, $D: a place for parts. */
#define SPLIT(main_flags, middle_flags, link_flags)                                                \
	"$CC -O2 " middle_flags " -c $S/middle.c -o $O.o && "                                      \
	"$CC -O2 " main_flags " $S/chain.c $O.o -o $O " link_flags
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
     .build = SPLIT("", "", ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"ccccc", "ccccc", "ccccc"}},
    {.name = "C at -O0",
     .build = SPLIT("-O0", "-O0", ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"ccccc", "ccccc", "ccccc"}},
    {.name = "stripped, with CFI",
     .build = SPLIT("-s", "", ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"ccccc", "ccccc", "ccccc"}},
    {.name = "middle without CFI or frame pointer",
     .build = SPLIT("", NO_CFI, ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"cSSCC", "cSSCC", "cSSCC"}},
    {.name = "the same, stripped",
     .build = SPLIT("-s", NO_CFI, ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"cSSCC", "cSSCC", "cSSCC"}},
    {.name = "middle without CFI, with frame pointers",
     .build = SPLIT("", NO_CFI "-fno-omit-frame-pointer", ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"cffcc", "cffcc", "cffcc"}},
    {.name = "the same, stripped",
     .build = SPLIT("-s", NO_CFI "-fno-omit-frame-pointer", ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"cFSCC", "cFSCC", "cFSCC"}},
    {.name = "no frame pointers under frames with them",
     .build = SPLIT("-O0", NO_CFI, ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"cSSCC", "cSSCC", "cSSCC"}},
    {.name = "middle with .debug_frame only",
     .build = SPLIT("", "-g -fno-asynchronous-unwind-tables", ""),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"ccccc", "ccccc", "cSSCC"}},
    {.name = "assembly leaf without CFI in a system call",
     .build = "$CC -O2 $S/chain.c $S/leaf.S -o $O",
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"rSCCC", "rSCCC", "rSCCC"}},
    {.name = "static, without .eh_frame_hdr",
     .build = SPLIT("", "", "-static -Wl,--no-eh-frame-hdr"),
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"ccccc", "ccccc", "ccccc"}},
    {.name = ".eh_frame_hdr without its table",
     .needs = "objcopy",
     .build = SPLIT("", "", "") " && objcopy --dump-section .eh_frame_hdr=$O.hdr $O && "
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
     .build = "CC=musl-gcc; " SPLIT("", "", "-static"),
     .chain = {"inner", "middle", "outer", "main"},
     .found = {"SCCC", "SCCC", "SCCC"}},
    {.name = "musl, dynamic",
     .needs = "musl-gcc",
     .build = "CC=musl-gcc; " SPLIT("", "", ""),
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
     .build = SPLIT("-DDELETED", "", ""),
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
     .build = SPLIT("-O0", "-O0", ""),
     .no_stop = true,
     .chain = {"inner", "middle", "outer", "main", "_start"},
     .found = {"cSCCC", "cSCCC", "cSSSC"}},
};

struct state {
	char directory[64];
	bool table;
};

static bool build(const struct state *state, const struct fixture *fixture, char **ret_program)
{
	bool in_table = fixture >= fixtures && fixture < fixtures + ARRAY_SIZE(fixtures);
	_cleanup_free_ char *program =
	    xasprintf("%s/fixture%td", state->directory, in_table ? fixture - fixtures : -1);
	_cleanup_free_ char *command =
	    xasprintf("CC=${CC:-gcc} S='%s/tests/unit/unwind/fixtures' D='%s' O='%s'; %s%s%s(%s)",
		      SRCDIR, state->directory, program, fixture->needs ? "command -v " : "",
		      fixture->needs ? fixture->needs : "",
		      fixture->needs ? " >/dev/null || exit 77; " : "", fixture->build);
	fflush(NULL);
	int status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("skipped: \"%s\" needs %s\n", fixture->name, fixture->needs);
		return false;
	}
	if (status != 0)
		fail_msg("could not build \"%s\": %s", fixture->name, command);
	*ret_program = take_ptr(program);
	return true;
}

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
		const struct object *object =
		    objects_at(target->objects, target_thread(target)->registers.value[DWARF_RIP]);
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
	struct unwind *unwind =
	    unwind_new(target_process(target), target->objects, columns[column], 0, &strings);
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
	const struct state *state = *context;
	unsigned failures = 0;
	const char *only = getenv("UNWIND_FIXTURE");
	if (state->table)
		printf("| fixture | auto | libdw | libunwind | ptrace |\n"
		       "| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		struct target target;
		_cleanup_free_ char *program = NULL;
		if (only && !strstr(fixtures[i].name, only))
			continue;
		if (!build(state, &fixtures[i], &program))
			continue;
		target_start(&target, program, !fixtures[i].until);
		capture_where_wanted(&fixtures[i], &target);
		if (state->table)
			printf("| %s |", fixtures[i].name);
		bool same = !fixtures[i].no_stop && !fixtures[i].until;
		for (unsigned column = 0; column < (same ? COLUMNS : COLUMNS - 1); column++)
			walk_with(&fixtures[i], &target, column, state->table, &failures);
		if (state->table)
			printf("\n");
		target_end(&target);
	}
	assert_int_equal(failures, 0);
}

static void walk_target(const struct target *target, enum unwinder which, unsigned max_frames,
			struct strpool *strings, struct stack *ret)
{
	struct unwind *unwind =
	    unwind_new(target_process(target), target->objects, which, max_frames, strings);
	unwind_thread(unwind, target_thread(target), ret);
	unwind_free(unwind);
}

/* Where a section's bytes are in an ELF file; false when it has none. */
static bool find_section(const char *bytes, size_t size, const char *name, size_t *ret_offset,
			 size_t *ret_size)
{
	bool found = false;
	Elf *elf = elf_memory((char *)(uintptr_t)bytes, size);
	size_t names = 0;
	Elf_Scn *section = NULL;
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while (!found && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		gelf_getshdr(section, &header);
		found = strcmp(elf_strptr(elf, names, header.sh_name), name) == 0;
		*ret_offset = header.sh_offset;
		*ret_size = header.sh_size;
	}
	elf_end(elf);
	return found;
}

/* One byte in `sparse`. */
static void spoil(char *bytes, size_t size, size_t sparse, uint64_t *seed)
{
	static const char *const sections[] = {".eh_frame", ".eh_frame_hdr", ".debug_frame"};
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		size_t at, length;
		if (!find_section(bytes, size, sections[i], &at, &length) || length == 0)
			continue;
		for (size_t j = 0; j < 1 + length / sparse; j++) {
			*seed = *seed * 6364136223846793005u + 1442695040888963407u;
			bytes[at + (*seed >> 33) % length] = (char)(*seed >> 25);
		}
	}
}

static void spoilt_call_frame_information_is_survived(void **context)
{
	static const struct fixture whole = {
	    .name = "spoilt", .build = SPLIT("", "-g -fno-asynchronous-unwind-tables", "-static")};
	const struct state *state = *context;
	const char *rounds_wanted = getenv("UNWIND_ROUNDS");
	unsigned rounds = rounds_wanted ? (unsigned)atoi(rounds_wanted) : 20;
	uint64_t seed = rounds_wanted ? (uint64_t)time(NULL) : 1;
	_cleanup_free_ char *program = NULL;
	assert_true(build(state, &whole, &program));
	_cleanup_free_ char *copy = xasprintf("%s/spoilt", state->directory);
	_cleanup_fclose_ FILE *file = fopen(program, "re");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size_t size = (size_t)ftell(file);
	_cleanup_free_ char *bytes = xmalloc(size);
	elf_version(EV_CURRENT);
	for (unsigned i = 0; i < rounds; i++) {
		struct target target;
		rewind(file);
		assert_int_equal(fread(bytes, 1, size, file), size);
		spoil(bytes, size, (size_t)8 << i % 5, &seed);
		unlink(copy);
		int fd = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
		assert_int_equal(write(fd, bytes, size), (ssize_t)size);
		close(fd);
		target_start(&target, copy, true);
		target_capture(&target, false);
		for (unsigned column = 0; column < COLUMNS - 1; column++) {
			struct stack stack = {0};
			struct strpool strings;
			strpool_init(&strings);
			walk_target(&target, columns[column], 0, &strings, &stack);
			assert_true(stack.count > 0);
			assert_true(stack.complete || stack.incomplete);
			stack_deinit(&stack);
			strpool_deinit(&strings);
		}
		target_end(&target);
	}
}

static void omitted_frames_are_counted_to_the_first_one(void **context)
{
	enum { KEPT = 50, DUG = 200 };
	static const struct fixture deep = {.name = "recursion",
					    .build = "$CC -O1 $S/recursion.c -o $O"};
	struct target target;
	struct strpool strings;
	struct stack whole = {0}, part = {0};
	_cleanup_free_ char *program = NULL;
	assert_true(build(*context, &deep, &program));
	target_start(&target, program, true);
	target_capture(&target, false);
	strpool_init(&strings);
	walk_target(&target, UNWINDER_AUTO, 0, &strings, &whole);
	walk_target(&target, UNWINDER_AUTO, KEPT, &strings, &part);
	assert_true(whole.complete && part.complete);
	assert_true(whole.count > DUG);
	assert_int_equal(whole.omitted, 0);
	assert_int_equal(part.count, KEPT);
	assert_int_equal(part.omitted, whole.count - KEPT);
	stack_deinit(&whole);
	stack_deinit(&part);
	strpool_deinit(&strings);
	target_end(&target);
}

static void frame_pointers_alone_are_never_called_call_frame_information(void **context)
{
	static const struct fixture plain = {.name = "frame pointers",
					     .build = SPLIT("-O0", "-O0", "")};
	static const char *const chain[] = {"inner", "middle", "outer", "main"};
	struct target target;
	struct strpool strings;
	struct stack stack = {0};
	size_t found = 0;
	_cleanup_free_ char *program = NULL;
	assert_true(build(*context, &plain, &program));
	target_start(&target, program, true);
	target_capture(&target, false);
	strpool_init(&strings);
	walk_target(&target, UNWINDER_FRAME_POINTER, 0, &strings, &stack);
	for (size_t i = 0; i < stack.count; i++) {
		const char *name = target_name(&target, &stack.frames[i]);
		assert_int_not_equal(stack.frames[i].found_by, FOUND_BY_CFI);
		if (name && found < ARRAY_SIZE(chain) && strcmp(name, chain[found]) == 0)
			found++;
	}
	assert_int_equal(found, ARRAY_SIZE(chain));
	stack_deinit(&stack);
	strpool_deinit(&strings);
	target_end(&target);
}

static uint64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* CPU time for all threads, objects opened and tables read by an earlier round. */
static uint64_t walk_all(const struct target *target, enum unwinder which, size_t *ret_frames)
{
	struct strpool strings;
	strpool_init(&strings);
	*ret_frames = 0;
	struct capture_process *process = target_process(target);
	uint64_t before = cpu_ns();
	struct unwind *unwind = unwind_new(process, target->objects, which, 0, &strings);
	array_for_each (&process->threads, thread) {
		struct stack stack = {0};
		unwind_thread(unwind, thread, &stack);
		assert_true(stack.complete);
		*ret_frames += stack.count;
		stack_deinit(&stack);
	}
	unwind_free(unwind);
	uint64_t took = cpu_ns() - before;
	strpool_deinit(&strings);
	return took;
}

static void two_hundred_threads_take_milliseconds(void **context)
{
	enum { ROUNDS = 7, THREADS = 201, FRAMES_LEAST = 20, GENEROUS_MS = 1000 };
	static const struct fixture many = {
	    .name = "200 threads", .build = "$CC -O2 -fno-inline $S/many.c -o $O -lpthread"};
	const struct state *state = *context;
	struct target target;
	_cleanup_free_ char *program = NULL;
	assert_true(build(state, &many, &program));
	target_start(&target, program, true);
	target_capture(&target, false);
	assert_int_equal(target_process(&target)->threads.count, THREADS);
	if (state->table)
		printf("\n| engine | frames | first round | best of %d |\n"
		       "| --- | --- | --- | --- |\n",
		       ROUNDS);
	for (unsigned column = 0; column < COLUMNS - 1; column++) {
		size_t frames;
		uint64_t first = walk_all(&target, columns[column], &frames), best = first;
		for (unsigned i = 1; i < ROUNDS; i++) {
			uint64_t took = walk_all(&target, columns[column], &frames);
			best = took < best ? took : best;
		}
		assert_true(frames >= (THREADS - 1) * FRAMES_LEAST);
		assert_true(best < GENEROUS_MS * 1000000ull);
		if (state->table)
			printf("| %s | %zu | %.1f ms | %.1f ms |\n",
			       unwinder_names[columns[column]], frames, (double)first / 1e6,
			       (double)best / 1e6);
	}
	target_end(&target);
}

static int make_directory(void **context)
{
	static struct state state = {.directory = "/tmp/hangdump-unwind.XXXXXX"};
	state.table = getenv("UNWIND_TABLE") != NULL;
	*context = &state;
	return mkdtemp(state.directory) ? 0 : -1;
}

static int remove_directory(void **context)
{
	const struct state *state = *context;
	_cleanup_free_ char *command =
	    xasprintf("chmod -R u+w '%s'; rm -rf '%s'", state->directory, state->directory);
	return shell(command) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_engine_walks_every_fixture),
	    cmocka_unit_test(spoilt_call_frame_information_is_survived),
	    cmocka_unit_test(omitted_frames_are_counted_to_the_first_one),
	    cmocka_unit_test(frame_pointers_alone_are_never_called_call_frame_information),
	    cmocka_unit_test(two_hundred_threads_take_milliseconds),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
