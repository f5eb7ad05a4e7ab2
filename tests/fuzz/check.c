#include "base/array.h"
#include "base/cleanup.h"
#include "fuzz/fuzz.h"
#include "render/render.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One in so many: writing and reading JSON takes a hundred times as long as what is tested. */
#ifdef CORPUS
#define CHECKED 1
#else
#define CHECKED 64
#endif

static void check(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static void check_error(struct error *error)
{
	_cleanup_free_ char *why = error_why(error);
	check(!strchr(why, '\n') && strlen(why) < 400, "an error is one line");
	error_free(error);
}

static char *report(const struct dump *dump, const struct render_options *options)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	render_text(dump, options, to);
	fclose(to);
	return text;
}

static char *json(const struct dump *dump)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	check(!store_write_json(dump, to), "a dump can be written");
	fclose(to);
	return text;
}

static void check_again(const struct dump *dump, const char *text)
{
	static const struct render_options looks[] = {
		{0}, {.verbose = true, .color = true, .kernel_stacks_always = true}};
	struct dump again;
	check(!store_read_json(text, strlen(text), "again", &again), "what was written is read");
	_cleanup_free_ char *text_again = json(&again);
	check(strcmp(text_again, text) == 0, "it is written as before");
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		_cleanup_free_ char *live = report(dump, &looks[i]);
		_cleanup_free_ char *shown = report(&again, &looks[i]);
		check(strcmp(live, shown) == 0, "it is shown as before");
	}
	dump_deinit(&again);
}

void fuzz_check_some(struct error *error, struct dump *dump, size_t size)
{
	if (error || size % CHECKED == 0)
		fuzz_check(error, dump);
	else
		dump_deinit(dump);
}

void fuzz_check(struct error *error, struct dump *dump)
{
	if (error) {
		check_error(error);
		return;
	}
	_cleanup_free_ char *text = json(dump);
	check_again(dump, text);
	array_for_each (&dump->processes, process) {
		array_for_each (&process->threads, thread)
			stack_limit(&thread->stack, 2);
	}
	_cleanup_free_ char *limited = json(dump);
	check_again(dump, limited);
	dump_deinit(dump);
}
