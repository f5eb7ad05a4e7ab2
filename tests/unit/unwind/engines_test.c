/* The engines on whole programs: hostile information, long stacks, many threads. */
#include "unit/unwind/target.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const enum unwinder engines[] = {UNWINDER_AUTO, UNWINDER_LIBDW, UNWINDER_LIBUNWIND};

static void walk_target(const struct target *target, enum unwinder which, unsigned max_frames,
			struct strpool *strings, struct stack *ret)
{
	const struct unwind_options options = {.which = which, .max_frames = max_frames};
	struct unwind *unwind =
		unwind_new(target_process(target), target->objects, &options, strings);
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
	const char *directory = *context;
	const char *rounds_wanted = getenv("UNWIND_ROUNDS");
	unsigned rounds = rounds_wanted ? (unsigned)atoi(rounds_wanted) : 20;
	uint64_t seed = rounds_wanted ? (uint64_t)time(NULL) : 1;
	_cleanup_free_ char *program = NULL;
	assert_true(target_build(directory, "whole", NULL,
				 TARGET_SPLIT("", "-g -fno-asynchronous-unwind-tables", "-static"),
				 &program));
	_cleanup_free_ char *copy = xasprintf("%s/spoilt", directory);
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
		for (size_t column = 0; column < ARRAY_SIZE(engines); column++) {
			struct stack stack = {0};
			struct strpool strings;
			strpool_init(&strings);
			walk_target(&target, engines[column], 0, &strings, &stack);
			assert_true(stack.count > 0);
			assert_true(stack.complete || stack.incomplete);
			stack_deinit(&stack);
			strpool_deinit(&strings);
		}
		target_end(&target);
	}
}

static void information_made_to_be_misread_costs_no_time(void **context)
{
	enum { LIMIT_SECONDS = 60 };
	struct target target;
	struct strpool strings;
	_cleanup_free_ char *program = NULL;
	assert_true(target_build(*context, "endless", NULL,
				 TARGET_SPLIT("", "",
					      "$S/endless_letters.S -static "
					      "-Wl,--no-eh-frame-hdr 2>/dev/null"),
				 &program));
	target_start(&target, program, true);
	target_capture(&target, false);
	strpool_init(&strings);
	for (size_t column = 0; column < ARRAY_SIZE(engines); column++) {
		struct stack stack = {0};
		alarm(LIMIT_SECONDS);
		walk_target(&target, engines[column], 0, &strings, &stack);
		alarm(0);
		assert_true(stack.count > 1);
		/* Nothing of it was believed. */
		assert_int_not_equal(stack.frames[1].found_by, FOUND_BY_CFI);
		stack_deinit(&stack);
	}
	strpool_deinit(&strings);
	target_end(&target);
}

static void debug_files_are_found_before_anybody_is_held(void **context)
{
	struct target target;
	struct held_walk walked;
	_cleanup_free_ char *program = NULL;
	if (!target_build(
		    *context, "debugged", "objcopy",
		    TARGET_SPLIT("", "-g -fno-asynchronous-unwind-tables",
				 "") " && objcopy --only-keep-debug $O $O.debug"
				     " && objcopy --strip-debug --add-gnu-debuglink=$O.debug $O",
		    &program))
		skip();
	_cleanup_free_ char *debug = xasprintf("%s.debug", program);
	target_start(&target, program, true);
	target_capture(&target, false);
	target.gone = debug;
	target_walk_held(&target, &walked);
	assert_int_equal(walked.end, WALK_FIRST_FRAME);
	assert_int_equal(access(debug, F_OK), -1);
	for (size_t i = 0; i < walked.count; i++)
		assert_false(walked.frames[i].doubtful);
	target_end(&target);
}

static void omitted_frames_are_counted_to_the_first_one(void **context)
{
	enum { KEPT = 50, DUG = 200 };
	struct target target;
	struct strpool strings;
	struct stack whole = {0}, part = {0};
	_cleanup_free_ char *program = NULL;
	assert_true(target_build(*context, "recursion", NULL, "$CC -O1 $S/recursion.c -o $O",
				 &program));
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
	static const char *const chain[] = {"inner", "middle", "outer", "main"};
	struct target target;
	struct strpool strings;
	struct stack stack = {0};
	size_t found = 0;
	_cleanup_free_ char *program = NULL;
	assert_true(
		target_build(*context, "plain", NULL, TARGET_SPLIT("-O0", "-O0", ""), &program));
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
	const struct unwind_options options = {.which = which};
	struct unwind *unwind = unwind_new(process, target->objects, &options, &strings);
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
	bool table = getenv("UNWIND_TABLE") != NULL;
	struct target target;
	_cleanup_free_ char *program = NULL;
	assert_true(target_build(*context, "many", NULL,
				 "$CC -O2 -fno-inline $S/many.c -o $O -lpthread", &program));
	target_start(&target, program, true);
	target_capture(&target, false);
	assert_int_equal(target_process(&target)->threads.count, THREADS);
	if (table)
		printf("\n| engine | frames | first round | best of %d |\n"
		       "| --- | --- | --- | --- |\n",
		       ROUNDS);
	for (size_t column = 0; column < ARRAY_SIZE(engines); column++) {
		size_t frames;
		uint64_t first = walk_all(&target, engines[column], &frames), best = first;
		for (unsigned i = 1; i < ROUNDS; i++) {
			uint64_t took = walk_all(&target, engines[column], &frames);
			best = took < best ? took : best;
		}
		assert_true(frames >= (THREADS - 1) * FRAMES_LEAST);
		assert_true(best < GENEROUS_MS * 1000000ull);
		if (table)
			printf("| %s | %zu | %.1f ms | %.1f ms |\n",
			       unwinder_names[engines[column]], frames, (double)first / 1e6,
			       (double)best / 1e6);
	}
	target_end(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spoilt_call_frame_information_is_survived),
		cmocka_unit_test(information_made_to_be_misread_costs_no_time),
		cmocka_unit_test(debug_files_are_found_before_anybody_is_held),
		cmocka_unit_test(omitted_frames_are_counted_to_the_first_one),
		cmocka_unit_test(frame_pointers_alone_are_never_called_call_frame_information),
		cmocka_unit_test(two_hundred_threads_take_milliseconds),
	};
	return cmocka_run_group_tests(tests, target_make_directory, target_remove_directory);
}
