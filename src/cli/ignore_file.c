#include "cli/ignore_file.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct error *add_line(struct ignore_list *list, const char *line, const char *path,
			      size_t number)
{
	struct ignore ignore;
	if (!ignore_parse(line, &ignore))
		return error_new(ERROR_FORMAT, 0, path,
				 "(line %zu is not function:, top:, module: or name: and a glob)",
				 number);
	if (ignore.glob)
		*array_append(&list->items) = ignore;
	return NULL;
}

struct error *ignore_list_read(struct ignore_list *list, const char *path)
{
	_cleanup_fclose_ FILE *opened = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");
	FILE *file = strcmp(path, "-") == 0 ? stdin : opened;
	_cleanup_free_ char *line = NULL;
	size_t size = 0, number = 0;
	struct error *error = NULL;
	if (!file)
		return error_new(ERROR_UNREADABLE, errno, path, NULL);
	for (ssize_t n; !error && (n = getline(&line, &size, file)) >= 0;) {
		while (n > 0 && strchr(" \t\r\n", line[n - 1]))
			n--;
		char *kept = *array_append(&list->lines) = xstrndup(line, (size_t)n);
		error = add_line(list, kept, path, ++number);
	}
	if (!error && ferror(file))
		error = error_new(ERROR_UNREADABLE, errno, path, NULL);
	list->own = list->items.count;
	return error;
}

void ignore_list_add_defaults(struct ignore_list *list)
{
	for (size_t i = 0; i < default_ignore_count; i++)
		*array_append(&list->items) = default_ignores[i];
}

void ignore_list_deinit(struct ignore_list *list)
{
	array_for_each (&list->lines, line)
		free(*line);
	array_deinit(&list->lines);
	array_deinit(&list->items);
}

void print_default_ignores(void)
{
	for (size_t i = 0; i < default_ignore_count; i++) {
		const struct ignore *ignore = &default_ignores[i];
		printf("# %s\n%s:%s\n", ignore->source, ignore_kind_names[ignore->kind],
		       ignore->glob);
	}
}

size_t report_unused_ignores(const struct ignore_list *list)
{
	size_t unused = 0;
	for (size_t i = 0; i < list->own; i++) {
		const struct ignore *ignore = &list->items.items[i];
		if (ignore->used)
			continue;
		struct text text = {0};
		text_add_escaped(&text, ignore->glob, strlen(ignore->glob));
		fprintf(stderr, "hangdump: %s:%s: matches no thread\n",
			ignore_kind_names[ignore->kind], text.bytes);
		text_deinit(&text);
		unused++;
	}
	return unused;
}
