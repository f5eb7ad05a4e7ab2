#include "classify/frames.h"

#include "base/array.h"
#include "classify/memo.h"
#include "classify/subject.h"

#include <string.h>

/* How many frames are looked at: what a thread waits for is near the top. */
#define DEPTH 32

/* "one|other": either. */
static bool module_begins(const char *module, const char *prefixes)
{
	if (!module)
		return false;
	const char *base = path_base(module);
	for (const char *prefix = prefixes;; prefix++) {
		size_t n = strcspn(prefix, "|");
		if (strncmp(base, prefix, n) == 0)
			return true;
		prefix += n;
		if (!*prefix)
			return false;
	}
}

static bool in_libc(const char *module)
{
	static const char *const modules[] = {
		"libc.so", "libc-2.",  "libpthread", "librt",	   "libc.musl-", "ld-linux-x86",
		"ld-2.",   "ld-musl-", "libasan.so", "libtsan.so", "[vdso]"};
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (module_begins(module, modules[i]))
			return true;
	}
	return false;
}

/* Libraries whose own frames may stand between a wait and the row that explains it. */
static bool is_kin(const char *module, const char *normal)
{
	static const char *const spaces[] = {
		"std::",    "core::",  "alloc::",  "parking_lot",    "tokio::",	   "crossbeam",
		"rayon",    "absl::",  "boost::",  "folly::",	     "tbb::",	   "grpc",
		"runtime.", "flume::", "lock_api", "thread_local::", "once_cell::"};
	static const char *const modules[] = {"libjvm.so",  "libstdc++.so", "libc++", "libglib-2",
					      "libgomp.so", "libomp.so",    "libQt",  "libpython",
					      "libuv.so",   "libabsl_",	    "libzmq", "libtbb"};
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		if (strncmp(normal, spaces[i], strlen(spaces[i])) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (module_begins(module, modules[i]))
			return true;
	}
	return false;
}

bool frames_match(const struct subject *subject, unsigned calls, struct frame_match *ret)
{
	const struct stack *stack = subject->stack;
	struct frame_match best = {0};
	unsigned strangers = 0, seen = 0;
	for (size_t i = 0; stack && i < stack->count && seen < DEPTH; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->kind == FRAME_KERNEL)
			continue;
		if (frame->kind == FRAME_SIGNAL)
			break;
		seen++;
		const struct name_facts *facts = memo_name(subject->memo, frame);
		bool known = false;
		for (const uint16_t *number = facts->frame_rows; *number != NO_ROW; number++) {
			const struct frame_row *row = &frame_rows[*number];
			if (!((row->calls ? row->calls : IN_FUTEX) & (calls | IN_ANY)))
				continue;
			known = true;
			enum wait_class so_far = best.row ? best.row->class : WAIT_UNKNOWN;
			if (row->class == WAIT_UNKNOWN || strangers > row->within ||
			    (row->over && row->over != so_far) ||
			    (best.row && row->layer <= best.row->layer))
				continue;
			best.row = row;
			best.frame = frame;
			best.doubtful |= frame->doubtful;
			if (row->primitive != PRIMITIVE_NONE)
				best.object = row;
		}
		if (!known && !facts->in_libc && !facts->kin)
			strangers++;
	}
	if (!best.row)
		return false;
	*ret = best;
	return true;
}

bool frames_begin_with(const struct subject *subject, const char *pattern)
{
	const struct stack *stack = subject->stack;
	for (size_t i = 0; stack && i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->kind == FRAME_KERNEL)
			continue;
		if (frame->kind == FRAME_SIGNAL)
			return false;
		const struct name_facts *facts = memo_name(subject->memo, frame);
		if (name_matches_pattern(facts->normal, pattern))
			return true;
		/* A stranger's, with a name or without one. */
		if (!facts->in_libc)
			return false;
	}
	return false;
}

struct libc_lock_row {
	const char *pattern;
	const char *kind;
	const char *source;
};

