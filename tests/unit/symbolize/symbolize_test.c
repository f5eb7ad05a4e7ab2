/* symbolize: names, lines and inlined functions of real programs, however their debug files lie. */
#include "unit/symbolize/lab.h"

#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PC, SAVINGS_LOCK, ACCOUNTS_1, ACCOUNTS_2_LOCK, ZEROES_1, TOLD };

static void start(struct lab *lab, const char *build)
{
	lab_open(lab);
	if (!lab_sh(lab, "%s", build)) {
		lab_close(lab);
		skip();
	}
	lab_run(lab, "program", TOLD);
	lab_capture(lab);
}

static void assert_ends_with(const char *s, const char *end)
{
	assert_non_null(s);
	assert_true(strlen(s) >= strlen(end));
	assert_string_equal(s + strlen(s) - strlen(end), end);
}

static void assert_frame(const struct frame *frame, const char *function, unsigned line,
			 bool inlined)
{
	assert_string_equal(frame->function, function);
	assert_int_equal(frame->inlined, inlined);
	assert_int_equal(frame->line, line);
	if (line)
		assert_ends_with(frame->file, "/program.c");
	if (inlined)
		assert_int_equal(frame->found_by, FOUND_BY_INLINE);
}

/* here() in middle() in outer(), with the line of each call. */
static void assert_chain(struct lab *lab)
{
	struct stack stack = lab_frames(lab, lab->addresses[PC]);
	assert_int_equal(stack.count, 3);
	assert_frame(&stack.frames[0], "here", 11, true);
	assert_frame(&stack.frames[1], "middle", 16, true);
	assert_frame(&stack.frames[2], "outer", 20, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(stack.frames[i].pc, lab->addresses[PC]);
		assert_ends_with(stack.frames[i].module, "/program");
		assert_int_equal(stack.frames[i].module_offset,
				 lab->addresses[PC] - lab_object(lab, "program")->bias);
	}
	assert_in_range(stack.frames[2].offset, 1, 64);
	assert_int_equal(stack.frames[0].offset, 0);
	stack_deinit(&stack);
}

/* The function alone, without lines: what a symbol table has. */
static void assert_symbol_only(struct lab *lab)
{
	struct stack stack = lab_frames(lab, lab->addresses[PC]);
	assert_int_equal(stack.count, 1);
	assert_frame(&stack.frames[0], "outer", 0, false);
	assert_null(stack.frames[0].file);
	assert_in_range(stack.frames[0].offset, 1, 64);
	stack_deinit(&stack);
}

static void assert_unknown(struct lab *lab)
{
	struct stack stack = lab_frames(lab, lab->addresses[PC]);
	assert_int_equal(stack.count, 1);
	assert_null(stack.frames[0].function);
	assert_ends_with(stack.frames[0].module, "/program");
	assert_int_equal(stack.frames[0].module_offset,
			 lab->addresses[PC] - lab_object(lab, "program")->bias);
	stack_deinit(&stack);
}

#define FLAGS "-O2 -g -Wl,--build-id program.c -o program"

static void test_chain_of_builds(void **state)
{
	static const char *const builds[] = {
		"gcc " FLAGS,
		"gcc -gdwarf-4 " FLAGS,
		"gcc -gsplit-dwarf " FLAGS,
		"gcc -gdwarf-4 -gsplit-dwarf " FLAGS,
		"gcc -gz " FLAGS,
		"gcc -no-pie " FLAGS,
		"gcc -static " FLAGS,
		"gcc -static-pie " FLAGS,
		"gcc -fuse-ld=lld " FLAGS,
		"clang " FLAGS,
		"clang -gdwarf-4 " FLAGS,
		"clang -gsplit-dwarf " FLAGS,
		"clang -fuse-ld=lld -Wl,-z,separate-loadable-segments " FLAGS,
		"gcc -Wl,-z,max-page-size=0x200000 " FLAGS,
		"gcc -flto " FLAGS,
	};
	const char *only = *state;
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct lab lab;
		if (only && !strstr(builds[i], only))
			continue;
		print_message("%s\n", builds[i]);
		lab_open(&lab);
		if (lab_sh(&lab, "%s", builds[i])) {
			lab_run(&lab, "program", TOLD);
			lab_capture(&lab);
			assert_chain(&lab);
		} else {
			print_message("not built, not tested\n");
		}
		lab_close(&lab);
	}
}

static void test_data_with_debug_information(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc " FLAGS);
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[SAVINGS_LOCK]),
			    "savings.lock (program.c:5)");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[ACCOUNTS_1]),
			    "accounts[1] (program.c:6)");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[ACCOUNTS_2_LOCK]),
			    "accounts[2].lock (program.c:6)");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[ZEROES_1]),
			    "zeroes[1] (program.c:7)");
	lab_close(&lab);
}

