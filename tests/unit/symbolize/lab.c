#include "unit/symbolize/lab.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Line numbers count: the tests name them. */
static const char program_c[] =
	"#include <stdint.h>\n"						       /* 1 */
	"#include <unistd.h>\n"						       /* 2 */
	"#define HOT static inline __attribute__((always_inline))\n"	       /* 3 */
	"struct account { long balance; int lock; };\n"			       /* 4 */
	"static struct account savings = {1, 2};\n"			       /* 5 */
	"struct account accounts[3] = {{1, 1}, {2, 2}, {3, 3}};\n"	       /* 6 */
	"int zeroes[64];\n"						       /* 7 */
	"HOT uint64_t here(void)\n"					       /* 8 */
	"{\n"								       /* 9 */
	"	uint64_t pc;\n"						       /* 10 */
	"	__asm__ volatile(\"lea 0(%%rip), %0\\n nop\" : \"=r\"(pc));\n" /* 11 */
	"	return pc;\n"						       /* 12 */
	"}\n"								       /* 13 */
	"HOT uint64_t middle(int n)\n"					       /* 14 */
	"{\n"								       /* 15 */
	"	return n > 100000 ? 0 : here();\n"			       /* 16 */
	"}\n"								       /* 17 */
	"__attribute__((noinline)) static uint64_t outer(int n)\n"	       /* 18 */
	"{\n"								       /* 19 */
	"	return middle(n);\n"					       /* 20 */
	"}\n"								       /* 21 */
	"int main(int argc, char **argv)\n"				       /* 22 */
	"{\n"								       /* 23 */
	"	uint64_t told[5] = {outer(argc), (uint64_t)&savings.lock,\n"   /* 24 */
	"	    (uint64_t)&accounts[1], (uint64_t)&accounts[2].lock,\n"    /* 25 */
	"	    (uint64_t)&zeroes[1]};\n"				       /* 26 */
	"	if (write(1, told, sizeof(told)) < 0) return 1;\n"	       /* 27 */
	"	for (;;) pause();\n"					       /* 28 */
	"}\n";

static const char program_cc[] =
	"#include <stdint.h>\n"							       /* 1 */
	"#include <unistd.h>\n"							       /* 2 */
	"namespace bank { namespace {\n"					       /* 3 */
	"template <class T> struct Account {\n"					       /* 4 */
	"	__attribute__((always_inline)) uint64_t here(T) {\n"		       /* 5 */
	"		uint64_t pc;\n"						       /* 6 */
	"		__asm__ volatile(\"lea 0(%%rip), %0\\n nop\" : \"=r\"(pc));\n" /* 7 */
	"		return pc; }\n"						       /* 8 */
	"};\n"									       /* 9 */
	"Account<int> account;\n"						       /* 10 */
	"}\n"									       /* 11 */
	"__attribute__((noinline)) uint64_t open(int n) { return account.here(n); }\n" /* 12 */
	"}\n"									       /* 13 */
	"int main(int argc, char **) {\n"					       /* 14 */
	"	uint64_t pc = bank::open(argc);\n"				       /* 15 */
	"	if (write(1, &pc, 8) < 0) return 1;\n"				       /* 16 */
	"	for (;;) pause();\n"						       /* 17 */
	"}\n";

void lab_write(struct lab *lab, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", lab->dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

void lab_open(struct lab *lab)
{
	*lab = (struct lab){.dir = "/tmp/hangdump-lab-XXXXXX"};
	assert_non_null(mkdtemp(lab->dir));
	assert_int_equal(chmod(lab->dir, 0755), 0);
	lab_write(lab, "program.c", program_c);
	lab_write(lab, "program.cc", program_cc);
}

bool lab_sh(struct lab *lab, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *command = xvasprintf(format, ap);
	va_end(ap);
	char *whole = xasprintf("cd %s && { %s; } >&2", lab->dir, command);
	int status = system(whole);
	free(whole);
	free(command);
	return status == 0;
}

void lab_run(struct lab *lab, const char *program, size_t count)
{
	char path[128];
	int out[2];
	snprintf(path, sizeof(path), "%s/%s", lab->dir, program);
	assert_int_equal(pipe(out), 0);
	lab->child = fork();
	if (lab->child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	assert_true(count <= LAB_ADDRESSES);
	for (size_t got = 0; got < count * 8;) {
		ssize_t n = read(out[0], (char *)lab->addresses + got, count * 8 - got);
		assert_true(n > 0);
		got += (size_t)n;
	}
	lab->count = count;
	close(out[0]);
}

struct capture_process *lab_process(struct lab *lab)
{
	return &lab->capture->processes.items[0];
}

void lab_capture(struct lab *lab)
{
	struct capture_options options = {.deadline = deadline_in_ms(60000)};
	struct error *failure = NULL;
	struct objects_options object_options = {.deadline = options.deadline};
	struct symbolize_options symbolize_options = {
		.inlines = true, .lines = true, .deadline = options.deadline};
	assert_null(capture_survey(&lab->child, 1, &options, &failure, &lab->capture));
	capture_hold(lab->capture, &lab->child, 1, &failure);
	assert_null(failure);
	lab->objects = objects_open(lab_process(lab), &object_options);
	capture_allow_live_reads(lab_process(lab), options.deadline);
	lab->symbolize = symbolize_new(lab->objects, &symbolize_options, &lab->strings);
}

struct stack lab_frames(struct lab *lab, uint64_t pc)
{
	struct stack stack = {.frames = xcalloc(1, sizeof(struct frame)), .count = 1};
	stack.frames[0].pc = stack.frames[0].lookup_pc = pc;
	symbolize_stack(lab->symbolize, &stack);
	return stack;
}

const struct object *lab_object(struct lab *lab, const char *name)
{
	for (size_t i = 0; i < objects_count(lab->objects); i++) {
		const char *path = objects_peek(lab->objects, i)->path;
		const char *slash = strrchr(path, '/');
		if (strcmp(slash ? slash + 1 : path, name) == 0)
			return objects_get(lab->objects, i);
	}
	return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void lab_close(struct lab *lab)
{
	symbolize_free(lab->symbolize);
	objects_close(lab->objects);
	capture_free(lab->capture);
	strpool_deinit(&lab->strings);
	if (lab->child > 0) {
		kill(lab->child, SIGKILL);
		waitpid(lab->child, NULL, 0);
	}
	nftw(lab->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
