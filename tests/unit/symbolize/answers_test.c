/* What is known of a file from one process serves the others that run it, and nobody else. */
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

enum { PC, SAVINGS_LOCK, TOLD = 5, LIMIT_MS = 60000 };

static struct answers *answers;
static struct lab first;

/* A process that runs the program in the directory of `first`, and who asks about it. */
struct trial {
	struct lab lab;
	struct debug_helper *helper;
	uint32_t program;
};

static void open_first(void)
{
	answers = answers_new();
	lab_open(&first);
	assert_true(lab_sh(&first, "gcc -O2 -g program.c -o program"));
}

static void close_first(void)
{
	lab_close(&first);
	answers_free(answers);
}

static void begin(struct trial *trial)
{
	struct symbolize_options options = {.inlines = true,
					    .lines = true,
					    .deadline = deadline_in_ms(LIMIT_MS),
					    .answers = answers};
	*trial = (struct trial){0};
	strcpy(trial->lab.dir, first.dir);
	lab_run(&trial->lab, "program", TOLD);
	lab_capture(&trial->lab);
	const struct object *program = lab_object(&trial->lab, "program");
	trial->program = (uint32_t)(program - objects_peek(trial->lab.objects, 0));
	trial->helper = debug_helper_new(trial->lab.objects, &options, &trial->lab.strings);
}

static void end(struct trial *trial)
{
	debug_helper_free(trial->helper);
	/* The directory is that of `first`. */
	trial->lab.dir[0] = '\0';
	lab_close(&trial->lab);
}

static void ask(struct trial *trial, uint32_t kind, unsigned told, uint64_t offset,
		place_array *ret)
{
	const struct debug_question question = {kind, trial->program,
						trial->lab.addresses[told] - offset, offset};
	debug_helper_ask(trial->helper, &question, 1, ret);
}

static void check_places(struct trial *trial)
{
	place_array places;
	ask(trial, QUESTION_PLACES, PC, 0, &places);
	assert_int_equal(places.count, 3);
	assert_int_equal(places.items[0].line, 11);
	assert_string_equal(places.items[2].function, "outer");
	uint64_t into = trial->lab.addresses[PC] - places.items[2].start;
	assert_true(into < 4096);
	array_deinit(&places);
}

static const struct object *program_of(struct trial *trial)
{
	return objects_peek(trial->lab.objects, trial->program);
}

static void the_second_process_starts_no_helper(void **state)
{
	struct trial one, two;
	(void)state;
	open_first();
	begin(&one);
	begin(&two);
	assert_int_not_equal(program_of(&one)->bias, program_of(&two)->bias);
	check_places(&one);
	assert_int_not_equal(debug_helper_pid(one.helper), 0);
	check_places(&two);
	assert_int_equal(debug_helper_pid(two.helper), 0);
	end(&one);
	/* Strings outlive who asked first. */
	check_places(&two);
	end(&two);
	close_first();
}

static void what_was_not_asked_yet_is(void **state)
{
	struct trial one, two;
	place_array variable;
	(void)state;
	open_first();
	begin(&one);
	begin(&two);
	check_places(&one);
	ask(&two, QUESTION_VARIABLE, SAVINGS_LOCK, 0, &variable);
	array_deinit(&variable);
	assert_int_not_equal(debug_helper_pid(two.helper), 0);
	end(&one);
	end(&two);
	close_first();
}

/* An address of code and one of data are two questions, though their numbers be the same. */
static void kinds_of_questions_are_kept_apart(void **state)
{
	struct trial one;
	place_array places;
	(void)state;
	open_first();
	begin(&one);
	ask(&one, QUESTION_VARIABLE, PC, 0, &places);
	assert_int_equal(places.count, 0);
	array_deinit(&places);
	check_places(&one);
	end(&one);
	close_first();
}

static void a_file_that_was_built_anew_is_read_anew(void **state)
{
	struct trial one, two;
	place_array places;
	(void)state;
	open_first();
	begin(&one);
	check_places(&one);
	assert_true(lab_sh(&first, "rm program && sed 's/^/\\n/' program.c >moved.c && "
				   "gcc -O2 -g moved.c -o program"));
	begin(&two);
	ask(&two, QUESTION_PLACES, PC, 0, &places);
	assert_true(places.count > 0);
	assert_int_equal(places.items[0].line, 22);
	array_deinit(&places);
	assert_int_not_equal(debug_helper_pid(two.helper), 0);
	end(&one);
	end(&two);
	close_first();
}

static void a_file_that_nobody_could_read_is_not_tried_again(void **state)
{
	struct trial one, two;
	place_array places;
	(void)state;
	open_first();
	begin(&one);
	begin(&two);
	/* So that it has a helper, which dies of the next question. */
	ask(&one, QUESTION_VARIABLE, SAVINGS_LOCK, 0, &places);
	array_deinit(&places);
	pid_t pid = debug_helper_pid(one.helper);
	assert_int_equal(kill(pid, SIGKILL), 0);
	ask(&one, QUESTION_PLACES, PC, 0, &places);
	assert_int_equal(places.count, 0);
	array_deinit(&places);
	ask(&two, QUESTION_PLACES, PC, 0, &places);
	assert_int_equal(places.count, 0);
	array_deinit(&places);
	assert_int_equal(debug_helper_pid(two.helper), 0);
	assert_string_equal(program_of(&two)->debug_why_not, "reading it took too much memory");
	end(&one);
	end(&two);
	close_first();
}

/* The second process has to tell of it as well: the file is one of its own. */
static void why_a_debug_file_is_not_in_use_is_told_to_all(void **state)
{
	struct trial one, two;
	place_array places;
	(void)state;
	open_first();
	assert_true(lab_sh(&first,
			   "objcopy --only-keep-debug program program.debug && "
			   "strip -g program && "
			   "objcopy --add-gnu-debuglink=program.debug program && "
			   "gcc -O2 -g program.c -o program.debug -DOTHER -Wl,--build-id=0x1234"));
	begin(&one);
	begin(&two);
	ask(&one, QUESTION_PLACES, PC, 0, &places);
	array_deinit(&places);
	assert_non_null(program_of(&one)->debug_why_not);
	ask(&two, QUESTION_PLACES, PC, 0, &places);
	array_deinit(&places);
	assert_int_equal(debug_helper_pid(two.helper), 0);
	assert_string_equal(program_of(&two)->debug_why_not, program_of(&one)->debug_why_not);
	end(&one);
	end(&two);
	close_first();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_process_starts_no_helper),
		cmocka_unit_test(what_was_not_asked_yet_is),
		cmocka_unit_test(kinds_of_questions_are_kept_apart),
		cmocka_unit_test(a_file_that_was_built_anew_is_read_anew),
		cmocka_unit_test(a_file_that_nobody_could_read_is_not_tried_again),
		cmocka_unit_test(why_a_debug_file_is_not_in_use_is_told_to_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