static void test_data_from_symbols(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc -O2 program.c -o program");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[SAVINGS_LOCK]),
			    "savings+0x8");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[ACCOUNTS_1]),
			    "accounts+0x10");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[ACCOUNTS_1] - 16),
			    "accounts");
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[ZEROES_1]), "zeroes+0x4");
	/* In no variable: code, nothing, the stack. */
	uint64_t accounts = symbolize_find_variable(lab.symbolize, "program", "accounts");
	assert_true(accounts && accounts <= lab.addresses[ACCOUNTS_1]);
	assert_int_equal(symbolize_find_variable(lab.symbolize, "program", "account"), 0);
	assert_int_equal(symbolize_find_variable(lab.symbolize, "libnone", "accounts"), 0);
	assert_null(symbolize_data(lab.symbolize, lab.addresses[PC]));
	assert_null(symbolize_data(lab.symbolize, 0));
	assert_null(symbolize_data(lab.symbolize, UINT64_MAX));
	lab_close(&lab);
}

static void test_symbol_table_only(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc -O2 program.c -o program");
	assert_symbol_only(&lab);
	lab_close(&lab);
}

static void test_stripped_is_unknown(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc -O2 -s program.c -o program");
	assert_unknown(&lab);
	lab_close(&lab);
}

static void test_debug_link(void **state)
{
	static const char *const places[] = {"program.debug", ".debug/program.debug"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct lab lab;
		lab_open(&lab);
		assert_true(lab_sh(&lab,
				   "gcc -O2 -g -Wl,--build-id=none program.c -o program && "
				   "mkdir -p .debug && objcopy --only-keep-debug program %s && "
				   "strip program && objcopy --add-gnu-debuglink=%s program",
				   places[i], places[i]));
		lab_run(&lab, "program", TOLD);
		lab_capture(&lab);
		assert_chain(&lab);
		assert_ends_with(lab_object(&lab, "program")->debug_path, places[i]);
		assert_null(lab_object(&lab, "program")->debug_why_not);
		lab_close(&lab);
	}
}

static void test_wrong_debug_file_is_refused(void **state)
{
	static const char *const ids[] = {"none", "sha1"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct lab lab;
		lab_open(&lab);
		assert_true(lab_sh(
			&lab,
			"gcc -O2 -g -Wl,--build-id=%s program.c -o program && "
			"objcopy --only-keep-debug program program.debug && strip program && "
			"objcopy --add-gnu-debuglink=program.debug program && "
			"gcc -O1 -g -Wl,--build-id=%s program.c -o other && "
			"objcopy --only-keep-debug other program.debug",
			ids[i], ids[i]));
		lab_run(&lab, "program", TOLD);
		lab_capture(&lab);
		assert_unknown(&lab);
		assert_null(lab_object(&lab, "program")->debug_path);
		assert_non_null(strstr(lab_object(&lab, "program")->debug_why_not, "another"));
		lab_close(&lab);
	}
}

static void test_debug_link_to_a_fifo(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc " FLAGS " && objcopy --only-keep-debug program program.debug && "
		    "strip program && objcopy --add-gnu-debuglink=program.debug program && "
		    "rm program.debug && mkfifo program.debug");
	uint64_t before = monotonic_ns();
	assert_unknown(&lab);
	assert_true(monotonic_ns() - before < 20000000000u);
	assert_non_null(strstr(lab_object(&lab, "program")->debug_why_not, "not a regular file"));
	lab_close(&lab);
}

static void test_split_file_that_is_a_fifo(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc -gsplit-dwarf " FLAGS " && for f in *.dwo; do rm $f; mkfifo $f; done");
	struct stack stack = lab_frames(&lab, lab.addresses[PC]);
	/* The line is in the program itself, the inlined functions were in the other file. */
	assert_int_equal(stack.count, 1);
	assert_frame(&stack.frames[0], "outer", 11, false);
	stack_deinit(&stack);
	assert_string_equal(symbolize_data(lab.symbolize, lab.addresses[SAVINGS_LOCK]),
			    "savings+0x8");
	lab_close(&lab);
}

