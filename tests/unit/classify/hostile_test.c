/* Whatever a target shows of itself: no crash, no hang, no class that does not exist. */
#include "unit/classify/fake.h"

#include "classify/frames.h"
#include "classify/syscall_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define CASES 200000

/* xorshift64*: the same cases every time. */
static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t next(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1d;
}

static size_t random_memory(void *context, uint64_t address, void *buf, size_t n)
{
	(void)context;
	unsigned char *bytes = buf;
	if (address % 7 == 0 || n == 0)
		return 0;
	size_t got = address % 3 == 0 ? 1 + next() % n : n;
	/* Small numbers and pointers into the fake's own data are what gets past the checks. */
	for (size_t i = 0; i < got; i++)
		bytes[i] = next() % 4 ? 0 : (unsigned char)next();
	if (got >= 8 && next() % 2) {
		uint64_t pointer = DATA + next() % 4096;
		memcpy(bytes, &pointer, 8);
	}
	return got;
}

static const char *random_text(struct strpool *strings, const char *const *some, size_t count)
{
	char text[200];
	size_t n = next() % sizeof(text);
	if (next() % 3 == 0)
		return some[next() % count];
	for (size_t i = 0; i < n; i++)
		text[i] = next() % 2 ? "<>():_ a0\n,*[]@.{}"[next() % 18] : (char)(next() | 1);
	return strpool_printf(strings, "%s%.*s", some[next() % count], (int)n, text);
}

static uint64_t random_argument(void)
{
	switch (next() % 6) {
	case 0:
		return next();
	case 1:
		return next() % 16;
	case 2:
		return DATA + next() % 4096;
	case 3:
		return STACK_SP + next() % 4096;
	case 4:
		return UINT64_MAX - next() % 64;
	default:
		return (uint32_t)next();
	}
}

static void randomize(struct fake *fake)
{
	static const char *const names[] = {"pipe:[",
					    "socket:[1]",
					    "anon_inode:[eventfd]",
					    "anon_inode:[timerfd]",
					    "anon_inode:[eventpoll]",
					    "anon_inode:[signalfd]",
					    "/dev/pts/1",
					    "/x",
					    "",
					    "anon_inode:[io_uring]"};
	static const char *const infos[] = {"tfd: ",
					    "it_value: (",
					    "eventfd-count: ",
					    "sigmask: ",
					    "SqHead: 1\nSqTail: ",
					    "\n\n",
					    "inotify wd:",
					    "Pid:"};
	static const char *const stacks[] = {"[<0>] ", "[<0>] folio_wait+0x1/0x2\n",	 "]",
					     "",       "[<0>] pipe_read+0x1/0x2\n[<0>]", "\n"};
	static const char *const functions[] = {"pthread_mutex_lock",
						"std::a<",
						"take_gil",
						"<T as ",
						"Parker::park",
						"__",
						"malloc",
						"operator",
						"::"};
	struct capture_thread *thread = fake->thread;
	thread->state = "RSDTtZXI\0"[next() % 9];
	thread->flags = next() % 8 ? 0 : next();
	thread->syscall.state = next() % 5 ? SYSCALL_INSIDE : (enum syscall_state)(next() % 4);
	thread->syscall.number = next() % 8 ? (long)(next() % 480) : (long)next();
	if (next() % 4 == 0)
		thread->syscall.number = SYS_futex;
	for (int i = 0; i < 6; i++)
		thread->syscall.arguments[i] = random_argument();
	thread->syscall.sp = random_argument();
	thread->syscall.pc = next() % 2 ? LIBC + 0x100 : random_argument();
	thread->slept_ms = next() % 2 ? -1 : (int64_t)(next() >> 1);
	thread->stop = (enum stop_result)(next() % 5);
	thread->in_syscall = next() % 2;
	thread->stopped_syscall = (long)next();
	thread->stopped_result = -(int64_t)(next() % 600);
	thread->registers_from = (enum registers_from)(next() % 3);
	thread->wait_channel = next() % 2 ? NULL : random_text(&fake->strings, stacks, 6);
	thread->kernel_stack = next() % 2 ? NULL : random_text(&fake->strings, stacks, 6);
	thread->fs_base = random_argument();
	fake->process.descriptors.count = 0;
	fake_descriptor(fake, (int)thread->syscall.arguments[0],
			random_text(&fake->strings, names, 10), (unsigned)next(),
			next() % 3 ? random_text(&fake->strings, infos, 8) : NULL);
	fake->stack.count = next() % 16;
	for (size_t i = 0; i < fake->stack.count; i++) {
		struct frame *frame = &fake->stack.frames[i];
		*frame = (struct frame){.kind = (enum frame_kind)(next() % 16 ? 0 : next() % 3)};
		frame->doubtful = next() % 4 == 0;
		frame->inlined = next() % 4 == 0;
		frame->lookup_pc = random_argument();
		frame->function = next() % 4 ? random_text(&fake->strings, functions, 9) : NULL;
		frame->module = next() % 2 ? "/usr/lib/libc.so.6" : next() % 2 ? NULL : "a";
	}
	fake->context.monotonic_ns = fake->context.realtime_ns = (int64_t)(next() >> 1);
}

