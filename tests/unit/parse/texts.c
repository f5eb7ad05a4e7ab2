#include "unit/parse/texts.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "render/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

char *text_of(const char *file)
{
	_cleanup_free_ char *path = xasprintf("%s/tests/%s", SRCDIR, file);
	_cleanup_fclose_ FILE *from = fopen(path, "r");
	char *text = NULL;
	size_t capacity = 0;
	if (!from || getdelim(&text, &capacity, '\0', from) <= 0)
		fail_msg("no %s", path);
	return text;
}

const char *const log_names[LOGS] = {"as it is",
				     "a terminal's ends of line",
				     "GitHub's times",
				     "GitLab's times",
				     "docker compose's names",
				     "strace's pids",
				     "indented",
				     "coloured",
				     "among other lines"};

static void add_line(struct text *to, const char *line, size_t n, int how, unsigned number)
{
	switch (how) {
	case 2:
		text_printf(to, "2024-01-01T00:%02u:%02u.%07uZ ", number / 60 % 60, number % 60,
			    number * 7919 % 10000000);
		break;
	case 3:
		text_printf(to, "2024-01-01T00:00:%02u.%06uZ 01O ", number % 60, number);
		break;
	case 4:
		text_printf(to, "web-%u  | ", 1 + number % 11);
		break;
	case 5:
		text_printf(to, "[pid %u] ", 99 + number % 3);
		break;
	case 6:
		text_add(to, "        ");
		break;
	case 7:
		text_add(to, "\33[36m\33]0;title\a");
		break;
	default:
		break;
	}
	text_add_n(to, line, n);
	text_add(to, how == 7 ? "\33[0m\n" : how == 1 ? "\r\n" : "\n");
}

char *text_in_log(const char *text, int how)
{
	struct text log = {0};
	unsigned number = 0;
	if (how == 8)
		text_add(&log, "make: Entering directory\nok\tfoo (1s)\n\n12 things [done]: 3\n\n");
	for (const char *end; *text; text = end + 1, number++) {
		end = strchrnul(text, '\n');
		add_line(&log, text, (size_t)(end - text), how, number);
		if (!*end)
			break;
	}
	if (how == 8)
		text_add(&log, "\nexit status 2\nFAIL\tfoo\t1.0s\n");
	return text_steal(&log);
}

char *report_of(const struct dump *dump)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	assert_non_null(to);
	render_text(dump, &(struct render_options){0}, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

bool parse_exactly(parse_fn *parse, const char *text, size_t size, struct dump *ret)
{
	_cleanup_free_ char *copy = size ? xmalloc(size) : NULL;
	if (size)
		memcpy(copy, text, size);
	struct error *error = parse(copy ? copy : "", size, "text", ret);
	error_free(error);
	return !error;
}