static void test_debug_file_in_the_targets_root(void **state)
{
	struct lab lab;
	(void)state;
	lab_open(&lab);
	lab_write(&lab, "build.sh",
		  "set -e\nmkdir root\n"
		  "gcc -static " FLAGS "\n"
		  "id=$(readelf -n program | sed -n 's/.*Build ID: //p')\n"
		  "dir=root/usr/lib/debug/.build-id/$(echo $id | cut -c1-2)\n"
		  "mkdir -p $dir\n"
		  "objcopy --only-keep-debug program $dir/$(echo $id | cut -c3-).debug\n"
		  "strip program\nmv program root/program\n"
		  "echo '#!/bin/sh' >program\n"
		  "echo exec unshare -r chroot $PWD/root /program >>program\nchmod +x program\n"
		  "unshare -r true\n");
	if (!lab_sh(&lab, "sh build.sh")) {
		lab_close(&lab);
		skip();
	}
	lab_run(&lab, "program", TOLD);
	lab_capture(&lab);
	assert_chain(&lab);
	assert_int_equal(lab_object(&lab, "program")->from, OBJECT_FROM_FILE);
	assert_memory_equal(lab_object(&lab, "program")->debug_path, "/usr/lib/debug/.build-id/",
			    25);
	lab_close(&lab);
}

/* Two equal programs, whose common part dwz puts into a third file. */
#define DWZ                                                                                        \
	"printf 'struct big { long a, b, c, d; char name[99]; struct big *e; };' > big.h && "      \
	"for p in program other; do gcc -O2 -g -Wl,--build-id -include big.h -include program.c "  \
	"-DBIG -x c - -o $p <<< 'struct big big;' || exit 1; done && dwz -m common.dwz program "   \
	"other && test -f common.dwz"

static void test_dwz(void **state)
{
	static const struct {
		const char *what;
		bool there;
	} rows[] = {
		{"true", true},
		{"mkdir .dwz", true},
		{"rm common.dwz", false},
		{"rm common.dwz && mkfifo common.dwz", false},
		{"cp program common.dwz", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lab lab;
		lab_open(&lab);
		lab_write(&lab, "build.sh", "#!/bin/bash\n" DWZ "\n");
		if (!lab_sh(&lab, "bash build.sh && %s", rows[i].what)) {
			lab_close(&lab);
			skip();
		}
		lab_run(&lab, "program", TOLD);
		lab_capture(&lab);
		struct stack stack = lab_frames(&lab, lab.addresses[PC]);
		const struct object *object = lab_object(&lab, "program");
		const struct frame *outermost = &stack.frames[stack.count - 1];
		assert_string_equal(outermost->function, "outer");
		if (rows[i].there) {
			assert_null(object->debug_why_not);
			assert_int_equal(stack.count, 3);
			assert_string_equal(stack.frames[0].function, "here");
			assert_string_equal(stack.frames[1].function, "middle");
			assert_string_equal(
				symbolize_data(lab.symbolize, lab.addresses[SAVINGS_LOCK]),
				"savings.lock (program.c:5)");
		} else {
			assert_non_null(strstr(object->debug_why_not, "common.dwz"));
		}
		stack_deinit(&stack);
		lab_close(&lab);
	}
}

static void test_mini_debug_info(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc -O2 program.c -o program && objcopy --only-keep-debug program mini && "
		    "strip program && xz mini && "
		    "objcopy --add-section .gnu_debugdata=mini.xz program");
	assert_symbol_only(&lab);
	lab_close(&lab);
}

static void test_size_of_a_symbol_counts(void **state)
{
	struct lab lab;
	(void)state;
	/* Behind f, which has a size, lies code that is nobody's. */
	lab_open(&lab);
	lab_write(&lab, "asm.s",
		  ".text\n.globl f\n.type f,@function\nf: nop\n nop\n.size f,.-f\n"
		  ".space 64,0x90\n"
		  ".globl g\n.type g,@function\ng: .space 8,0x90\n"
		  ".section .note.GNU-stack\n");
	lab_write(&lab, "tell.c",
		  "#include <stdint.h>\n#include <unistd.h>\nvoid f(void), g(void);\n"
		  "int main(void){uint64_t a[2]={(uint64_t)f,(uint64_t)g};\n"
		  "if(write(1,a,16)<0)return 1; for(;;)pause();}\n");
	assert_true(lab_sh(&lab, "gcc tell.c asm.s -o program"));
	lab_run(&lab, "program", 2);
	lab_capture(&lab);
	struct stack inside = lab_frames(&lab, lab.addresses[0] + 1);
	assert_string_equal(inside.frames[0].function, "f");
	assert_int_equal(inside.frames[0].offset, 1);
	stack_deinit(&inside);
	struct stack behind = lab_frames(&lab, lab.addresses[0] + 32);
	assert_null(behind.frames[0].function);
	stack_deinit(&behind);
	/* g has none: it reaches as far as there is nothing else. */
	struct stack sizeless = lab_frames(&lab, lab.addresses[1] + 4);
	assert_string_equal(sizeless.frames[0].function, "g");
	stack_deinit(&sizeless);
	lab_close(&lab);
}

