/*
 * Waits on a futex: whose it is, by the names on the stack, by the memory around the word, and,
 * where there are no names, by the way the wait looks to the kernel.
 */
#include "base/array.h"
#include "classify/frames.h"
#include "classify/locks.h"
#include "classify/subject.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

/* Who issues the system call: the file that holds the pc. */
enum maker {
	MAKER_UNKNOWN,
	MAKER_GLIBC,
	MAKER_MUSL,
	MAKER_STATIC, /* the executable itself: a static libc, Go, or the program's own futex */
	MAKER_GOMP,
	MAKER_OTHER,
};

static enum maker maker_of_library(const char *path)
{
	static const struct {
		const char *prefix;
		enum maker maker;
	} rows[] = {
		{"libc.so.6", MAKER_GLIBC},  {"libc-2.", MAKER_GLIBC},
		{"libpthread", MAKER_GLIBC}, {"ld-linux-x86", MAKER_GLIBC},
		{"ld-2.", MAKER_GLIBC},	     {"ld-musl-", MAKER_MUSL},
		{"libc.musl-", MAKER_MUSL},  {"libgomp.so", MAKER_GOMP},
	};
	const char *base = path_base(path);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strncmp(base, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return rows[i].maker;
	}
	/* What musl's loader is a link to. */
	return strcmp(base, "libc.so") == 0 ? MAKER_MUSL : MAKER_OTHER;
}

static bool maps_libc(const struct capture_process *process)
{
	array_for_each (&process->mappings, mapping) {
		enum maker maker = maker_of_library(mapping->path);
		if (maker == MAKER_GLIBC || maker == MAKER_MUSL)
			return true;
	}
	return false;
}

void classify_prepare(struct classify_context *context)
{
	context->libc = maps_libc(context->process) ? LIBC_IS_MAPPED : LIBC_IS_NOT_MAPPED;
}

static bool has_libc(const struct subject *subject)
{
	if (subject->context->libc == LIBC_NOT_LOOKED_UP)
		return maps_libc(subject->process);
	return subject->context->libc == LIBC_IS_MAPPED;
}

static enum maker maker_of_file(const struct subject *subject, const char *path)
{
	const char *executable = subject->process->executable;
	enum maker maker = maker_of_library(path);
	if (maker != MAKER_OTHER || !executable || strcmp(path, executable) != 0)
		return maker;
	return has_libc(subject) ? MAKER_OTHER : MAKER_STATIC;
}

/* The first frame of the thread itself that is no system call stub called "syscall". */
static const struct frame *caller_of_syscall(const struct stack *stack)
{
	bool through_syscall = false;
	for (size_t i = 0; stack && i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->kind != FRAME_NATIVE || frame->inlined)
			continue;
		if (through_syscall)
			return frame;
		char name[NAME_CAP];
		name_normalise(frame->function, name);
		if (strcmp(name, "syscall") != 0)
			return NULL;
		through_syscall = true;
	}
	return NULL;
}

static enum maker maker_of(const struct subject *subject)
{
	const struct frame *caller = caller_of_syscall(subject->stack);
	uint64_t pc = caller ? caller->lookup_pc : subject->pc;
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, pc);
	return mapping ? maker_of_file(subject, mapping->path) : MAKER_UNKNOWN;
}

static unsigned libraries_of(enum maker maker)
{
	switch (maker) {
	case MAKER_GLIBC:
		return LIBRARY_GLIBC;
	case MAKER_MUSL:
		return LIBRARY_MUSL;
	case MAKER_STATIC:
	case MAKER_UNKNOWN:
		return LIBRARY_EITHER;
	case MAKER_GOMP:
	case MAKER_OTHER:
		break;
	}
	return 0;
}