/* glibc 2.17 to 2.42: who takes which of its own locks. */
static const struct libc_lock_row libc_lock_rows[] = {
	{"malloc", "malloc arena", "malloc/malloc.c"},
	{"libc_malloc", "malloc arena", "malloc/malloc.c"},
	{"calloc", "malloc arena", "malloc/malloc.c"},
	{"libc_calloc", "malloc arena", "malloc/malloc.c"},
	{"realloc", "malloc arena", "malloc/malloc.c"},
	{"libc_realloc", "malloc arena", "malloc/malloc.c"},
	{"free", "malloc arena", "malloc/malloc.c"},
	{"cfree", "malloc arena", "malloc/malloc.c"},
	{"libc_free", "malloc arena", "malloc/malloc.c"},
	{"memalign", "malloc arena", "malloc/malloc.c"},
	{"aligned_alloc", "malloc arena", "malloc/malloc.c"},
	{"posix_memalign", "malloc arena", "malloc/malloc.c"},
	{"int_malloc", "malloc arena", "malloc/malloc.c"},
	{"int_free*", "malloc arena", "malloc/malloc.c"},
	{"arena_get*", "malloc arena", "malloc/arena.c"},
	{"get_free_list", "malloc arena", "malloc/arena.c"},
	{"malloc_*", "malloc arena", "malloc_trim, malloc_info, malloc_usable_size"},
	{"mallinfo*", "malloc arena", "malloc/malloc.c"},
	{"flockfile", "stdio lock", "stdio-common/flockfile.c"},
	{"IO_*", "stdio lock", "libio"},
	{"fputc*", "stdio lock", "libio"},
	{"fputs*", "stdio lock", "libio"},
	{"puts*", "stdio lock", "libio"},
	{"putc*", "stdio lock", "libio"},
	{"putchar*", "stdio lock", "libio"},
	{"fgetc*", "stdio lock", "libio"},
	{"fgets*", "stdio lock", "libio"},
	{"getc*", "stdio lock", "libio"},
	{"getchar*", "stdio lock", "libio"},
	{"getline", "stdio lock", "libio"},
	{"getdelim", "stdio lock", "libio"},
	{"fread*", "stdio lock", "libio"},
	{"fwrite*", "stdio lock", "libio"},
	{"fflush*", "stdio lock", "libio"},
	{"fclose", "stdio lock", "libio"},
	{"fseek*", "stdio lock", "libio"},
	{"ftell*", "stdio lock", "libio"},
	{"setvbuf", "stdio lock", "libio"},
	{"perror", "stdio lock", "libio"},
	{"printf*", "stdio lock", "libio"},
	{"fprintf*", "stdio lock", "libio"},
	{"vprintf*", "stdio lock", "libio"},
	{"vfprintf*", "stdio lock", "libio"},
	{"fscanf*", "stdio lock", "libio"},
	{"scanf*", "stdio lock", "libio"},
	{"dl_open*", "loader lock", "elf/dl-open.c"},
	{"dl_close*", "loader lock", "elf/dl-close.c"},
	{"dl_fini", "loader lock", "elf/dl-fini.c"},
	{"dl_iterate_phdr", "loader lock", "elf/dl-iteratephdr.c"},
	{"dl_sym*", "loader lock", "elf/dl-sym.c"},
	{"dl_addr", "loader lock", "elf/dl-addr.c"},
	{"dlsym*", "loader lock", "dlfcn/dlsym.c"},
	{"dlopen*", "loader lock", "dlfcn/dlopen.c"},
	{"dlclose*", "loader lock", "dlfcn/dlclose.c"},
	{"dladdr*", "loader lock", "dlfcn/dladdr.c"},
	{"dlerror*", "loader lock", "dlfcn/dlerror.c"},
	{"tls_get_addr*", "loader lock", "elf/dl-tls.c"},
	{"exit", "exit lock", "stdlib/exit.c (2.41)"},
	{"run_exit_handlers", "exit lock", "stdlib/exit.c"},
	{"cxa_finalize", "exit lock", "stdlib/cxa_finalize.c"},
	{"cxa_atexit", "exit lock", "stdlib/cxa_atexit.c"},
	{"register_atfork", "fork handler lock", "nptl/register-atfork.c"},
	{"run_fork_handlers", "fork handler lock", "nptl/register-atfork.c"},
	{"run_prefork_handlers", "fork handler lock", "posix/register-atfork.c"},
	{"fork", "fork lock", "posix/fork.c"},
	{"libc_fork", "fork lock", "posix/fork.c"},
	{"getaddrinfo", "resolver lock", "nss/getaddrinfo.c"},
	{"gaih_*", "resolver lock", "nss/getaddrinfo.c"},
	{"res_*", "resolver lock", "resolv"},
	{"nss_*", "resolver lock", "nss"},
	{"getpw*", "resolver lock", "nss"},
	{"getgr*", "resolver lock", "nss"},
	{"gethost*", "resolver lock", "nss"},
	{"setlocale", "locale lock", "locale/setlocale.c"},
	{"tz*", "time zone lock", "time/tzset.c"},
	{"localtime*", "time zone lock", "time/tzset.c"},
	{"mktime", "time zone lock", "time/mktime.c"},
	{"syslog", "syslog lock", "misc/syslog.c"},
	{"vsyslog*", "syslog lock", "misc/syslog.c"},
	{"getenv", "environment lock", "stdlib/getenv.c"},
	{"setenv", "environment lock", "stdlib/setenv.c"},
	{"unsetenv", "environment lock", "stdlib/setenv.c"},
	{"putenv", "environment lock", "stdlib/putenv.c"},
	{"rand", "random lock", "stdlib/random.c"},
	{"random*", "random lock", "stdlib/random.c"},
	{"nptl_setxid", "thread list lock", "nptl/nptl_setxid.c"},
	{"nptl_free_tcb", "thread list lock", "nptl/nptl_free_tcb.c"},
	{"nptl_deallocate_stack", "stack cache lock", "nptl/nptl-stack.c"},
	{"pthread_create", "stack cache lock", "nptl/allocatestack.c"},
};