static void test_cplusplus_inline(void **state)
{
	static const char *const builds[] = {"g++ -O2 -g program.cc -o program",
					     "clang++ -O2 -g program.cc -o program"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct lab lab;
		lab_open(&lab);
		if (!lab_sh(&lab, "%s", builds[i])) {
			lab_close(&lab);
			continue;
		}
		lab_run(&lab, "program", 1);
		lab_capture(&lab);
		struct stack stack = lab_frames(&lab, lab.addresses[0]);
		assert_int_equal(stack.count, 2);
		/* From the linkage name, or (nothing links to it) from its scopes. */
		static const char here[] = "bank::(anonymous namespace)::Account<int>::here";
		assert_memory_equal(stack.frames[0].function, here, strlen(here));
		assert_int_equal(stack.frames[0].line, 7);
		assert_string_equal(stack.frames[1].function, "bank::open(int)");
		assert_int_equal(stack.frames[1].line, 12);
		stack_deinit(&stack);
		lab_close(&lab);
	}
}

static void test_static_member_is_not_inside(void **state)
{
	struct lab lab;
	(void)state;
	lab_open(&lab);
	lab_write(&lab, "s.cc",
		  "#include <stdint.h>\n#include <unistd.h>\n"
		  "struct S { static long table[8]; long a; long lock; };\n"
		  "long S::table[8] = {1}; S s = {1, 2};\n"
		  "int main(){uint64_t a=(uint64_t)&s.lock+S::table[1];\n"
		  "if(write(1,&a,8)<0)return 1;for(;;)pause();}\n");
	if (lab_sh(&lab, "g++ -gdwarf-4 s.cc -o program")) {
		lab_run(&lab, "program", 1);
		lab_capture(&lab);
		const char *data = symbolize_data(lab.symbolize, lab.addresses[0]);
		assert_non_null(data);
		assert_memory_equal(data, "s.lock (", 8);
	}
	lab_close(&lab);
}

static void test_deleted_program(void **state)
{
	struct lab lab;
	(void)state;
	lab_open(&lab);
	assert_true(lab_sh(&lab, "gcc " FLAGS));
	lab_run(&lab, "program", TOLD);
	/* Another program by its name, perhaps with its inode number. */
	assert_true(lab_sh(&lab, "rm program && gcc -O0 program.c -o program"));
	lab_capture(&lab);
	assert_chain(&lab);
	assert_int_equal(lab_object(&lab, "program")->from, OBJECT_FROM_MAPPING);
	lab_close(&lab);
}

static void test_past_the_deadline(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc " FLAGS);
	struct symbolize_options options = {.inlines = true, .lines = true, .deadline = {1}};
	struct symbolize *late = symbolize_new(lab.objects, &options, &lab.strings);
	struct stack stack = {.frames = xcalloc(1, sizeof(struct frame)), .count = 1};
	stack.frames[0].pc = stack.frames[0].lookup_pc = lab.addresses[PC];
	assert_false(symbolize_was_cut(late));
	symbolize_stack(late, &stack);
	assert_true(symbolize_was_cut(late));
	assert_int_equal(stack.count, 1);
	assert_null(stack.frames[0].function);
	assert_ends_with(stack.frames[0].module, "/program");
	assert_int_not_equal(stack.frames[0].module_offset, 0);
	assert_null(symbolize_data(late, lab.addresses[ACCOUNTS_1]));
	stack_deinit(&stack);
	symbolize_free(late);
	lab_close(&lab);
}

static void test_address_in_nothing(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, "gcc " FLAGS);
	static const uint64_t nowhere[] = {0, 4096, UINT64_MAX, 1ull << 47};
	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		struct stack stack = lab_frames(&lab, nowhere[i]);
		assert_int_equal(stack.count, 1);
		assert_null(stack.frames[0].function);
		assert_null(stack.frames[0].module);
		stack_deinit(&stack);
	}
	lab_close(&lab);
}