static struct futex_wait decode(const struct subject *subject)
{
	struct futex_wait futex = {.address = argument(subject, 0)};
	if (subject->wait->syscall.number == SYS_futex) {
		uint32_t op = (uint32_t)argument(subject, 1);
		futex.op = op & FUTEX_CMD_MASK;
		futex.shared = !(op & FUTEX_PRIVATE_FLAG);
		futex.value = (uint32_t)argument(subject, 2);
		futex.second = futex.op == FUTEX_WAIT_REQUEUE_PI ? argument(subject, 4) : 0;
	} else {
		/* futex_wait(addr, val, mask, flags, ...), Linux 6.7. */
		futex.op = FUTEX_WAIT_BITSET;
		futex.shared = !(argument(subject, 3) & FUTEX_PRIVATE_FLAG);
		futex.value = (uint32_t)argument(subject, 1);
	}
	futex.has_word = subject_read_u32(subject, futex.address, &futex.word);
	return futex;
}

static void say_word(struct subject *subject, const struct futex_wait *futex)
{
	subject_set_object(subject, "futex", futex->address);
	if (futex->has_word)
		subject->wait->resource.detail = subject_printf(subject, "value %u, waits while %u",
								futex->word, futex->value);
}

/* A lock of libc's own, or of an allocator, by who asked for it. */
static void name_libc_lock(struct subject *subject, enum primitive primitive)
{
	if (primitive != PRIMITIVE_LOW_LEVEL && primitive != PRIMITIVE_MUTEX)
		return;
	const char *kind = frames_libc_lock(subject->stack, has_libc(subject));
	if (kind)
		subject->wait->resource.kind = kind;
}

static const char *kind_of(const struct frame_row *row)
{
	if (row->kind)
		return row->kind;
	for (int i = 1; i < PRIMITIVES; i++) {
		if (primitive_rows[i].class == row->class)
			return primitive_rows[i].kind;
	}
	return NULL;
}

static void set_plain_object(struct subject *subject, const struct frame_row *row,
			     const struct futex_wait *futex)
{
	uint64_t base = futex->address >= row->word ? futex->address - row->word : futex->address;
	const char *kind = kind_of(row);
	subject_set_object(subject, kind ? kind : "futex", base);
	/* Waits for words that are no int go through one of a few that libstdc++ keeps for all. */
	if (subject->wait->resource.name && strstr(subject->wait->resource.name, "__waiter_pool"))
		subject->wait->resource.detail = "through libstdc++'s pool of waiters";
}

/*
 * parking_lot's ThreadData: the futex word at 32, before it (0.12: at 0, 8 and so on by the
 * compiler's choice) the key, which is the lock's address.  A mutex that is held and waited for
 * has both low bits of its first byte set.
 */
static void find_parking_lot(struct subject *subject, const struct futex_wait *futex)
{
	uint64_t key;
	unsigned char state;
	if (futex->address < 32 || !subject_read(subject, futex->address - 32, &key, sizeof(key)) ||
	    !subject_read(subject, key, &state, 1) || (state & 3) != 3)
		return;
	const struct capture_mapping *mapping = capture_mapping_at(subject->process, key);
	if (mapping && mapping->writable)
		subject_set_object(subject, "mutex", key);
}

/* The condition variable's mutex, or the lock that a low-level wait belongs to. */
static enum fit describe(struct subject *subject, enum primitive primitive, unsigned libraries,
			 const struct futex_wait *futex)
{
	if (primitive == PRIMITIVE_LOW_LEVEL &&
	    lock_describe(subject, PRIMITIVE_MUTEX, libraries, futex, NULL) == FIT_STRONG)
		return FIT_STRONG;
	return lock_describe(subject, primitive, libraries, futex, NULL);
}

/* A primitive of libc's, and what a library has built upon it. */
static void set_libc_object(struct subject *subject, const struct frame_match *match,
			    const struct futex_wait *futex)
{
	unsigned libraries = libraries_of(maker_of(subject));
	/* An interposer's frame: the call may still be libc's. */
	enum fit fit = describe(subject, match->object->primitive,
				libraries ? libraries : LIBRARY_EITHER, futex);
	if (fit == FIT_NO)
		subject_doubt(subject);
	if (match->row == match->object) {
		name_libc_lock(subject, match->object->primitive);
		return;
	}
	const char *kind = kind_of(match->row);
	if (kind)
		subject->wait->resource.kind = kind;
}

