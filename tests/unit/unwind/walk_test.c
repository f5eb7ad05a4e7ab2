/*
 * Walks over made-up processes: code that no file has (so no call frame information) and a stack,
 * every word of it chosen here.
 */
#include "unwind/unwind.h"

#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	CODE = 0x10000,
	CODE_SIZE = 0x1000,
};
#define STACK_AT   0x7f0000000000u
#define STACK_SIZE 0x10000u
/* In the code: a call at each multiple of 16 of its first half, so +5 is a return address. */
#define RETURN(n)    (CODE + 16u * (n) + 5)
#define SIGRETURN    (CODE + 0xf00u)
#define UCONTEXT_RBP 120u
#define UCONTEXT_RSP 160u
#define UCONTEXT_RIP 168u

struct made {
	struct capture_process process;
	struct capture_mapping mappings[2];
	struct capture_thread thread;
	struct objects *objects;
	struct strpool strings;
	uint8_t code[CODE_SIZE];
	uint8_t stack[STACK_SIZE];
	uint64_t stack_from;	 /* what lies below is not in memory */
	enum memory_origin from; /* of the stack */
};

static size_t read_code(void *context, uint64_t address, void *buf, size_t n)
{
	struct made *made = context;
	if (address - CODE >= CODE_SIZE)
		return 0;
	if (n > CODE + CODE_SIZE - address)
		n = CODE + CODE_SIZE - address;
	memcpy(buf, made->code + (address - CODE), n);
	return n;
}

static size_t read_stack(void *context, uint64_t address, void *buf, size_t n)
{
	struct made *made = context;
	if (address - STACK_AT >= STACK_SIZE || address < made->stack_from)
		return 0;
	if (n > STACK_AT + STACK_SIZE - address)
		n = STACK_AT + STACK_SIZE - address;
	memcpy(buf, made->stack + (address - STACK_AT), n);
	return n;
}

/* Even words are the next frame pointer, odd ones a return address. */
static size_t read_endless(void *context, uint64_t address, void *buf, size_t n)
{
	uint64_t word = address % 16 ? RETURN(1) : address + 16;
	(void)context;
	if (address < STACK_AT || address % 8)
		return 0;
	memcpy(buf, &word, n < 8 ? n : 8);
	return n < 8 ? n : 8;
}

