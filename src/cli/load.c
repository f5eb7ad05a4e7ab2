#include "cli/load.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "group/group.h"
#include "parse/parse.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum {
	MOST_MEGABYTES = 512, /* some 60,000 threads of 30 frames */
	CHUNK = 1 << 16,
};

/* The first that knows the text reads it. */
static const struct form {
	const char *name;
	bool (*looks_like)(const char *text, size_t size);
	struct error *(*read)(const char *text, size_t size, const char *name, struct dump *ret);
} forms[] = {
	{"a JSON dump", store_looks_like_json, store_read_json},
	{"a report of hangdump's", parse_looks_like_report, parse_report},
	{"a goroutine dump of Go's", parse_looks_like_goroutines, parse_goroutines},
};

/* Ready to be read, as far as it can ever be. */
static struct error *wait_for(int fd, const char *name, struct deadline deadline)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	int n;
	do {
		n = deadline_passed(deadline) ? 0 : poll(&pollfd, 1, deadline_poll_ms(deadline));
	} while (n < 0 && errno == EINTR);
	return n ? NULL : error_new(ERROR_TIMED_OUT, 0, name, NULL);
}

static struct error *read_all(int fd, const char *name, struct deadline deadline, struct text *text)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	for (;;) {
		struct error *error = wait_for(fd, name, deadline);
		if (error)
			return error;
		ssize_t n = read(fd, chunk, CHUNK);
		if (n == 0)
			return NULL;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return error_new(ERROR_UNREADABLE, errno, name, NULL);
		text_add_n(text, chunk, (size_t)n);
		if (text->length > (size_t)MOST_MEGABYTES << 20)
			return error_new(ERROR_UNSUPPORTED, 0, name, "(more than %d MB)",
					 MOST_MEGABYTES);
	}
}

static struct error *read_text(const struct text *text, const char *name, struct dump *ret)
{
	struct text known = {0};
	if (!text->length)
		return error_new(ERROR_FORMAT, 0, name, "(it is empty)");
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (forms[i].looks_like(text->bytes, text->length))
			return forms[i].read(text->bytes, text->length, name, ret);
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		text_printf(&known, "%s%s", i ? ", " : "", forms[i].name);
	_cleanup_free_ char *names = text_steal(&known);
	return error_new(ERROR_FORMAT, 0, name, "(not %s)", names);
}

struct error *load_dump(const char *word, struct deadline deadline, struct dump *ret)
{
	bool is_stdin = strcmp(word, "-") == 0;
	const char *name = is_stdin ? "standard input" : word;
	struct text text = {0};
	/* Without a writer, opening a FIFO would wait for ever. */
	_cleanup_close_ int fd = is_stdin
					 ? dup(STDIN_FILENO)
					 : open(word, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return error_new(ERROR_UNREADABLE, errno, name, NULL);
	struct error *error = read_all(fd, name, deadline, &text);
	if (!error)
		error = read_text(&text, name, ret);
	if (!error && !ret->groups.count)
		group_threads(ret);
	text_deinit(&text);
	return error;
}