/* Allocators take plain mutexes of their own. */
static const struct libc_lock_row module_rows[] = {
	{"libjemalloc.so", "malloc lock", "jemalloc 5"},
	{"libtcmalloc", "malloc lock", "gperftools 2"},
	{"libmimalloc.so", "malloc lock", "mimalloc 2"},
};

static bool is_lock_frame(const char *normal)
{
	return strncmp(normal, "lll_", 4) == 0 || strncmp(normal, "futex_", 6) == 0 ||
	       strncmp(normal, "pthread_mutex_", 14) == 0 ||
	       strcmp(normal, "rtld_mutex_lock") == 0 || strcmp(normal, "syscall") == 0;
}

static void learn_libc_lock(struct name_facts *facts, uint64_t initials)
{
	if (strchr(facts->normal, ':'))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(libc_lock_rows); i++) {
		const char *pattern = libc_lock_rows[i].pattern;
		if (!name_may_match(initials, pattern) ||
		    !name_matches_pattern(facts->normal, pattern))
			continue;
		facts->libc_lock = libc_lock_rows[i].kind;
		facts->by_prefix = strchr(pattern, '*') && facts->function[0] != '_';
		return;
	}
}

void frames_learn(struct name_facts *facts, row_numbers *ret_rows)
{
	facts->in_libc = in_libc(facts->module);
	facts->kin = is_kin(facts->module, facts->normal);
	for (size_t i = 0; i < ARRAY_SIZE(module_rows) && !facts->allocator; i++) {
		if (module_begins(facts->module, module_rows[i].pattern))
			facts->allocator = module_rows[i].kind;
	}
	if (!*facts->normal)
		return;
	uint64_t initials = name_initials(facts->normal);
	facts->is_lock_frame = is_lock_frame(facts->normal);
	learn_libc_lock(facts, initials);
	for (size_t i = 0; i < frame_row_count; i++) {
		const struct frame_row *row = &frame_rows[i];
		if (name_may_match(initials, row->pattern) &&
		    (!row->module || module_begins(facts->module, row->module)) &&
		    name_matches_pattern(facts->normal, row->pattern) &&
		    (!row->contains || strstr(facts->function, row->contains)))
			*array_append(ret_rows) = (uint16_t)i;
	}
}

/*
 * A static program's own functions stand among libc's.  Nobody but libc waits for a low-level
 * lock; a mutex is taken by whoever likes to, and no name that may be a program's tells who.
 */
static bool may_be_the_programs(const struct name_facts *facts, enum primitive primitive)
{
	return !facts->in_libc && primitive != PRIMITIVE_LOW_LEVEL && facts->by_prefix;
}

const char *frames_libc_lock(const struct subject *subject, enum primitive primitive)
{
	const struct stack *stack = subject->stack;
	bool has_libc = memo_has_libc(subject->memo);
	for (size_t i = 0; stack && i < stack->count && i < DEPTH; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->kind == FRAME_KERNEL)
			continue;
		if (frame->kind == FRAME_SIGNAL)
			return NULL;
		const struct name_facts *facts = memo_name(subject->memo, frame);
		if (facts->allocator)
			return facts->allocator;
		/* A stranger's, with a name or without one: what stands beyond it did not ask. */
		if (!facts->in_libc && (has_libc || !*facts->normal))
			return NULL;
		if (!*facts->normal || facts->is_lock_frame)
			continue;
		if (facts->libc_lock && !may_be_the_programs(facts, primitive))
			return facts->libc_lock;
		if (!facts->in_libc)
			return NULL;
	}
	return NULL;
}

const char *frames_interrupted_libc_lock(const struct subject *subject)
{
	const struct stack *stack = subject->stack;
	bool has_libc = memo_has_libc(subject->memo);
	size_t i = 0, depth = 0;
	while (stack && i < stack->count && stack->frames[i].kind != FRAME_SIGNAL)
		i++;
	for (i++; stack && i < stack->count && depth++ < DEPTH; i++) {
		const struct name_facts *facts = memo_name(subject->memo, &stack->frames[i]);
		/* It was waiting for the lock: then it is somebody else's. */
		if ((!facts->in_libc && has_libc) || facts->is_lock_frame)
			return NULL;
		if (facts->libc_lock)
			return facts->libc_lock;
	}
	return NULL;
}
