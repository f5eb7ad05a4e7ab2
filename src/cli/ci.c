#include "cli/ci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	SUMMARY_MOST = 1024 * 1024, /* a longer one is thrown away as a whole */
	SUMMARY_OURS = 64 * 1024,
	TOKEN_BYTES = 16,
};

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value;
}

struct ci ci_detect(void)
{
	const char *github = getenv("GITHUB_ACTIONS");
	struct ci ci = {.github = github && strcmp(github, "true") == 0};
	ci.attachments = is_set("CI") || is_set("JENKINS_URL") || is_set("TF_BUILD");
	if (ci.github && is_set("GITHUB_STEP_SUMMARY"))
		ci.summary = getenv("GITHUB_STEP_SUMMARY");
	return ci;
}

/* The runner takes %25 back last, so that nothing is taken back twice. */
static void add_data(struct text *to, const char *s, const char *special)
{
	for (; *s; s++) {
		if (strchr(special, *s))
			text_printf(to, "%%%02X", (unsigned char)*s);
		else
			text_add_n(to, s, 1);
	}
}

void ci_add_error(struct text *to, const char *title, const char *message)
{
	text_add(to, "::error title=");
	add_data(to, title, "%\r\n:,");
	text_add(to, "::");
	add_data(to, message, "%\r\n");
	text_add(to, "\n");
}

static void make_token(char token[TOKEN_BYTES * 2 + 1])
{
	unsigned char random[TOKEN_BYTES];
	while (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		if (errno != EINTR)
			abort(); /* flags and buffer are right, and a small read is whole */
	}
	for (int i = 0; i < TOKEN_BYTES; i++)
		sprintf(token + i * 2, "%02x", random[i]);
}

void ci_add_bracketed(struct text *to, const char *bytes, size_t n)
{
	char token[TOKEN_BYTES * 2 + 1];
	make_token(token);
	/* The command may have left a line without its end. */
	text_printf(to, "\n::stop-commands::%s\n", token);
	text_add_n(to, bytes, n);
	text_printf(to, "%s::%s::\n", n && bytes[n - 1] != '\n' ? "\n" : "", token);
}

void ci_add_foreign(const struct ci *ci, struct text *to, const char *bytes, size_t n)
{
	if (ci->github)
		ci_add_bracketed(to, bytes, n);
	else
		text_add_n(to, bytes, n);
}

static int longest_run(const char *s, char c)
{
	int longest = 0, run = 0;
	for (; *s; s++) {
		run = *s == c ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void add_fence(struct text *to, int length)
{
	for (int i = 0; i < length; i++)
		text_add(to, "`");
	text_add(to, "\n");
}

/* The length of the whole lines at the beginning of s that have no more than `most` bytes. */
static size_t whole_lines(const char *s, size_t most)
{
	size_t n = strnlen(s, most);
	while (s[n] && n && s[n - 1] != '\n')
		n--;
	return n;
}

void ci_add_summary(struct text *to, const char *title, const char *report, size_t most)
{
	static const char cut[] = "... cut here: the log has more\n";
	/* A fence that is longer than any in the text ends at no line of the text. */
	int run = longest_run(report, '`'), fence = run < 3 ? 3 : run + 1;
	size_t frame = strlen(title) + 2 * (size_t)fence + sizeof(cut) + sizeof("### \n\n\n\n\n");
	if (frame > most)
		return;
	size_t n = whole_lines(report, most - frame);
	text_printf(to, "### %s\n\n", title);
	add_fence(to, fence);
	text_add_n(to, report, n);
	if (report[n])
		text_add(to, cut);
	else if (n && report[n - 1] != '\n')
		text_add(to, "\n");
	add_fence(to, fence);
}

size_t ci_summary_room(size_t used)
{
	if (used >= SUMMARY_MOST)
		return 0;
	size_t left = SUMMARY_MOST - used;
	return left < SUMMARY_OURS ? left : SUMMARY_OURS;
}

void ci_add_attachment(struct text *to, const char *path)
{
	if (*path == '/' && !strpbrk(path, "\r\n"))
		text_printf(to, "[[ATTACHMENT|%s]]\n", path);
}