/*
 * The word is the waiter's own, or one that all objects of the kind share (the condition that
 * g_once and libc++'s call_once wait on): nothing in it tells this object from another.
 */
static bool word_is_not_the_objects(const struct frame_match *match)
{
	const struct frame_row *row = match->row, *object = match->object;
	return row->own_word || row->over == WAIT_PARK ||
	       (row->class == WAIT_ONCE && object && object->class == WAIT_COND);
}

static bool by_frames(struct subject *subject, const struct futex_wait *futex)
{
	struct frame_match match;
	if (!frames_match(subject->stack, IN_FUTEX, &match))
		return false;
	const struct frame_row *row = match.row;
	subject_decide(subject, row->class, CONFIDENCE_CERTAIN, row->pattern);
	if (row->class == WAIT_SLEEP) {
		/* The word is of no interest: the time is what it waits for. */
	} else if (word_is_not_the_objects(&match)) {
		subject->wait->resource.kind = kind_of(row);
		if (strcmp(row->pattern, "RawMutex::lock_slow") == 0)
			find_parking_lot(subject, futex);
	} else if (match.object) {
		set_libc_object(subject, &match, futex);
	} else {
		set_plain_object(subject, row, futex);
	}
	if (match.doubtful)
		subject_doubt(subject);
	return true;
}

/* libgomp is always stripped of the names that matter; its waits have one form each. */
static bool by_gomp(struct subject *subject, const struct futex_wait *futex)
{
	bool critical = futex->value == UINT32_MAX;
	subject_decide(subject, critical ? WAIT_MUTEX_LOCK : WAIT_BARRIER, CONFIDENCE_LIKELY,
		       "libgomp");
	subject_set_object(subject, critical ? "omp critical" : "omp barrier", futex->address);
	return true;
}

static bool by_signature(struct subject *subject, const struct futex_wait *futex)
{
	enum maker maker = maker_of(subject);
	if (maker == MAKER_GOMP)
		return by_gomp(subject, futex);
	unsigned libraries = libraries_of(maker);
	enum fit fit;
	enum wait_class class;
	const struct lock_layout *layout = lock_guess(subject, libraries, futex, &fit, &class);
	if (!layout)
		return false;
	/* A word of the program's own may well be 2: only libc's code makes that telling. */
	if (fit != FIT_STRONG && maker != MAKER_GLIBC && maker != MAKER_MUSL) {
		subject->wait->resource = (struct resource){.fd = -1};
		return false;
	}
	subject_decide(subject, class, CONFIDENCE_LIKELY, "futex signature");
	name_libc_lock(subject, layout->primitive);
	return true;
}

static bool is_priority_inheritance(const struct futex_wait *futex)
{
	return futex->op == FUTEX_LOCK_PI || futex->op == FUTEX_LOCK_PI2_OP;
}

void classify_futex(struct subject *subject)
{
	struct futex_wait futex = decode(subject);
	if (by_frames(subject, &futex))
		return;
	if (is_priority_inheritance(&futex)) {
		lock_describe(subject, PRIMITIVE_MUTEX, LIBRARY_EITHER, &futex, NULL);
		subject_decide(subject, WAIT_MUTEX_LOCK, CONFIDENCE_CERTAIN, "FUTEX_LOCK_PI");
		return;
	}
	if (by_signature(subject, &futex))
		return;
	subject_decide(subject, WAIT_FUTEX, CONFIDENCE_CERTAIN, "futex");
	say_word(subject, &futex);
}

/* struct futex_waitv: value 0, address 8, flags 16; at most 128 of them. */
void classify_futex_waitv(struct subject *subject)
{
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} first;
	uint32_t count = (uint32_t)argument(subject, 1);
	subject_decide(subject, WAIT_FUTEX, CONFIDENCE_CERTAIN, "futex_waitv");
	subject->wait->resource.kind = "futex";
	if (!subject_read(subject, argument(subject, 0), &first, sizeof(first)))
		return;
	subject_set_object(subject, "futex", first.address);
	if (count > 1 && count <= 128)
		subject->wait->resource.detail =
			subject_printf(subject, "the first of %u futexes", count);
}
