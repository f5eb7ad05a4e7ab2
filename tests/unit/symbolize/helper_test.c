/* The process that reads debug information, when it gets stuck or dies over an object. */
#include "symbolize/debug_helper.h"
#include "unit/symbolize/lab.h"

#include <signal.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PC, SAVINGS_LOCK, TOLD = 5, SHORT_MS = 10000, LONG_MS = 60000 };

struct trial {
	struct lab lab;
	struct debug_helper *helper;
	uint32_t program, library; /* the numbers of two objects with debug information */
};

static uint32_t number_of(struct lab *lab, const char *name)
{
	return (uint32_t)(lab_object(lab, name) - objects_peek(lab->objects, 0));
}

static void set_up(struct trial *trial, unsigned deadline_ms)
{
	struct symbolize_options options = {.inlines = true, .lines = true};
	lab_open(&trial->lab);
	/* A library with debug information, whether or not the system's have any. */
	lab_write(&trial->lab, "part.c", "int part(void) { return 1; }\n");
	assert_true(lab_sh(&trial->lab,
			   "gcc -g -shared -fPIC part.c -o libpart.so && gcc -O2 -g program.c -o "
			   "program -Wl,--no-as-needed -L. -lpart -Wl,-rpath,%s",
			   trial->lab.dir));
	lab_run(&trial->lab, "program", TOLD);
	lab_capture(&trial->lab);
	trial->program = number_of(&trial->lab, "program");
	trial->library = number_of(&trial->lab, "libpart.so");
	options.deadline = deadline_in_ms(deadline_ms);
	trial->helper = debug_helper_new(trial->lab.objects, &options, &trial->lab.strings);
}

static void tear_down(struct trial *trial)
{
	debug_helper_free(trial->helper);
	lab_close(&trial->lab);
}

/* The line of the pc that the program told; 0 when it is not known. */
static unsigned ask_program(struct trial *trial)
{
	place_array places;
	const struct debug_question question = {QUESTION_PLACES, trial->program,
						trial->lab.addresses[PC], 0};
	debug_helper_ask(trial->helper, &question, 1, &places);
	unsigned line = places.count ? places.items[0].line : 0;
	array_deinit(&places);
	return line;
}

static uint64_t address_of_part(struct trial *trial)
{
	const struct object *library = objects_peek(trial->lab.objects, trial->library);
	int count = dwfl_module_getsymtab(library->module);
	for (int i = 0; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		const char *name = dwfl_module_getsym_info(library->module, i, &symbol, &address,
							   NULL, NULL, NULL);
		if (name && strcmp(name, "part") == 0)
			return address;
	}
	return 0;
}

static unsigned ask_library(struct trial *trial)
{
	place_array places;
	const struct debug_question question = {QUESTION_PLACES, trial->library,
						address_of_part(trial), 0};
	assert_int_not_equal(question.address, 0);
	debug_helper_ask(trial->helper, &question, 1, &places);
	unsigned line = places.count ? places.items[0].line : 0;
	array_deinit(&places);
	return line;
}

static const char *said_of_program(const struct trial *trial)
{
	return objects_peek(trial->lab.objects, trial->program)->debug_why_not;
}

static void answers_come_from_another_process(void **state)
{
	struct trial trial;
	(void)state;
	set_up(&trial, LONG_MS);
	assert_int_equal(debug_helper_pid(trial.helper), 0);
	assert_int_equal(ask_program(&trial), 11);
	pid_t pid = debug_helper_pid(trial.helper);
	assert_int_not_equal(pid, 0);
	assert_int_equal(ask_library(&trial), 1);
	assert_int_equal(debug_helper_pid(trial.helper), pid);
	assert_null(said_of_program(&trial));
	tear_down(&trial);
	assert_int_equal(kill(pid, 0), -1);
}

static void many_questions_at_once_are_all_answered(void **state)
{
	enum { MANY = 1000 };
	static struct debug_question questions[MANY];
	static place_array places[MANY];
	struct trial trial;
	(void)state;
	set_up(&trial, LONG_MS);
	for (unsigned i = 0; i < MANY; i++)
		questions[i] = (struct debug_question){QUESTION_PLACES, trial.program,
						       trial.lab.addresses[PC], 0};
	debug_helper_ask(trial.helper, questions, MANY, places);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(places[i].count, 3);
		assert_int_equal(places[i].items[0].line, 11);
		assert_string_equal(places[i].items[2].function, "outer");
		array_deinit(&places[i]);
	}
	tear_down(&trial);
}

static void one_that_is_stuck_is_replaced_and_its_object_given_up(void **state)
{
	struct trial trial;
	(void)state;
	set_up(&trial, SHORT_MS);
	assert_int_equal(ask_library(&trial), 1);
	pid_t pid = debug_helper_pid(trial.helper);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	uint64_t before = monotonic_ns();
	assert_int_equal(ask_program(&trial), 0);
	assert_true(monotonic_ns() - before < SHORT_MS * 1000000ull);
	assert_string_equal(said_of_program(&trial), "reading it took too long");
	assert_int_equal(kill(pid, 0), -1);
	/* The others still have theirs, and it is not asked about again. */
	assert_int_equal(ask_library(&trial), 1);
	pid = debug_helper_pid(trial.helper);
	assert_int_equal(ask_program(&trial), 0);
	assert_int_equal(debug_helper_pid(trial.helper), pid);
	tear_down(&trial);
}

/* Dies of it with the question in its hands. */
static void dies(int signal_number, const char *why)
{
	struct trial trial;
	set_up(&trial, LONG_MS);
	assert_int_equal(ask_library(&trial), 1);
	pid_t pid = debug_helper_pid(trial.helper);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(kill(pid, signal_number), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(ask_program(&trial), 0);
	assert_string_equal(said_of_program(&trial), why);
	assert_int_equal(ask_library(&trial), 1);
	tear_down(&trial);
}

static void one_that_crashes_takes_only_its_object_along(void **state)
{
	(void)state;
	/* Checkers of memory catch SIGSEGV; nobody catches this one. */
	dies(SIGXCPU, "reading it crashed the reader: it makes no sense");
}

static void one_that_memory_ran_out_for_is_said_to_be(void **state)
{
	(void)state;
	dies(SIGKILL, "reading it took too much memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_from_another_process),
		cmocka_unit_test(many_questions_at_once_are_all_answered),
		cmocka_unit_test(one_that_is_stuck_is_replaced_and_its_object_given_up),
		cmocka_unit_test(one_that_crashes_takes_only_its_object_along),
		cmocka_unit_test(one_that_memory_ran_out_for_is_said_to_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
