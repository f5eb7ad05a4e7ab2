#include "cli/file_template.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static const char letters[] = "pehtn%";

const char *file_template_fault(const char *template)
{
	for (const char *at = strchr(template, '%'); at; at = strchr(at + 2, '%')) {
		if (!at[1] || !strchr(letters, at[1]))
			return at;
	}
	return NULL;
}

static void add_part(struct text *text, const char *part)
{
	bool leading = true;
	if (!part || !*part)
		text_add(text, "_");
	for (; part && *part; part++) {
		leading = leading && *part == '.';
		bool plain =
			*part > 0 && (isalnum((unsigned char)*part) || strchr("-_+.@=,", *part));
		text_add_n(text, plain && !leading ? part : "_", 1);
	}
}

char *file_template_expand(const char *template, const struct file_template_values *values)
{
	struct text text = {0};
	for (const char *at = template; *at; at++) {
		if (*at != '%' || !at[1]) {
			text_add_n(&text, at, 1);
			continue;
		}
		switch (*++at) {
		case 'p':
			text_printf(&text, "%d", values->pid);
			break;
		case 'e':
			add_part(&text, values->name);
			break;
		case 'h':
			add_part(&text, values->host);
			break;
		case 't':
			text_printf(&text, "%" PRId64, values->seconds);
			break;
		case 'n':
			text_printf(&text, "%u", values->number);
			break;
		default:
			text_add_n(&text, at, 1);
		}
	}
	return text_steal(&text);
}

char *file_template_numbered(const char *name, unsigned number)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	const char *dot = strrchr(base, '.');
	size_t stem = dot && dot > base ? (size_t)(dot - name) : strlen(name);
	return xasprintf("%.*s-%u%s", (int)stem, name, number, name + stem);
}
