#include "classify/subject.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "classify/memo.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

void subject_decide(struct subject *subject, enum wait_class class, enum confidence confidence,
		    const char *rule)
{
	subject->wait->class = class;
	subject->wait->confidence = confidence;
	subject->wait->rule = rule;
}

void subject_doubt(struct subject *subject)
{
	subject->wait->confidence = CONFIDENCE_LIKELY;
}

const char *subject_printf(struct subject *subject, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *s = xvasprintf(format, ap);
	va_end(ap);
	return strpool_add(subject->context->strings, s);
}

const char *subject_list(struct subject *subject, const char *const *words, size_t count)
{
	struct text text = {0};
	for (size_t i = 0; i < count; i++) {
		if (!words[i])
			continue;
		text_add(&text, text.length ? ", " : "");
		text_add(&text, words[i]);
	}
	const char *list = text.length ? strpool_add(subject->context->strings, text.bytes) : NULL;
	text_deinit(&text);
	return list;
}

const char *subject_name_data(const struct subject *subject, uint64_t address)
{
	const struct classify_context *context = subject->context;
	if (!address || !context->name_data)
		return NULL;
	return context->name_data(context->names, address);
}

void subject_set_object(struct subject *subject, const char *kind, uint64_t address)
{
	struct resource *resource = &subject->wait->resource;
	resource->kind = kind;
	resource->address = address;
	resource->name = subject_name_data(subject, address);
}

const struct capture_thread *subject_thread_by_ns_tid(const struct subject *subject, uint32_t tid)
{
	return memo_thread_by_ns_tid(subject->memo, tid);
}

const struct capture_thread *subject_thread_by_tcb(const struct subject *subject, uint64_t address,
						   uint64_t size)
{
	const struct capture_thread *thread = memo_thread_below(subject->memo, address);
	return thread && address - thread->fs_base < size ? thread : NULL;
}

bool subject_read(const struct subject *subject, uint64_t address, void *buf, size_t n)
{
	enum memory_origin origin;
	if (!address || !memory_read(&subject->process->memory, address, buf, n, &origin))
		return false;
	if (origin == MEMORY_LIVE)
		*subject->read_live = true;
	return true;
}

const struct capture_descriptor *subject_descriptor(const struct subject *subject, int fd)
{
	return subject->thread->own_files ? NULL : capture_descriptor_of(subject->process, fd);
}

bool subject_read_u32(const struct subject *subject, uint64_t address, uint32_t *ret)
{
	return subject_read(subject, address, ret, sizeof(*ret));
}

const char *subject_read_string(const struct subject *subject, uint64_t address)
{
	char buf[4096];
	size_t length = 0;
	while (length < sizeof(buf) - 1) {
		/* Up to the next 64-byte border, so that no read needs a page beyond the string's. */
		size_t n = 64 - ((address + length) & 63);
		if (n > sizeof(buf) - 1 - length)
			n = sizeof(buf) - 1 - length;
		if (!subject_read(subject, address + length, buf + length, n))
			return NULL;
		if (memchr(buf + length, '\0', n))
			return strpool_add_n(subject->context->strings, buf, length + n);
		length += n;
	}
	return strpool_add_n(subject->context->strings, buf, length);
}

size_t subject_read_stack(const struct subject *subject, void *buf, size_t n)
{
	size_t got = 0;
	while (got < n) {
		size_t piece = n - got < 128 ? n - got : 128;
		if (!subject_read(subject, subject->sp + got, (char *)buf + got, piece))
			break;
		got += piece;
	}
	return got;
}

static bool name_matches(const char *name, size_t length, const char *pattern)
{
	size_t n = strlen(pattern);
	if (n && pattern[n - 1] == '*')
		return length >= n - 1 && memcmp(name, pattern, n - 1) == 0;
	return length == n && memcmp(name, pattern, n) == 0;
}

/* Most of what is asked for is nowhere in the text, and that is quickly seen. */
static bool may_hold(const char *text, const char *pattern)
{
	size_t n = strlen(pattern);
	return text && memmem(text, strlen(text), pattern, n - (n && pattern[n - 1] == '*'));
}

/* Lines of /proc/PID/task/TID/stack: "[<0>] pipe_read+0x1a0/0x4b0 [module]". */
bool subject_in_kernel(const struct subject *subject, const char *function)
{
	const struct capture_thread *thread = subject->thread;
	if (thread->wait_channel &&
	    name_matches(thread->wait_channel, strlen(thread->wait_channel), function))
		return true;
	if (!may_hold(thread->kernel_stack, function))
		return false;
	for (const char *line = thread->kernel_stack; *line;) {
		size_t length = strcspn(line, "\n");
		const char *name = memchr(line, ']', length);
		if (name) {
			name++;
			name += strspn(name, " ");
			size_t n = strcspn(name, "+ \n");
			/* gcc's clones: "folio_wait_bit_common.constprop.0". */
			const char *dot = memchr(name, '.', n);
			if (dot)
				n = (size_t)(dot - name);
			if (name_matches(name, n, function))
				return true;
		}
		line += length;
		line += *line == '\n';
	}
	return false;
}

bool was_interrupted(int64_t result)
{
	return result == -EINTR || (result <= -512 && result >= -516);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}