/* A certain owner is a thread that exists. */
static void check_owners(const struct fake *fake, const struct wait *wait)
{
	assert_true(wait->owner_state < OWNER_STATES && wait->reach < REACHES);
	assert_true(wait->owners.count <= 1);
	assert_int_equal(wait->owners.count == 1,
			 wait->owner_state == OWNER_ALIVE || wait->owner_state == OWNER_EXITED);
	if (wait->reach != REACH_OWNERS)
		return;
	assert_int_equal(wait->owner_state, OWNER_ALIVE);
	const struct thread_id *owner = &wait->owners.items[0];
	const struct capture_thread *thread = capture_thread_by_tid(&fake->process, owner->tid);
	assert_int_equal(owner->pid, fake->process.pid);
	assert_non_null(thread);
	assert_true(thread->state != 'Z' && thread->state != 'X');
	if (wait->owner_confidence == CONFIDENCE_CERTAIN)
		assert_true(fake->thread->steady);
}

static void random_targets_do_no_harm(void **state)
{
	(void)state;
	struct fake *fake = NULL;
	unsigned classes[WAIT_CLASSES] = {0};
	for (unsigned i = 0; i < CASES; i++) {
		if (i % 500 == 0) { /* or the pool would hold all the strings of all cases */
			if (fake)
				fake_free(fake);
			fake = fake_new();
			fake->stack.frames = xcalloc(32, sizeof(struct frame));
			fake->process.memory.sources[0].read = random_memory;
			fake_thread(fake, 101, (pid_t)(next() % 8), NULL, DATA);
		}
		randomize(fake);
		const struct wait *wait = fake_classify(fake);
		assert_true(wait->class < WAIT_CLASSES);
		assert_true(wait->confidence <= CONFIDENCE_LIKELY);
		assert_true(wait->timeout_ms >= -1);
		check_owners(fake, wait);
		assert_true(wait->class == WAIT_UNKNOWN || wait->rule);
		assert_true(!wait->has_syscall ||
			    (wait->syscall.name && wait->syscall.argument_count <= 6));
		classes[wait->class]++;
	}
	fake_free(fake);
	/* The cases are of use only if they get far: most classes must have come up. */
	unsigned seen = 0;
	for (int i = 0; i < WAIT_CLASSES; i++)
		seen += classes[i] > 0;
	assert_true(seen >= 40);
}

static void fds_of_random_calls_are_at_most_two(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		uint64_t arguments[6];
		int fds[2];
		for (int j = 0; j < 6; j++)
			arguments[j] = random_argument();
		assert_true(classify_syscall_fds((long)(next() % 1000) - 10, arguments, fds) <= 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_targets_do_no_harm),
		cmocka_unit_test(fds_of_random_calls_are_at_most_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