static void make(struct made *made, bool endless)
{
	memset(made, 0, sizeof(*made));
	made->mappings[0] = (struct capture_mapping){.start = CODE,
						     .end = CODE + CODE_SIZE,
						     .readable = true,
						     .executable = true,
						     .path = ""};
	made->mappings[1] = (struct capture_mapping){.start = STACK_AT,
						     .end = endless ? STACK_AT + (1ull << 40)
								    : STACK_AT + STACK_SIZE,
						     .readable = true,
						     .writable = true,
						     .path = "[stack]"};
	made->process.mappings.items = made->mappings;
	made->process.mappings.count = 2;
	for (size_t i = 0; i < CODE_SIZE / 2; i += 16)
		made->code[i] = 0xe8;
	static const uint8_t sigreturn[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	memcpy(made->code + (SIGRETURN - CODE), sigreturn, sizeof(sigreturn));
	made->thread.registers_from = REGISTERS_STOPPED;
	made->thread.stop = STOP_DONE;
	made->thread.registers.valid = (1u << DWARF_COUNT) - 1;
	made->thread.registers.value[DWARF_RIP] = CODE + 0x800;
	made->thread.registers.value[DWARF_RSP] = STACK_AT + 0x100;
	strpool_init(&made->strings);
}

static void add_memory(struct made *made, bool endless)
{
	memory_add_source(&made->process.memory, MEMORY_CAPTURED, read_code, made);
	memory_add_source(&made->process.memory, made->from, endless ? read_endless : read_stack,
			  made);
}

static void end(struct made *made)
{
	strpool_deinit(&made->strings);
}

static void set(struct made *made, uint64_t at, uint64_t value)
{
	memcpy(made->stack + (at - STACK_AT), &value, sizeof(value));
}

static void walk_until(struct made *made, unsigned max_frames, struct deadline deadline,
		       struct stack *ret)
{
	const struct objects_options options = {.debuginfod = false};
	const struct unwind_options walks = {.max_frames = max_frames, .deadline = deadline};
	*ret = (struct stack){0};
	struct objects *objects = objects_open(&made->process, &options);
	struct unwind *unwind = unwind_new(&made->process, objects, &walks, &made->strings);
	unwind_thread(unwind, &made->thread, ret);
	unwind_free(unwind);
	objects_close(objects);
	assert_true(ret->complete || ret->incomplete);
}

static void walk_made(struct made *made, unsigned max_frames, struct stack *ret)
{
	walk_until(made, max_frames, (struct deadline){0}, ret);
}

/* Three frames of a chain that ends in a frame pointer and a return address of 0. */
static void make_chain(struct made *made)
{
	made->thread.registers.value[DWARF_RBP] = STACK_AT + 0x200;
	set(made, STACK_AT + 0x200, STACK_AT + 0x300);
	set(made, STACK_AT + 0x208, RETURN(1));
	set(made, STACK_AT + 0x300, 0);
	set(made, STACK_AT + 0x308, RETURN(2));
}

static void a_thread_without_registers_says_why(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	add_memory(&made, false);
	made.thread.registers_from = REGISTERS_NONE;
	made.thread.stop = STOP_TIMED_OUT;
	walk_made(&made, 0, &stack);
	assert_int_equal(stack.count, 0);
	assert_false(stack.complete);
	assert_string_equal(stack.incomplete, "no registers: it did not stop in time");
	end(&made);
}

static void frame_pointers_of_nameless_code_are_followed_with_a_doubt(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	make_chain(&made);
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_int_equal(stack.count, 3);
	assert_int_equal(stack.frames[0].pc, CODE + 0x800);
	assert_int_equal(stack.frames[0].lookup_pc, CODE + 0x800);
	assert_int_equal(stack.frames[0].found_by, FOUND_BY_REGISTERS);
	assert_false(stack.frames[0].doubtful);
	assert_int_equal(stack.frames[0].cfa, STACK_AT + 0x210);
	assert_int_equal(stack.frames[1].pc, RETURN(1));
	assert_int_equal(stack.frames[1].lookup_pc, RETURN(1) - 1);
	assert_int_equal(stack.frames[1].found_by, FOUND_BY_FRAME_POINTER);
	assert_true(stack.frames[1].doubtful);
	assert_int_equal(stack.frames[2].pc, RETURN(2));
	assert_false(stack.complete);
	assert_non_null(strstr(stack.incomplete, "no unwind information for"));
	stack_deinit(&stack);
	end(&made);
}

static void code_of_a_file_without_a_name_is_told_by_its_offset(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	made.mappings[0].path = "/memfd:code";
	made.mappings[0].inode = 1;
	made.mappings[0].deleted = true;
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_int_equal(stack.count, 1);
	assert_non_null(strstr(stack.incomplete, "memfd:code+0x800"));
	stack_deinit(&stack);
	end(&made);
}

static void a_stack_that_was_not_captured_is_said_to_be(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	make_chain(&made);
	made.stack_from = STACK_AT + 0x400;
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_int_equal(stack.count, 1);
	assert_false(stack.complete);
	assert_non_null(strstr(stack.incomplete, "stack memory at 0x7f0000000"));
	assert_non_null(strstr(stack.incomplete, "was not captured"));
	stack_deinit(&stack);
	end(&made);
}

static void words_read_after_the_release_are_doubted(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	/* A function that sets up its frame pointer would be certain; a null call is exact. */
	made.thread.registers.value[DWARF_RIP] = 0;
	set(&made, STACK_AT + 0x100, RETURN(3));
	made.from = MEMORY_CAPTURED;
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_true(stack.count >= 2);
	assert_int_equal(stack.frames[1].pc, RETURN(3));
	assert_int_equal(stack.frames[1].found_by, FOUND_BY_CFI);
	assert_false(stack.frames[1].doubtful);
	stack_deinit(&stack);
	made.process.memory.sources[1].origin = MEMORY_LIVE;
	made.process.memory.count = 2;
	walk_made(&made, 0, &stack);
	assert_true(stack.count >= 2);
	assert_int_equal(stack.frames[1].pc, RETURN(3));
	assert_true(stack.frames[1].doubtful);
	stack_deinit(&stack);
	end(&made);
}

/* At its last instruction a function has given rbp back: what rbp leads to is its caller's. */
static void a_return_instruction_returns_to_the_top_of_the_stack(void **state)
{
	static const uint8_t returns[][3] = {{0xc3}, {0xf3, 0xc3}, {0xc2, 8, 0}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(returns); i++) {
		struct made made;
		struct stack stack;
		make(&made, false);
		make_chain(&made);
		memcpy(made.code + 0x800, returns[i], sizeof(returns[i]));
		set(&made, STACK_AT + 0x100, RETURN(3));
		add_memory(&made, false);
		walk_made(&made, 0, &stack);
		assert_true(stack.count >= 3);
		assert_int_equal(stack.frames[1].pc, RETURN(3));
		assert_int_equal(stack.frames[1].found_by, FOUND_BY_CFI);
		assert_false(stack.frames[1].doubtful);
		assert_int_equal(stack.frames[2].pc, RETURN(1));
		stack_deinit(&stack);
		end(&made);
	}
}

static void a_stack_copied_while_its_thread_ran_is_doubted(void **state)
{
	(void)state;
	for (unsigned steady = 0; steady < 2; steady++) {
		struct made made;
		struct stack stack;
		make(&made, false);
		made.thread.registers.value[DWARF_RIP] = 0;
		made.thread.registers_from = REGISTERS_SYSCALL_FILE;
		made.thread.steady = steady;
		set(&made, STACK_AT + 0x100, RETURN(3));
		add_memory(&made, false);
		walk_made(&made, 0, &stack);
		assert_true(stack.count >= 2);
		assert_int_equal(stack.frames[1].pc, RETURN(3));
		assert_false(stack.frames[0].doubtful);
		assert_int_equal(stack.frames[1].doubtful, !steady);
		stack_deinit(&stack);
		end(&made);
	}
}

static void a_frame_pointer_to_itself_does_not_loop(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	made.thread.registers.value[DWARF_RBP] = STACK_AT + 0x200;
	set(&made, STACK_AT + 0x200, STACK_AT + 0x200);
	set(&made, STACK_AT + 0x208, RETURN(1));
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_true(stack.count < 10);
	assert_false(stack.complete);
	stack_deinit(&stack);
	end(&made);
}

static void a_signal_frame_gives_the_interrupted_registers(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	made.thread.registers.value[DWARF_RIP] = SIGRETURN;
	set(&made, STACK_AT + 0x100 + UCONTEXT_RIP, CODE + 0x900);
	set(&made, STACK_AT + 0x100 + UCONTEXT_RSP, STACK_AT + 0x80);
	set(&made, STACK_AT + 0x100 + UCONTEXT_RBP, STACK_AT + 0x90);
	set(&made, STACK_AT + 0x98, RETURN(4));
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_true(stack.count >= 3);
	assert_int_equal(stack.frames[0].kind, FRAME_SIGNAL);
	assert_int_equal(stack.frames[1].kind, FRAME_NATIVE);
	assert_int_equal(stack.frames[1].pc, CODE + 0x900);
	assert_int_equal(stack.frames[1].lookup_pc, CODE + 0x900);
	assert_false(stack.frames[1].doubtful);
	assert_int_equal(stack.frames[2].pc, RETURN(4));
	stack_deinit(&stack);
	end(&made);
}

static void signal_frames_that_lead_back_are_noticed(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	made.thread.registers.value[DWARF_RIP] = SIGRETURN;
	set(&made, STACK_AT + 0x100 + UCONTEXT_RIP, SIGRETURN);
	set(&made, STACK_AT + 0x100 + UCONTEXT_RSP, STACK_AT + 0x400);
	set(&made, STACK_AT + 0x400 + UCONTEXT_RIP, SIGRETURN);
	set(&made, STACK_AT + 0x400 + UCONTEXT_RSP, STACK_AT + 0x100);
	add_memory(&made, false);
	walk_made(&made, 0, &stack);
	assert_true(stack.count < 10);
	assert_false(stack.complete);
	assert_non_null(strstr(stack.incomplete, "the same frame twice"));
	stack_deinit(&stack);
	end(&made);
}

static void frames_beyond_the_limit_are_counted(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make(&made, false);
	make_chain(&made);
	add_memory(&made, false);
	walk_made(&made, 2, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.omitted, 1);
	stack_deinit(&stack);
	end(&made);
}

static void make_endless(struct made *made)
{
	make(made, true);
	made->thread.registers.value[DWARF_RBP] = STACK_AT + 0x200;
	add_memory(made, true);
}

static void an_endless_stack_is_given_up(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make_endless(&made);
	walk_made(&made, 100, &stack);
	assert_int_equal(stack.count, 100);
	assert_true(stack.omitted > 10000);
	assert_false(stack.complete);
	assert_non_null(strstr(stack.incomplete, "given up after"));
	stack_deinit(&stack);
	end(&made);
}

static void a_walk_ends_at_its_deadline_with_a_frame_at_least(void **state)
{
	struct made made;
	struct stack stack;
	(void)state;
	make_endless(&made);
	walk_until(&made, 0, (struct deadline){1}, &stack);
	assert_int_equal(stack.count, 1);
	assert_false(stack.complete);
	assert_string_equal(stack.incomplete, "no time was left after 1 frame");
	stack_deinit(&stack);
	end(&made);
}

static void a_held_walk_becomes_a_stack(void **state)
{
	struct made made;
	struct stack stack;
	static struct held_walk held = {.end = WALK_FIRST_FRAME, .count = 2, .omitted = 3};
	(void)state;
	make(&made, false);
	add_memory(&made, false);
	held.frames[0] = (struct walk_frame){.pc = 1, .found_by = FOUND_BY_REGISTERS};
	held.frames[1] = (struct walk_frame){.pc = 2, .found_by = FOUND_BY_SCAN, .doubtful = true};
	made.thread.held = &held;
	walk_made(&made, 0, &stack);
	assert_int_equal(stack.count, 2);
	assert_int_equal(stack.omitted, 3);
	assert_int_equal(stack.frames[1].pc, 2);
	assert_true(stack.frames[1].doubtful);
	assert_true(stack.complete);
	stack_deinit(&stack);
	/* What the tracer's memory says is not believed beyond its size. */
	held.count = UINT32_MAX;
	walk_made(&made, 0, &stack);
	assert_int_equal(stack.count, HELD_FRAMES);
	stack_deinit(&stack);
	end(&made);
}

static void any_registers_and_any_stack_end(void **state)
{
	static const uint64_t odd[] = {0,
				       1,
				       7,
				       8,
				       CODE,
				       CODE + CODE_SIZE - 1,
				       SIGRETURN,
				       STACK_AT,
				       STACK_AT + STACK_SIZE - 8,
				       RETURN(1),
				       STACK_AT + 1,
				       STACK_AT + STACK_SIZE,
				       UINT64_MAX,
				       UINT64_MAX - 7,
				       UINT64_MAX - 15,
				       1ull << 63,
				       UINT64_MAX / 2,
				       0x7fffffffffff,
				       STACK_AT - 8,
				       STACK_AT + 16,
				       STACK_AT + 0x800};
	static struct made made;
	uint64_t seed = 7;
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct stack stack;
		make(&made, false);
		for (unsigned i = 0; i < STACK_SIZE / 8; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			set(&made, STACK_AT + 8 * i,
			    seed >> 62 ? odd[(seed >> 33) % ARRAY_SIZE(odd)]
				       : STACK_AT + (seed >> 33) % STACK_SIZE);
		}
		for (unsigned i = 0; i < DWARF_COUNT; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			made.thread.registers.value[i] = odd[(seed >> 33) % ARRAY_SIZE(odd)];
		}
		made.thread.registers.valid |= (uint32_t)(seed >> 20) & 0xffffu;
		add_memory(&made, false);
		walk_made(&made, 0, &stack);
		stack_deinit(&stack);
		end(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_without_registers_says_why),
		cmocka_unit_test(frame_pointers_of_nameless_code_are_followed_with_a_doubt),
		cmocka_unit_test(code_of_a_file_without_a_name_is_told_by_its_offset),
		cmocka_unit_test(a_stack_that_was_not_captured_is_said_to_be),
		cmocka_unit_test(words_read_after_the_release_are_doubted),
		cmocka_unit_test(a_return_instruction_returns_to_the_top_of_the_stack),
		cmocka_unit_test(a_stack_copied_while_its_thread_ran_is_doubted),
		cmocka_unit_test(a_frame_pointer_to_itself_does_not_loop),
		cmocka_unit_test(a_signal_frame_gives_the_interrupted_registers),
		cmocka_unit_test(signal_frames_that_lead_back_are_noticed),
		cmocka_unit_test(frames_beyond_the_limit_are_counted),
		cmocka_unit_test(an_endless_stack_is_given_up),
		cmocka_unit_test(a_walk_ends_at_its_deadline_with_a_frame_at_least),
		cmocka_unit_test(a_held_walk_becomes_a_stack),
		cmocka_unit_test(any_registers_and_any_stack_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
