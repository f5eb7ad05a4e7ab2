#include "classify/frames.h"

#include <ctype.h>
#include <string.h>

/* The end of the bracket that opens at s[0], or NULL when it never closes. */
static const char *closing(const char *s, char open, char close)
{
	unsigned depth = 0;
	for (; *s; s++) {
		if (*s == open)
			depth++;
		/* "->" in a Rust fn type is no bracket. */
		else if (*s == close && s[-1] != '-' && --depth == 0)
			return s;
	}
	return NULL;
}

static bool ends_in(const char *s, size_t n, const char *end)
{
	size_t m = strlen(end);
	return n >= m && memcmp(s + n - m, end, m) == 0;
}

/* Copies the name without template arguments and parameters. */
static size_t strip_arguments(const char *s, char *to, size_t cap)
{
	size_t n = 0;
	for (; *s && n < cap - 1; s++) {
		if (*s == '<' && !ends_in(to, n, "operator") && !ends_in(to, n, "operator<")) {
			const char *end = closing(s, '<', '>');
			if (!end)
				break;
			if (n == 0) {
				/* Rust: "<T as Trait>::f" and "<T>::f" are T's f. */
				const char *as = strstr(s, " as ");
				char inner[NAME_CAP];
				size_t length = (size_t)((as && as < end ? as : end) - s - 1);
				if (length >= sizeof(inner))
					length = sizeof(inner) - 1;
				memcpy(inner, s + 1, length);
				inner[length] = '\0';
				/* One level: what is inside begins with no bracket that matters. */
				if (inner[0] != '<')
					n = strip_arguments(inner, to, cap);
			} else if (ends_in(to, n, "::")) {
				n -= 2; /* Rust's turbofish */
			}
			s = end;
		} else if (*s == '(') {
			static const char anonymous[] = "(anonymous namespace)";
			if (strncmp(s, anonymous, sizeof(anonymous) - 1) == 0)
				s += sizeof(anonymous) - 2;
			else if (ends_in(to, n, "operator") && s[1] == ')' && n + 2 < cap - 1) {
				memcpy(to + n, "()", 2);
				n += 2;
				s++;
			} else
				break;
		} else if (*s == ' ' && !ends_in(to, n, "operator")) {
			if (s[1] == '[') /* "[clone .cold]" */
				break;
			n = 0; /* what came before is a return type */
		} else {
			to[n++] = *s;
		}
	}
	to[n] = '\0';
	return n;
}

static void strip_suffixes(char *s)
{
	static const char *const suffixes[] = {".constprop", ".isra",	  ".part",
					       ".cold",	     ".lto_priv", ".llvm."};
	char *at = strchr(s, '@');
	if (at && at != s)
		*at = '\0';
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *suffix = strstr(s, suffixes[i]);
		if (suffix && suffix != s)
			*suffix = '\0';
	}
	/* Rust's legacy mangling ends in a hash: "::h0123456789abcdef". */
	size_t n = strlen(s);
	if (n > 19 && memcmp(s + n - 19, "::h", 3) == 0 &&
	    strspn(s + n - 16, "0123456789abcdef") == 16)
		s[n - 19] = '\0';
}

void name_normalise(const char *name, char ret[NAME_CAP])
{
	static const char *const prefixes[] = {"__GI_", "__interceptor_", "___interceptor_", "_"};
	ret[0] = '\0';
	if (!name)
		return;
	strip_arguments(name, ret, NAME_CAP);
	strip_suffixes(ret);
	if (strchr(ret, ':'))
		return;
	char *start = ret;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);
		while (strncmp(start, prefixes[i], n) == 0 && start[n])
			start += n;
	}
	memmove(ret, start, strlen(start) + 1);
}

bool name_matches_pattern(const char *normal, const char *pattern)
{
	size_t n = strlen(normal), m = strlen(pattern);
	if (m && pattern[m - 1] == '*') {
		/* The pattern without '*' must begin at a component, and end in the last but none. */
		m--;
		for (const char *at = normal; *at;) {
			if (strncmp(at, pattern, m) == 0 && !strstr(at + m, "::"))
				return true;
			at = strstr(at, "::");
			if (!at)
				return false;
			at += 2;
		}
		return false;
	}
	if (n == m)
		return memcmp(normal, pattern, m) == 0;
	return n > m + 2 && memcmp(normal + n - m, pattern, m) == 0 &&
	       memcmp(normal + n - m - 2, "::", 2) == 0;
}

uint64_t name_initials(const char *normal)
{
	uint64_t initials = 0;
	for (const char *at = normal;; at += 2) {
		initials |= UINT64_C(1) << (*at & 63);
		at = strstr(at, "::");
		if (!at)
			return initials;
	}
}