static void test_jit_names_anyone_may_write(void **state)
{
	struct lab lab;
	char path[64];
	(void)state;
	lab_open(&lab);
	lab_write(&lab, "jit.c",
		  "#include <stdint.h>\n#include <sys/mman.h>\n#include <unistd.h>\n"
		  "int main(void){uint64_t a=(uint64_t)mmap(0,4096,7,34,-1,0);\n"
		  "if(write(1,&a,8)<0)return 1;for(;;)pause();}\n");
	assert_true(lab_sh(&lab, "gcc jit.c -o program"));
	lab_run(&lab, "program", 1);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", lab.child);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%lx 40 lie\n", lab.addresses[0]);
	assert_int_equal(fchmod(fileno(f), 0666), 0);
	fclose(f);
	lab_capture(&lab);
	struct stack stack = lab_frames(&lab, lab.addresses[0] + 8);
	assert_null(stack.frames[0].function);
	stack_deinit(&stack);
	unlink(path);
	lab_close(&lab);
}

static void test_jit_name(void **state)
{
	struct lab lab;
	(void)state;
	lab_open(&lab);
	lab_write(&lab, "jit.c",
		  "#include <stdint.h>\n#include <stdio.h>\n#include <sys/mman.h>\n"
		  "#include <unistd.h>\n"
		  "int main(void){uint64_t a=(uint64_t)mmap(0,4096,7,34,-1,0);char p[64];\n"
		  "snprintf(p,64,\"/tmp/perf-%d.map\",getpid());FILE*f=fopen(p,\"w\");\n"
		  "fprintf(f,\"%lx 40 Lfoo;::bar (int)\\n%lx\",a,a+64);fclose(f);\n"
		  "if(write(1,&a,8)<0)return 1;for(;;)pause();}\n");
	assert_true(lab_sh(&lab, "gcc jit.c -o program"));
	lab_run(&lab, "program", 1);
	lab_capture(&lab);
	struct stack stack = lab_frames(&lab, lab.addresses[0] + 8);
	assert_string_equal(stack.frames[0].function, "Lfoo;::bar (int)");
	assert_int_equal(stack.frames[0].offset, 8);
	assert_null(stack.frames[0].module);
	stack_deinit(&stack);
	stack = lab_frames(&lab, lab.addresses[0] + 64);
	assert_null(stack.frames[0].function);
	stack_deinit(&stack);
	char path[64];
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", lab.child);
	unlink(path);
	lab_close(&lab);
}

/* GCC gives an inlined lambda no linkage name: its name is put together here. */
static void test_lambda(void **state)
{
	struct lab lab;
	(void)state;
	lab_open(&lab);
	lab_write(&lab, "lambda.cc",
		  "#include <stdint.h>\n"
		  "#include <unistd.h>\n"
		  "namespace { template <class F> inline uint64_t call(F f) { return f(1); } }\n"
		  "int main() {\n"
		  "	uint64_t pc = call([](int) __attribute__((always_inline)) { uint64_t at;\n"
		  "		__asm__ volatile(\"lea 0(%%rip), %0\\n nop\" : \"=r\"(at)); return "
		  "at; });\n"
		  "	if (write(1, &pc, 8) < 0) return 1;\n"
		  "	for (;;) pause();\n"
		  "}\n");
	if (!lab_sh(&lab, "g++ -O2 -g lambda.cc -o program")) {
		lab_close(&lab);
		skip();
	}
	lab_run(&lab, "program", 1);
	lab_capture(&lab);
	struct stack stack = lab_frames(&lab, lab.addresses[PC]);
	assert_int_equal(stack.count, 3);
	assert_string_equal(stack.frames[0].function, "main::{lambda}::operator()");
	assert_non_null(strstr(stack.frames[1].function, "(anonymous namespace)::call"));
	assert_string_equal(stack.frames[2].function, "main");
	stack_deinit(&stack);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_of_builds),
		cmocka_unit_test(test_data_with_debug_information),
		cmocka_unit_test(test_data_from_symbols),
		cmocka_unit_test(test_symbol_table_only),
		cmocka_unit_test(test_stripped_is_unknown),
		cmocka_unit_test(test_debug_link),
		cmocka_unit_test(test_wrong_debug_file_is_refused),
		cmocka_unit_test(test_debug_link_to_a_fifo),
		cmocka_unit_test(test_split_file_that_is_a_fifo),
		cmocka_unit_test(test_debug_file_in_the_targets_root),
		cmocka_unit_test(test_dwz),
		cmocka_unit_test(test_mini_debug_info),
		cmocka_unit_test(test_size_of_a_symbol_counts),
		cmocka_unit_test(test_cplusplus_inline),
		cmocka_unit_test(test_lambda),
		cmocka_unit_test(test_deleted_program),
		cmocka_unit_test(test_past_the_deadline),
		cmocka_unit_test(test_address_in_nothing),
		cmocka_unit_test(test_jit_name),
		cmocka_unit_test(test_jit_names_anyone_may_write),
		cmocka_unit_test(test_static_member_is_not_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
